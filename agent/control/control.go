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
// What there is to look at and to do, package main says in a table of routes; who may,
// stands in the same row. This package knows callers, roles, limits, and that what
// changes something is written down before it is done and after.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// ParseRole finds the role of a name.
func ParseRole(name string) (Role, bool) {
	for r := Viewer; r <= Admin; r++ {
		if r.String() == name {
			return r, true
		}
	}
	return Viewer, false
}

// Caller is who calls.
type Caller struct {
	UID  int    // -1 where nobody knows
	Name string // login name; empty where the uid has none
	As   string // who they say they are, where several share an account; may be empty
	Role Role
}

// Route is one thing that can be asked for.
type Route struct {
	Name    string // its path below /v1/, such as service/out
	Least   Role   // who may
	Changes bool   // it does something: written down before and after
	// Hardware moves something, or keeps a bus busy: one at a time.
	Hardware bool
	// Do does it. The args are a JSON object, or empty. An error is a Refusal, or means
	// that it failed. What it gives becomes JSON.
	Do func(ctx context.Context, c Caller, args json.RawMessage) (any, error)
	// Follow tells again and again, until ctx ends or send fails; instead of Do.
	Follow func(ctx context.Context, c Caller, args json.RawMessage, send func(any) error) error
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
