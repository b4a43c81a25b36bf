package main

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/web"
	"stolpe/payment"
)

// Chosen by us.
const (
	// regret is how long a press after one that has begun a request does not cancel it:
	// whoever is in doubt whether the button has worked presses twice.
	regret = 3 * time.Second
	// pressesAtOnce requests may be made one after the other, and one more every
	// pressesEvery: a driver needs one, and a child has more patience than the payment
	// service has use for.
	pressesAtOnce = 4
	pressesEvery  = time.Minute
	// pressesOwed is how many settlements may be open before the button does nothing: what
	// anybody may press must not use up the room that drivers with a phone need.
	pressesOwed = session.MaxDebts / 4
)

// button is the accept button of an EVSE. A press accepts what the display shows, price
// and terms, and has the default amount asked for; the payment service then gives an
// address that the display shows as a code, for whoever scans it first. It needs no page,
// no pass and no phone until then. Pressed again while nobody has approved, it cancels
// that: else somebody who only walked by would keep the next driver waiting for ten
// minutes. That is all it does.
type button struct {
	unit    *evse.EVSE
	presses <-chan struct{}
	window  *window
	page    func() panel.Page               // what the display should show now
	session func() (string, payment.Holder) // a page of its own for the charge, and whose it is
	log     *slog.Logger

	holder payment.Holder // of the newest request
	asked  time.Duration  // when that was, Instant.Mono; 0 for never
	spent  time.Duration  // until when what it may ask for is used up, Instant.Mono
	told   string         // why the last press did nothing
}

// run takes presses until ctx ends.
func (b *button) run(ctx context.Context) {
	for {
		select {
		case <-b.presses:
			b.pressed(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// pressed does what a press means now. What fails in it is a matter of the display, and ends
// no charge.
func (b *button) pressed(ctx context.Context) {
	defer func() {
		if fault := recover(); fault != nil {
			b.log.Error("button failed", "fault", fault, "stack", string(debug.Stack()))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s, now, _ := b.unit.Snapshot()
	switch {
	case s.Phase == session.Idle:
		b.request(ctx, &s, now.Mono)
	case b.asked > 0 && s.Phase == session.Approving && s.HeldBy(b.holder):
		if now.Mono-b.asked >= regret {
			b.cancel(ctx)
		}
	}
}

// request asks for a charge, if the display shows what is accepted by that.
func (b *button) request(ctx context.Context, s *session.State, now time.Duration) {
	why, offer := "", b.page().Offer
	switch next := max(b.spent, now) + pressesEvery; {
	case offer == payment.Price{} || !b.window.offers(offer):
		why = "no display shows price and terms"
	case len(s.Debts) >= pressesOwed:
		why = "too many payments are not settled"
	case next-now > pressesAtOnce*pressesEvery:
		why = "it was pressed too often"
	default:
		b.spent = next
	}
	if why != "" {
		b.vain(why)
		return
	}
	q := session.Requested{Reserve: b.unit.Rules().Default, Seen: offer, Way: payment.ByCode}
	q.Return, q.Holder = b.session()
	b.holder = q.Holder
	err := b.unit.Request(ctx, q)
	_, after, _ := b.unit.Snapshot()
	b.asked = after.Mono // from when there is something to see on: whoever pressed before was in doubt
	if err != nil {
		b.vain(err.Error())
		return
	}
	b.told = ""
	b.log.Info("button accepted price and terms", "reserve", q.Reserve.String())
}

// cancel takes back what nobody has approved.
func (b *button) cancel(ctx context.Context) {
	if err := b.unit.Tell(ctx, session.Stopped{Why: display.ByDriver, Holder: b.holder, Asking: true}); err != nil {
		b.vain(err.Error())
		return
	}
	b.log.Info("button cancelled a request")
}

// vain notes that a press did nothing, once for each reason.
func (b *button) vain(why string) {
	if why != b.told {
		b.told = why
		b.log.Info("button pressed in vain", "why", why)
	}
}

// openButton has the accept button of an EVSE taken care of, and gives the window for its
// displays; nil where there is no such button. page is what they should show now.
func (p *parts) openButton(e config.EVSE, page func() panel.Page, log *slog.Logger) *window {
	lines := p.wires[e.ID]
	if e.Inputs.Accept == "" || lines == nil {
		return nil
	}
	b := &button{
		unit: p.units[e.Code], presses: lines.Presses(), window: &window{}, page: page, log: log.With("evse", e.ID),
		session: func() (string, payment.Holder) { return web.Session(p.pages, e.Code) },
	}
	p.jobs = append(p.jobs, b.run)
	return b.window
}
