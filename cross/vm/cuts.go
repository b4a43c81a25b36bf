package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stolpe/cross/vm/disk"
	"stolpe/cross/vm/field"
)

// moment is when the power is cut: so long after something has been reached.
type moment struct {
	name  string
	most  time.Duration // after it
	often int           // relative to the others
	reach func(ctx context.Context, p *post) error
}

// moments of a charge, each behind the one before.
func moments() []moment {
	return []moment{
		{"booting", 4 * time.Second, 1, func(context.Context, *post) error { return nil }},
		{"asking", 500 * time.Millisecond, 2, func(ctx context.Context, p *post) error { return p.serve(ctx) }},
		{"approved", 3 * time.Second, 3, func(ctx context.Context, p *post) error { return p.approve(ctx) }},
		{"closed", 4 * time.Second, 3, func(ctx context.Context, p *post) error { return p.closed(ctx) }},
		{"flowing", 8 * time.Second, 6, func(ctx context.Context, p *post) error { return p.flows(ctx, 5) }},
		{"stopped", 8 * time.Second, 4, func(ctx context.Context, p *post) error { return p.stop(ctx) }},
		{"settling", 3 * time.Second, 3, func(ctx context.Context, p *post) error { return p.over(ctx) }},
	}
}

// over waits until the charge has its bill.
func (p *post) over(ctx context.Context) error {
	return until(ctx, closesWithin, "the bill", p.shows("done"))
}

// powercuts cuts the power at random moments, with one driver after the other at the post.
func powercuts(ctx context.Context, s *stage) error {
	p, err := s.newPost(s.root, s.state)
	if err != nil {
		return err
	}
	for n := range s.cuts {
		if err := p.boot(ctx); err != nil {
			return err
		}
		if err := p.plug(ctx, true); err != nil {
			return err
		}
		if err := s.cutOnce(ctx, p, n); err != nil {
			return fmt.Errorf("cut %d: %w", n+1, err)
		}
	}
	if err := p.boot(ctx); err != nil {
		return err
	}
	v, err := p.judge(ctx)
	s.say("%d power cuts, %d øre wrong", s.cuts, int64(v.Wrong))
	if err != nil {
		return err
	}
	s.say("%v", v)
	if s.cuts >= enoughCuts && v.Captured == 0 {
		return errors.New("nothing was captured: nothing is proved")
	}
	return nil
}

// enoughCuts is how many cuts must hit a charge that is paid for. Chosen by us.
const enoughCuts = 4

// cutOnce goes through a charge up to a random moment, and cuts.
func (s *stage) cutOnce(ctx context.Context, p *post, n int) error {
	at, after := s.draw()
	policy := []disk.Policy{disk.Drop, disk.Random}[n%2]
	seed := s.random.Uint64()
	for i, m := range moments()[:at+1] {
		if err := m.reach(ctx, p); err != nil {
			if errors.Is(err, field.ErrGone) && i > 1 {
				break // its wish was not written down yet: cut here
			}
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(after):
	}
	lost, err := p.cut(policy, seed)
	wh, _ := p.site.Flowing()
	s.say("cut %d: %s +%s, %v; state: %v; %d Wh so far, %d payments open", n+1, moments()[at].name, short(after), policy, lost[1], int64(wh), p.site.Owing())
	return err
}

// draw draws a moment, and how long after it.
func (s *stage) draw() (at int, after time.Duration) {
	total := 0
	for _, m := range moments() {
		total += m.often
	}
	left := s.random.IntN(total)
	for i, m := range moments() {
		if left -= m.often; left < 0 {
			return i, time.Duration(s.random.Int64N(int64(m.most)))
		}
	}
	return 0, 0
}
