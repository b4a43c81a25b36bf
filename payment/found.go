package payment

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stolpe/hal"
)

// State is the state of a payment at the service.
type State uint8

// The states. An authorised payment stays so through capture and cancel: only
// the amounts tell what moved.
const (
	NotFound State = iota
	Created
	Authorised
	DeclinedByPayer
	TimedOut
	EndedByUs
	states
)

// String gives the state as a word.
func (s State) String() string {
	return [states]string{"not_found", "created", "authorised", "declined", "timed_out", "ended_by_us"}[s]
}

// Found is what the service has under a reference.
type Found struct {
	State    State
	Amount   Amount // asked for, minor units
	Held     Amount // authorised in all, minor units
	Taken    Amount // captured, minor units
	Freed    Amount // cancelled, minor units
	Refunded Amount // given back after capture, minor units
	URL      string // where the payer approves, while there is such a place
	Terms    Terms  // what we wrote into it; zero if it is not ours

	// Guaranteed is until when the payer's bank stands by what is held, in seconds
	// since 1970 by the service's clock; 0 when it was not told.
	Guaranteed int64
}

// Left is what is still held, in minor units.
func (f Found) Left() Amount {
	if f.State != Authorised {
		return 0
	}
	return f.Held - f.Taken - f.Freed
}

// Terms are what a payment was made for. They are written into it, so that the
// service is a third witness of the charge, beside the journal and the meter.
type Terms struct {
	EVSE   string     // <post>/<evse>
	Meter  string     // serial number of the meter
	Start  hal.Energy // register at the request, Wh
	Price  Price
	Holder Holder // who may stop it

	// Receipts is how many sales documents the EVSE had numbered at the request, so
	// that a lost card makes it use no number twice.
	Receipts uint64
}

// Holder is a hash of a session page's secret: whoever knows the secret may see
// the charge and stop it. The secret itself is never kept.
type Holder [16]byte

// The keys of Terms in the payment's metadata: five, as many as are allowed.
const (
	keyEVSE   = "evse"
	keyMeter  = "meter"
	keyStart  = "start_wh"
	keyPrice  = "price"
	keyHolder = "holder"
)

// Metadata writes the terms as the pairs that go into a payment.
func (t Terms) Metadata() map[string]string {
	p := t.Price
	return map[string]string{
		keyEVSE:  fmt.Sprintf("%s #%d", t.EVSE, t.Receipts),
		keyMeter: t.Meter,
		keyStart: strconv.FormatInt(int64(t.Start), 10),
		keyPrice: fmt.Sprintf("%s %d %d %d %d %d %d %d", p.Currency, p.VAT, p.KWh, p.Minute, p.Session,
			int64(p.Idle.After/time.Second), p.Idle.Minute, p.Idle.Cap),
		keyHolder: fmt.Sprintf("%x", t.Holder),
	}
}

// ErrTerms is what ParseTerms wraps when the pairs are not ours.
var ErrTerms = errors.New("metadata is not a charge of ours")

// ParseTerms reads what Metadata wrote. An error wraps ErrTerms.
func ParseTerms(m map[string]string) (Terms, error) {
	t := Terms{Meter: m[keyMeter]}
	t.EVSE, t.Receipts = cutReceipts(m[keyEVSE])
	start, err := strconv.ParseInt(m[keyStart], 10, 64)
	if err != nil || start < 0 || t.EVSE == "" {
		return Terms{}, fmt.Errorf("%w: %s=%q %s=%q", ErrTerms, keyEVSE, t.EVSE, keyStart, m[keyStart])
	}
	t.Start = hal.Energy(start)
	var after int64
	p := &t.Price
	n, err := fmt.Sscanf(m[keyPrice], "%s %d %d %d %d %d %d %d", &p.Currency, &p.VAT, &p.KWh, &p.Minute, &p.Session,
		&after, &p.Idle.Minute, &p.Idle.Cap)
	if err != nil {
		return Terms{}, fmt.Errorf("%w: %s=%q, %d of 8 parts: %w", ErrTerms, keyPrice, m[keyPrice], n, err)
	}
	p.Idle.After = time.Duration(max(-1, min(after, int64(maxAfter/time.Second)+1))) * time.Second // bounded: it must not overflow
	if err := p.Check(); err != nil {
		return Terms{}, fmt.Errorf("%w: %w", ErrTerms, err)
	}
	holder, err := hex.DecodeString(m[keyHolder])
	if err != nil || len(holder) != len(t.Holder) {
		return Terms{}, fmt.Errorf("%w: %s=%q: want %d bytes in hex", ErrTerms, keyHolder, m[keyHolder], len(t.Holder))
	}
	copy(t.Holder[:], holder)
	return t, nil
}

// cutReceipts takes the number of receipts off the name of an EVSE. The first
// versions wrote none.
func cutReceipts(s string) (evse string, receipts uint64) {
	i := strings.LastIndex(s, " #")
	if i < 0 {
		return s, 0
	}
	n, err := strconv.ParseUint(s[i+2:], 10, 64)
	if err != nil {
		return s, 0
	}
	return s[:i], n
}
