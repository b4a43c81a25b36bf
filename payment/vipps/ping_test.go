package vipps

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
)

// A ping asks for a token and nothing else, even where one is held, and compares the
// clocks whatever the service says.
func TestPing(t *testing.T) {
	s := start(t, approved())
	c := s.client(t)
	if _, err := c.Ask(t.Context(), order(payment.Look)); err != nil {
		t.Fatal(err)
	}
	p, err := c.Ping(t.Context())
	if err != nil || p.Life <= 0 || !p.Dated || p.Ahead < -time.Minute || p.Ahead > time.Minute {
		t.Errorf("%+v, %v", p, err)
	}
	if got := s.asked(); got != "token get token" {
		t.Errorf("asked %q", got)
	}
}

func TestPingOfAWrongClock(t *testing.T) {
	for _, off := range []time.Duration{-50 * 365 * 24 * time.Hour, time.Hour} {
		s := dated(t, off)
		p, err := s.Ping(t.Context())
		if err == nil || !strings.Contains(err.Error(), "401") || !p.Dated || (p.Ahead+off).Abs() > time.Minute {
			t.Errorf("service ahead by %v: %+v, %v", off, p, err)
		}
	}
}

// dated is a client of a service that refuses every key, and whose clock is ahead.
func dated(t *testing.T, ahead time.Duration) *Client {
	t.Helper()
	s := serveRaw(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		w.Write([]byte(`{"responseInfo":{"responseCode":401,"responseMessage":"Unauthorized"}}`))
	})
	c, err := New(Config{BaseURL: s, MSN: "123456", ClientID: "a", ClientSecret: "b", SubscriptionKey: "c"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serveRaw(t *testing.T, h http.HandlerFunc) (url string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
