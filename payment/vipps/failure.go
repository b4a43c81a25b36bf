package vipps

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"stolpe/payment"
)

// Chosen by us: enough to find a call at the service, and one line in a log.
const (
	maxTrace  = 80  // characters of a trace id
	maxDetail = 400 // characters of what the service says was wrong
)

// failure is a call that did not bring what it was made for: what that means
// for the asking, and what a technician needs to know about it.
type failure struct {
	verdict
	what   string        // the operation and the reference
	plain  string        // who failed and how, in plain words; empty where the code says it
	advice string        // what a technician does next; empty if nothing is known
	http   int           // status; 0 without an answer
	bare   bool          // an answer without a body
	code   string        // the API's, if it gave one
	trace  string        // to quote to the service
	detail string        // what the service said
	wait   time.Duration // not before this, if the service said so
	cause  error
	hide   *strings.Replacer // takes keys and tokens out of foreign words; nil if there are none
}

// declined is a failure found by ourselves, without a word of the service.
func declined(ref payment.Ref, v verdict, cause error) *failure {
	return &failure{verdict: v, what: fmt.Sprintf("order %q", ref), cause: cause}
}

// label is what Answer.Code says: the API's code, or else the HTTP status.
func (f *failure) label() string {
	if f.code == "" && f.http != 0 {
		return fmt.Sprintf("HTTP %d", f.http)
	}
	return f.code
}

// Error is one line. A service or proxy may repeat what we sent, so everything
// passes the filter, and it does so before it is cut.
func (f *failure) Error() string {
	parts := []string{f.what}
	if f.http != 0 {
		parts = append(parts, fmt.Sprintf("HTTP %d", f.http))
	}
	if f.plain != "" {
		parts = append(parts, f.plain)
	}
	for _, p := range []struct {
		name, text string
		max        int
	}{{"code ", f.code, maxTrace}, {"trace ", f.trace, maxTrace}, {"", f.detail, maxDetail}} {
		if p.text != "" {
			parts = append(parts, p.name+f.line(p.text, p.max))
		}
	}
	if f.cause != nil {
		parts = append(parts, f.line(f.cause.Error(), maxDetail))
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause: a time-out, or a certificate the clock is too wrong for.
func (f *failure) Unwrap() error { return f.cause }

// line makes foreign text fit for a log: no keys, one line, not too long.
func (f *failure) line(s string, most int) string {
	if f.hide != nil {
		s = f.hide.Replace(s)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "..."
	}
	return s
}

// hider takes these secrets out of text.
func hider(secrets ...string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, "[hidden]")
		}
	}
	return strings.NewReplacer(pairs...)
}
