package worlds

import (
	"slices"
	"strconv"
	"time"

	"stolpe/agent/session"

	"stolpe/payment"
	book "stolpe/payment/sim"
)

// paper is what the payer's app has, or may have, of one payment: another service
// than the one that holds the money, with promises of its own.
type paper struct {
	ref     payment.Ref
	offered *payment.Receipt // the newest that was sent, whether it arrived or not
	receipt *payment.Receipt // what is in the app; nil before
	link    string
	sent    time.Duration // when the newest receipt left
	life    int           // of the post that asked for it
}

// letter is what an asking has the app's service do.
type letter uint8

// The letters. The zero value is none: the asking is about money.
const (
	noLetter letter = iota
	aReceipt
	aLink
)

func (w *world) paper(ref payment.Ref) *paper {
	for i := range w.papers {
		if w.papers[i].ref == ref {
			return &w.papers[i]
		}
	}
	w.papers = append(w.papers, paper{ref: ref})
	return &w.papers[len(w.papers)-1]
}

// readApp reads back what the app has, and sends what is missing, as the client
// does: one call for an asking.
func (w *world) readApp(n int) {
	a := &w.judge.asks[n]
	if w.at(atReadApp); w.hit(readLost) {
		w.answerIn(n, timeout, payment.Answer{})
		return
	}
	switch p := w.paper(a.order.Ref); {
	case p.receipt == nil:
		a.letter = aReceipt
	case a.order.Return != "" && p.link == "":
		a.letter = aLink
	default:
		w.answerIn(n, oneWay, payment.Answer{Status: payment.Settled})
		return
	}
	if a.letter == aReceipt {
		w.judge.telling(w, a.order, a.life)
	}
	w.send(n)
}

// deliver lets the app's service do what it is asked. A receipt cannot be put in
// the place of another.
func (w *world) deliver(a *asking) payment.Answer {
	w.backTo(a)
	if w.hit(appRefused) {
		codes := refusals[a.place]
		return letterRefused(codes[w.how(uint64(len(codes)))])
	}
	p := w.paper(a.order.Ref)
	switch {
	case a.letter == aLink:
		p.link = a.order.Return
	case p.receipt != nil:
		return letterRefused("409")
	default:
		p.receipt = a.order.Receipt
	}
	if a.order.Return != "" && p.link == "" {
		return payment.Answer{Status: payment.Pending}
	}
	return payment.Answer{Status: payment.Settled}
}

// letterRefused is what the client makes of a refusal of the app's service: that
// there is a receipt already has to be looked at, that the payment is not known
// may pass, and anything else will not.
func letterRefused(status string) payment.Answer {
	switch status {
	case "404", "409":
		return payment.Answer{Code: status}
	case "429":
		return payment.Answer{Status: payment.Busy}
	}
	return payment.Answer{Status: payment.Refused, Reason: payment.Rejected, Code: status}
}

// captured is what the service says was captured under a reference. No rule
// counts it as a read.
func (w *world) captured(ref payment.Ref) payment.Found {
	for p := range w.book.Payments(w.now) {
		if p.Ref == ref {
			return p.Found
		}
	}
	return payment.Found{}
}

// document is one number of a sales document and the charge that it was given to.
type document struct{ number, charge uint64 }

// soonest is how soon a receipt may be offered again: a little less than the first
// step of the pauses between askings that get nowhere.
const soonest = 4 * time.Second

// telling is called when a receipt leaves for the app: R1, R2. A card that has
// gone back to an older state settles the charge once more, under another number.
func (j *judge) telling(w *world, o payment.Order, life int) {
	p := w.paper(o.Ref)
	if p.offered != nil && p.life == life && w.now-p.sent < soonest {
		j.complainf("R1", "charge %d: the receipt leaves again after %v", o.Ref.Number(), w.now-p.sent)
	}
	first := p.offered
	p.offered, p.sent, p.life = o.Receipt, w.now, life
	if first == nil {
		j.newPaper(w, o)
		return
	}
	if j.noticed&(cardSites&^(1<<cardLost)) == 0 && (first.Number != o.Receipt.Number || !slices.Equal(first.Lines, o.Receipt.Lines)) {
		j.complainf("R1", "charge %d: another receipt, %s after %s", o.Ref.Number(), o.Receipt.Number, first.Number)
	}
}

// newPaper judges the first receipt of a payment that leaves: R1, R2.
func (j *judge) newPaper(w *world, o payment.Order) {
	if got, taken := o.Receipt.Total(), w.captured(o.Ref).Taken; got != taken {
		j.complainf("R1", "charge %d: the receipt is of %v, captured was %v", o.Ref.Number(), got, taken)
	}
	for i := range w.papers {
		if p := &w.papers[i]; p.ref != o.Ref && p.offered != nil && p.offered.Number == o.Receipt.Number && !w.muddled() {
			j.complainf("R2", "receipt %s is of charges %d and %d", o.Receipt.Number, p.ref.Number(), o.Ref.Number())
		}
	}
}

// documents follows the numbers of sales documents on the card: R2.
func (j *judge) documents(w *world, before, after uint64) {
	k := &j.disk
	named := before
	for i := range k.Done {
		d := &k.Done[i]
		if d.Receipt == 0 || d.Receipt <= before {
			continue
		}
		if named++; d.Receipt != named && !j.mayskip {
			j.complainf("R2", "document %d comes after %d", d.Receipt, named-1)
		}
		if !w.muddled() {
			j.numbered(d.Receipt, d.Number)
		}
	}
	if named != after && !j.mayskip {
		j.complainf("R2", "documents up to %d are used up, and %d charges have one", after, named)
	}
}

// documented says whether there is, or was, a sales document for a charge.
func (j *judge) documented(w *world, charge uint64) bool {
	return slices.ContainsFunc(j.papers, func(d document) bool { return d.charge == charge }) ||
		slices.ContainsFunc(w.post.state.Done, func(d session.Debt) bool { return d.Number == charge && d.Receipt != 0 })
}

// muddled says whether an older copy of the card was put back, and that was not
// the only time that another card was in the slot. Which numbers have been used
// nobody knows then.
func (w *world) muddled() bool {
	others := 0
	for _, f := range w.draw.fired {
		if f.site == cardLost || f.site == oldCard {
			others++
		}
	}
	return others > 1 && w.judge.noticed&(1<<oldCard) != 0
}

func (j *judge) numbered(number, charge uint64) {
	for _, d := range j.papers {
		if d.number == number && d.charge != charge {
			j.complainf("R2", "document %d is of charges %d and %d", number, d.charge, charge)
		}
	}
	j.papers = append(j.papers, document{number, charge})
}

// portal is somebody at the sales unit's own web page: takes a part, takes all,
// gives back, or lets go.
func (w *world) portal() {
	ref := w.post.rules.Ref(w.post.state.Counter)
	r := w.judge.find(w.post.state.Counter)
	if r == nil || r.approved == 0 || !w.hit(portalAct) {
		return
	}
	f := w.captured(ref)
	change := book.Change{Key: "portal-" + strconv.Itoa(int(w.draw.count[portalAct])), Ref: ref, Currency: r.price.Currency}
	take := func(amount payment.Amount) {
		change.Amount = amount
		if _, p := w.book.Capture(w.now, change); p == nil {
			r.portal += amount
		}
	}
	switch w.how(4) {
	case 0:
		take(f.Left() / 4)
	case 1:
		take(f.Left())
	case 2:
		change.Amount = f.Taken
		w.book.Refund(w.now, change)
	case 3:
		w.book.Kill(w.now, ref)
	}
}

// telling says whether the app has yet to get a receipt.
func (w *world) telling() bool {
	for i := range w.post.state.Done {
		if w.post.state.Done[i].Told == session.ToldDue {
			return true
		}
	}
	return false
}
