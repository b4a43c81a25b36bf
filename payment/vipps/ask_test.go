package vipps

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stolpe/payment"
)

func TestReserveCreatesAtOnceAndGivesTheAddress(t *testing.T) {
	s := start(t, payment.Found{})
	a, err := s.client(t).Ask(t.Context(), order(payment.Reserve))
	if err != nil {
		t.Fatal(err)
	}
	want := payment.Answer{Status: payment.Pending, Found: payment.Found{
		State: payment.Created, Amount: 35000, URL: "https://landing.example/?token=SECRET.landing", Terms: terms(),
	}}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
	if got := s.asked(); got != "token create" {
		t.Errorf("asked %q", got)
	}
}

func TestLookReadsWhatIsThere(t *testing.T) {
	f := payment.Found{State: payment.Authorised, Amount: 35000, Held: 35000, Taken: 6808, Freed: 100, Refunded: 5}
	s := start(t, f)
	a, err := s.client(t).Ask(t.Context(), payment.Order{Ref: ref})
	f.Terms = terms()
	if diff := cmp.Diff(payment.Answer{Status: payment.Held, Found: f}, a); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestMissingIsAnAnswerNotAnError(t *testing.T) {
	a, err := start(t, payment.Found{}).client(t).Ask(t.Context(), order(payment.Look))
	if want := (payment.Answer{Status: payment.Missing, Code: "5090"}); a != want || err != nil {
		t.Errorf("%+v, %v", a, err)
	}
}

// A reference that exists is adopted if it is ours, whatever became of it since.
func TestReserveAdoptsOnlyWhatIsOurs(t *testing.T) {
	created := payment.Found{State: payment.Created, Amount: 35000, URL: "https://landing.example/"}
	for _, row := range []struct {
		name  string
		there payment.Found
		alter func(*api)
		want  string
	}{
		{"ours and undecided", created, nil, "pending"},
		{"ours and approved", approved(), nil, "held"},
		{"ours and declined", payment.Found{State: payment.DeclinedByPayer, Amount: 35000}, nil, "refused/aborted"},
		{"ours and expired", payment.Found{State: payment.TimedOut, Amount: 35000}, nil, "refused/expired"},
		{"another amount", payment.Found{State: payment.Created, Amount: 20000}, nil, "refused/foreign"},
		{"no metadata", created, func(s *api) { s.metadata = nil }, "refused/foreign"},
		{"another EVSE's", created, func(s *api) { s.metadata["evse"] = "A12/2" }, "refused/foreign"},
		{"another currency", created, func(s *api) { s.currency = payment.DKK }, "refused/foreign"},
		{"exists and is not there", payment.Found{}, nil, "unknown"},
		{"exists and cannot be read", created, func(s *api) { s.on("get", says(503, "")) }, "unknown"},
		{"exists and reading is too much", created, func(s *api) { s.on("get", says(429, "")) }, "busy"},
	} {
		for _, code := range []string{"4150", "4020", "6230", ""} {
			t.Run(fmt.Sprintf("%s, code %q", row.name, code), func(t *testing.T) {
				s := start(t, row.there).on("create", says(409, problemOf(409, code)))
				if row.alter != nil {
					row.alter(s)
				}
				a, err := s.client(t).Ask(t.Context(), order(payment.Reserve))
				if brief(a) != row.want {
					t.Errorf("%s, want %s (%v)", brief(a), row.want, err)
				}
				if a.Reason == payment.Foreign && (a.Found != payment.Found{} || err == nil) {
					t.Errorf("of a foreign payment nothing is told, and somebody must hear of it: %+v, %v", a.Found, err)
				}
				if got := s.asked(); got != "token create get" {
					t.Errorf("asked %q", got)
				}
			})
		}
	}
}

// Asked again and again, a settle order takes what is due, sees it taken,
// releases the rest, and then does nothing more.
func TestSettleCapturesThenReleasesThenRests(t *testing.T) {
	s := start(t, approved())
	c := s.client(t)
	for i, want := range []struct {
		asked, answer string
		left          payment.Amount
	}{
		{"token get capture", "held", 28192},
		{"get cancel", "settled", 0},
		{"get", "settled", 0},
	} {
		s.calls = nil
		a, err := c.Ask(t.Context(), order(payment.Settle))
		if s.asked() != want.asked || brief(a) != want.answer || a.Found.Left() != want.left || a.Found.Terms != terms() || err != nil {
			t.Errorf("asking %d: %q, %+v, %v", i+1, s.asked(), a, err)
		}
	}
	if s.there.Taken != 6808 || s.there.Freed != 28192 {
		t.Errorf("captured %d, released %d", s.there.Taken, s.there.Freed)
	}
}

func TestSettleOfAnUndecidedPaymentWithdrawsIt(t *testing.T) {
	s := start(t, payment.Found{State: payment.Created, Amount: 35000, URL: "https://landing.example/"})
	a, err := s.client(t).Ask(t.Context(), order(payment.Settle))
	if brief(a) != "settled/terminated" || a.Found.State != payment.EndedByUs || a.Found.URL != "" || err != nil {
		t.Errorf("%+v, %v", a, err)
	}
}

// One asking makes at most one call that changes anything, and a look none,
// whatever is found and whatever that call is answered.
func TestOneAskingMakesAtMostOneChange(t *testing.T) {
	answers := map[string]func(*api){
		"as asked": func(*api) {},
		"500":      func(s *api) { scriptChanges(s, 500, problemOf(500, "3010")) },
		"409":      func(s *api) { scriptChanges(s, 409, problemOf(409, "4150")) },
		"423":      func(s *api) { scriptChanges(s, 423, "") },
		"429":      func(s *api) { scriptChanges(s, 429, "") },
		"garbage":  func(s *api) { scriptChanges(s, 200, "<html>") },
	}
	orders := []payment.Order{order(payment.Look), order(payment.Reserve)}
	for _, amount := range []payment.Amount{0, 6808, 35000} {
		o := order(payment.Settle)
		o.Amount = amount
		orders = append(orders, o)
	}
	for state := payment.NotFound; state <= payment.EndedByUs; state++ {
		for _, moved := range [][3]payment.Amount{{0, 0, 0}, {35000, 0, 0}, {35000, 6808, 0}, {35000, 6808, 28192}, {35000, 0, 35000}, {35000, 35000, 0}, {35000, 100, 0}} {
			for _, o := range orders {
				for name, answer := range answers {
					s := start(t, payment.Found{State: state, Amount: 35000, Held: moved[0], Taken: moved[1], Freed: moved[2]})
					answer(s)
					a, _ := s.client(t).Ask(t.Context(), o)
					if n := s.changes(); n > 1 || o.Verb == payment.Look && n > 0 || o.Verb == payment.Reserve && n != 1 {
						t.Errorf("state %d, moved %v, %v of %d, %s: %q", state, moved, o.Verb, o.Amount, name, s.asked())
					}
					if strings.Contains(s.asked(), "cancel") && state == payment.Authorised && moved[1] < o.Amount {
						t.Errorf("released before %d was seen to be taken: moved %v, %+v", o.Amount, moved, a)
					}
					s.Close()
				}
			}
		}
	}
}

func scriptChanges(s *api, status int, body string) {
	s.on("create", says(status, body)).on("capture", says(status, body)).on("cancel", says(status, body))
}

func TestPaymentInAnotherCurrencyIsLeftAlone(t *testing.T) {
	for _, verb := range []payment.Verb{payment.Look, payment.Settle} {
		s := start(t, approved())
		s.currency = payment.DKK
		a, err := s.client(t).Ask(t.Context(), order(verb))
		if brief(a) != "refused/foreign" || err == nil || s.asked() != "token get" {
			t.Errorf("%v: %+v, %v, %q", verb, a, err, s.asked())
		}
	}
}

// What a failed change leaves certain is told; what it leaves open is not.
func TestFoundIsToldOnlyWhileItHolds(t *testing.T) {
	for status, want := range map[int]payment.State{423: payment.Authorised, 400: payment.Authorised, 500: payment.NotFound} {
		s := start(t, approved()).on("capture", says(status, problemOf(status, "")))
		a, err := s.client(t).Ask(t.Context(), order(payment.Settle))
		if a.Found.State != want || err == nil {
			t.Errorf("HTTP %d: %+v, %v", status, a, err)
		}
	}
}

// Orders that break a rule of the API never leave the machine.
func TestUnfitOrdersAreNotSent(t *testing.T) {
	for name, spoil := range map[string]func(*payment.Order){
		"short reference":       func(o *payment.Order) { o.Ref = "A-1" },
		"path in the reference": func(o *payment.Order) { o.Ref = "A12-1/../000042" },
		"query":                 func(o *payment.Order) { o.Ref = "A12-1-000042?x" },
		"long key":              func(o *payment.Order) { o.Ref = payment.Ref(strings.Repeat("A", 60)) },
		"no currency":           func(o *payment.Order) { o.Currency = "" },
		"unsold currency":       func(o *payment.Order) { o.Currency = "SEK" },
		"negative":              func(o *payment.Order) { o.Amount = -1 },
		"too much":              func(o *payment.Order) { o.Amount = payment.MaxAmount + 1 },
		"too little":            func(o *payment.Order) { o.Amount = 99 },
		"no return address":     func(o *payment.Order) { o.Return = "" },
		"script as return":      func(o *payment.Order) { o.Return = "javascript:alert(1)" },
		"long return address":   func(o *payment.Order) { o.Return = "https://a.example/" + strings.Repeat("a", maxReturn) },
		"no terms":              func(o *payment.Order) { o.Terms = payment.Terms{} },
		"terms not kept whole":  func(o *payment.Order) { o.Terms.Price.Idle.After = 1 },
		"terms in another coin": func(o *payment.Order) { o.Terms.Price.Currency = payment.DKK },
		"long meter serial":     func(o *payment.Order) { o.Terms.Meter = strings.Repeat("1", maxMetadata+1) },
		"long description":      func(o *payment.Order) { o.Terms.EVSE = strings.Repeat("A", 60) },
		"unknown verb":          func(o *payment.Order) { o.Verb = payment.Inform + 1 },
	} {
		s := start(t, approved())
		o := order(payment.Reserve)
		spoil(&o)
		a, err := s.client(t).Ask(t.Context(), o)
		if brief(a) != "refused/rejected" || err == nil || s.asked() != "" {
			t.Errorf("%s: %+v, %v, %q", name, a, err, s.asked())
		}
	}
}
