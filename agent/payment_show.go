package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/ledger"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

func paymentShowCommand() *cobra.Command {
	var d desk
	c := &cobra.Command{
		Use:     "show REF",
		Short:   "show a payment, what has happened to it, and what the ledger says",
		Example: `  stolpe payment show A12-1-000042`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			if err := d.open(); err != nil {
				return err
			}
			return d.show(c.Context(), ref, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	d.flags(c, "one JSON object")
	return c
}

// paymentJSON is a payment as --json has it. Amounts are in minor units.
type paymentJSON struct {
	Ref      payment.Ref      `json:"ref"`
	State    string           `json:"state"`
	Currency payment.Currency `json:"currency"`
	Asked    payment.Amount   `json:"asked"`
	Held     payment.Amount   `json:"reserved"`
	Taken    payment.Amount   `json:"captured"`
	Freed    payment.Amount   `json:"released"`
	Refunded payment.Amount   `json:"refunded"`
	Left     payment.Amount   `json:"still_held"`
	Until    string           `json:"guaranteed_until,omitempty"`
	EVSE     string           `json:"evse,omitempty"` // as this post wrote it into the payment
	Meter    string           `json:"meter,omitempty"`
	StartWh  int64            `json:"start_wh,omitempty"`
	Events   []eventJSON      `json:"events"`
	Ledger   *accountJSON     `json:"ledger,omitempty"`
}

type eventJSON struct {
	At           string         `json:"at"`
	Name         string         `json:"name"`
	Amount       payment.Amount `json:"amount"` // minor units
	Success      bool           `json:"success"`
	Key          string         `json:"idempotency_key,omitempty"`
	PSPReference string         `json:"psp_reference"`
}

// accountJSON is what the ledger says of a charge. Amounts are in minor units.
type accountJSON struct {
	At         string          `json:"at,omitempty"` // when its end was written
	Receipt    string          `json:"receipt,omitempty"`
	Captured   payment.Amount  `json:"captured"`
	Released   payment.Amount  `json:"released"`
	WrittenOff payment.Amount  `json:"written_off"`
	Why        string          `json:"why,omitempty"`
	Trouble    string          `json:"trouble,omitempty"`
	Back       payment.Amount  `json:"refunded"`
	Open       []ledger.Refund `json:"open_refunds,omitempty"`
}

func (d *desk) show(ctx context.Context, ref payment.Ref, stdout, stderr io.Writer) error {
	f, err := d.look(ctx, ref)
	if err != nil {
		return err
	}
	events, err := d.client.Events(ctx, ref)
	if err != nil {
		return unanswered(ctx, err)
	}
	p := d.paymentOf(ref, f, events)
	if p.Ledger, err = d.inBook(ref); err != nil {
		fmt.Fprintf(stderr, "The ledger is left out: %v\n", err)
	}
	return d.say(stdout, p, func(w io.Writer) error { return d.printPayment(w, f, events, p) })
}

func (d *desk) paymentOf(ref payment.Ref, f payment.Found, events []vipps.Event) paymentJSON {
	p := paymentJSON{
		Ref: ref, State: stateName(f.State), Currency: currencyOf(f, events, d.cfg.Price.Currency),
		Asked: f.Amount, Held: f.Held, Taken: f.Taken, Freed: f.Freed, Refunded: f.Refunded, Left: f.Left(),
		EVSE: f.Terms.EVSE, Meter: f.Terms.Meter, StartWh: int64(f.Terms.Start), Events: []eventJSON{},
	}
	if f.Guaranteed != 0 {
		p.Until = utc(time.Unix(f.Guaranteed, 0))
	}
	for _, e := range events {
		p.Events = append(p.Events, eventJSON{utc(e.At), e.Name, e.Amount, e.Success, e.Key, e.PSPReference})
	}
	return p
}

// utc is a time as --json has it.
func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// currencyOf is the currency of a payment, by its own words if it has any.
func currencyOf(f payment.Found, events []vipps.Event, otherwise payment.Currency) payment.Currency {
	switch {
	case f.Terms.Price.Currency != "":
		return f.Terms.Price.Currency
	case len(events) > 0 && events[0].Currency != "":
		return events[0].Currency
	}
	return otherwise
}

// inBook is what the ledger says; nil if it says nothing.
func (d *desk) inBook(ref payment.Ref) (*accountJSON, error) {
	book, err := d.book()
	if err != nil {
		return nil, err
	}
	defer book.Close() //nolint:errcheck // nothing was written
	a, err := account(book, ref)
	if err != nil || a.Sale == nil && a.Back == 0 && len(a.Open) == 0 {
		return nil, err
	}
	j := &accountJSON{Back: a.Back, Open: a.Open}
	if s := a.Sale; s != nil {
		j.At, j.Receipt, j.Why, j.Trouble = utc(time.Unix(a.At, 0)), s.Receipt, s.WhyText, s.TroubleWas
		j.Captured, j.Released, j.WrittenOff = s.Captured, s.Released, s.WrittenOff
	}
	return j, nil
}

func (d *desk) printPayment(w io.Writer, f payment.Found, events []vipps.Event, p paymentJSON) error {
	row := func(name, format string, a ...any) { fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, a...)...) }
	row("payment", "%s", p.Ref)
	row("state", "%s", stateWord(f))
	row("asked for", "%v %s", p.Asked, p.Currency)
	row("reserved", "%v", p.Held)
	row("captured", "%v", p.Taken)
	row("released", "%v", p.Freed)
	row("given back", "%v", p.Refunded)
	row("still held", "%v", p.Left)
	if f.Guaranteed != 0 {
		row("guaranteed until", "%s", d.local(time.Unix(f.Guaranteed, 0)))
	}
	if p.EVSE != "" {
		row("EVSE", "%s, meter %s at %d Wh", p.EVSE, p.Meter, p.StartWh)
	} else {
		row("EVSE", "none: this post did not make it")
	}
	d.printAccount(row, p.Ledger)
	fmt.Fprintln(w, "\nTIME\tEVENT\tAMOUNT\tDONE\tKEY")
	for _, e := range events {
		done := map[bool]string{true: "yes", false: "no"}[e.Success]
		fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%s\n", d.local(e.At), e.Name, e.Amount, done, cmp.Or(e.Key, "-"))
	}
	return nil
}

// printAccount prints what the ledger says.
func (d *desk) printAccount(row func(name, format string, a ...any), a *accountJSON) {
	if a == nil {
		row("ledger", "has nothing of it")
		return
	}
	if a.At != "" {
		at, _ := time.Parse(time.RFC3339, a.At) // written by utc
		row("ledger", "written %s: captured %v, released %v, written off %v", d.local(at), a.Captured, a.Released, a.WrittenOff)
	}
	if a.Why != "" {
		row("ended by", "%s", a.Why)
	}
	if a.Receipt != "" {
		row("receipt", "%s", a.Receipt)
	}
	if a.Trouble != "" {
		row("trouble", "%s", a.Trouble)
	}
	if a.Back != 0 {
		row("refunds in ledger", "%v", a.Back)
	}
	for _, r := range a.Open {
		row("open refund", "%v, key %s: the same refund again finishes it", r.Amount, r.Key)
	}
}
