package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

func paymentRefundCommand() *cobra.Command {
	r := refund{now: time.Now}
	c := &cobra.Command{
		Use:   "refund REF AMOUNT --reason TEXT --yes",
		Short: "give money back to a payer",
		Long: `Gives a part of what was captured back to the payer, or all of it. Nothing does this by itself: a
refund is always a person's decision. Without --yes it only shows what would happen.

The intent is written into the ledger before the service is asked. If the answer is lost, the same
command finds the intent and goes on with the same key, so that nothing is given back twice. Once
it is done, the same command is refused: --again gives back as much once more.`,
		Example: `  stolpe payment refund A12-1-000042 68.08 --reason "cable was broken" --yes`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if r.ref, err = parseRef(args[0]); err != nil {
				return err
			}
			if r.amount, err = parseAmount(args[1]); err != nil {
				return err
			}
			if err := checkReason(r.reason); err != nil {
				return err
			}
			if err := r.open(); err != nil {
				return err
			}
			return r.run(c.Context(), c.OutOrStdout())
		},
	}
	r.flags(c, "one JSON object")
	c.Flags().StringVar(&r.reason, "reason", "", "why, for the accountant: a `text` without names and numbers of persons")
	c.Flags().BoolVar(&r.yes, "yes", false, "do it")
	c.Flags().BoolVar(&r.again, "again", false, "give back as much once more; without it, the same amount twice is taken for a mistake")
	return c
}

// refund is money on its way back.
type refund struct {
	desk
	ref    payment.Ref
	amount payment.Amount // minor units
	reason string
	yes    bool
	again  bool // though as much was given back before
	now    func() time.Time
}

// Two decimals are asked for, so that nobody who thinks in øre gives back a
// hundred times too much.
var amountPattern = regexp.MustCompile(`^([0-9]{1,6})[.,]([0-9]{2})$`)

// parseAmount reads an amount that somebody typed.
func parseAmount(text string) (payment.Amount, error) {
	parts := amountPattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("AMOUNT %q: want kroner or euro with two decimals, as in 68.08", text)
	}
	n, err := strconv.Atoi(parts[1] + parts[2])
	if err != nil || n == 0 {
		return 0, fmt.Errorf("AMOUNT %q: want more than 0.00", text)
	}
	return payment.Amount(n), nil
}

func checkReason(text string) error {
	const most = 200 // characters; chosen by us
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	if n == 0 || n > most || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("--reason: want a text of 1 to %d characters, in one line; it stays in the ledger", most)
	}
	return nil
}

// refundJSON is what came of a refund, or would. Amounts are in minor units.
type refundJSON struct {
	Ref      payment.Ref      `json:"ref"`
	Done     bool             `json:"done"`
	Amount   payment.Amount   `json:"amount"`
	Currency payment.Currency `json:"currency"`
	Key      string           `json:"idempotency_key"`
	Resumed  bool             `json:"resumed"` // an earlier refund that had no answer
	Captured payment.Amount   `json:"captured"`
	Refunded payment.Amount   `json:"refunded"` // in all, at the service, as last read
	Reason   string           `json:"reason"`
}

func (r *refund) run(ctx context.Context, stdout io.Writer) error {
	evse := r.evse()
	if evse == 0 {
		return coded{fmt.Errorf("payment %s is none of post %s, whose ledger this would stand in; run this at its own post", r.ref, r.cfg.Post.ID), exitRefused}
	}
	book, err := r.book()
	if err != nil {
		return err
	}
	defer book.Close() //nolint:errcheck // every entry is durable by itself
	a, err := account(book, r.ref)
	if err != nil {
		return err
	}
	f, events, err := r.read(ctx)
	if err != nil {
		return err
	}
	next, resumed, err := r.plan(&a, f, events)
	if err != nil {
		return err
	}
	p := refundJSON{
		Ref: r.ref, Amount: next.Amount, Currency: next.Currency, Key: next.Key, Resumed: resumed,
		Captured: f.Taken, Refunded: f.Refunded, Reason: next.Reason,
	}
	e := ledger.Entry{EVSE: evse, Ref: r.ref, Refund: &next}
	switch {
	case resumed && given(events, next.Key) && r.yes: // it was done, and only the answer was lost
		return r.done(book, e, p, stdout)
	case !r.yes:
		if err := r.say(stdout, p, func(w io.Writer) error { return printRefund(w, p) }); err != nil {
			return err
		}
		return unconfirmed("nothing was given back")
	}
	if !resumed {
		if err := r.write(book, e, ledger.RefundIntent); err != nil {
			return err
		}
	}
	return r.give(ctx, book, e, p, stdout)
}

// evse is the EVSE of the payment; 0 if it is none of this post.
func (r *refund) evse() int {
	for _, e := range r.cfg.EVSEs {
		if n := r.ref.Number(); n > 0 && payment.NewRef(r.cfg.Post.ID, e.ID, n) == r.ref {
			return e.ID
		}
	}
	return 0
}

// read gets the payment as it stands, and what has happened to it.
func (r *refund) read(ctx context.Context) (payment.Found, []vipps.Event, error) {
	f, err := r.look(ctx, r.ref)
	if err != nil {
		return f, nil, err
	}
	events, err := r.client.Events(ctx, r.ref)
	if err != nil {
		return f, nil, unanswered(ctx, err)
	}
	return f, events, nil
}

// refundWithin is how long after the last capture money can be given back
// (payment lifecycle guide).
const refundWithin = 365 * 24 * time.Hour

// plan decides what is to be given back under which key, or says why nothing is.
func (r *refund) plan(a *ledger.Account, f payment.Found, events []vipps.Event) (ledger.Refund, bool, error) {
	var keys []string
	var captured, before time.Time // of the newest capture, and of a refund of as much
	for _, e := range events {
		keys = append(keys, e.Key)
		switch {
		case e.Name == "CAPTURED" && e.Success && e.At.After(captured):
			captured = e.At
		case e.Name == "REFUNDED" && e.Success && e.Amount == r.amount:
			before = e.At
		}
	}
	want := ledger.Refund{Amount: r.amount, Currency: currencyOf(f, events, r.cfg.Price.Currency), Reason: strings.TrimSpace(r.reason)}
	next, open, err := a.NextRefund(want, keys)
	refused := func(format string, a ...any) (ledger.Refund, bool, error) {
		return next, open, coded{fmt.Errorf(format, a...), exitRefused}
	}
	left := f.Taken - f.Refunded
	switch {
	case err != nil:
		return refused("%w; finish it first: stolpe payment refund %s %v --reason %q --yes", err, r.ref, next.Amount, next.Reason)
	case open && given(events, next.Key):
		return next, open, nil
	case f.Taken == 0:
		return refused("nothing was captured from payment %s (%s), so there is nothing to give back", r.ref, stateWord(f))
	case next.Amount > left:
		return refused("payment %s: %v was captured and %v given back already; give back at most %v", r.ref, f.Taken, f.Refunded, left)
	case !open && !r.again && !before.IsZero():
		return refused("%v was given back already, on %s; to give back as much once more, add --again", next.Amount, r.local(before))
	case !captured.IsZero() && r.now().Sub(captured) > refundWithin:
		return refused("payment %s was captured on %s, and the service gives back within 365 days; pay it back by bank transfer", r.ref, r.local(captured))
	}
	return next, open, nil
}

// given says whether money was given back under a key.
func given(events []vipps.Event, key string) bool {
	for _, e := range events {
		if e.Name == "REFUNDED" && e.Success && e.Key == key {
			return true
		}
	}
	return false
}

// give asks the service, and reads back what that made of the payment.
func (r *refund) give(ctx context.Context, book *ledger.Ledger, e ledger.Entry, p refundJSON, stdout io.Writer) error {
	answer, err := r.client.Refund(ctx, r.ref, p.Amount, p.Currency, p.Key)
	if answer.Status == payment.Refused {
		if wrote := r.write(book, e, ledger.RefundRefused); wrote != nil {
			return wrote
		}
		if err == nil {
			err = fmt.Errorf("refused: %v", answer.Reason)
		}
		return unanswered(ctx, fmt.Errorf("nothing was given back: %w", err))
	}
	if answer.Status == payment.Busy {
		return coded{fmt.Errorf("%v is not given back yet: %w; the same command goes on in a minute, with the same key", p.Amount, err), exitRemote}
	}
	f, events, unread := r.read(context.WithoutCancel(ctx)) // whatever was answered, this is what counts
	if unread == nil && given(events, p.Key) {
		p.Refunded = f.Refunded
		return r.done(book, e, p, stdout)
	}
	if err = errors.Join(err, unread); err == nil {
		err = errors.New("the service does not show it yet")
	}
	return coded{fmt.Errorf("nobody knows yet whether %v was given back: %w; the same command goes on with the same key, and gives nothing back twice", p.Amount, err), exitRemote}
}

// done notes that it was given back, and says so.
func (r *refund) done(book *ledger.Ledger, e ledger.Entry, p refundJSON, stdout io.Writer) error {
	if err := r.write(book, e, ledger.Refunded); err != nil {
		return err
	}
	p.Done = true
	return r.say(stdout, p, func(w io.Writer) error { return printRefund(w, p) })
}

// write appends an entry. The time is this machine's, and nobody vouches for it.
func (r *refund) write(book *ledger.Ledger, e ledger.Entry, kind ledger.Kind) error {
	e.Kind, e.At, e.Clock = kind, r.now().Unix(), hal.ClockUnknown.String()
	err := book.Append(e)
	switch {
	case err == nil:
		return nil
	case kind == ledger.RefundIntent:
		return coded{fmt.Errorf("nothing was given back, since the ledger cannot be written: %w; the disk may be full or ill", err), exitFailed}
	}
	return coded{fmt.Errorf("%s stands at the service and not in the ledger: %w; put the disk right, then the same command writes it", kind, err), exitFailed}
}

func printRefund(w io.Writer, p refundJSON) error {
	row := func(name, format string, a ...any) { fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, a...)...) }
	row("payment", "%s", p.Ref)
	row("captured", "%v %s", p.Captured, p.Currency)
	if p.Done {
		row("given back now", "%v", p.Amount)
		row("given back in all", "%v", p.Refunded)
	} else {
		row("given back before", "%v", p.Refunded)
		row("would give back", "%v", p.Amount)
	}
	row("reason", "%s", p.Reason)
	row("key", "%s", p.Key)
	if p.Resumed {
		row("", "an earlier refund whose answer was lost; it is the same one")
	}
	return nil
}
