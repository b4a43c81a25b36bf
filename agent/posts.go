package main

import (
	"context"
	"errors"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/payment"
)

// Chosen by us: how long a phone is kept waiting for the loop. The loop answers
// in microseconds, and the card in milliseconds unless it is ill.
const (
	answerWithin = 5 * time.Second
	showWithin   = time.Second
)

// posts lets the driver's pages see this post's EVSEs, by the codes on their
// stickers.
type posts struct {
	info  display.Post
	units map[string]*evse.EVSE
	book  *ledger.Ledger // of charges that the EVSEs have forgotten; nil for none
	board *board         // what drivers are told beside; nil for nothing

	doors map[string]*door // of EVSEs whose display shows a code with a pass, by code
	pages string           // address of the driver's pages, without a slash at the end; empty where it is not known
}

// Post tells who and where.
func (p *posts) Post(code string) (display.Post, bool) {
	_, ok := p.units[code]
	return p.info, ok
}

// Public is what everybody may see.
func (p *posts) Public(code string) (display.View, bool) {
	v, ok := p.units[code]
	if !ok {
		return display.View{}, false
	}
	s, now, _ := v.Snapshot()
	return p.dressed(v.Rules().Public(&s, now), v), true
}

// dressed is a view of an EVSE with what else is said there.
func (p *posts) dressed(view display.View, v *evse.EVSE) display.View {
	p.board.dress(&view, v.Rules().EVSE)
	view.Pass = p.doors[v.Rules().Code].guards()
	return view
}

// Session is one driver's charge.
func (p *posts) Session(_ context.Context, code string, h payment.Holder) (display.View, bool) {
	v, ok := p.units[code]
	if !ok {
		return display.View{}, false
	}
	s, now, _ := v.Snapshot()
	if view, ok := v.Rules().Session(&s, now, h); ok || p.book == nil {
		return p.dressed(view, v), ok
	}
	e, ok := p.book.Find(h)
	if !ok || e.Ref != v.Rules().Ref(e.Sale.Number) {
		return display.View{}, false // none, or another EVSE's
	}
	d := e.Sale.Debt()
	return p.dressed(v.Rules().Past(&s, now, e.Sale.Serial, &d), v), true
}

// Request asks for a charge. Asking twice is asking once.
func (p *posts) Request(ctx context.Context, code string, r display.Request) error {
	v, ok := p.units[code]
	if !ok {
		return display.ErrUnreachable
	}
	s, now, _ := v.Snapshot()
	if s.HeldBy(r.Holder) {
		return nil
	}
	if d := p.doors[code]; d.guards() && !d.admits(r.Pass, now.Mono) {
		return display.ErrPass
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return reached(v.Request(ctx, session.Requested(r)))
}

// Act does what the holder of a page may do, and waits until it shows.
func (p *posts) Act(ctx context.Context, code string, h payment.Holder, a display.Act) error {
	v, ok := p.units[code]
	if !ok {
		return display.ErrUnreachable
	}
	s, _, changed := v.Snapshot()
	if !s.HeldBy(h) {
		return display.ErrOver
	}
	var e session.Event = session.Extended{Holder: h}
	if a == display.StopCharge {
		e = session.Stopped{Why: display.ByDriver, Holder: h}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := v.Tell(ctx, e); err != nil {
		return reached(err)
	}
	select { // a page that shows the old state would make the driver press again
	case <-changed:
	case <-time.After(showWithin):
	}
	return nil
}

// Claim gives whoever knows the stop code of the charge under way the rights of its
// holder.
func (p *posts) Claim(ctx context.Context, code, digits string, h payment.Holder) error {
	v, ok := p.units[code]
	if !ok {
		return display.ErrUnreachable
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := v.Claim(ctx, session.Claimed{Digits: digits, Holder: h}); err != nil {
		return reached(err)
	}
	for { // what is being written down is shown a little later
		s, _, changed := v.Snapshot()
		if s.HeldBy(h) || s.Phase == session.Idle {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return reached(ctx.Err())
		}
	}
}

// Changed is closed at the next change.
func (p *posts) Changed(code string) <-chan struct{} {
	v, ok := p.units[code]
	if !ok {
		return nil
	}
	_, _, changed := v.Snapshot()
	return changed
}

// reached turns a time-out into the word that drivers are told.
func reached(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return display.ErrUnreachable
	}
	return err
}
