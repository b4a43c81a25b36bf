package vipps

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"stolpe/payment"
)

func TestEventsAreRead(t *testing.T) {
	s := start(t, approved())
	events, err := s.client(t).Events(t.Context(), ref)
	if err != nil || len(events) != 2 {
		t.Fatal(events, err)
	}
	if e := events[1]; e.Name != "CAPTURED" || e.Success || e.Amount != 6808 || e.Key != "A12-1-000042-c1" || e.PSPReference != "p-2" || e.At.Unix() != 1795784400 {
		t.Errorf("%+v", e)
	}
	s.on("events", says(404, problemOf(404, "5090")))
	if _, err := s.client(t).Events(t.Context(), ref); err == nil || !strings.Contains(err.Error(), "5090") {
		t.Errorf("%v", err)
	}
	for _, odd := range []string{"null", "{}", "[7]", `[{"reference":"A12-1-000043","name":"REFUNDED","success":true}]`, `[{"name":"REFUNDED"}]`} {
		s.on("events", says(200, odd))
		if events, err := s.client(t).Events(t.Context(), ref); err == nil || events != nil {
			t.Errorf("%s: %v, %v", odd, events, err)
		}
	}
	if _, err := s.client(t).Events(t.Context(), "../token"); err == nil || strings.Contains(s.asked(), "?") {
		t.Errorf("%v, asked %s", err, s.asked())
	}
}

func TestRefund(t *testing.T) {
	paid := approved()
	paid.Taken, paid.Freed = 6808, 28192
	for name, x := range map[string]struct {
		h      http.HandlerFunc
		amount payment.Amount
		key    string
		want   string
		calls  string
	}{
		"done":            {nil, 100, "rf-1", "settled", "token get refund get"},
		"nothing":         {nil, 0, "rf-1", "refused/rejected", ""},
		"no key":          {nil, 100, "", "refused/rejected", ""},
		"long key":        {nil, 100, strings.Repeat("k", 51), "refused/rejected", ""},
		"too much":        {says(400, problemOf(400, "6150")), 100, "rf-1", "refused/rejected", "token get refund"},
		"too late":        {says(400, problemOf(400, "6220")), 100, "rf-1", "refused/rejected", "token get refund"},
		"key of another":  {says(409, problemOf(409, "4150")), 100, "rf-1", "refused/conflict", "token get refund"},
		"at work":         {says(409, problemOf(409, "6160")), 100, "rf-1", "busy", "token get refund"},
		"a fault":         {says(500, problemOf(500, "3010")), 100, "rf-1", "unknown", "token get refund"},
		"a proxy":         {says(502, "<html>"), 100, "rf-1", "unknown", "token get refund"},
		"the answer lost": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 100, "rf-1", "unknown", "token get refund"},
	} {
		s := start(t, paid)
		if x.h != nil {
			s.on("refund", x.h)
		}
		a, err := s.client(t).Refund(t.Context(), ref, x.amount, payment.NOK, x.key)
		if brief(a) != x.want || (err == nil) != (x.want == "settled") || s.asked() != x.calls {
			t.Errorf("%s: %s after %s, %v; want %s after %s", name, brief(a), s.asked(), err, x.want, x.calls)
		}
		if x.want == "settled" && a.Found.Refunded != 100 || x.want == "unknown" && a.Found != (payment.Found{}) {
			t.Errorf("%s: %+v", name, a.Found)
		}
	}
}

// An old key may be answered with what was true then. What is read after it counts;
// where that cannot be had, the answer has to do.
func TestRefundIsReadBack(t *testing.T) {
	paid := approved()
	paid.Taken, paid.Freed, paid.Refunded = 6808, 28192, 300
	old := paid
	old.Refunded = 100
	for name, row := range map[string]struct {
		again http.HandlerFunc
		want  payment.Amount
	}{"read": {nil, 300}, "not to be had": {hangUp, 100}} {
		s := start(t, paid)
		s.on("refund", func(w http.ResponseWriter, r *http.Request) {
			if row.again != nil {
				s.on("get", row.again)
			}
			says(200, adjustBody(old, payment.NOK))(w, r)
		})
		if a, err := s.client(t).Refund(t.Context(), ref, 100, payment.NOK, "rf-1"); err != nil || a.Found.Refunded != row.want {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestApproveIsForTestsOnly(t *testing.T) {
	s := start(t, payment.Found{State: payment.Created, Amount: 35000})
	if err := s.client(t).Approve(t.Context(), ref, "4791234567"); err != nil || s.there.State != payment.Authorised {
		t.Errorf("%v", err)
	}
	config := s.config()
	for base, want := range map[string]string{
		"https://api.vipps.no": "not the test environment", "https://apitest.vipps.no.example.com": "not the test environment",
		"https://apitest.vipps.no": "phone number of 3",
	} {
		config.BaseURL = base
		c, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Approve(t.Context(), ref, "123"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", base, err, want)
		}
	}
	s.on("approve", says(500, problemOf(500, "10010")))
	if err := s.client(t).Approve(t.Context(), ref, "4791234567"); err == nil || !strings.Contains(Advice(err), "by hand") {
		t.Errorf("%v: %s", err, Advice(err))
	}
}

func TestPushHasToBeSwitchedOn(t *testing.T) {
	s := start(t, payment.Found{})
	o := order(payment.Reserve)
	o.Way, o.Phone = payment.ByPush, "4791234567"
	if a, err := s.client(t).Ask(t.Context(), o); brief(a) != "refused/no_push" || err == nil || s.asked() != "" {
		t.Errorf("%s after %q, %v", brief(a), s.asked(), err)
	}
	c := s.client(t)
	c.config.Push = true
	s.on("create", says(201, `{"reference":"A12-1-000042"}`))
	if a, err := c.Ask(t.Context(), o); brief(a) != "pending" || err != nil || a.Found.URL != "" {
		t.Errorf("%s, %v", brief(a), err)
	}
	if err := func() error { _, err := s.client(t).Ask(t.Context(), o); return err }(); !strings.Contains(Advice(err), "payment.push_message: true") {
		t.Errorf("%v: %s", err, Advice(err))
	}
	o.Phone = "+47 91"
	if a, err := c.Ask(t.Context(), o); brief(a) != "refused/rejected" || err == nil || strings.Contains(err.Error(), "91") {
		t.Errorf("%s, %v", brief(a), err)
	}
	o.Phone = "4791234567"
	s.on("create", says(400, `{"title":"No","detail":"4791234567 is not a customer","traceId":"t","extraDetails":[{"name":"ErrorCode","reason":"7010"}]}`))
	if a, err := c.Ask(t.Context(), o); brief(a) != "refused/rejected" || strings.Contains(err.Error(), "4791234567") || !strings.Contains(err.Error(), "7010") {
		t.Errorf("%s, %v: want no number in it", brief(a), err)
	}
	echo := `{"title":"No","detail":"of 4791234567","traceId":"t"}`
	s.on("create", says(409, problemOf(409, "4150"))).on("get", says(400, echo))
	if _, err := c.Ask(t.Context(), o); err == nil || strings.Contains(err.Error(), "4791234567") || !strings.Contains(err.Error(), "of [hidden]") {
		t.Errorf("read back: %v: want no number in it", err)
	}
	o.Way = payment.ByLink
	s.on("create", says(201, `{"reference":"A12-1-000042"}`))
	if a, _ := c.Ask(context.Background(), o); brief(a) != "unknown" {
		t.Errorf("a link without an address: %s", brief(a))
	}
}
