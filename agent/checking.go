package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// checker tries the way to the money with money: it reserves a little, takes a part,
// releases the rest and gives back what it took. Its references are none that a charge
// can have, so no charge, no receipt and no comparison with the ledger ever meets them.
type checker struct {
	cfg    config.Config
	client *vipps.Client
}

// How a check stands.
const (
	checkWaits  = "waits"  // for the payer
	checkDone   = "done"   // everything was tried, and the payer has all of it back
	checkFailed = "failed" // and what was held is released, unless a step says otherwise
)

// checkJSON is how a check stands.
type checkJSON struct {
	Ref   payment.Ref `json:"ref"`
	State string      `json:"state"`
	URL   string      `json:"url,omitempty"` // where the payer approves
	Steps []checkStep `json:"steps,omitempty"`
}

// checkStep is something that was tried.
type checkStep struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

func (j *checkJSON) add(what, format string, a ...any) {
	j.Steps = append(j.Steps, checkStep{what, true, fmt.Sprintf(format, a...)})
}

// fail says what went wrong, and that is the end.
func (j *checkJSON) fail(what string, err error) {
	j.State = checkFailed
	j.Steps = append(j.Steps, checkStep{what, false, fmt.Sprintf("%v; %s", err, next(err))})
}

// checkPrefix is what the references of checks begin with, after the post. A charge has a
// number there.
func checkPrefix(cfg config.Config) string { return cfg.Post.ID + "-check-" }

// newCheckRef makes a reference. A letter begins its last part, so that it never is a
// number.
func newCheckRef(cfg config.Config) payment.Ref {
	const letters = 9 // 45 bits: no two are alike
	return payment.Ref(checkPrefix(cfg) + "k" + rand.Text()[:letters])
}

// ours refuses a reference that is not of a check: what a driver pays is no business of
// this one.
func (c *checker) ours(ref payment.Ref) error {
	last, begins := strings.CutPrefix(string(ref), checkPrefix(c.cfg)+"k")
	if !begins || strings.Contains(last, "-") || !ref.Valid() { // a post may be called A12-check
		return fmt.Errorf("reference %.70q: want one of a check of this post, which begins with %sk", ref, checkPrefix(c.cfg))
	}
	return nil
}

// least is the smallest check: twice the smallest payment, since a part is taken.
func (c *checker) least() payment.Amount { return 2 * c.cfg.Price.Currency.Minimum() }

// mostChecked is the largest. Chosen by us: it is somebody's own money.
const mostChecked payment.Amount = 10_000

// fits says whether so much may be reserved.
func (c *checker) fits(amount payment.Amount) error {
	if amount < c.least() || amount > mostChecked {
		return fmt.Errorf("amount %v: want %v to %v", amount, c.least(), mostChecked)
	}
	return nil
}

// reserve begins a check: the payer has to approve it.
func (c *checker) reserve(ctx context.Context, amount payment.Amount) (j checkJSON) {
	j = checkJSON{Ref: newCheckRef(c.cfg), State: checkWaits}
	back := cmp.Or(c.cfg.Web.PublicURL, c.cfg.Payment.Vipps.BaseURL, "https://example.com")
	o := payment.Order{
		Verb: payment.Reserve, Ref: j.Ref, Amount: amount, Currency: c.cfg.Price.Currency, Return: back,
		Terms: payment.Terms{EVSE: c.cfg.Post.ID + "/" + strconv.Itoa(c.cfg.EVSEs[0].ID), Meter: "check", Price: c.cfg.Price},
	}
	a, err := c.client.Ask(ctx, o)
	if err == nil && a.Status != payment.Pending && a.Status != payment.Held {
		err = fmt.Errorf("a new payment is %v %v", a.Status, a.Reason)
	}
	if err != nil {
		j.fail("reserve", err)
		return j
	}
	j.URL = a.Found.URL
	j.add("reserve", "%v %s asked for under %s", amount, o.Currency, j.Ref)
	return j
}

// look says how a check stands, and changes nothing.
func (c *checker) look(ctx context.Context, ref payment.Ref) (j checkJSON, f payment.Found) {
	j = checkJSON{Ref: ref, State: checkWaits}
	a, err := c.client.Ask(ctx, payment.Order{Ref: ref})
	switch {
	case err != nil && (a.Status == payment.Unknown || a.Status == payment.Busy): // ask again
	case err == nil && a.Status == payment.Missing:
		err = errors.New("the service has no such payment")
		fallthrough
	case err != nil:
		j.fail("look", err)
	case a.Status == payment.Refused:
		j.fail("approve", fmt.Errorf("the payer has not approved: %v", a.Reason))
	case a.Status == payment.Held, a.Status == payment.Settled:
		j.State = ""
	}
	j.URL = a.Found.URL
	return j, a.Found
}

// goOn does what is left of a check that has been approved. However it ends, nothing
// stays held and nothing stays taken, as far as the service lets that be done.
func (c *checker) goOn(ctx context.Context, ref payment.Ref) (j checkJSON) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goOnWithin) // whoever asked may go away between taking and giving back
	defer cancel()
	j, f := c.look(ctx, ref)
	if j.State != "" {
		return j
	}
	j.add("approve", "%v is held", f.Held)
	part := f.Held / 2
	j.State = checkDone
	f = c.settle(ctx, &j, "capture a part", part, f, func(f payment.Found) bool { return f.Taken == part })
	if j.State == checkDone {
		j.add("capture a part", "%v of %v", f.Taken, f.Held)
		f = c.settle(ctx, &j, "release the rest", part, f, func(f payment.Found) bool { return f.Left() == 0 })
	}
	if j.State == checkDone {
		j.add("release the rest", "%v", f.Freed)
	}
	c.undo(ctx, &j, f)
	return j
}

// goOnWithin is how long the rest of a check may take. Chosen by us: all of its tries, at a
// service that takes its time.
const goOnWithin = 3 * time.Minute

// settleTries is how often one step is tried. Chosen by us: what a service needs that is
// busy for a moment; more calls than five a minute it does not take.
const settleTries = 3

// settle asks for a settlement until it is as it should be.
func (c *checker) settle(ctx context.Context, j *checkJSON, what string, amount payment.Amount, f payment.Found, done func(payment.Found) bool) payment.Found {
	err := fmt.Errorf("the service does not do it: held %v, taken %v, released %v", f.Held, f.Taken, f.Freed)
	for range settleTries {
		a, wrong := c.client.Ask(ctx, payment.Order{Verb: payment.Settle, Ref: j.Ref, Amount: amount, Currency: c.cfg.Price.Currency})
		if a.Found.State != payment.NotFound {
			f = a.Found
		}
		if wrong == nil && done(f) {
			return f
		}
		if wrong != nil {
			err = wrong
		}
		if a.Status == payment.Refused || pause(ctx, a.Wait) != nil {
			break
		}
	}
	j.fail(what, err)
	return f
}

// undo releases what is still held, and gives back what was taken.
func (c *checker) undo(ctx context.Context, j *checkJSON, f payment.Found) {
	if f.Left() > 0 {
		f = c.settle(ctx, j, "release", f.Taken, f, func(f payment.Found) bool { return f.Left() == 0 })
	}
	owed := f.Taken - f.Refunded
	if owed <= 0 {
		return
	}
	a, err := c.client.Refund(ctx, j.Ref, owed, c.cfg.Price.Currency, string(j.Ref)+"-g")
	if err == nil && a.Found.Refunded != f.Taken {
		err = fmt.Errorf("%v was taken and %v given back", f.Taken, a.Found.Refunded)
	}
	if err != nil {
		j.fail("give back", fmt.Errorf("%w; %v is still to be given back: stolpe payment check --ref %s --yes", err, owed, j.Ref))
		return
	}
	j.add("give back", "%v", owed)
}

// end gives a check up: what is held is released, and what was taken given back.
func (c *checker) end(ctx context.Context, ref payment.Ref) (j checkJSON) {
	j = checkJSON{Ref: ref, State: checkDone}
	a, err := c.client.Ask(ctx, payment.Order{Ref: ref, Currency: c.cfg.Price.Currency})
	if err != nil {
		j.fail("look", err)
		return j
	}
	if a.Found.State == payment.Created {
		c.settle(ctx, &j, "end", 0, a.Found, func(f payment.Found) bool { return f.State != payment.Created })
	} else {
		c.undo(ctx, &j, a.Found)
	}
	if j.State == checkDone {
		j.add("end", "given up; nothing is held, nothing is kept")
	}
	return j
}
