package sim

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
)

const ref payment.Ref = "A12-1-000001"

// stage is a Book with one payment in the middle, driven by words.
type stage struct {
	t   *testing.T
	b   *Book
	now time.Duration
}

// play runs steps such as "capture 400 c1 =6090", set apart by semicolons. The
// word after = is the code or status a step must be refused with; without it the
// step must succeed. Money is NOK, keys are free words; a reference may follow.
func play(t *testing.T, steps string) *stage {
	t.Helper()
	s := &stage{t: t, b: NewBook(), now: time.Hour}
	s.play(steps)
	return s
}

func (s *stage) play(steps string) {
	s.t.Helper()
	for step := range strings.SplitSeq(steps, ";") {
		do, want, _ := strings.Cut(strings.TrimSpace(step), " =")
		if got := s.step(strings.Fields(do)); got != want {
			s.t.Fatalf("%q: got %q, want %q", step, got, want)
		}
	}
}

func (s *stage) step(w []string) (code string) {
	word := func(i int, or string) string {
		if i < len(w) {
			return w[i]
		}
		return or
	}
	amount, _ := strconv.ParseInt(word(1, ""), 10, 64)
	span, _ := time.ParseDuration(word(1, ""))
	change := Change{word(2, ""), payment.Ref(word(3, string(ref))), payment.Amount(amount), payment.Currency(word(4, "NOK"))}
	var p *Problem
	counted := true
	switch w[0] {
	case "create":
		_, p = s.b.Create(s.now, Request{Key: word(2, "r"), Ref: change.Ref, Amount: change.Amount, Currency: change.Currency, URL: "/app/x"})
	case "get":
		_, p = s.b.Get(s.now, payment.Ref(word(1, string(ref))))
	case "capture":
		_, p = s.b.Capture(s.now, change)
	case "refund":
		_, p = s.b.Refund(s.now, change)
	case "cancel":
		_, p = s.b.Cancel(s.now, payment.Ref(word(1, string(ref))), false)
	case "cancel-unapproved":
		_, p = s.b.Cancel(s.now, ref, true)
	case "approve":
		counted = s.b.Approve(s.now, ref)
	case "decline":
		counted = s.b.Decline(s.now, ref)
	case "kill":
		counted = s.b.Kill(s.now, ref)
	case "bank":
		s.b.Funds(ref, word(1, "") == "has-it")
	case "busy":
		s.b.Busy(ref, s.now+span)
	case "wait":
		s.now += span
	case "unit":
		s.unit(w[1])
	default:
		s.t.Fatalf("no such step: %q", w)
	}
	switch {
	case p != nil && p.Code == "":
		return strconv.Itoa(p.Status)
	case p != nil:
		return p.Code
	case !counted:
		return "no"
	}
	return ""
}

// unit changes how the sales unit is set up.
func (s *stage) unit(word string) {
	switch r := &s.b.Rules; word {
	case "whole-only":
		r.WholeOnly = true
	case "min-capture-100":
		r.MinCapture = 100
	case "cancel-again-ok":
		r.CancelAgainOK = true
	case "hide-url":
		r.HideURL = true
	case "NOK", "DKK", "EUR":
		r.Currency = payment.Currency(word)
	case "14-days":
		r.Deadline = 14 * day
	case "busy-shop":
		r.WritesPerMinute = 1000
	default:
		s.t.Fatalf("no such unit: %q", word)
	}
}

// sums writes how the payment stands: state, held, taken, freed, refunded.
func (s *stage) sums() string {
	for p := range s.b.Payments(s.now) {
		if f := p.Found; p.Ref == ref {
			return fmt.Sprintf("%s %d %d %d %d", stateName(f.State), f.Held, f.Taken, f.Freed, f.Refunded)
		}
	}
	return "none"
}

// log writes the payment's events: name, amount, key, and a ! for those that failed.
func (s *stage) log() string {
	var words []string
	for _, ev := range s.b.Events(s.now, ref) {
		word := fmt.Sprintf("%s %d", ev.Name, ev.Amount)
		if ev.Key != "" {
			word += " " + ev.Key
		}
		if !ev.Success {
			word += "!"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
