package sim

import (
	"time"

	"stolpe/payment"
)

// EventName is what happened to a payment, in the API's own words.
type EventName string

// The names of events (schema PaymentEventName, 1.8.1).
const (
	Created    EventName = "CREATED"
	Authorized EventName = "AUTHORIZED"
	Aborted    EventName = "ABORTED"
	Expired    EventName = "EXPIRED"
	Terminated EventName = "TERMINATED"
	Captured   EventName = "CAPTURED"
	Cancelled  EventName = "CANCELLED"
	Refunded   EventName = "REFUNDED"
)

// Event is one line of a payment's log.
type Event struct {
	Name    EventName
	Amount  payment.Amount // the event's own, minor units
	Key     string         // the idempotency key that caused it; empty for cancels and what nobody asked for
	Success bool
	At      time.Duration
	PSP     uint64 // the event's own pspReference; the creation's is the payment's
}

// note writes an event down and gives it a number of its own.
func (b *Book) note(e *entry, ev Event) {
	b.psp++
	ev.PSP = b.psp
	e.events = append(e.events, ev)
	if b.heard != nil {
		b.heard(e, ev)
	}
}
