package gpio

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal"
)

func TestWatchEndsWithItsContext(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second + time.Millisecond)
		p.end()
		p.sleep(0)
		select {
		case <-p.ended:
		default:
			t.Error("it goes on")
		}
		if calls := p.board.heard(); strings.Contains(calls, "released") {
			t.Errorf("the board was asked for\n%s", calls)
		}
	})
}

func TestWatchEndsWhileTheLinesFail(t *testing.T) {
	bubble(t, func(p *post) { p.board.do(func(b *board) { b.broken = os.ErrInvalid }) }, func(p *post) {
		p.sleep(time.Millisecond)
		p.end()
		p.sleep(0)
		select {
		case <-p.ended:
		default:
			t.Error("it goes on")
		}
	})
}

func TestCloseEndsAWait(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second + time.Millisecond)
		if err := p.lines.Close(); err != nil {
			t.Error(err)
		}
		p.sleep(0)
		select {
		case <-p.ended:
		default:
			t.Error("it goes on")
		}
	})
}

// Close does not wait for a Watch that may hang, and takes nothing away from it.
func TestCloseEndsWatch(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second)
		hang := make(chan struct{})
		p.then = func(hal.Signals) { <-hang }
		p.board.move("GPIO24", down)
		p.sleep(0)
		if err := p.lines.Close(); err != nil {
			t.Error(err)
		}
		if calls := p.board.heard(); !strings.Contains(calls, "GPIO17 released") || strings.Contains(calls, "inputs released") {
			t.Errorf("the board was asked for\n%s", calls)
		}
		close(hang)
		p.sleep(0)
		select {
		case <-p.ended:
		default:
			t.Error("it goes on")
		}
		if calls := p.board.heard(); !strings.HasSuffix(calls, "inputs released") {
			t.Errorf("the board was asked for\n%s", calls)
		}
		p.lines.Watch(p.Context(), func(hal.Signals) { t.Error("told after the end") })
	})
}

func TestAWatchThatHangsIsNotBelieved(t *testing.T) {
	bubble(t, func(p *post) { p.board.move("GPIO27", up) }, func(p *post) {
		p.sleep(time.Second)
		hang := make(chan struct{})
		p.then = func(hal.Signals) { <-hang }
		p.board.move("GPIO23", down)
		p.sleep(staleAfter)
		p.mustSee(hal.Closed, hal.PlugOut, "")
		p.sleep(settle + 1)
		p.mustSee(hal.Open, hal.PlugUnknown, "nobody has looked for 3.")
		close(hang)
		p.sleep(lookEvery)
		p.mustSee(hal.Closed, hal.PlugOut, "")
	})
}

func TestASecondWatchPanics(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second)
		defer func() {
			if recover() == nil {
				t.Error("two Watches at a time")
			}
		}()
		p.lines.Watch(p.Context(), func(hal.Signals) {})
	})
}

func TestAWatchMayFollowAnother(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second)
		p.end()
		<-p.ended
		ended := make(chan struct{})
		ctx := p.Context()
		go func() {
			defer close(ended)
			p.lines.Watch(ctx, p.changed)
		}()
		p.sleep(time.Second)
		p.mustSee(hal.Open, hal.PlugOut, "")
		p.mustTell(told{settle, 0}, told{time.Second + settle, 0})
		if err := p.lines.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
}

func TestWithoutAPlugInputThePlugIsUnknown(t *testing.T) {
	b := pi(t)
	l := mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27"})
	defer l.Close()
	if p, err := l.Plugged(); p != hal.PlugUnknown || err != nil {
		t.Errorf("%v, %v", p, err)
	}
}

// Without lines that could speak against it nothing is waited for.
func TestClosingIsRefusedUntilTheTripsAreKnownToBeOff(t *testing.T) {
	bubble(t, nil, func(p *post) {
		try := func(when string, may bool) {
			t.Helper()
			err := p.lines.Set(hal.Closed)
			if may != (err == nil) || !may && !errors.Is(err, errTripped) || p.board.level("GPIO17") != may {
				t.Errorf("%s: %v", when, err)
			}
			if err := p.lines.Set(hal.Open); err != nil || p.board.level("GPIO17") {
				t.Errorf("%s: opening: %v", when, err)
			}
		}
		try("before anybody has looked", false)
		p.sleep(settle - 1)
		try("before the trips have settled", false)
		p.sleep(1)
		try("with nothing on", true)
		p.board.move("GPIO23", down)
		p.board.move("GPIO5", down)
		p.sleep(time.Second)
		try("with the others on", true)
		for _, name := range []string{"GPIO24", "GPIO25"} {
			p.board.move(name, cut)
			p.sleep(0)
			try(name+" on", false)
			rest(p.board)
			p.sleep(settle - 1)
			try(name+" just off", false)
			p.sleep(1)
			try(name+" off", true)
		}
		p.end()
		<-p.ended
		try("when nobody looks", false)
	})
	b := pi(t)
	l := mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27"})
	defer l.Close()
	if err := l.Set(hal.Closed); err != nil {
		t.Error(err)
	}
}

// Orders to close that were on their way when the button was pressed do not come
// after the one to open.
func TestNoOrderToCloseComesAfterAnEmergencyStop(t *testing.T) {
	b := pi(t)
	synctest.Test(t, func(t *testing.T) {
		l := mustOpen(t, b, Config{Line: "GPIO17", Sense: "GPIO27", EStop: "GPIO24"})
		b.move("GPIO24", up)
		var group sync.WaitGroup
		stop := make(chan struct{})
		for range 4 {
			group.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
						l.Set(hal.Closed) // refused now and then
					}
				}
			})
		}
		group.Go(func() {
			l.Watch(t.Context(), func(on hal.Signals) {
				if on == 0 {
					return
				}
				if err := l.Set(hal.Open); err != nil {
					t.Error(err)
				}
				for range 5 {
					time.Sleep(time.Millisecond)
					if b.level("GPIO17") {
						t.Error("closed after the order to open")
					}
				}
			})
		})
		for range 50 {
			time.Sleep(2 * settle)
			b.move("GPIO24", down)
			time.Sleep(settle)
			b.move("GPIO24", up)
		}
		close(stop)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		group.Wait()
	})
}
