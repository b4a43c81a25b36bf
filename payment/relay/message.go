package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// ask is an order on the wire.
type ask struct {
	V     int    `json:"v"`
	ID    string `json:"id"`              // of this asking; the answer has the same
	Until int64  `json:"until,omitempty"` // ms since 1970 by the gateways' clock; 0 while the post does not know it
	Order order  `json:"order"`
}

// order is payment.Order in the words of the wire.
type order struct {
	Verb     string            `json:"verb"`
	Ref      payment.Ref       `json:"ref"`
	Amount   payment.Amount    `json:"amount,omitempty"` // minor units
	Currency payment.Currency  `json:"currency,omitempty"`
	Attempt  uint8             `json:"attempt,omitempty"` // which capture key
	Terms    map[string]string `json:"terms,omitempty"`   // as they are written into the payment
	Return   string            `json:"return,omitempty"`
	Way      string            `json:"way,omitempty"`
	Phone    string            `json:"phone,omitempty"`
	Receipt  *receipt          `json:"receipt,omitempty"`
}

type receipt struct {
	Number   string           `json:"number"`
	Currency payment.Currency `json:"currency"`
	VAT      int              `json:"vat_bp"` // basis points
	Lines    []line           `json:"lines"`
}

type line struct {
	Kind     string         `json:"kind"`
	Quantity int64          `json:"quantity"` // Wh, whole minutes or 1, by its kind
	Each     payment.Amount `json:"each"`     // minor units
	Amount   payment.Amount `json:"amount"`   // minor units
	VAT      payment.Amount `json:"vat"`      // minor units
	Name     string         `json:"name"`
}

// answer is what came of an asking.
type answer struct {
	V      int    `json:"v"`
	ID     string `json:"id"`
	Now    int64  `json:"now"`            // ms since 1970 by the gateway's clock
	Late   bool   `json:"late,omitempty"` // nothing was done: the asking had no time, or its time was over
	Status string `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
	Wait   int64  `json:"wait_ms,omitempty"` // ms
	Code   string `json:"code,omitempty"`
	Said   string `json:"said,omitempty"` // what went wrong, for the log
	Found  *found `json:"found,omitempty"`
}

// found is payment.Found in the words of the wire; amounts in minor units.
type found struct {
	State      string            `json:"state"`
	Amount     payment.Amount    `json:"amount"`
	Held       payment.Amount    `json:"held,omitempty"`
	Taken      payment.Amount    `json:"taken,omitempty"`
	Freed      payment.Amount    `json:"freed,omitempty"`
	Refunded   payment.Amount    `json:"refunded,omitempty"`
	URL        string            `json:"url,omitempty"`
	Terms      map[string]string `json:"terms,omitempty"`
	Guaranteed int64             `json:"guaranteed,omitempty"` // seconds since 1970
}

// nudge says that something has happened to a payment.
type nudge struct {
	V   int         `json:"v"`
	Ref payment.Ref `json:"ref"`
}

// statement is what an EVSE has not settled.
type statement struct {
	V    int    `json:"v"`
	At   int64  `json:"at,omitempty"` // seconds since 1970; 0 when the post does not know the time
	Open []open `json:"open"`
}

// open is payment.Open in the words of the wire.
type open struct {
	Ref      payment.Ref      `json:"ref"`
	Currency payment.Currency `json:"currency"`
	Limit    payment.Amount   `json:"limit"` // minor units
	Due      payment.Amount   `json:"due"`   // minor units
	Register hal.Energy       `json:"register_wh"`
	Attempt  uint8            `json:"attempt,omitempty"` // which capture key
	Ended    bool             `json:"ended,omitempty"`
}

// errMessage is what reading a message wraps.
var errMessage = errors.New("not a message of ours")

// maxAskID is the longest id of an asking, in characters. Chosen by us.
const maxAskID = 64

var idPattern = regexp.MustCompile(`^[a-zA-Z0-9-]+$`)

// read reads a message of any kind. It knows the version by its own field.
func read(text []byte, into any) error {
	if len(text) > maxMessage {
		return fmt.Errorf("%w: it has %d bytes, at most %d are taken", errMessage, len(text), maxMessage)
	}
	var head struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	if head.V != version {
		return fmt.Errorf("%w: version %d, this program speaks %d", errMessage, head.V, version)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	return nil
}

// write is for messages made of our own types, which can always be written.
func write(message any) []byte {
	b, err := json.Marshal(message)
	if err != nil {
		panic(err) // no type above can fail
	}
	return b
}

// Nudge writes a nudge about a payment.
func Nudge(ref payment.Ref) []byte { return write(nudge{version, ref}) }

// ReadNudge reads one. It returns an error when it is none.
func ReadNudge(text []byte) (payment.Ref, error) {
	var n nudge
	if err := read(text, &n); err != nil {
		return "", err
	}
	if n.Ref.Post() == "" {
		return "", fmt.Errorf("%w: reference %q", errMessage, n.Ref)
	}
	return n.Ref, nil
}

// Statement writes what an EVSE has not settled, at a time of day; the zero time
// where that is not known.
func Statement(at time.Time, all []payment.Open) []byte {
	s := statement{V: version, Open: make([]open, len(all))}
	if !at.IsZero() {
		s.At = at.Unix()
	}
	for i, o := range all {
		s.Open[i] = open(o)
	}
	return write(s)
}

// ReadStatement reads one that came from a post. It returns an error when it is none,
// or speaks of another post's payments.
func ReadStatement(post string, text []byte) (at time.Time, all []payment.Open, err error) {
	var s statement
	if err := read(text, &s); err != nil {
		return at, nil, err
	}
	for _, o := range s.Open {
		if _, _, ours := o.Ref.Split(post); !ours {
			return at, nil, fmt.Errorf("%w: reference %q is not one of post %s", errMessage, o.Ref, post)
		}
		if o.Due < 0 || o.Due > o.Limit || o.Limit > payment.MaxAmount || !o.Currency.Known() {
			return at, nil, fmt.Errorf("%w: %s: %d due of %d %q", errMessage, o.Ref, o.Due, o.Limit, o.Currency)
		}
		all = append(all, payment.Open(o))
	}
	if s.At > 0 {
		at = time.Unix(s.At, 0)
	}
	return at, all, nil
}
