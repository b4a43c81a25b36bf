package publisher

import (
	"errors"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/hal"
)

// numbers are those of the events that were said, in order.
func numbers(t *testing.T, all []said) []uint64 {
	t.Helper()
	var seqs []uint64
	for _, s := range all {
		if own, _ := s.leaf.Split(); own == "evt/payment" {
			seqs = append(seqs, read[telemetry.Event](t, s).Seq)
		}
	}
	return seqs
}

// What has piled up comes oldest first, all of it, and not too fast, however often the
// connection breaks.
func TestOutboxIsEmptiedInOrderAndSlowly(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, p *Publisher, _ *post, b *books) {
		b.set(true, 0)
		b.add(500, "payment.refunded")
		pass(20 * time.Second)
		b.set(false, 10*time.Millisecond)
		for range 100 {
			p.Anew()
			pass(100 * time.Millisecond)
		}
		pass(time.Minute)
		all := under(b.take(), "evt/payment")
		seqs := numbers(t, all)
		if len(seqs) != 500 {
			t.Fatalf("%d events came", len(seqs))
		}
		for i := range seqs {
			if seqs[i] != uint64(i+1) {
				t.Fatalf("event %d is number %d", i+1, seqs[i])
			}
			if i >= 40 && all[i].at-all[i-40].at < time.Second {
				t.Fatalf("40 events in %v", all[i].at-all[i-40].at)
			}
		}
		if took := all[499].at - all[0].at; took < 24*time.Second || took > 40*time.Second {
			t.Errorf("500 events took %v", took)
		}
	})
}

// A change of state does not wait behind what has piled up.
func TestStateDoesNotWaitForEvents(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, v *post, b *books) {
		pass(20 * time.Second)
		b.take()
		b.set(false, 100*time.Millisecond)
		b.add(500, "payment.refunded")
		for range 5 {
			pass(4*time.Second + 30*time.Millisecond)
			v.change(func(s *session.State) { s.Latched ^= session.Withdrawn })
			b.take()
			pass(1110 * time.Millisecond)
			if all := b.take(); len(under(all, "evse/1/state")) != 1 || len(all) == 1 {
				t.Errorf("told %s: want the state, and events", leaves(all))
			}
		}
	})
}

// An event is out when the broker has it, and no sooner.
func TestEventIsSentUntilItHasArrived(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, p *Publisher, _ *post, b *books) {
		pass(20 * time.Second)
		b.set(false, time.Hour) // never acknowledged
		b.add(2, "payment.refunded")
		pass(10 * time.Minute)
		if n, _ := b.Waiting(); n != 2 {
			t.Errorf("%d wait: want both", n)
		}
		h := p.health()
		if h.Outbox.Events != 2 || h.Outbox.Oldest < 590 {
			t.Errorf("health says %+v", h.Outbox)
		}
		b.set(false, 0)
		b.take()
		pass(time.Minute)
		if got := numbers(t, b.take()); len(got) != 2 || got[0] != 1 {
			t.Errorf("came %v", got)
		}
		if n, _ := b.Waiting(); n != 0 {
			t.Errorf("%d wait: want none", n)
		}
		b.set(false, time.Second)
		b.add(10, "payment.refunded")
		pass(5 * time.Second)
		b.set(true, 0)
		pass(time.Minute)
		if n, _ := b.Waiting(); n > 7 || n < 4 || n != 10-len(b.take()) {
			t.Errorf("%d wait of ten after a connection that broke: want those that have not arrived", n)
		}
	})
}

// That events wait is told at once, and so is that they do not any more. Since when is
// not told if it was written with a clock that was never set.
func TestEventsThatWaitAreToldOfAtOnce(t *testing.T) {
	for _, clock := range []hal.Clock{hal.ClockSynced, hal.ClockUnknown} {
		bubble(t, telemetry.Minimal, nil, func(t *testing.T, p *Publisher, _ *post, b *books) {
			b.clock = clock
			pass(time.Minute)
			b.set(true, 0)
			b.add(50, "payment.refunded")
			pass(10 * time.Minute)
			if n, since := p.Waiting(); n != 50 || (since > 0) != (clock == hal.ClockSynced) {
				t.Errorf("%v: %d wait since %d", clock, n, since)
			}
			b.take()
			b.set(false, 0)
			p.Anew()
			pass(10 * time.Second)
			all := under(b.take(), "health")
			if len(all) != 2 {
				t.Fatalf("%v: told %d times", clock, len(all))
			}
			if h := read[telemetry.Health](t, all[0]).Outbox; h.Events != 50 || (h.Oldest > 500) != (clock == hal.ClockSynced) {
				t.Errorf("%v: at first %+v", clock, h)
			}
			if h := read[telemetry.Health](t, all[1]).Outbox; h != (telemetry.Outbox{}) {
				t.Errorf("%v: then %+v", clock, h)
			}
			b.add(1, "payment.refunded")
			pass(time.Minute)
			if all := under(b.take(), "health"); len(all) > 0 {
				t.Errorf("%v: one event, which was sent at once, is told of: %v", clock, all)
			}
		})
	}
}

// Whoever winds the outbox back has events sent again.
func TestOutboxWoundBackIsSentAgain(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, _ *post, b *books) {
		pass(20 * time.Second)
		b.add(30, "payment.refunded")
		pass(10 * time.Second)
		b.Done(4)
		pass(10 * time.Second)
		if got := numbers(t, b.take()); len(got) != 56 || got[29] != 30 || got[30] != 5 || got[55] != 30 {
			t.Errorf("came %v", got)
		}
	})
}

// What is out is written down, but not at each event, and at the end.
func TestOutboxIsWrittenDownNowAndThen(t *testing.T) {
	var b *books
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, v *post, books *books) {
		b = books
		pass(2 * time.Minute)
		if all := b.saved(nil); len(all) > 0 {
			t.Errorf("saved at %v, and there was nothing", all)
		}
		for range 300 {
			b.add(1, "payment.refunded")
			pass(time.Second)
		}
		if all := b.saved(nil); len(all) < 5 || len(all) > 6 {
			t.Errorf("saved %d times in five minutes: %v", len(all), all)
		}
		pass(2 * time.Minute)
		b.saved(nil)
		pass(10 * time.Minute)
		if all := b.saved(errors.New("no space left")); len(all) > 0 {
			t.Errorf("saved at %v, and there was nothing new", all)
		}
		b.add(1, "payment.refunded")
		pass(3*time.Minute + time.Second)
		failed := b.saved(nil)
		pass(2 * time.Minute)
		if all := append(failed, b.saved(nil)...); len(all) != 4 {
			t.Errorf("saved %d times on a disk that was full at first: %v", len(all), all)
		}
		b.add(1, "payment.refunded")
		b.saved(nil)
		b.take()
		b.set(false, 10*time.Millisecond)
		v.change(func(s *session.State) { s.Latched |= session.Withdrawn })
	})
	if s := last[telemetry.State](t, b.take(), "evse/1/state"); s.State != "unavailable" {
		t.Errorf("at the end: told %+v", s)
	}
	if len(b.saves) != 1 || b.out != 302 {
		t.Errorf("at the end: saved %d times, out to %d: want the last one sent and written down", len(b.saves), b.out)
	}
}

// A ledger that cannot be read, or a card that does not answer, keeps nothing else from
// being told, nor the post from ending.
func TestLedgerInTroubleKeepsStatesComing(t *testing.T) {
	for name, change := range map[string]func(*books){
		"cannot be read":  func(b *books) { b.broken = errors.New("input/output error") },
		"does not answer": func(b *books) { b.hang = 24 * time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, telemetry.Frugal, func(o *Options) { change(o.Outbox.(*books)) },
				func(t *testing.T, _ *Publisher, v *post, b *books) {
					b.add(1, "payment.refunded")
					pass(20 * time.Second)
					v.change(func(s *session.State) { s.Latched |= session.Withdrawn })
					pass(16 * time.Minute)
					all := b.take()
					if s := last[telemetry.State](t, all, "evse/1/state"); s.State != "unavailable" {
						t.Errorf("%+v", s)
					}
					if h := last[telemetry.Health](t, all, "health"); name == "cannot be read" && h.Outbox.Events != 1 {
						t.Errorf("%+v", h)
					}
					if got := numbers(t, all); len(got) > 0 {
						t.Errorf("came %v", got)
					}
				})
		})
	}
}
