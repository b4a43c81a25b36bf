// Package control is the post's own door for whoever stands at it: an API over two unix
// sockets, and its client.
//
// # Why
//
// A socket in the file system lets the kernel say who calls (SO_PEERCRED), so there is no
// password to choose, to lose or to leave at its default, and nothing listens on a
// network. Two sockets, so that the kernel does the first check, too: whoever may open
// the one may look, and whoever may open the other may be somebody who changes things.
// HTTP and JSON, so that curl is a client.
//
// The status socket is for everybody, and whoever comes through it is a viewer, also
// root. The control socket is for root, the daemon's own user and the members of one
// group; who is what of these is asked of the kernel and the machine's own files at each
// connection, so whoever leaves the group has left. Whom nobody knows is a viewer.
//
// What there is to look at and to do, package main says in a table of routes; who may,
// stands in the same row. This package knows callers, roles, limits, and that what
// changes something is written down before it is done and after. What makes a post safer
// waits for no disk: such a route is urgent, and what is written down of it comes later.
//
// Of what moves hardware there is one at a time, and it holds the hardware on a lease: a
// caller who goes away or has taken too long loses it, since their context ends.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Role is what a caller may do. Each may do what those before it may.
type Role uint8

// The roles. The zero value may do the least.
const (
	Viewer     Role = iota // looks at what identifies nobody
	Technician             // works at the post
	Admin                  // changes what it is
)

// String is the role's name, as in the configuration.
func (r Role) String() string {
	if r > Admin {
		return "unknown"
	}
	return [...]string{"viewer", "technician", "admin"}[r]
}

// Caller is who calls.
type Caller struct {
	UID  int    // -1 where nobody knows
	Name string // login name; empty where nobody knows it
	As   string // who they say they are, where several share an account; may be empty
	Role Role
}

// String is who calls, for people and the ledger: local:kari, local:uid1000, and as whom.
func (c Caller) String() string {
	who := "local:" + c.Name
	switch {
	case c.Name == "" && c.UID < 0:
		who = "local:unknown"
	case c.Name == "":
		who = fmt.Sprintf("local:uid%d", c.UID)
	}
	if c.As != "" {
		who += " as " + c.As
	}
	return who
}

// Route is one thing that can be asked for.
type Route struct {
	Name    string // its path below /v1/, such as service/out
	Least   Role   // who may
	Changes bool   // it does something: written down before and after, and for nobody who only looks
	// Urgent makes the post safer: it waits neither for the ledger nor for the hardware.
	Urgent bool
	// Hardware moves something, or keeps a bus busy: one at a time. Its context ends with
	// its lease, and then it must return.
	Hardware bool
	Within   time.Duration // how long it may take, unless it follows; of Hardware the lease. 0 for 30 s
	// Do does it. The args are a JSON object, or empty. An error is a Refusal, or means
	// that it failed. What it gives becomes JSON; see also Reply.
	Do func(ctx context.Context, c Caller, args json.RawMessage) (any, error)
	// Follow tells again and again, until ctx ends or send fails; instead of Do.
	Follow func(ctx context.Context, c Caller, args json.RawMessage, send func(any) error) error
}

// Reply is for routes with more to say than an answer.
type Reply struct {
	Data any    // the answer; becomes JSON
	Text string // what has been done, for the ledger: one short sentence
	Then func() // called when the answer is on its way, for what would prevent it; may be nil
}

// Kind is what is written down of a change.
type Kind string

// The kinds.
const (
	Accepted Kind = "accepted" // it is about to be done
	Refused  Kind = "refused"  // and was not
	Done     Kind = "done"     // or was tried: see its code
)

// Record is what is written down of a change.
type Record struct {
	Kind   Kind
	ID     string // a ULID, of the request
	Route  string
	Caller Caller
	EVSE   int  // its number; 0 for none
	Code   Code // empty if it was done
	Text   string
}

// Code says why something was not done.
type Code string

// The codes.
const (
	Invalid      Code = "invalid"       // the request is none
	NotPermitted Code = "not_permitted" // not for this role
	NotFound     Code = "not_found"     // no such EVSE, session, reference
	Unsafe       Code = "unsafe"        // not as things stand now
	Busy         Code = "busy"          // somebody else is at it
	Device       Code = "device"        // a meter or a line did not answer
	Remote       Code = "remote"        // payment service, broker or gateway failed
	Failed       Code = "failed"
)

// Refusal is why something was not done, and what to do next.
type Refusal struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
}

// Error is the text.
func (r Refusal) Error() string { return r.Text }

// Refuse makes a Refusal.
func Refuse(c Code, format string, a ...any) error { return Refusal{c, fmt.Sprintf(format, a...)} }

// ErrNoDaemon says that nobody listens: no socket, or one that is left over.
var ErrNoDaemon = errors.New("no daemon listens")

// Read reads the arguments of a route, which may have no other members than args has.
// The error is a Refusal.
func Read(text json.RawMessage, args any) error {
	if len(text) == 0 {
		return nil
	}
	if err := strictly(text, args); err != nil {
		return Refuse(Invalid, "arguments: %v", err)
	}
	return nil
}
