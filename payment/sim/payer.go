package sim

import (
	"fmt"
	"strings"
	"time"

	"stolpe/payment"
)

// Habit is what an automatic payer does with every payment.
type Habit uint8

// The habits. The zero value leaves the payment to a person on the page.
const (
	ByHand   Habit = iota
	Approves       // After the creation
	Refuses        // After the creation
	Dawdles        // approves, but After the payment has expired
	Vanishes       // does nothing, and there are no buttons for a person either
	habits
)

// String gives the habit as the word that ParsePayer reads.
func (h Habit) String() string {
	return [habits]string{"by-hand", "approves", "refuses", "dawdles", "vanishes"}[h]
}

// Payer acts by itself, in the Till's own time.
type Payer struct {
	Habit Habit
	After time.Duration
}

// ParsePayer reads a habit and, with the first three of them, a duration:
// "approves 5s", "refuses 5s", "dawdles 1m", "vanishes" or "by-hand". Without a
// duration the payer acts at once. An error names the word it stumbled over.
func ParsePayer(text string) (Payer, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Payer{}, nil
	}
	p := Payer{Habit: habits}
	for h := ByHand; h < habits; h++ {
		if h.String() == words[0] {
			p.Habit = h
		}
	}
	switch {
	case p.Habit == habits:
		return Payer{}, fmt.Errorf("payer: %q: want by-hand, approves, refuses, dawdles or vanishes", words[0])
	case len(words) == 1:
		return p, nil
	case len(words) > 2:
		return Payer{}, fmt.Errorf("payer: %q is too much: want a habit and a duration", words[2])
	case p.Habit == ByHand || p.Habit == Vanishes:
		return Payer{}, fmt.Errorf("payer: %q: %v takes no duration", words[1], p.Habit)
	}
	var err error
	if p.After, err = time.ParseDuration(words[1]); err != nil || p.After < 0 {
		return Payer{}, fmt.Errorf("payer: %q: want a duration such as 5s", words[1])
	}
	return p, nil
}

// act schedules what the payer will do with a payment made at now.
func (t *Till) act(now time.Duration, ref payment.Ref) {
	switch t.payer.Habit {
	case Approves:
		t.later(now+t.payer.After, func(at time.Duration) { t.decide(at, ref, true) })
	case Refuses:
		t.later(now+t.payer.After, func(at time.Duration) { t.decide(at, ref, false) })
	case Dawdles:
		t.later(now+t.book.Rules.Expiry+t.payer.After, func(at time.Duration) { t.decide(at, ref, true) })
	}
}

// decide is the payer pressing a button. It says whether that counted.
func (t *Till) decide(now time.Duration, ref payment.Ref, yes bool) bool {
	does, counted := "approve", false
	if yes {
		counted = t.book.Approve(now, ref)
	} else {
		does, counted = "decline", t.book.Decline(now, ref)
	}
	t.log.Info("till: payer", "does", does, "reference", ref, "counted", counted)
	return counted
}
