package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"stolpe/agent/telemetry"
)

// Code is what has come of a command.
type Code string

// The codes.
const (
	Done      Code = "done"
	Invalid   Code = "invalid"   // it is none, or says what cannot be
	Unsigned  Code = "unsigned"  // no key that the post knows has signed it
	Forbidden Code = "forbidden" // the key is not good for it, or the broker had kept it
	Expired   Code = "expired"   // it is over, or ends too late, or the post does not know the time
	Replayed  Code = "replayed"  // it came before
	Busy      Code = "busy"      // too many came, or something else is under way
	Unsafe    Code = "unsafe"    // not as things stand, such as while somebody charges
	Failed    Code = "failed"    // it was tried
)

// Reply is what the post answers.
type Reply struct {
	telemetry.Head
	ID   string `json:"id"` // of the command
	OK   bool   `json:"ok"`
	Code Code   `json:"code"`
	Text string `json:"text,omitempty"` // for people, at most maxText bytes
	Data any    `json:"data,omitempty"` // of commands that ask for something
}

// Chosen by us.
const (
	maxText  = 200      // bytes: a line or two on a screen
	maxReply = 60 << 10 // bytes, of the 64 kB that a broker passes on
)

// Refusal is why a command was not done. Any other error of a deed is Failed.
type Refusal struct {
	Code Code
	Text string // for people
}

// Error gives the text.
func (r Refusal) Error() string { return string(r.Code) + ": " + r.Text }

// Refuse makes a refusal.
func Refuse(c Code, text string) error { return Refusal{c, text} }

// refusalOf finds the refusal in an error of a deed.
func refusalOf(err error) Refusal {
	var r Refusal
	if errors.As(err, &r) {
		return r
	}
	return Refusal{Failed, err.Error()}
}

// write writes a reply. What is too large is left out, and that is said.
func (r Reply) write() []byte {
	r.Text = cut(r.Text, maxText)
	b, err := json.Marshal(r)
	if err == nil && len(b) <= maxReply {
		return b
	}
	r.OK, r.Code, r.Data, r.Text = false, Failed, nil, fmt.Sprintf("done, but the answer has %d bytes, and %d can be sent", len(b), maxReply)
	if err != nil {
		r.Text = cut("done, but the answer cannot be written: "+err.Error(), maxText)
	}
	b, _ = json.Marshal(r) // of plain words now
	return b
}

// cut shortens a text to so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
