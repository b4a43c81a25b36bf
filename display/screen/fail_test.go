package screen

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/display/panel"
)

// A panel that is unplugged is looked for with growing pauses, and shows what is so now
// when it is back.
func TestUnplugged(t *testing.T) {
	_, s := play(t, (*bench).options, func(b *bench, s *Screen) {
		pass(time.Minute)
		b.set(func(b *bench) { b.fails, b.gone, b.page = errCable, errCable, charging("1,00 kr") })
		pass(100 * time.Millisecond)
		if h := s.Health(); h.Code != "" || h.Failures != 1 || h.Known {
			t.Errorf("after one failure: %+v", h)
		}
		pass(10 * time.Minute)
		h := s.Health()
		if h.Code != Failing || h.Trouble != errCable.Error() || h.Known || h.Failures < 10 || h.Failures > 20 {
			t.Errorf("while it is unplugged: %+v", h)
		}
		for i := 2; i < len(b.tried); i++ { // the first time was the start, and the second followed the failure
			if gap := b.tried[i].Sub(b.tried[i-1]); gap < firstPause || gap > longestPause {
				t.Errorf("tried again after %v", gap)
			}
		}
		b.set(func(b *bench) { b.fails, b.gone, b.page = nil, nil, charging("2,00 kr") })
		pass(longestPause + awayFor + look)
		if h := s.Health(); h.Code != "" || h.Trouble != "" || !h.Known || h.Face != panel.Charging {
			t.Errorf("after it was plugged in: %+v", h)
		}
		if got := b.last().Page.Cost; got != "2,00 kr" {
			t.Errorf("%s is shown", got)
		}
	})
	if s.Health().Failures == 0 {
		t.Error("what has failed is forgotten")
	}
}

// A disturbance on the cable is mended, and told nobody.
func TestOneFailure(t *testing.T) {
	_, s := play(t, (*bench).options, func(b *bench, s *Screen) {
		pass(time.Minute)
		b.set(func(b *bench) { b.fails, b.page = errCable, charging("1,00 kr") })
		pass(100 * time.Millisecond)
		b.set(func(b *bench) { b.fails = nil })
		pass(firstPause)
		equal(t, "shown", b.faces(), panel.Free, panel.Charging)
	})
	if h := s.Health(); h.Failures != 1 || h.Opened != 3 || !h.Since.Before(h.Shown.Add(-time.Minute)) {
		t.Errorf("health %+v", h)
	}
}

// A loose plug that comes and goes all day is news a few times.
func TestFlapping(t *testing.T) {
	play(t, (*bench).options, func(b *bench, s *Screen) {
		news, code := 0, ""
		for i := range 6 * 60 {
			b.set(func(b *bench) {
				b.fails, b.page = nil, charging(fmt.Sprint(i))
				if i%2 == 0 {
					b.fails = errCable
				}
			})
			pass(time.Minute)
			if now := s.Health().Code; now != code {
				news, code = news+1, now
			}
		}
		if news < 2 || news > 12 {
			t.Errorf("its code was another %d times in six hours", news)
		}
	})
}

// A panel that hangs holds up nobody, is not called a second time, and is set up anew when
// it lives again.
func TestHung(t *testing.T) {
	b, s := play(t, (*bench).options, func(b *bench, s *Screen) {
		stuck := make(chan struct{})
		pass(time.Minute)
		b.set(func(b *bench) { b.stuck, b.page = stuck, charging("1,00 kr") })
		pass(5*time.Second + look)
		if h := s.Health(); h.Code != Failing || h.Failures != 1 || h.Known {
			t.Errorf("while it hangs: %+v", h)
		}
		for range 100 {
			b.set(func(b *bench) { b.page = free("9,99") })
			b.switched <- struct{}{}
			pass(time.Minute)
		}
		if h := s.Health(); h.Failures != 1 || b.opened() != 1 {
			t.Errorf("while it hangs: opened %d times, %+v", b.opened(), h)
		}
		b.set(func(b *bench) { b.stuck = nil })
		close(stuck)
		pass(longestPause + awayFor)
		if h := s.Health(); h.Code != "" || b.opened() != 2 || b.last().Page.Price != "9,99" {
			t.Errorf("when it lives again: opened %d times, %+v", b.opened(), h)
		}
	})
	if got := b.last().Page.Face; got != panel.OutOfOrder || s.Health().Face != got {
		t.Errorf("at the end face %d stays", got)
	}
}

func TestEndWithAPanelThatHangs(t *testing.T) {
	for _, before := range []bool{true, false} { // it hangs before the last page, or with it
		synctest.Test(t, func(t *testing.T) {
			stuck := make(chan struct{})
			b := newPanel()
			s := New(b.options())
			ctx, end := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				s.Run(ctx)
			}()
			pass(time.Minute)
			b.mu.Lock()
			b.stuck = stuck
			b.mu.Unlock()
			if before {
				b.set(func(b *bench) { b.page = charging("1,00 kr") })
				pass(time.Minute)
			}
			began := time.Now()
			end()
			<-ended
			if took := time.Since(began); took > lastWithin {
				t.Errorf("the end took %v", took)
			}
			close(stuck) // the kernel gives up at last
			synctest.Wait()
			if want := map[bool]int{true: 1, false: 2}[before]; b.closed != want { // once to be set up anew
				t.Errorf("hangs before %v: closed %d times, want %d", before, b.closed, want)
			}
		})
	}
}

func TestPanics(t *testing.T) {
	for _, x := range []struct {
		name  string
		wrong func(*Options)
	}{
		{"open", func(o *Options) { o.Open = func() (Device, error) { panic("open") } }},
		{"frame", func(o *Options) { o.Frame = func(bool) panel.Frame { panic("frame") } }},
		{"draw", func(o *Options) { o.Draw = func(panel.Frame) panel.Frame { panic("draw") } }},
	} {
		_, s := play(t, func(b *bench) Options { o := b.options(); x.wrong(&o); return o }, func(b *bench, _ *Screen) {
			pass(time.Minute)
			b.set(func(b *bench) { b.panic = true })
			pass(time.Minute)
		})
		if h := s.Health(); h.Code != Failing || h.Failures < failing {
			t.Errorf("%s: %+v", x.name, h)
		}
	}
}

func TestTooCold(t *testing.T) {
	cold := fmt.Errorf("show: %w", panel.Cold{Now: -3})
	b, s := play(t, (*bench).options, func(b *bench, s *Screen) {
		pass(time.Minute)
		b.set(func(b *bench) { b.fails, b.page = cold, charging("1,00 kr") })
		pass(time.Hour)
		if h := s.Health(); h.Code != Resting || h.Trouble != cold.Error() || h.Failures != 0 || h.Opened != 1 || h.Known {
			t.Errorf("in the cold: %+v", h)
		}
		if b.tries < 60 || b.tries > 62 {
			t.Errorf("tried %d times in an hour of cold", b.tries)
		}
		b.set(func(b *bench) { b.fails = nil })
		pass(coldPause + awayFor)
		if h := s.Health(); h.Code != "" || h.Face != panel.Charging {
			t.Errorf("when it is warm again: %+v", h)
		}
	})
	equal(t, "shown", b.faces(), panel.Free, panel.Charging, panel.OutOfOrder)
	if s.Health().Opened != 2 { // the second time for the last page
		t.Errorf("opened %d times", s.Health().Opened)
	}
}

func TestLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newPanel()
		if err := Last(t.Context(), b.options()); err != nil {
			t.Fatal(err)
		}
		equal(t, "shown", b.faces(), panel.OutOfOrder)
		if b.closed != 1 {
			t.Errorf("closed %d times", b.closed)
		}
		b.gone = errCable
		if err := Last(t.Context(), b.options()); !errors.Is(err, errCable) {
			t.Errorf("an unplugged panel: %v", err)
		}
		b.stuck = make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := Last(ctx, b.options()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a panel that hangs: %v", err)
		}
		close(b.stuck)
	})
}

// Whatever a panel does for a while, it is never called twice at a time nor worn out, and
// shows what is so soon after it is well again.
func TestAnyFault(t *testing.T) {
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 0))
		b, s := play(t, (*bench).options, func(b *bench, _ *Screen) {
			for i := range 200 {
				b.set(func(b *bench) { b.chance(r, i) })
				if r.IntN(3) == 0 {
					select {
					case b.switched <- struct{}{}:
					default:
					}
				}
				pass(time.Duration(r.IntN(20_000)) * time.Millisecond)
			}
			b.set(func(b *bench) {
				b.free()
				b.takes, b.fails, b.gone, b.panic, b.page = 0, nil, nil, false, free("3,33")
			})
			pass(longestPause + 10*time.Second)
			if got := b.last().Page.Price; got != "3,33" {
				t.Errorf("seed %d: after all faults %+v is shown", seed, b.last().Page)
			}
		})
		for i := range len(b.began) - 2 { // the last page waits for nothing
			if b.began[i+1].Sub(b.began[i]) < least {
				t.Errorf("seed %d: page %d was begun %v after the one before", seed, i+1, b.began[i+1].Sub(b.began[i]))
			}
		}
		if h := s.Health(); b.last().Page.Face != panel.OutOfOrder || h.Pages > uint64(len(b.shown)) {
			t.Errorf("seed %d: at the end %+v, health %+v", seed, b.last().Page, h)
		}
	}
}

// chance has something happen to the panel.
func (b *bench) chance(r *rand.Rand, page int) {
	b.page = charging(fmt.Sprint(page))
	b.takes = time.Duration(r.IntN(3)) * time.Duration(r.IntN(3000)) * time.Millisecond
	b.fails = []error{nil, nil, nil, errCable, panel.Cold{}}[r.IntN(5)]
	b.gone = []error{nil, nil, errCable}[r.IntN(3)]
	b.panic = r.IntN(20) == 0
	if b.free(); r.IntN(10) == 0 {
		b.stuck = make(chan struct{})
	}
}

// free has whatever hangs go on.
func (b *bench) free() {
	if b.stuck != nil {
		close(b.stuck)
		b.stuck = nil
	}
}

// What a panel shows after a failure is not known, so what was there before is drawn again.
func TestAfterAFailureWhatWasThereIsDrawnAgain(t *testing.T) {
	play(t, (*bench).options, func(b *bench, _ *Screen) {
		pass(time.Minute)
		b.set(func(b *bench) { b.fails, b.page = errCable, charging("1,00 kr") }) // half of it may have come through
		pass(least)
		b.set(func(b *bench) { b.fails, b.page = nil, free("5,49") })
		pass(firstPause)
		equal(t, "faces", b.faces(), panel.Free, panel.Free)
	})
}

// The last page stays, so it is drawn whole, on a panel that has been set up anew: that the
// contactors opened just now may have disturbed it.
func TestTheLastPageIsDrawnAnew(t *testing.T) {
	b, _ := play(t, (*bench).options, func(_ *bench, _ *Screen) { pass(time.Minute) })
	if last := b.last(); last.Page.Face != panel.OutOfOrder || !last.Whole || b.opened() != 2 {
		t.Errorf("%v stays, whole %v, opened %d times", last.Page.Face, last.Whole, b.opened())
	}
}

// A call that took too long and came back at last may have left half a page.
func TestAPanelThatWasLateIsSetUpAnew(t *testing.T) {
	play(t, (*bench).options, func(b *bench, _ *Screen) {
		pass(time.Minute)
		b.set(func(b *bench) { b.takes, b.page = takes+2*look, charging("1,00 kr") })
		pass(look)
		b.set(func(b *bench) { b.takes = 0 })
		pass(takes + longestPause)
		equal(t, "faces", b.faces(), panel.Free, panel.Charging, panel.Charging)
		if b.opened() != 2 {
			t.Errorf("opened %d times", b.opened())
		}
	})
}
