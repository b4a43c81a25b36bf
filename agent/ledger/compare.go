package ledger

import (
	"fmt"
	"strings"

	"stolpe/payment"
)

// What a difference may be about.
const (
	NotInBook = "unknown_to_ledger" // the service has a payment, the book no charge; it may be under way

	onCapture    = "captured"
	onRelease    = "released"
	onRefund     = "refunded"
	onOpenRefund = "open_refund"        // begun, and not known how it ended
	notInService = "unknown_to_service" // the book has a charge, the service no payment
	stillHeld    = "still_held"         // a charge is over, and the payer's money still reserved
	notOurs      = "foreign"            // somebody else's payment under our reference
	onReport     = "report"             // the movements of the merchant's account
	onReceipts   = "receipt_gap"        // numbers of sales documents
	onBook       = "ledger_damage"      // the book itself
)

// Difference is something on which the book and the payment service do not agree.
type Difference struct {
	Topic   string         `json:"difference"`
	EVSE    int            `json:"evse,omitempty"` // its number
	Ref     payment.Ref    `json:"ref,omitempty"`
	Book    payment.Amount `json:"ledger"`  // minor units
	Service payment.Amount `json:"service"` // minor units
	Text    string         `json:"text"`
}

// Against compares the account with what the service has under its reference.
func (a *Account) Against(f payment.Found) []Difference {
	var all differences
	var captured, released payment.Amount
	approved := false
	if s := a.Sale; s != nil {
		captured, released, approved = s.Captured, s.Released, s.Approved
	}
	switch {
	case f.State == payment.NotFound && (approved || captured+released > 0):
		all.add(notInService, captured, 0, "the service has no such payment")
	case f.State == payment.NotFound:
	case !approved && f.Held > 0 && f.Terms.EVSE != nameOf(a.Ref):
		all.add(notOurs, 0, f.Taken, fmt.Sprintf("%v reserved; this post did not make the payment", f.Held))
	case a.Sale == nil:
		all.add(NotInBook, 0, f.Taken, fmt.Sprintf("%v reserved, %v captured, %v released, %v still held; the ledger has no such charge", f.Held, f.Taken, f.Freed, f.Left()))
	default:
		all.amounts(captured, released, f)
	}
	if a.Back != f.Refunded {
		all.add(onRefund, a.Back, f.Refunded, "given back otherwise than the ledger says")
	}
	for _, r := range a.Open {
		all.add(onOpenRefund, r.Amount, f.Refunded, fmt.Sprintf("a refund of %v was begun (key %s), and its end is not known", r.Amount, r.Key))
	}
	return all.of(a)
}

// AgainstReport compares the account with the movements that the service reports:
// what was taken in all, and what was given back, in minor units.
func (a *Account) AgainstReport(taken, back payment.Amount) []Difference {
	var all differences
	var captured payment.Amount
	if a.Sale != nil {
		captured = a.Sale.Captured
	}
	if captured != taken {
		all.add(onReport, captured, taken, "captured otherwise than reported")
	}
	if a.Back != back {
		all.add(onReport, a.Back, back, "given back otherwise than reported")
	}
	return all.of(a)
}

// differences are those of one account.
type differences []Difference

func (d *differences) add(topic string, book, service payment.Amount, text string) {
	*d = append(*d, Difference{Topic: topic, Book: book, Service: service, Text: text})
}

// of says whose they are.
func (d differences) of(a *Account) []Difference {
	for i := range d {
		d[i].EVSE, d[i].Ref = a.EVSE, a.Ref
	}
	return d
}

// amounts compares a charge that both know.
func (d *differences) amounts(captured, released payment.Amount, f payment.Found) {
	if captured != f.Taken {
		d.add(onCapture, captured, f.Taken, "captured otherwise than the ledger says")
	}
	left := f.Left()
	if left > 0 {
		d.add(stillHeld, 0, left, "the charge is settled, and the payer's money is still reserved")
	}
	if f.State == payment.Authorised && released != f.Freed && released != f.Freed+left {
		d.add(onRelease, released, f.Freed, "released otherwise than the ledger says")
	}
}

// nameOf is the EVSE in a reference, as payments tell it: A12/1 of A12-1-000042.
func nameOf(ref payment.Ref) string {
	parts := strings.Split(string(ref), "-")
	if len(parts) < 3 {
		return ""
	}
	last := len(parts) - 1
	return strings.Join(parts[:last-1], "-") + "/" + parts[last-1]
}

// Series are the numbers of the sales documents of one EVSE.
type Series struct {
	EVSE int // its number

	newest uint64 // number of a document
	wrong  []Difference
}

// Take takes in an entry of the EVSE. The entries come in the order of the book.
func (s *Series) Take(e Entry) {
	switch {
	case e.Kind == Void && e.Gap != nil:
		s.next(e.Gap.From, max(e.Gap.From, e.Gap.To), "")
	case (e.Kind == Sold || e.Kind == Ended) && e.Sale != nil && e.Sale.Document > 0:
		s.next(e.Sale.Document, e.Sale.Document, e.Ref)
	}
}

func (s *Series) next(from, to uint64, ref payment.Ref) {
	switch {
	case from == s.newest+2:
		s.add(ref, fmt.Sprintf("number %d, before this one, is neither used nor void", from-1))
	case from > s.newest+1:
		s.add(ref, fmt.Sprintf("numbers %d to %d, before this one, are neither used nor void", s.newest+1, from-1))
	case from <= s.newest:
		s.add(ref, fmt.Sprintf("number %d comes after %d: used twice, or out of order", from, s.newest))
	}
	s.newest = max(s.newest, to)
}

func (s *Series) add(ref payment.Ref, text string) {
	s.wrong = append(s.wrong, Difference{Topic: onReceipts, EVSE: s.EVSE, Ref: ref, Text: text})
}

// Gaps are the numbers that are missing or stand twice.
func (s *Series) Gaps() []Difference { return s.wrong }

// Differences are the damages, one by one.
func (d Damage) Differences() []Difference {
	var all []Difference
	for _, text := range d {
		all = append(all, Difference{Topic: onBook, Text: text})
	}
	return all
}
