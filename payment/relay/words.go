package relay

import (
	"fmt"
	"time"

	"stolpe/payment"
)

// named finds the value of a word among those from 0 to last. No word is the zero
// value.
func named[T ~uint8](word string, last T, kind string) (T, error) {
	if word == "" {
		return 0, nil
	}
	for v := range last + 1 {
		if fmt.Sprint(v) == word {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%w: %s %q is not known", errMessage, kind, word)
}

// zero leaves the word of the zero value out.
func word[T interface {
	~uint8
	fmt.Stringer
}](v T) string {
	if v == 0 {
		return ""
	}
	return v.String()
}

func fromOrder(o payment.Order) order {
	w := order{Verb: o.Verb.String(), Ref: o.Ref, Amount: o.Amount, Currency: o.Currency, Attempt: o.Attempt,
		Return: o.Return, Way: word(o.Way), Phone: string(o.Phone)}
	if o.Verb == payment.Reserve {
		w.Terms = o.Terms.Metadata()
	}
	if o.Receipt != nil {
		w.Receipt = fromReceipt(o.Receipt)
	}
	return w
}

func (w order) order() (o payment.Order, err error) {
	o = payment.Order{Ref: w.Ref, Amount: w.Amount, Currency: w.Currency, Attempt: w.Attempt, Return: w.Return, Phone: payment.Phone(w.Phone)}
	if w.Verb == "" {
		return o, fmt.Errorf("%w: no verb", errMessage)
	}
	if o.Verb, err = named(w.Verb, payment.Inform, "verb"); err != nil {
		return o, err
	}
	if o.Way, err = named(w.Way, payment.ByPush, "way"); err != nil {
		return o, err
	}
	if o.Verb == payment.Reserve {
		if o.Terms, err = payment.ParseTerms(w.Terms); err != nil {
			return o, err
		}
	}
	if w.Receipt != nil {
		o.Receipt, err = w.Receipt.receipt()
	}
	return o, err
}

func fromReceipt(r *payment.Receipt) *receipt {
	w := &receipt{Number: r.Number, Currency: r.Currency, VAT: r.VAT}
	for _, l := range r.Lines {
		w.Lines = append(w.Lines, line{l.Kind.String(), l.Quantity, l.Each, l.Amount, l.VAT, l.Name})
	}
	return w
}

func (w receipt) receipt() (*payment.Receipt, error) {
	r := &payment.Receipt{Number: w.Number, Currency: w.Currency, VAT: w.VAT}
	for _, l := range w.Lines {
		kind, err := named(l.Kind, payment.IdleLine, "line")
		if err != nil {
			return nil, err
		}
		r.Lines = append(r.Lines, payment.ReceiptLine{Name: l.Name,
			Line: payment.Line{Kind: kind, Quantity: l.Quantity, Each: l.Each, Amount: l.Amount, VAT: l.VAT}})
	}
	return r, nil
}

// fromAnswer writes an answer, and of an error as much as a log wants.
func fromAnswer(a payment.Answer, err error) answer {
	w := answer{V: version, Status: a.Status.String(), Reason: a.Reason.String(), Wait: a.Wait.Milliseconds(), Code: a.Code}
	if err != nil {
		said := []rune(err.Error())
		w.Said = string(said[:min(len(said), maxSaid)])
	}
	if f := a.Found; f != (payment.Found{}) {
		w.Found = &found{State: f.State.String(), Amount: f.Amount, Held: f.Held, Taken: f.Taken, Freed: f.Freed,
			Refunded: f.Refunded, URL: f.URL, Guaranteed: f.Guaranteed}
		if f.Terms != (payment.Terms{}) {
			w.Found.Terms = f.Terms.Metadata()
		}
	}
	return w
}

// answer reads an answer back. One that makes no sense in any part is none.
func (w answer) answer() (a payment.Answer, err error) {
	if w.Status == "" {
		return a, fmt.Errorf("%w: no status", errMessage)
	}
	if a.Status, err = named(w.Status, payment.Settled, "status"); err != nil {
		return payment.Answer{}, err
	}
	if a.Reason, err = named(w.Reason, payment.LastReason, "reason"); err != nil {
		return payment.Answer{}, err
	}
	a.Wait, a.Code = time.Duration(max(0, min(w.Wait, longestWait.Milliseconds())))*time.Millisecond, w.Code
	if w.Found == nil {
		return a, nil
	}
	if a.Found, err = w.Found.found(); err != nil {
		return payment.Answer{}, err
	}
	return a, nil
}

// longestWait is the longest a gateway can make a post wait. Chosen by us: longer
// than any wait the payment service asks for, and too short to stop a post for good.
const longestWait = time.Hour

func (w found) found() (f payment.Found, err error) {
	f = payment.Found{Amount: w.Amount, Held: w.Held, Taken: w.Taken, Freed: w.Freed, Refunded: w.Refunded, URL: w.URL, Guaranteed: w.Guaranteed}
	if w.State == "" {
		return f, fmt.Errorf("%w: a payment without a state", errMessage)
	}
	if f.State, err = named(w.State, payment.EndedByUs, "state"); err != nil {
		return f, err
	}
	if len(w.Terms) > 0 {
		f.Terms, err = payment.ParseTerms(w.Terms)
	}
	return f, err
}
