package vm

import (
	"context"
	"fmt"
	"time"
)

// network takes the cable out while a car charges: the stop button works, and the
// settlement comes when the network is back.
func network(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	if err := p.m.Net(ctx, false); err != nil {
		return err
	}
	if err := p.flows(ctx, 10); err != nil {
		return err
	}
	if err := p.press(ctx); err != nil {
		return err
	}
	phase, faults, err := p.ask(ctx)
	if err != nil {
		return err
	}
	if p.site.Owing() != 1 {
		return fmt.Errorf("%d payments are open without a network, want 1", p.site.Owing())
	}
	s.say("without a network the stop button ended the charge; %s, faults %v", phase, faults)
	up := time.Now()
	if err := p.m.Net(ctx, true); err != nil {
		return err
	}
	if err := p.settled(ctx); err != nil {
		return err
	}
	s.say("settled %s after the network was back", short(time.Since(up)))
	return s.balance(ctx, p, 1)
}

// press presses the stop button until the contactor is open.
func (p *post) press(ctx context.Context) error {
	if err := p.m.Pull(ctx, lineStop, true); err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	return p.m.Pull(ctx, lineStop, false)
}

// missing boots without a network, and with nothing at the end of the meter's line: the
// unit is up and says what it lacks, and takes the network into use when it comes.
func missing(ctx context.Context, s *stage) error {
	p, err := s.newPost(s.root, s.state)
	if err != nil {
		return err
	}
	p.how.Meter = ""
	if err := p.boot(ctx); err != nil {
		return err
	}
	if err := p.m.Net(ctx, false); err != nil { // systemd is about to start
		return err
	}
	if err := p.active(ctx); err != nil {
		return err
	}
	for _, code := range []string{"MET-001", "PAY-002"} {
		if err := p.fault(ctx, time.Minute, code, true); err != nil {
			return err
		}
	}
	s.say("without network and meter the unit is active, and says MET-001 and PAY-002")
	if err := p.m.Net(ctx, true); err != nil {
		return err
	}
	up := time.Now()
	if err := p.fault(ctx, 3*time.Minute, "PAY-002", false); err != nil {
		return err
	}
	s.say("payments were read back %s after the network came", short(time.Since(up)))
	return nil
}
