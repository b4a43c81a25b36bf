package gpio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal"
)

// post is a board with everything, watched.
type post struct {
	*testing.T
	board *board
	lines *Lines
	end   context.CancelFunc
	ended chan struct{}
	began time.Time

	mu   sync.Mutex
	told []told
	then func(hal.Signals) // called at each change, if there is one
}

// told is one call of changed.
type told struct {
	at time.Duration // since the watch began
	on hal.Signals
}

const all = hal.StopPressed | hal.EmergencyStop | hal.RCDTripped | hal.TooHot

// rest puts all wires as they are when nobody is there: all is well, the contacts are
// open and the cable is out.
func rest(b *board) {
	for name, w := range map[string]wire{"GPIO27": down, "GPIO22": down, "GPIO23": up, "GPIO24": up, "GPIO25": down, "GPIO5": up} {
		b.move(name, w)
	}
}

// bubble runs a test in a bubble with a post that is watched. prepare may be nil.
func bubble(t *testing.T, prepare func(*post), test func(*post)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &post{T: t, board: pi(t), began: time.Now(), ended: make(chan struct{})}
		p.lines = mustOpen(t, p.board, full())
		rest(p.board)
		if prepare != nil {
			prepare(p)
		}
		ctx, end := context.WithCancel(t.Context())
		p.end = end
		go func() {
			defer close(p.ended)
			p.lines.Watch(ctx, p.changed)
		}()
		test(p)
		end()
		<-p.ended
		if err := p.lines.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (p *post) changed(on hal.Signals) {
	p.mu.Lock()
	p.told = append(p.told, told{time.Since(p.began), on})
	then := p.then
	p.mu.Unlock()
	if then != nil {
		then(on)
	}
}

// sleep lets time pass, and what happens at its end happen.
func (p *post) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// mustTell checks what has been told so far.
func (p *post) mustTell(want ...told) {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.told, want) {
		p.Errorf("told %v, want %v", p.told, want)
	}
}

// mustSee checks what Sense and Plugged say; with an error "" they must have none.
func (p *post) mustSee(position hal.Position, plug hal.Plug, failure string) {
	p.Helper()
	gotPosition, err := p.lines.Sense()
	gotPlug, errPlug := p.lines.Plugged()
	if gotPosition != position || gotPlug != plug {
		p.Errorf("%v and %v, want %v and %v", gotPosition, gotPlug, position, plug)
	}
	for what, err := range map[string]error{"sense": err, "plug": errPlug} {
		if failure == "" && err != nil || failure != "" && !strings.Contains(fmt.Sprint(err), "gpio: "+what+": "+failure) {
			p.Errorf("%s: error %v, want %q", what, err, failure)
		}
	}
}

// What a wire says is told in the same way by all inputs, and a wire that says
// nothing says what is safe.
func TestAWireThatIsBrokenOrUnreadSaysWhatIsSafe(t *testing.T) {
	made := map[string]wire{"GPIO27": up, "GPIO22": up, "GPIO23": up, "GPIO24": up, "GPIO25": down, "GPIO5": up}
	signals := map[string]hal.Signals{"GPIO23": hal.StopPressed, "GPIO24": hal.EmergencyStop, "GPIO25": hal.RCDTripped, "GPIO5": hal.TooHot}
	for name := range made {
		for _, state := range []string{"made", "not made", "cut", "unread"} {
			t.Run(name+" "+state, func(t *testing.T) {
				bubble(t, nil, func(p *post) {
					for n, w := range made {
						p.board.move(n, w)
					}
					p.sleep(time.Second)
					switch state {
					case "not made":
						p.board.move(name, up+down-made[name])
					case "cut":
						p.board.move(name, cut)
					case "unread":
						p.board.do(func(b *board) { b.broken = syscall.ENODEV })
					}
					p.sleep(2 * time.Second)
					position, plug, on := hal.Closed, hal.PlugIn, hal.Signals(0)
					if state == "unread" {
						p.mustSee(hal.Open, hal.PlugUnknown, "read: no such device")
						on = all
					} else {
						if state != "made" {
							position = map[bool]hal.Position{true: hal.Open, false: hal.Closed}[name == "GPIO27"]
							plug = map[bool]hal.Plug{true: hal.PlugOut, false: hal.PlugIn}[name == "GPIO22"]
							on = signals[name]
						}
						p.mustSee(position, plug, "")
					}
					if got := p.told[len(p.told)-1].on; got != on {
						t.Errorf("told %v, want %v", got, on)
					}
				})
			})
		}
	}
}

func TestNothingIsKnownBeforeItHasSettled(t *testing.T) {
	bubble(t, func(p *post) {
		p.mustSee(hal.Open, hal.PlugUnknown, "nobody watches the inputs")
		p.board.move("GPIO27", up)
		p.board.move("GPIO22", up)
	}, func(p *post) {
		p.sleep(0)
		p.mustSee(hal.Open, hal.PlugUnknown, "not settled yet")
		p.sleep(settle - 1)
		p.mustSee(hal.Open, hal.PlugUnknown, "not settled yet")
		p.mustTell()
		p.sleep(1)
		p.mustSee(hal.Closed, hal.PlugIn, "")
		p.mustTell(told{settle, 0})
		p.sleep(time.Hour)
		p.mustTell(told{settle, 0})
		p.end()
		<-p.ended
		p.mustSee(hal.Open, hal.PlugUnknown, "nobody watches the inputs")
	})
}

func TestTheFirstCallTellsWhatIs(t *testing.T) {
	for _, c := range []struct {
		name  string
		wires map[string]wire
		want  []told
	}{
		{"a stop button waits", map[string]wire{"GPIO23": down}, []told{{settle, hal.StopPressed}}},
		{"so does a thermostat", map[string]wire{"GPIO5": cut}, []told{{settle, hal.TooHot}}},
		{"an emergency stop does not", map[string]wire{"GPIO24": down}, []told{{0, hal.EmergencyStop}}},
		{"nor does a residual current device", map[string]wire{"GPIO25": cut}, []told{{0, hal.RCDTripped}}},
		{"one does, one does not", map[string]wire{"GPIO23": down, "GPIO24": down}, []told{{0, hal.EmergencyStop}, {settle, hal.EmergencyStop | hal.StopPressed}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(p *post) {
				for name, w := range c.wires {
					p.board.move(name, w)
				}
				p.board.do(func(b *board) { b.set.events = nil })
			}, func(p *post) {
				p.sleep(time.Minute)
				p.mustTell(c.want...)
			})
		})
	}
}

func TestAnInputThatNeverSettlesIsNotMade(t *testing.T) {
	bubble(t, func(p *post) {
		p.board.move("GPIO22", up)
		p.board.move("GPIO27", up)
	}, func(p *post) {
		p.sleep(2 * time.Second)
		p.mustSee(hal.Closed, hal.PlugIn, "")
		for i := range 200 {
			w := []wire{up, down}[i%2]
			p.board.move("GPIO22", w)
			p.board.move("GPIO23", w)
			p.sleep(20 * time.Millisecond)
		}
		p.mustSee(hal.Closed, hal.PlugOut, "")
		p.mustTell(told{settle, 0}, told{2*time.Second + 20*time.Millisecond + flutterMost, hal.StopPressed})
	})
}

func TestAnEmergencyStopIsToldAtOnceAndItsEndLater(t *testing.T) {
	for _, c := range []struct {
		name  string
		on    hal.Signals
		press func(*board)
		free  func(*board)
	}{
		{"emergency stop", hal.EmergencyStop, func(b *board) { b.move("GPIO24", down) }, func(b *board) { b.move("GPIO24", up) }},
		{"wire of the emergency stop", hal.EmergencyStop, func(b *board) { b.move("GPIO24", cut) }, func(b *board) { b.move("GPIO24", up) }},
		{"residual current device", hal.RCDTripped, func(b *board) { b.move("GPIO25", up) }, func(b *board) { b.move("GPIO25", down) }},
		{"both", hal.Trips, func(b *board) { b.move("GPIO24", down); b.move("GPIO25", cut) }, func(b *board) { b.move("GPIO24", up); b.move("GPIO25", down) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(p *post) {
				p.sleep(time.Second + 300*time.Millisecond) // in the middle of a long wait
				c.press(p.board)
				p.sleep(0)
				p.sleep(10 * time.Second)
				c.free(p.board)
				p.sleep(10 * time.Second)
				p.mu.Lock()
				defer p.mu.Unlock()
				first, last := p.told[1], p.told[len(p.told)-1]
				if first.at != 1300*time.Millisecond || first.on&c.on == 0 || last.at != 11300*time.Millisecond+settle || last.on != 0 {
					t.Errorf("told %v", p.told)
				}
			})
		})
	}
}

// A press that is over before anybody looks has been a press.
func TestAnEmergencyStopIsToldEvenIfItIsOver(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second)
		p.board.do(func(b *board) { b.set.events = append(b.set.events, event{24, false}, event{24, true}); b.set.wake() })
		p.sleep(time.Second)
		p.mustTell(told{settle, 0}, told{time.Second, hal.EmergencyStop}, told{time.Second + settle, 0})
	})
}

// In a world in which everything else bounces.
func TestNothingHoldsUpAnEmergencyStop(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second)
		if err := p.lines.Set(hal.Closed); err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		p.then = func(on hal.Signals) {
			if on&hal.Trips != 0 {
				if err := p.lines.Set(hal.Open); err != nil {
					t.Error(err)
				}
			}
		}
		p.mu.Unlock()
		for i := range 100 {
			for _, name := range []string{"GPIO27", "GPIO22", "GPIO23", "GPIO5"} {
				p.board.move(name, []wire{up, down}[i%2])
				if i == 51 && name == "GPIO22" {
					p.board.move("GPIO24", down) // between the others
				}
			}
			p.sleep(time.Millisecond)
			if high := p.board.level("GPIO17"); high != (i < 51) {
				t.Fatalf("after %d ms of bouncing the contactor's line is high: %v", i, high)
			}
		}
		p.mustTell(told{settle, 0}, told{time.Second + 51*time.Millisecond, hal.EmergencyStop})
	})
}

func TestAnEdgeThatIsLostIsSeenAtTheNextLook(t *testing.T) {
	for name, on := range map[string]hal.Signals{"GPIO24": hal.EmergencyStop, "GPIO23": hal.StopPressed} {
		bubble(t, nil, func(p *post) {
			p.sleep(time.Second + 200*time.Millisecond)
			p.board.do(func(b *board) { b.mute = true })
			p.board.move(name, cut)
			p.sleep(lookEvery + settle)
			p.mu.Lock()
			defer p.mu.Unlock()
			if last := p.told[len(p.told)-1]; last.on != on {
				t.Errorf("%s: told %v", name, p.told)
			}
		})
	}
}

func TestLinesThatFailPutAllSignalsOnAndAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(b *board, err error)
	}{
		{"read", func(b *board, err error) { b.broken = err }},
		{"wait for an edge", func(b *board, err error) { b.deaf = err; b.set.wake() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(p *post) {
				p.sleep(time.Second + 50*time.Millisecond)
				p.board.do(func(b *board) { c.fail(b, syscall.ENODEV); b.reads = 0 })
				p.sleep(time.Minute)
				p.mustSee(hal.Open, hal.PlugUnknown, map[bool]string{true: "read: no such device", false: "wait for an edge: no such device"}[c.name == "read"])
				if n := p.board.reads; n < 58 || n > 62 {
					t.Errorf("read %d times in a minute", n)
				}
				if err := p.lines.Set(hal.Closed); !errors.Is(err, errTripped) {
					t.Errorf("closing: %v", err)
				}
				if n := len(p.told); n != 2 || p.told[1].on != all {
					t.Fatalf("told %v, want all signals once", p.told)
				}
				p.board.do(func(b *board) { c.fail(b, nil) })
				for _, err := p.lines.Sense(); errors.Is(err, syscall.ENODEV); _, err = p.lines.Sense() {
					p.sleep(settle / 10)
				}
				p.mustSee(hal.Open, hal.PlugUnknown, "not settled yet")
				p.sleep(settle)
				p.mustSee(hal.Open, hal.PlugOut, "")
				if n := len(p.told); n != 3 || p.told[2].on != 0 {
					t.Errorf("told %v, want none in the end", p.told)
				}
			})
		})
	}
}

func TestAtFirstLinesThatFailAreToldAtOnce(t *testing.T) {
	bubble(t, func(p *post) { p.board.do(func(b *board) { b.broken = syscall.EIO }) }, func(p *post) {
		p.sleep(0)
		p.mustTell(told{0, all})
		p.mustSee(hal.Open, hal.PlugUnknown, "read: input/output error")
	})
}
