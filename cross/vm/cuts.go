package vm

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

// powercuts cuts the power at random moments, with one driver after the other at each post.
// Most of a charge is waiting, so several posts share a machine.
func powercuts(ctx context.Context, s *stage) error {
	sides := make([]*stage, min(s.abreast, s.cuts))
	verdicts, errs := make([]field.Verdict, len(sides)), make([]error, len(sides))
	var running sync.WaitGroup
	for i := range sides {
		var err error
		if sides[i], err = s.side(fmt.Sprint("post-", i+1)); err != nil {
			return err
		}
		running.Go(func() { verdicts[i], errs[i] = sides[i].cutMany(ctx, i+1, len(sides)) })
	}
	running.Wait()
	var sum field.Verdict
	for i, v := range verdicts {
		s.posts = append(s.posts, sides[i].posts...)
		sum.Payments, sum.Captured, sum.Sum, sum.Wrong = sum.Payments+v.Payments, sum.Captured+v.Captured, sum.Sum+v.Sum, sum.Wrong+v.Wrong
		sum.Faults = append(sum.Faults, v.Faults...)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.say("%d power cuts, %d øre wrong", s.cuts, int64(sum.Wrong))
	s.say("%v", sum)
	s.sums = append(s.sums, fmt.Sprintf("%d power cuts, %d øre wrong: %d payments, %d of them captured, NOK %.2f in all", s.cuts, int64(sum.Wrong), sum.Payments, sum.Captured, float64(sum.Sum)/100))
	if s.cuts >= enoughCuts && sum.Captured == 0 {
		return errors.New("nothing was captured: nothing is proved")
	}
	return nil
}

// cutMany does the cuts of one of several posts, whose numbers are every so many, and
// judges them.
func (s *stage) cutMany(ctx context.Context, first, every int) (field.Verdict, error) {
	p, err := s.newPost(s.root, s.state)
	if err != nil {
		return field.Verdict{}, err
	}
	for n := first; n <= s.cuts; n += every {
		if err := p.boot(ctx); err != nil {
			return field.Verdict{}, fmt.Errorf("start before cut %d: %w", n, err)
		}
		if err := p.plug(ctx, true); err != nil {
			return field.Verdict{}, err
		}
		policy := []disk.Policy{disk.Drop, disk.Random}[(n-first)/every%2]
		if err := s.cutOnce(ctx, p, n, policy); err != nil {
			return field.Verdict{}, fmt.Errorf("cut %d: %w", n, err)
		}
	}
	if err := p.boot(ctx); err != nil {
		return field.Verdict{}, fmt.Errorf("start after the last cut: %w", err)
	}
	return p.judge(ctx)
}

// enoughCuts is how many cuts must hit a charge that is paid for. Chosen by us.
const enoughCuts = 4

// cutOnce goes through a charge up to a random moment, and cuts.
func (s *stage) cutOnce(ctx context.Context, p *post, n int, policy disk.Policy) error {
	at, after := s.draw()
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
	s.say("cut %d: %s +%s, %v; root: %v; state: %v; %d Wh so far, %d payments open", n, moments()[at].name, short(after), policy, lost[0], lost[1], int64(wh), p.site.Owing())
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
