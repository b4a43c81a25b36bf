package vm

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// charge is a driver's whole charge, with the cable put in after the approval.
func charge(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.plug(ctx, false); err != nil {
		return err
	}
	if err := p.serve(ctx); err != nil {
		return err
	}
	if err := p.approve(ctx); err != nil {
		return err
	}
	asked := time.Now()
	if err := until(ctx, closesWithin, "the page waits for the cable", p.shows("plug")); err != nil {
		return err
	}
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	if err := p.closed(ctx); err != nil {
		return err
	}
	s.say("contactor closed %s after the approval and the cable", short(time.Since(asked)))
	if err := p.flows(ctx, 15); err != nil {
		return err
	}
	if err := p.stop(ctx); err != nil {
		return err
	}
	v, err := p.judge(ctx)
	if err != nil {
		return err
	}
	if v.Captured != 1 {
		return fmt.Errorf("%d charges were paid, want 1: %v", v.Captured, v)
	}
	page, err := p.phone.Receipt(ctx)
	if err != nil {
		return err
	}
	kr := strings.Replace(fmt.Sprintf("%.2f", float64(v.Sum)/100), ".", `[.,]`, 1)
	if !regexp.MustCompile(kr).MatchString(page) {
		return fmt.Errorf("the receipt does not say NOK %.2f: %s", float64(v.Sum)/100, page)
	}
	s.say("%v; the receipt says the same", v)
	return nil
}

// shows says whether the session's page shows a scene.
func (p *post) shows(want string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		scene, _, err := p.phone.Scene(ctx)
		if err == nil && scene != want {
			err = fmt.Errorf("it shows %q", scene)
		}
		return err
	}
}
