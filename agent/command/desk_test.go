package command

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal"
)

func TestACommandIsWrittenDownThenDoneThenAnswered(t *testing.T) {
	run(t, nil, func(p *post) {
		p.deed = func(context.Context, Command) (Answer, error) {
			return Answer{Text: "begins anew", Data: map[string]int{"evses": 2}, Then: func() { p.saw("then") }}, nil
		}
		c := sent(Operator, Restart, func(c *Command) { c.EVSE = 2; c.Args = json.RawMessage(`{"why":"x"}`) })
		p.give(c)
		if at := func(s string) int { return slices.Index(p.order, s) }; at("command.accepted") != 0 || at("deed") != 1 || at("reply") < 2 || at("then") < at("reply") || len(p.order) != 5 {
			t.Errorf("order %v", p.order)
		}
		if got := p.did()[0]; got.ID != c.ID || got.EVSE != 2 || string(got.Args) != `{"why":"x"}` {
			t.Errorf("did %+v", got)
		}
		reply, last := p.last()
		if reply.V != 1 || reply.Clock != "synced" || reply.ID != c.ID || !reply.OK || reply.Code != Done || reply.Text != "begins anew" || reply.Data == nil {
			t.Errorf("reply %+v", reply)
		}
		want := Record{Kind: AcceptedKind, At: last.At, ID: c.ID, Name: Restart, Issuer: "operator", EVSE: 2, Expires: c.Expires}
		if p.wrote()[0] != want {
			t.Errorf("accepted %+v\nwant %+v", p.wrote()[0], want)
		}
		want.Kind, want.Code, want.Text = DoneKind, Done, "begins anew"
		if last != want {
			t.Errorf("done %+v\nwant %+v", last, want)
		}
	})
}

func TestWhatADeedSaysIsPassedOn(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		code Code
		kind Kind
		text string
	}{
		"unsafe":  {Refuse(Unsafe, "somebody charges"), Unsafe, RefusedKind, "somebody charges"},
		"busy":    {Refuse(Busy, "a test is under way"), Busy, RefusedKind, "a test is under way"},
		"invalid": {sent(Operator, Restart, func(c *Command) { c.Args = json.RawMessage(`{"evrything":1}`) }).Read(&struct{ Everything int }{}), Invalid, RefusedKind, `args: json: unknown field "evrything"`},
		"failed":  {errors.New("no such meter"), Failed, DoneKind, "no such meter"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, nil, func(p *post) {
				p.deed = func(context.Context, Command) (Answer, error) {
					return Answer{Then: func() { t.Error("went on after an error") }}, row.err
				}
				p.give(sent(Operator, Restart))
				reply, last := p.last()
				if reply.OK || reply.Code != row.code || reply.Text != row.text || last.Kind != row.kind || last.Code != row.code || last.Text != row.text {
					t.Errorf("reply %+v, record %+v", reply, last)
				}
			})
		})
	}
}

// An id is good for one command, and what an earlier life of the program has done is
// done, too.
func TestNothingIsDoneTwice(t *testing.T) {
	c := sent(Operator, Stop)
	restarted := func(o *Options) {
		o.Remembered = []Record{{Kind: AcceptedKind, ID: NewID(time.Now())}, {Kind: AcceptedKind, ID: c.ID}}
	}
	run(t, restarted, func(p *post) {
		c := c
		c.Issued, c.Expires = time.Now().Truncate(time.Second), time.Now().Truncate(time.Second).Add(time.Minute)
		p.give(c)
		if reply, last := p.last(); len(p.did()) > 0 || reply.Code != Replayed || last.Code != Replayed {
			t.Errorf("after a restart: did %v, reply %+v", p.did(), reply)
		}
		again := sent(Operator, Restart)
		p.give(again)
		p.give(again)
		if done, _, replies := p.count(); done != 1 || replies != 3 {
			t.Errorf("did %d, %d replies", done, replies)
		}
		pass(3 * time.Minute)
		p.give(again)
		if reply, _ := p.last(); reply.Code != Expired || len(p.did()) != 1 {
			t.Errorf("later: %+v", reply)
		}
	})
}

func TestTooManyCommandsAreRefusedForAMinute(t *testing.T) {
	run(t, nil, func(p *post) {
		for range mostGiven {
			p.give(sent(Operator, Restart))
		}
		late := sent(Operator, Stop)
		p.give(late)
		if reply, last := p.last(); reply.Code != Busy || last.Code != Busy || len(p.did()) != mostGiven {
			t.Errorf("did %d, %+v", len(p.did()), reply)
		}
		p.give(sent(Admin, Identify))
		if reply, _ := p.last(); reply.Code != Done {
			t.Errorf("another's command: %+v", reply)
		}
		pass(50 * time.Second)
		p.give(sent(Operator, Stop))
		pass(11 * time.Second)
		late.Expires = late.Expires.Add(time.Minute)
		p.give(late) // as whoever has overheard it would
		if reply, _ := p.last(); reply.Code != Replayed || len(p.did()) != mostGiven+1 {
			t.Errorf("did %d, %+v", len(p.did()), reply)
		}
		p.give(sent(Operator, Stop))
		if reply, _ := p.last(); reply.Code != Done || len(p.did()) != mostGiven+2 {
			t.Errorf("did %d, %+v", len(p.did()), reply)
		}
	})
}

func TestWithoutTheTimeOnlyWhatHarmsNobodyIsDone(t *testing.T) {
	var set atomic.Bool
	run(t, func(o *Options) { o.TimeSet = set.Load }, func(p *post) {
		p.clock = hal.ClockUnknown
		for _, n := range Names() {
			if n == SettleRetry {
				continue
			}
			before := len(p.did())
			p.give(sent(Admin, n, func(c *Command) { c.Issued, c.Expires = c.Issued.AddDate(50, 0, 0), c.Expires.AddDate(50, 0, 0) }))
			reply, last := p.last()
			if did := len(p.did()) > before; did != (n == Identify || n == Stop) || !did && (reply.Code != Expired || last.Code != Expired || !strings.Contains(reply.Text, "clock")) {
				t.Errorf("%s: %t, %+v", n, did, reply)
			}
			pass(time.Minute * 2)
		}
		p.clock = hal.ClockHoldover // as a board without a battery boots
		p.give(sent(Admin, Restart))
		if reply, _ := p.last(); reply.Code != Expired || !strings.Contains(reply.Text, "clock") {
			t.Errorf("with a clock that may have stood still: %+v", reply)
		}
		p.give(sent(Admin, Stop))
		if reply, _ := p.last(); reply.Code != Done {
			t.Errorf("what harms nobody, with such a clock: %+v", reply)
		}
		set.Store(true)
		p.give(sent(Admin, Restart))
		if reply, _ := p.last(); reply.Code != Done || reply.Clock != "holdover" {
			t.Errorf("with a clock that had been set: %+v", reply)
		}
	})
}

func TestWithoutALedgerOnlyWhatHarmsNobodyIsDone(t *testing.T) {
	try := func(t *testing.T, p *post) {
		p.give(sent(Operator, Restart))
		if done, _, replies := p.count(); done != 0 || replies != 1 || p.said()[0].Code != Failed {
			t.Errorf("did %d, replies %+v", done, p.said())
		}
		p.give(sent(Operator, Stop))
		if done, _, replies := p.count(); done != 1 || replies != 2 || p.said()[1].Code != Done {
			t.Errorf("did %d, replies %+v", done, p.said())
		}
	}
	t.Run("none", func(t *testing.T) { run(t, func(o *Options) { o.Note = nil }, func(p *post) { try(t, p) }) })
	t.Run("full", func(t *testing.T) { run(t, nil, func(p *post) { p.err = errDisk; try(t, p) }) })
}

// A stop waits for no disk that hangs, and for no deed that takes long.
func TestAStopWaitsForNothing(t *testing.T) {
	var hung chan struct{}
	disk := func(o *Options) {
		hung = make(chan struct{})
		note := o.Note
		o.Note = func(r Record) error { <-hung; return note(r) }
	}
	t.Run("disk", func(t *testing.T) {
		run(t, disk, func(p *post) {
			p.give(sent(Operator, Restart))
			p.give(sent(Operator, Stop))
			p.give(sent(Operator, Stop))
			if done, _, replies := p.count(); done != 2 || replies != 2 || p.did()[0].Name != Stop {
				t.Errorf("did %d, %d replies", done, replies)
			}
			close(hung)
			synctest.Wait()
			if done, records, replies := p.count(); done != 3 || records != 6 || replies != 3 {
				t.Errorf("later: did %d, %d records, %d replies", done, records, replies)
			}
		})
	})
	t.Run("deed", func(t *testing.T) {
		run(t, nil, func(p *post) {
			p.deed = func(ctx context.Context, c Command) (Answer, error) {
				if c.Name != Stop {
					<-ctx.Done()
				}
				return Answer{}, ctx.Err()
			}
			p.give(sent(Operator, Selftest))
			p.give(sent(Operator, Stop))
			if _, _, replies := p.count(); replies != 1 || p.said()[0].Code != Done {
				t.Errorf("replies %+v", p.said())
			}
			pass(deedTime)
			synctest.Wait()
			if reply, _ := p.last(); reply.Code != Failed || !strings.Contains(reply.Text, "deadline") {
				t.Errorf("a deed without an end: %+v", reply)
			}
		})
	})
}

func TestWhatWasDoneIsWrittenDownAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		p := newPost(t, nil)
		note := p.desk.Note
		p.desk.Note = func(r Record) error { <-hung; return note(r) }
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); p.desk.Run(ctx) }()
		p.give(sent(Operator, Stop))
		stop()
		synctest.Wait()
		close(hung)
		<-ended
		if _, last := p.last(); last.Kind != DoneKind || len(p.wrote()) != 2 {
			t.Errorf("records %+v", p.wrote())
		}
	})
}

func TestTakingInNeverWaits(t *testing.T) {
	p := newPost(t, nil) // nobody works
	for range 3 * mostWait {
		if !p.desk.Take(base+"cmd/stop", payload(sent(Operator, Stop)), false) {
			t.Fatal("not taken")
		}
	}
	if p.desk.dropped != 2*mostWait {
		t.Errorf("%d dropped", p.desk.dropped)
	}
	for _, topic := range []string{"", base, base + "cmd", base + "cmd/stop/res", base + "pay/answer", "stolpe/v1/acme/A13/cmd/stop", "x" + base + "cmd/stop"} {
		if p.desk.Take(topic, nil, false) {
			t.Errorf("%q is taken", topic)
		}
	}
}

func TestAnAnswerThatIsTooLargeIsNone(t *testing.T) {
	for name, data := range map[string]any{"large": strings.Repeat("x", maxReply), "none": func() {}} {
		run(t, nil, func(p *post) {
			p.deed = func(context.Context, Command) (Answer, error) {
				return Answer{Text: strings.Repeat("æ", 300), Data: data}, nil
			}
			p.give(sent(Operator, ConfigGet))
			if reply, _ := p.last(); reply.OK || reply.Code != Failed || reply.Data != nil || !strings.HasPrefix(reply.Text, "done, but the answer") {
				t.Errorf("%s: %+v", name, reply)
			}
		})
	}
	run(t, nil, func(p *post) {
		p.deed = func(context.Context, Command) (Answer, error) {
			return Answer{Text: "x" + strings.Repeat("æ", 300)}, nil
		}
		p.give(sent(Operator, ConfigGet))
		if reply, last := p.last(); reply.Text != "x"+strings.Repeat("æ", 99) || last.Text != reply.Text {
			t.Errorf("%d bytes: %q", len(reply.Text), reply.Text)
		}
	})
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	var m memory
	ids := make([]string, remembered+2)
	for i := range ids {
		ids[i] = NewID(time.Now())
		m.add(ids[i])
		m.add(ids[i])
	}
	if m.has(ids[0]) || m.has(ids[1]) || !m.has(ids[2]) || !m.has(ids[remembered+1]) || len(m.ids) != remembered || len(m.order) != remembered {
		t.Errorf("%d ids, %d in order", len(m.ids), len(m.order))
	}
}
