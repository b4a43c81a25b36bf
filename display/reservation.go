package display

import (
	"unicode/utf8"

	"stolpe/payment"
)

// maxReservation is the longest description of a payment, in characters, by the
// API's description.
const maxReservation = 100

// The shares of the reservation at which a driver is warned, in percent. Chosen
// by us: at the first there is time to think, at the second to walk back.
const (
	nearly = 80
	almost = 95
)

// NearLimit says whether so much of the reservation is used that the driver is warned.
func (c Charge) NearLimit() bool { return c.used(nearly) }

// AtLimit says whether hardly anything of the reservation is left.
func (c Charge) AtLimit() bool { return c.used(almost) }

func (c Charge) used(percent payment.Amount) bool {
	return c.Reserved > 0 && c.Cost*100 >= c.Reserved*percent
}

// Reservation is what a payer reads in the app about what is held: the EVSE, as in
// "A12/1", and where it stands. A long place is cut short, the promise is not.
func (l Lang) Reservation(evse, place string) string {
	w := l.Words()
	promise := ". " + string(w.Promise)
	where := string(w.Post) + " " + evse
	if place != "" {
		where += ", " + place
	}
	short := []rune(where)
	return string(short[:min(len(short), maxReservation-utf8.RuneCountInString(promise))]) + promise
}
