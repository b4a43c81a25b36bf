package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"stolpe/agent/ledger"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// Chosen by us.
const (
	// emptyRun numbers in a row without a payment mean that there are no more; so
	// many the post itself looks at after a card was lost.
	emptyRun = 16
	// lookTries is how often the service is asked for one payment.
	lookTries = 4
	// lookWait is how long is waited after the first of them, in pauses.
	lookWait = 10
	// tellFrom so many payments on, whoever waits is told for how long.
	tellFrom = 100
	// lookTakes is how long a question takes, more or less.
	lookTakes = 100 * time.Millisecond
	// reportedWithin is how long the service may take to report a movement.
	reportedWithin = 48 * time.Hour
)

// compare compares the charges of an EVSE: those the ledger has and those between
// them, then those above, and those below if the ledger does not reach so far back.
func (r *reconcile) compare(ctx context.Context, s *span) error {
	if all := s.high - s.low; s.high > 0 && all >= tellFrom {
		fmt.Fprintf(r.stderr, "EVSE %d: reading %d payments, some %v\n", s.evse, all+1, (time.Duration(all+1) * (r.pause + lookTakes)).Round(time.Second))
	}
	for n := s.low; n > 0 && n <= s.high; n++ {
		if _, err := r.one(ctx, s, n); err != nil {
			return err
		}
	}
	for n, empty := max(s.high, s.low)+1, 0; empty < emptyRun; n++ {
		if s.high == 0 {
			n = max(n, 1)
		}
		f, err := r.one(ctx, s, n)
		if err != nil {
			return err
		}
		empty++
		if f.State != payment.NotFound {
			empty = 0
		}
	}
	for n, empty := s.low, 0; !s.sure && n > 1 && empty < emptyRun; {
		n--
		f, err := r.older(ctx, s, n)
		if err != nil || f == nil {
			return err
		}
		empty++
		if f.State != payment.NotFound {
			empty = 0
		}
	}
	return nil
}

// older compares a charge the ledger does not have, unless it was before the time
// that is asked for: then there is nothing.
func (r *reconcile) older(ctx context.Context, s *span, n uint64) (*payment.Found, error) {
	f, err := r.find(ctx, r.ref(s, n))
	if err != nil || f.State == payment.NotFound {
		return &f, err
	}
	made, err := r.made(ctx, r.ref(s, n))
	if err != nil || made.Before(r.since) {
		return nil, err
	}
	return &f, r.judge(ctx, s, r.ref(s, n), f)
}

func (r *reconcile) ref(s *span, n uint64) payment.Ref {
	return payment.NewRef(r.cfg.Post.ID, s.evse, n)
}

// one compares a charge.
func (r *reconcile) one(ctx context.Context, s *span, n uint64) (payment.Found, error) {
	ref := r.ref(s, n)
	if r.before[ref] {
		return payment.Found{}, nil
	}
	f, err := r.find(ctx, ref)
	if err != nil {
		return f, err
	}
	return f, r.judge(ctx, s, ref, f)
}

// judge prints what does not agree, and counts.
func (r *reconcile) judge(ctx context.Context, s *span, ref payment.Ref, f payment.Found) error {
	a := r.charges[ref]
	if a == nil {
		a = &ledger.Account{Ref: ref, EVSE: s.evse}
	}
	if a.Sale == nil && f.State == payment.NotFound && a.Back == 0 && len(a.Open) == 0 {
		return nil // a number that was never used
	}
	r.sum.Charges++
	r.sum.Captured.Service += f.Taken
	r.sum.Refunded.Service += f.Refunded
	r.sum.Refunded.Book += a.Back
	if a.Sale != nil {
		r.sum.Captured.Book += a.Sale.Captured
		r.sum.WrittenOff += a.Sale.WrittenOff
	}
	all := a.Against(f)
	if len(all) == 1 && all[0].Topic == ledger.NotInBook {
		lives, err := r.lives(ctx, ref, f)
		if err != nil {
			return err
		}
		if lives {
			r.sum.UnderWay++
			return nil
		}
	}
	for _, d := range all {
		if err := r.tell(d); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		r.sum.Agree++
	}
	return nil
}

// lives says whether a payment may belong to a charge that is under way: it is not
// settled, and not older than a charge can be.
func (r *reconcile) lives(ctx context.Context, ref payment.Ref, f payment.Found) (bool, error) {
	if f.State != payment.Created && f.Left() == 0 {
		return false, nil
	}
	made, err := r.made(ctx, ref)
	l := r.cfg.Limits
	return r.now.Sub(made) < l.Approve+4*l.PlugIn+l.Longest+time.Hour, err
}

// made is when a payment was made.
func (r *reconcile) made(ctx context.Context, ref payment.Ref) (time.Time, error) {
	var events []vipps.Event
	err := r.patiently(ctx, func() (again bool, wait time.Duration, err error) {
		events, err = r.client.Events(ctx, ref)
		return err != nil, 0, err
	})
	if err != nil || len(events) == 0 {
		return r.now, err // of one without events nothing is known
	}
	return events[0].At, nil
}

// find reads a payment back; it is none if the service has none.
func (r *reconcile) find(ctx context.Context, ref payment.Ref) (f payment.Found, err error) {
	return f, r.patiently(ctx, func() (bool, time.Duration, error) {
		a, err := r.client.Ask(ctx, payment.Order{Ref: ref})
		f = a.Found
		return a.Status == payment.Busy || a.Status == payment.Unknown, a.Wait, err
	})
}

// patiently asks until there is an answer, or until it has asked often enough.
func (r *reconcile) patiently(ctx context.Context, ask func() (again bool, wait time.Duration, err error)) error {
	rest := r.pause
	for try := 1; ; try++ {
		if err := pause(ctx, rest); err != nil {
			return coded{errors.New("interrupted"), exitStopped}
		}
		again, wait, err := ask()
		switch {
		case err == nil:
			return nil
		case !again || try == lookTries || ctx.Err() != nil:
			return unanswered(ctx, err)
		}
		rest = min(max(wait, r.pause*lookWait<<try), maxPause)
	}
}

// compareReport compares with the movements of the merchant's account.
func (r *reconcile) compareReport(ctx context.Context) error {
	moves, err := r.client.Movements(ctx, r.since)
	if err != nil {
		return unanswered(ctx, err)
	}
	taken, back := map[payment.Ref]payment.Amount{}, map[payment.Ref]payment.Amount{}
	for _, m := range moves {
		switch m.Kind {
		case "capture":
			taken[m.Ref] += m.Amount
		case "refund":
			back[m.Ref] += max(m.Amount, -m.Amount)
		}
	}
	for _, e := range r.cfg.EVSEs {
		s := &span{evse: e.ID}
		for ref := range taken {
			if r.charges[ref] == nil && r.ref(s, ref.Number()) == ref {
				r.charges[ref] = &ledger.Account{Ref: ref, EVSE: e.ID}
			}
		}
	}
	for _, ref := range sorted(r.charges) {
		a := r.charges[ref]
		if r.before[ref] {
			continue
		}
		if a.Sale != nil && a.Sale.Captured > 0 && taken[ref] == 0 && r.now.Sub(time.Unix(a.At, 0)) < reportedWithin {
			r.sum.Unreported++
			continue
		}
		for _, d := range a.AgainstReport(taken[ref], back[ref]) {
			if err := r.tell(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// sorted are the references of charges in their order.
func sorted(all map[payment.Ref]*ledger.Account) []payment.Ref {
	return slices.Sorted(maps.Keys(all))
}
