package vipps

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
)

// Things that look alike from far away are told apart, and each says what to do.
func TestFailuresAreToldApart(t *testing.T) {
	seen := map[string]string{}
	for name, x := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"locked":   {says(423, problemOf(423, "")), "locked"},
		"limited":  {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "17"); w.WriteHeader(429) }, "asked to wait 17s"},
		"fault":    {says(500, problemOf(500, "")), "a fault of its own"},
		"outage":   {says(503, "busy"), "not well"},
		"gateway":  {says(400, `{"statusCode":400,"message":"Bad"}`), "gateway in front"},
		"unit":     {says(403, problemOf(403, "")), "not allowed for this sales unit"},
		"a proxy":  {says(403, "<html>please log in</html>"), "a login page"},
		"keys":     {says(401, `{"statusCode":401,"message":"Access denied"}`), "not accepted"},
		"a broken": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "connection broke"},
	} {
		_, _, err := fails(t, "capture", x.h)
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
		if Advice(err) == "" {
			t.Errorf("%s: no advice for %v", name, err)
		}
		if other := seen[x.want]; other != "" {
			t.Errorf("%s is told like %s", name, other)
		}
		seen[x.want] = name
	}
	_, _, err := fails(t, "capture", says(400, problemOf(400, "6140")))
	if want := "partial capture"; !strings.Contains(Advice(err), want) {
		t.Errorf("%v: %q", err, Advice(err))
	}
	if Advice(fmt.Errorf("something else")) != "" || Advice(nil) != "" {
		t.Error("advice about nothing")
	}
}

func TestUnreachedServicesAreToldApart(t *testing.T) {
	s := start(t, approved())
	gone := s.client(t)
	s.Close()
	strange := httptest.NewTLSServer(http.NotFoundHandler())
	defer strange.Close()
	config := s.config()
	config.BaseURL = strange.URL
	untrusted, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		c    *Client
		want string
	}{"nobody": {gone, "nobody listens"}, "somebody else": {untrusted, "is not the service"}} {
		_, err := x.c.Ask(t.Context(), order(payment.Look))
		if err == nil || !strings.Contains(err.Error(), x.want) || Advice(err) == "" {
			t.Errorf("%s: %v; %s", name, err, Advice(err))
		}
	}
	expired := x509.CertificateInvalidError{Reason: x509.Expired}
	for name, x := range map[string]struct {
		err  error
		want string
	}{
		"clock": {fmt.Errorf("tls: %w", expired), "not valid at " + time.Now().UTC().Format("2006-01-02")},
		"name":  {&net.OpError{Err: &net.DNSError{Err: "no such host"}}, "name of the service cannot be found"},
		"slow":  {context.DeadlineExceeded, "no answer in time"},
	} {
		f := gone.failed(get, "get", reply{}, x.err)
		if !strings.Contains(f.Error(), x.want) || Advice(f) == "" {
			t.Errorf("%s: %v; %s", name, f, Advice(f))
		}
	}
}
