package payment

import (
	"regexp"
	"strings"
	"testing"
)

// Of all that the service may have, only one thing is done: what is due is taken
// first, and at most once; the rest is released only when that has been seen.
func TestNextCallForEverythingThatCanBeFound(t *testing.T) {
	amounts := []Amount{0, 1, 40, 99, 100, 350}
	n := 0
	for _, verb := range []Verb{Look, Reserve, Settle} {
		for state := NotFound; state <= EndedByUs; state++ {
			for _, due := range amounts {
				for _, held := range amounts {
					for _, taken := range amounts {
						for _, freed := range amounts {
							o := Order{Verb: verb, Amount: due}
							f := Found{State: state, Held: held, Taken: taken, Freed: freed}
							if complaint := judgeCall(o, f, o.Next(f)); complaint != "" {
								t.Errorf("%v of %d, found %+v: %+v: %s", verb, due, f, o.Next(f), complaint)
							}
							n++
						}
					}
				}
			}
		}
	}
	t.Logf("%d combinations", n)
}

// judgeCall says what is wrong with a call, by the rules as prose has them.
func judgeCall(o Order, f Found, c Call) string {
	switch {
	case o.Verb == Look && c.Kind != NoCall:
		return "a look changes something"
	case o.Verb == Reserve && c.Kind != NoCall && (c.Kind != Create || f.State != NotFound || c.Amount != o.Amount):
		return "to reserve is to create what is not there"
	case o.Verb == Settle && c.Kind == Create:
		return "to settle creates nothing"
	case c.Kind == Withdraw && f.State != Created, f.State == Created && o.Verb == Settle && c.Kind != Withdraw:
		return "what is not approved is withdrawn, and nothing else is"
	case (c.Kind == Capture || c.Kind == CancelAll) && f.Left() <= 0:
		return "nothing is held"
	case c.Kind == CancelAll && f.Taken < o.Amount:
		return "released before what is due is taken"
	case c.Kind == CancelAll && c.Amount != 0:
		return "everything is released, not an amount"
	case c.Kind == Capture && f.Taken != 0:
		return "taken twice"
	case c.Kind == Capture && (c.Amount <= 0 || c.Amount > o.Amount || c.Amount > f.Left()):
		return "more is taken than is due, or than is left"
	case c.Kind == NoCall && o.Verb == Settle && f.Left() > 0 && (f.Taken == 0 || f.Taken >= o.Amount):
		return "money is held, and nobody does anything"
	}
	return ""
}

func TestAnswerSaysHowThePaymentStands(t *testing.T) {
	for _, x := range []struct {
		verb   Verb
		found  Found
		status Status
		reason Reason
	}{
		{Look, Found{}, Missing, NoReason},
		{Look, Found{State: Created}, Pending, NoReason},
		{Look, Found{State: Authorised, Held: 100}, Held, NoReason},
		{Look, Found{State: Authorised, Held: 100, Taken: 40}, Held, NoReason},
		{Look, Found{State: Authorised, Held: 100, Taken: 40, Freed: 60}, Settled, NoReason},
		{Look, Found{State: DeclinedByPayer}, Refused, Aborted},
		{Look, Found{State: TimedOut}, Refused, Expired},
		{Look, Found{State: EndedByUs, Held: 100}, Refused, Terminated},
		{Settle, Found{State: DeclinedByPayer}, Settled, Aborted},
		{Settle, Found{State: TimedOut}, Settled, Expired},
		{Settle, Found{State: EndedByUs}, Settled, Terminated},
		{Settle, Found{State: Created}, Pending, NoReason},
		{Settle, Found{}, Missing, NoReason},
	} {
		a := Order{Verb: x.verb}.Answer(x.found)
		if a.Status != x.status || a.Reason != x.reason || a.Found != x.found {
			t.Errorf("%v, found %+v: %v %v, want %v %v", x.verb, x.found, a.Status, a.Reason, x.status, x.reason)
		}
	}
}

func TestReferenceHasItsShape(t *testing.T) {
	shape := regexp.MustCompile(`^[a-zA-Z0-9-]{8,64}$`) // the API's
	for _, x := range []struct {
		post string
		evse int
		n    uint64
		want Ref
	}{
		{"A12", 1, 1, "A12-1-000001"}, {"A", 1, 0, "A-1-000000"}, {"A12", 12, 99_999, "A12-12-099999"},
		{"A12", 1, 100_000, "A12-1-100000"}, {"A12", 1, 1_234_567, "A12-1-1234567"}, {"st-7", 2, 42, "st-7-2-000042"},
	} {
		got := NewRef(x.post, x.evse, x.n)
		if got != x.want || !shape.MatchString(string(got)) || got.Number() != x.n {
			t.Errorf("charge %d of %s/%d is %s with number %d, want %s", x.n, x.post, x.evse, got, got.Number(), x.want)
		}
	}
	for _, r := range []Ref{"", "A12", "A12-1-", "A12-1-x", "A12-1-99999999999999999999999"} {
		if r.Number() != 0 {
			t.Errorf("%q has number %d", r, r.Number())
		}
	}
}

func TestKeysFitTheAPI(t *testing.T) {
	longest := Order{Ref: NewRef(strings.Repeat("M", MaxPostID), 99, 1<<64-1), Attempt: 255}
	seen := map[string]bool{}
	for _, kind := range []CallKind{Create, Capture} {
		key := longest.Key(kind)
		if len(key) > 50 || seen[key] {
			t.Errorf("key %q has %d characters, used for another call: %v", key, len(key), seen[key])
		}
		seen[key] = true
	}
	if again := longest; again.Key(Capture) != longest.Key(Capture) {
		t.Error("one order, two keys")
	}
	next := longest
	next.Attempt--
	if next.Key(Capture) == longest.Key(Capture) || next.Key(Create) != longest.Key(Create) {
		t.Error("an attempt is for captures, and makes another key")
	}
	if o := (Order{Ref: "A12-1-000001", Attempt: 3}); o.Key(Capture) != "A12-1-000001-c3" || o.Key(Create) != "A12-1-000001-r" {
		t.Errorf("keys %s and %s are not those on payments in the field", o.Key(Capture), o.Key(Create))
	}
}

func TestOursIsNotSomebodyElses(t *testing.T) {
	terms := Terms{EVSE: "A12/1", Meter: "7", Start: 5, Price: Price{Currency: NOK, KWh: 549}, Holder: Holder{1}}
	o := Order{Amount: 100, Terms: terms}
	if !o.Ours(Found{Amount: 100, Terms: terms}) {
		t.Error("ours is not ours")
	}
	other := terms
	other.Holder = Holder{2}
	for _, f := range []Found{{Amount: 99, Terms: terms}, {Amount: 100, Terms: other}, {Amount: 100}} {
		if o.Ours(f) {
			t.Errorf("%+v is ours", f)
		}
	}
}

func TestWordsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for s := Unknown; s < statuses; s++ {
		seen[s.String()] = true
	}
	if len(seen) != int(statuses) {
		t.Errorf("%d statuses, %d words", statuses, len(seen))
	}
	clear(seen)
	for r := NoReason; r < reasons; r++ {
		seen[r.String()] = true
	}
	if len(seen) != int(reasons) {
		t.Errorf("%d reasons, %d words", reasons, len(seen))
	}
}

// A reference belongs to one post, whatever hyphens its id has.
func TestReferenceIsTakenApart(t *testing.T) {
	for _, post := range []string{"A12", "A12-1", "A-1-2", "1-1"} {
		r := NewRef(post, 7, 12)
		if evse, n, ok := r.Split(post); evse != 7 || n != 12 || !ok || r.Post() != post {
			t.Errorf("%s: %d, %d, %v, post %q: want 7, 12 of post %q", r, evse, n, ok, r.Post(), post)
		}
		for _, other := range []string{"A12", "A12-1", "A-1-2", "1-1", "A", "", "A12-1-7", "a12"} {
			if _, _, ok := r.Split(other); ok && other != post {
				t.Errorf("%s is taken for one of post %q", r, other)
			}
		}
	}
	for _, r := range []Ref{"", "A12", "A12-1", "A12-1-", "A12-1-12", "A12-01-000012", "A12-1-0000012", "A12-x-000012", "-1-000012", "A12-1-000000"} {
		if post := r.Post(); post != "" {
			t.Errorf("%q names post %q: want none", r, post)
		}
	}
}
