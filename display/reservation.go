package display

import "unicode/utf8"

// maxReservation is the longest description of a payment, in characters, by the
// API's description.
const maxReservation = 100

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
