// Package display says the words of what people are shown: one View for every
// medium, and the sentences in their languages. It does no I/O; the packages
// below it draw.
//
// # Why
//
// A phone, a post's screen and a technician's terminal must never disagree about
// a number or a sentence, so all of them draw the same View. A View is derived
// from the state of the EVSE; no medium is ever asked to decide anything.
package display

import (
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// State is what an EVSE is doing, as a driver would say it.
type State uint8

// The states of an EVSE.
const (
	Starting   State = iota // the program has just started and knows nothing yet
	Available               // free
	Paying                  // waiting for the driver to approve
	Authorised              // approved; waiting for the car
	Closing                 // the contactor is about to close
	Charging
	Suspended   // closed, but the car draws nothing
	Stopping    // opening, and waiting for the final reading
	Faulted     // out of order until a technician comes
	Unavailable // withdrawn from service
	Settling    // no new charges until money matters are clear
	states
)

// LastState is the last of them, for whoever must refuse what is none.
const LastState = states - 1

// String gives the state as the word used in telemetry.
func (s State) String() string {
	return [states]string{"boot", "available", "paying", "authorised", "starting", "charging", "suspended", "stopping", "faulted", "unavailable", "settling"}[s]
}

// End says why a charge ended.
type End uint8

// The ends of a charge, and of a request that never became one.
const (
	NotEnded     End = iota
	ByDriver         // stopped on the page
	ByTechnician     // withdrawn while charging
	Unplugged
	CarFull      // no energy for so long that the car must be full
	LimitReached // the reservation is used up
	NoEnergy     // the car never drew anything
	PowerLost    // the post lost power, or its program stopped
	MeterLost    // the meter stopped answering, or said nonsense
	ContactorBad // did not close, opened by itself, or is welded
	StorageBad   // the post could no longer write down what it did
	PaymentGone  // the reservation was cancelled elsewhere while charging
	Declined     // the payment was refused
	AbortedInApp // the driver said no in the app
	TimedOut     // the driver did not approve in time
	NoAnswer     // the payment service did not answer
	NeverPlugged // approved, but no car came
	TooLong      // the longest a charge may last
	ShutDown     // the post was told to stop
	ByButton     // stopped with the button on the post
	Emergency    // the emergency stop was pressed, or the residual current device tripped
	ByOwner      // stopped from afar by whoever runs the post
	ends
)

// LastEnd is the last of them, for whoever must refuse what is none.
const LastEnd = ends - 1

// String gives the end as the word used in records.
func (e End) String() string {
	return [ends]string{"", "driver_stop", "technician", "unplugged", "car_full", "limit_reached", "no_energy",
		"power_loss", "meter_fault", "contactor_fault", "storage_fault", "payment_gone", "declined", "aborted",
		"expired", "no_answer", "never_plugged", "too_long", "shut_down",
		"button_stop", "emergency_stop", "remote_stop"}[e]
}

// View is everything any medium may show of one EVSE. The public part is the
// same for everybody; Charge is filled only for whoever may see that charge, and
// for the post's own screen.
type View struct {
	Code     string // on the sticker and in the address: "A12"
	State    State
	Fault    string // for the technician, as in "MET-001"; empty without one
	Price    payment.Price
	Choices  []payment.Amount // amounts to reserve, minor units, in order
	Default  payment.Amount   // the choice already made, minor units
	MaxPower hal.Power        // W
	Busy     bool             // somebody's request or charge is under way
	Since    hal.Stamp        // when that began
	Push     bool             // a driver may give a phone number, and is asked in the app
	Pass     bool             // a request needs the pass of the code that the post's display shows
	Notice   Notice           // what the owner has to say to drivers
	Here     bool             // somebody looks for this post: it says that it is the one
	Silent   time.Duration    // how long nothing has been heard of the post by whoever serves the page; 0 where it is here
	Charge   Charge
}

// Charge is one charge as its driver, or the post's screen, may see it.
type Charge struct {
	Ref      payment.Ref
	Price    payment.Price  // as it was when the charge was requested
	Way      payment.Way    // how the payer gets to the app: without ByLink there is no PayURL
	PayURL   string         // where to approve; empty before it is known and after approval
	Reserved payment.Amount // minor units
	Held     bool           // the reservation has been approved
	Cost     payment.Amount // so far, or in all, minor units
	Energy   hal.Energy     // Wh
	Power    hal.Power      // W
	Elapsed  time.Duration  // with the contactor closed
	Left     time.Duration  // until the present wait gives up; 0 when nothing is waited for
	Idle     IdleView
	Reading  time.Duration // age of the newest believed reading
	StopCode string        // four digits, for whoever comes back without the page; for the holder alone

	End      End          // NotEnded while it lasts
	Bill     payment.Bill // once it has ended
	Settled  bool         // the service holds nothing any more
	Captured payment.Amount
	Released payment.Amount
	Stuck    bool // needs a person: the driver has nothing to do
	Meter    Meter
	Started  hal.Stamp
	Ended    hal.Stamp
	Receipt  string    // number of the sales document; empty until something was sold and paid
	Issued   hal.Stamp // when it got that number
}

// IdleView says how the idle fee stands.
type IdleView struct {
	Quiet  time.Duration // without energy so far
	Starts time.Duration // until the fee begins to run; 0 if it runs or there is none
	Runs   bool
}

// Meter is what a receipt says of the meter.
type Meter struct {
	Model  string
	Serial string
	Start  hal.Energy // register, Wh
	End    hal.Energy // register, Wh; 0 before it is final
}

// Post is what every page of a post says about it and its owner.
type Post struct {
	ID       string
	Name     string // its address, as people say it
	Helpdesk string // telephone number
	Pay      string // what drivers call the app they pay with, as in "MobilePay"; empty means "Vipps"
	Seller   Seller
	Zone     *time.Location // for times of day; nil means UTC

	Codes    []string // of all its EVSEs, as on their stickers
	Brand    Brand
	TermsURL string // where the owner's terms are read; shown when not empty
}

// Brand is how the owner's pages look. What is empty is as it is without an owner.
type Brand struct {
	Name   string // above the page
	Colour string // "#rrggbb", of what is pressed; white on it can be read
	Logo   string // data: URI of an SVG or PNG
}

// Seller is who the driver buys from.
type Seller struct {
	Name          string
	OrgNo         string
	VATRegistered bool
	Address       string // where the seller can be visited or written to; shown when not empty
	Email         string // shown when not empty
}

// Request is a driver's wish to charge.
type Request struct {
	Reserve payment.Amount // minor units
	Seen    payment.Price  // the price the driver was shown and agrees to
	Holder  payment.Holder
	Return  string // the address of the session page
	Way     payment.Way
	Phone   payment.Phone // with payment.ByPush
	Pass    Pass          // of the code on the display; empty for a driver who has scanned none
}

// Act is what the holder of a session page may do.
type Act uint8

// The acts.
const (
	StopCharge Act = iota // also undoes an approval, and cancels a request
	MoreTime              // to plug in
)
