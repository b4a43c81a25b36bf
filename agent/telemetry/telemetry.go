// Package telemetry says the words of what a post tells its fleet over MQTT: under
// which topic, in which form, and how often. It does no I/O.
//
// # Why
//
// A fleet outlives its software. So everything is JSON with numbered versions and
// integers in base units (Wh, W, minor units of money), what is not known is left out
// and never 0, and whoever reads ignores what it does not know. testdata/fleet has the
// schema, and a test holds what a post really publishes against it.
//
// What is retained stands for the present and is replaced by the next; what has
// happened is an event: numbered, kept on disk until the broker has acknowledged it,
// and sent again when in doubt. Two events with one id are one event.
//
// Nothing here is sealed as orders of money are (payment/envelope): nobody acts on
// telemetry but people, and anybody's tools shall be able to read it.
package telemetry

import (
	"time"

	"stolpe/hal"
)

// Version is that of every payload (v). A consumer that finds another one leaves the
// payload alone.
const Version = 1

// Leaf is what follows the base of a post's topics. Those of an EVSE begin with
// evse/<n>/, see Of.
type Leaf string

// The leaves. That of availability is payment/envelope's, whose text is not JSON.
const (
	InfoLeaf    Leaf = "info"    // retained, QoS 1: Info
	HealthLeaf  Leaf = "health"  // retained, QoS 0: Health
	StateLeaf   Leaf = "state"   // retained, QoS 1, of an EVSE: State
	PriceLeaf   Leaf = "price"   // retained, QoS 1, of an EVSE: Price
	SessionLeaf Leaf = "session" // retained, QoS 0, of an EVSE: Session
	MeterLeaf   Leaf = "meter"   // retained, QoS 0, of an EVSE: Meter
	EventLeaf   Leaf = "evt"     // not retained, QoS 1, and below it the kind, see Event.Leaf
	CommandLeaf Leaf = "cmd"     // not retained, QoS 1, to the post, and below it the command's name
	ReplyLeaf   Leaf = "res"     // not retained, QoS 1, below a command
)

// Retained says whether the broker keeps the newest message there.
func (l Leaf) Retained() bool {
	return l.last() != EventLeaf && l.last() != CommandLeaf && l.last() != ReplyLeaf
}

// Once says whether a message there is sent at QoS 0: the next one replaces it anyway.
func (l Leaf) Once() bool {
	switch l.last() {
	case HealthLeaf, SessionLeaf, MeterLeaf:
		return true
	}
	return false
}

// Head is what every payload begins with.
type Head struct {
	V     int       `json:"v"`   // Version
	At    time.Time `json:"ts"`  // UTC, in whole seconds
	Clock string    `json:"clk"` // how good the clock was: synced, holdover or unknown
}

// HeadAt is the head of what is told at that time.
func HeadAt(s hal.Stamp) Head { return Head{V: Version, At: s.Time(), Clock: s.Clock.String()} }
