package display

// maxReservation is the longest description of a payment, in characters, by the
// API's description.
const maxReservation = 100

// Reservation is what a payer reads in the app about what is held, in every country:
// the EVSE, as in "A12/1", and where it stands. A long place is cut short, the promise
// is not.
func Reservation(evse, place string) string {
	const promise = ". Reservation of a maximum: you pay only for what you use."
	where := "Stolpe " + evse
	if place != "" {
		where += ", " + place
	}
	short := []rune(where)
	return string(short[:min(len(short), maxReservation-len(promise))]) + promise
}
