package session

import (
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Event is something that has happened. An event that means nothing in a state
// changes nothing.
type Event interface{ event() }

type (
	// Requested: a driver wants to charge.
	Requested display.Request

	// Stopped: the charge has been ended. It counts in every phase, but only for
	// the charge of its holder, if it names one: another may have begun meanwhile.
	Stopped struct {
		Why    display.End
		Holder payment.Holder // zero for the post's own
		Asking bool           // it counts only while the payer has not approved
	}

	// Extended: the driver needs more time to plug in.
	Extended struct{ Holder payment.Holder }

	// Claimed: somebody who has lost the page of the charge under way says so, and
	// tells its stop code. Holder is of the new page.
	Claimed struct {
		Digits string
		Holder payment.Holder
	}

	// Asked: an order is on its way to the payment service.
	Asked struct{ Order payment.Order }

	// Answered: an asking has ended, if only because its time was up.
	Answered struct {
		Order  payment.Order
		Answer payment.Answer
	}

	// Hinted: somebody says that something has happened to a payment. It carries
	// nothing that is believed; the payment is read back sooner.
	Hinted struct{ Ref payment.Ref }

	// Retried: a person wants the settlement of a payment tried again at once.
	Retried struct{ Ref payment.Ref }

	// Metered: the meter has said something.
	Metered struct{ Reading hal.Reading }

	// Sensed: the sense line was read, at this monotonic instant.
	Sensed struct {
		Position hal.Position
		At       time.Duration
	}

	// Ordered: the contactor has been ordered closed, because the disk has what
	// that rests on.
	Ordered struct{}

	// Plugged: the plug input was read.
	Plugged struct{ Plug hal.Plug }

	// Signalled: the wires of the post say this, all of it and nothing else.
	Signalled struct{ Signals hal.Signals }

	// TakenOut: a technician withdraws the EVSE from service, which ends the charge
	// under way.
	TakenOut struct{}

	// Recalled: the fleet takes the EVSE out of service: now, which ends the charge
	// under way, or as soon as that is over. No new one begins in either case.
	Recalled struct{ Now bool }

	// Readmitted: the fleet takes that back. Whatever else is wrong stays so, and what a
	// technician has withdrawn too: hands may be in there.
	Readmitted struct{}

	// Renewal: the post is about to start anew, and takes no new driver until then; or not
	// any more. A charge under way goes on. The start itself ends it, however that comes.
	Renewal struct{ Near bool }

	// Restored: a technician has put right what was wrong and answers for the
	// meter as it is now. As long as there are faults that they do not know of, only what
	// they have taken out of service themselves is put back.
	Restored struct{ But Faults }

	// TestBegun: a technician at the post has the contactor closed for a moment, to see
	// that it follows. It means nothing unless Rules.Tests has nothing against it.
	TestBegun struct{}

	// TestEnded: that is over, before its time.
	TestEnded struct{}

	// Unwritable: the journal has failed and will not be written again.
	Unwritable struct{}

	// Ticked: time has passed.
	Ticked struct{}
)

func (Requested) event()  {}
func (Stopped) event()    {}
func (Extended) event()   {}
func (Claimed) event()    {}
func (Asked) event()      {}
func (Answered) event()   {}
func (Hinted) event()     {}
func (Retried) event()    {}
func (Metered) event()    {}
func (Sensed) event()     {}
func (Ordered) event()    {}
func (Plugged) event()    {}
func (Signalled) event()  {}
func (TakenOut) event()   {}
func (Recalled) event()   {}
func (Readmitted) event() {}
func (Renewal) event()    {}
func (Restored) event()   {}
func (TestBegun) event()  {}
func (TestEnded) event()  {}
func (Unwritable) event() {}
func (Ticked) event()     {}
