package vm

import (
	"context"
	"fmt"
	"time"

	"stolpe/cross/vm/frame"
	"stolpe/hal"
)

// death is a way for the program to end while a car charges.
type death struct {
	shot string // as the machine knows it
	what string
	n    int // times

	within time.Duration // and the line must be low
}

// Until the line must be low. Chosen by us: what the unit promises (WatchdogSec= and
// TimeoutAbortSec= for a program that hangs), and some seconds for a processor that is emulated.
const (
	lowAfterDeath = 5 * time.Second
	lowAfterHang  = 16 * time.Second
)

// deaths ends the program in every way there is, and measures how long until the
// contactor's line is low. A released line keeps its level, as it does with the kernel of
// a Raspberry Pi: nothing opens it but what the unit says.
func deaths(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.m.Persist(ctx, true); err != nil {
		return err
	}
	for _, d := range []death{
		{"kill", "SIGKILL to line low", s.kills, lowAfterDeath},
		{"segv", "SIGSEGV to line low", s.stops, lowAfterDeath},
		{"oom", "out of memory to line low", s.stops, lowAfterHang}, // memory must be filled first
		{"stop", "SIGSTOP (hang) to line low", s.stops, lowAfterHang},
	} {
		if d.n == 0 {
			continue
		}
		if err := s.die(ctx, p, d); err != nil {
			return fmt.Errorf("%s: %w", d.what, err)
		}
	}
	return s.paid(ctx, p, flowing(s.kills)+3*flowing(s.stops))
}

// flowing is of how many charges something flows before they end: of every second, from the
// first on. The car draws nothing in the first seconds, so the others are hit before it does.
func flowing(n int) int { return (n + 1) / 2 }

// paid judges, and demands that at least so many charges were paid.
func (s *stage) paid(ctx context.Context, p *post, least int) error {
	v, err := p.judge(ctx)
	if err != nil {
		return err
	}
	s.say("%v", v)
	if v.Captured < least {
		return fmt.Errorf("%d charges were paid, want at least %d", v.Captured, least)
	}
	return nil
}

// die lets the program die so while cars charge.
func (s *stage) die(ctx context.Context, p *post, d death) error {
	var took, back spread
	for i := range d.n {
		if err := p.begin(ctx, enough(i)); err != nil {
			return fmt.Errorf("charge %d: %w", i+1, err)
		}
		began := time.Now()
		t, err := p.m.Latency(ctx, frame.Shot{What: d.shot, Unit: unitFor, Line: lineContactor, Most: d.within})
		if err != nil {
			return err
		}
		p.site.Died()
		took = append(took, t)
		if err := until(ctx, servesWithin, "the page answers again", func(ctx context.Context) error {
			_, _, err := p.phone.Scene(ctx)
			return err
		}); err != nil {
			return err
		}
		back = append(back, time.Since(began))
	}
	s.measured(d.what, took)
	s.say("and until the page answers again: %v", back)
	return nil
}

// enough is what must have flowed before the next of several charges ends, Wh.
func enough(i int) hal.Energy { return hal.Energy((i + 1) % 2 * 10) }

// estop presses the emergency stop while cars charge.
func estop(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	var took spread
	for i := range s.stripes {
		if err := p.begin(ctx, enough(i)); err != nil {
			return fmt.Errorf("charge %d: %w", i+1, err)
		}
		t, err := p.m.Latency(ctx, frame.Shot{What: "pull", Input: lineEstop, High: true, Line: lineContactor, Most: time.Second})
		if err != nil {
			return err
		}
		took = append(took, t)
		if err := p.m.Pull(ctx, lineEstop, false); err != nil {
			return err
		}
		if err := until(ctx, settledWithin, "the charge is over", func(ctx context.Context) error {
			_, settled, err := p.phone.Scene(ctx)
			if err == nil && !settled {
				err = fmt.Errorf("not settled")
			}
			return err
		}); err != nil {
			return err
		}
	}
	s.measured("emergency stop to line low", took)
	return s.paid(ctx, p, flowing(s.stripes))
}
