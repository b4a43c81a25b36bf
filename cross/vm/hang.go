package vm

import (
	"context"
	"time"
)

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
	p.shell(ctx, "echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger") //nolint:errcheck // the machine is gone
	if err := p.m.Starts(ctx, 2); err != nil {
		return err
	}
	s.say("the machine was reset and is back %s after its kernel had stopped", short(time.Since(began)))
	p.site.PowerCut()
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	if err := p.whole(ctx, 10); err != nil {
		return err
	}
	return s.balance(ctx, p, 2)
}
