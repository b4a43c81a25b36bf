package screen

import (
	"fmt"
	"testing"
	"time"

	"stolpe/display/panel"
)

func TestWhatIsShown(t *testing.T) {
	b, s := play(t, (*bench).options, func(b *bench, s *Screen) {
		equal(t, "at once", b.faces(), panel.Free)
		pass(time.Hour)
		equal(t, "nothing is new", b.faces(), panel.Free)

		b.set(func(b *bench) { b.page = charging("1,00 kr") })
		pass(least)
		equal(t, "after a change", b.faces(), panel.Free, panel.Charging)

		b.mu.Lock()
		b.page = charging("1,01 kr") // and nobody says so
		b.mu.Unlock()
		pass(look)
		if got := b.last().Page.Cost; got != "1,01 kr" {
			t.Errorf("a figure that changes by itself: %s is shown", got)
		}
		b.set(func(b *bench) { b.night = true })
		pass(look)
		if !b.last().Night {
			t.Error("it is not dimmed when it gets dark")
		}
	})
	equal(t, "with the end", b.faces(), panel.Free, panel.Charging, panel.Charging, panel.Charging, panel.OutOfOrder)
	if h := s.Health(); h.Pages != 5 || h.Failures != 0 || h.Opened != 1 || h.Code != "" || h.Face != panel.OutOfOrder || !h.Known {
		t.Errorf("health: %+v", h)
	}
	if b.closed != 1 {
		t.Errorf("closed %d times", b.closed)
	}
}

func TestCodeGoesWithTheChance(t *testing.T) {
	play(t, (*bench).options, func(b *bench, _ *Screen) {
		pass(time.Minute)
		b.set(func(b *bench) { b.page.Code = nil })
		pass(0)
		if b.last().Page.Code != nil {
			t.Error("the code is still there")
		}
	})
}

// What changes faster than an eye follows is not drawn more often than it does, and the
// newest is drawn in the end.
func TestNoMoreThanAnEyeFollows(t *testing.T) {
	play(t, (*bench).options, func(b *bench, _ *Screen) {
		const lasts, every = 10 * time.Second, 10 * time.Millisecond
		for i := range int(lasts / every) {
			b.set(func(b *bench) { b.page = charging(string(rune('A' + i%26))) })
			pass(every)
		}
		b.set(func(b *bench) { b.page = charging("last") })
		pass(least)
		if n, most := len(b.faces()), int(lasts/least)+2; n > most || n < most/2 {
			t.Errorf("drawn %d times, want at most %d and not many fewer", n, most)
		}
		if got := b.last().Page.Cost; got != "last" {
			t.Errorf("%q is shown, not the newest", got)
		}
	})
}

// A slow bus shows less often, and never a page that was over before it was begun.
func TestSlow(t *testing.T) {
	b, s := play(t, func(b *bench) Options { b.takes = time.Second; return b.options() }, func(b *bench, _ *Screen) {
		pass(5 * time.Second)
		for range 4 {
			b.set(func(b *bench) { b.page = charging("now") })
			pass(time.Second)
			b.set(func(b *bench) { b.page = free("4,00") })
			pass(5 * time.Second)
		}
		if got := b.last().Page.Price; got != "4,00" {
			t.Errorf("price %q is shown", got)
		}
	})
	if h := s.Health(); h.Code != "" || h.Failures != 0 {
		t.Errorf("slow is no failure, but health is %+v", h)
	}
	if got := b.last().Page.Face; got != panel.OutOfOrder {
		t.Errorf("at the end face %d stays", got)
	}
}

func TestDue(t *testing.T) {
	const interval = 180 * time.Second
	due := func(b *bench) Options {
		o := b.options()
		o.Refresh = panel.Refresh{Figures: interval, Stale: 20 * time.Minute}
		return o
	}
	play(t, due, func(b *bench, _ *Screen) {
		b.set(func(b *bench) { b.page = charging("1") })
		pass(time.Second)
		for i := range 600 {
			b.set(func(b *bench) { b.page = charging(time.Duration(i).String()) })
			pass(time.Second)
		}
		if n := len(b.faces()); n != 2+3 {
			t.Errorf("drawn %d times in 600 s, want the first two pages and then one each 180 s", n)
		}
		for i := range len(b.at) - 2 {
			if gap := b.at[i+2].Sub(b.at[i+1]); gap < interval {
				t.Errorf("page %d came %v after the one before", i+2, gap)
			}
		}
		b.set(func(b *bench) { b.page = free("5,49") })
		pass(0)
		before := len(b.faces())
		pass(61 * time.Minute)
		if n := len(b.faces()) - before; n != 3 {
			t.Errorf("the same page was shown %d times more in an hour", n)
		}
	})
}

func TestInstead(t *testing.T) {
	b, _ := play(t, (*bench).options, func(b *bench, s *Screen) {
		pass(time.Minute)
		s.Instead(panel.Frame{Page: panel.Page{Face: panel.Emergency}}, 10*time.Second)
		pass(9 * time.Second)
		equal(t, "while a technician looks", b.faces(), panel.Free, panel.Emergency)
		pass(2 * time.Second)
		equal(t, "after it", b.faces(), panel.Free, panel.Emergency, panel.Free)
		s.Instead(panel.Frame{Page: panel.Page{Face: panel.Emergency}}, time.Hour)
		pass(time.Minute)
		b.set(func(b *bench) { b.page = charging("1,00 kr") })
		pass(2 * time.Second)
		equal(t, "with a driver who comes", b.faces(), panel.Free, panel.Emergency, panel.Free, panel.Emergency, panel.Charging)
		s.Instead(panel.Frame{Page: panel.Page{Face: panel.Boot}}, time.Hour)
		pass(least)
	})
	equal(t, "at the end", b.faces(), panel.Free, panel.Emergency, panel.Free, panel.Emergency, panel.Charging, panel.Boot, panel.OutOfOrder)
}

// What stands is shown again where the panel wants that, and in the dark otherwise than by
// day.
func TestAgain(t *testing.T) {
	play(t, func(b *bench) Options { o := b.options(); o.Again = time.Minute; return o }, func(b *bench, _ *Screen) {
		pass(time.Hour + time.Second)
		if n := len(b.faces()); n != 1+60 {
			t.Errorf("shown %d times in an hour", n)
		}
	})
}

// E-paper is asked in between whether it has become too cold, and not drawn for that.
func TestAgainIsNoDraw(t *testing.T) {
	rules := panel.Paper()
	rules.Stale = time.Hour
	play(t, func(b *bench) Options { o := b.options(); o.Refresh, o.Again = rules, rules.Cold; return o }, func(b *bench, _ *Screen) {
		pass(2*time.Hour + time.Minute)
		whole := 0
		for _, f := range b.shown {
			if f.Whole {
				whole++
			}
		}
		if asked := len(b.shown) - whole; whole != 3 || asked < 2*4 || asked > 2*6 {
			t.Errorf("in two hours: %d whole draws, and asked %d times", whole, asked)
		}
	})
}

// A light blinks without a page being new, and a failure ends that.
func TestPulses(t *testing.T) {
	const period = 50 * time.Millisecond
	_, s := play(t, func(b *bench) Options { b.blinks = period; return b.options() }, func(b *bench, s *Screen) {
		pass(10 * time.Second)
		if n, want := len(b.pulses), int(10*time.Second/period); n < want*9/10 || n > want+1 {
			t.Errorf("pulsed %d times in 10 s", n)
		}
		if last := b.pulses[len(b.pulses)-1]; last < 9*time.Second {
			t.Errorf("the last pulse was told to be %v after the page", last)
		}
		if h := s.Health(); h.Pages != 1 {
			t.Errorf("pulses count as %d pages", h.Pages)
		}
		b.set(func(b *bench) { b.page = charging("1,00 kr") })
		pass(least)
		if last := b.pulses[len(b.pulses)-1]; last > least {
			t.Errorf("after another page: pulse at %v", last)
		}
		b.set(func(b *bench) { b.fails, b.page = errCable, free("5,49") })
		pass(time.Second / 2)
		before := len(b.pulses)
		pass(time.Minute)
		if after := len(b.pulses); after != before {
			t.Errorf("a light that fails was called %d times more", after-before)
		}
	})
	if s.Health().Pages != 2 {
		t.Errorf("health: %+v", s.Health())
	}
}

// Interference leaves no trace on the bus, so the panel is set up anew after each switch.
func TestSwitched(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		options := func(b *bench) Options { o := b.options(); o.Keeps = keeps; return o }
		play(t, options, func(b *bench, _ *Screen) {
			pass(time.Minute)
			for i := range 3 { // contacts bounce, and so does who reports them
				b.switched <- struct{}{}
				b.set(func(b *bench) { b.page = charging(fmt.Sprint(i)) }) // what is drawn meanwhile may be disturbed, too
				pass(settle / 5)
			}
			pass(settle)
			if opened := b.opened(); (opened == 2) == keeps {
				t.Errorf("keeps %v: opened %d times", keeps, opened)
			}
			b.set(func(b *bench) { b.page = charging("1,00 kr") })
			pass(least)
			if opened := b.opened(); opened != 2 || b.closed != 1 {
				t.Errorf("keeps %v: opened %d times, closed %d times", keeps, opened, b.closed)
			}
		})
	}
}
