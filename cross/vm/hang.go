package vm

import (
	"context"
	"fmt"
	"time"
)

// resetWithin is how long a machine whose kernel has stopped may take to be back. Chosen by us:
// the 14 s of the watchdog (systemd/stolpe-watchdog.conf), and a start that is emulated.
const resetWithin = 60 * time.Second

// hang lets the kernel stop for ever while a car charges, with the line high: the
// hardware watchdog resets the machine.
func hang(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	if err := p.patient(ctx, false); err != nil {
		return err
	}
	began := time.Now()
	// A panic that does not reset by itself is a kernel that does nothing any more. The
	// command has no answer.
	gone, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	p.shell(gone, "echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger") //nolint:errcheck // the machine is gone
	within, end := context.WithTimeout(ctx, resetWithin)
	defer end()
	if err := p.m.Starts(within, 2); err != nil {
		return fmt.Errorf("the watchdog does not reset the machine within %v: %w", resetWithin, err)
	}
	s.say("the machine was reset and is back %s after its kernel had stopped", short(time.Since(began)))
	p.site.PowerCut()
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	if err := p.whole(ctx); err != nil {
		return err
	}
	return s.balance(ctx, p, 2)
}
