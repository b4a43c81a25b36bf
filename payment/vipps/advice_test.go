package vipps

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
)

// half promises more than it sends.
func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, `{"reference":`)
}

// A login page comes with 200 as a rule, and from whoever is asked first: for a
// token, too. One in the service's form that makes no sense is something else.
func TestLoginPagesAreToldFromTheService(t *testing.T) {
	page := "<html>please log in</html>"
	for _, op := range []string{"token", "get", "create", "capture", "cancel"} {
		for _, status := range []int{200, 302, 401, 403, 407, 511} {
			_, _, err := fails(t, op, says(status, page))
			if err == nil || status != 511 && !strings.Contains(err.Error(), "a login page") || Advice(err) == "" {
				t.Errorf("%s, %d: %v; %s", op, status, err, Advice(err))
			}
		}
		_, _, err := fails(t, op, says(200, `{"new":"form"}`))
		if err == nil || strings.Contains(err.Error(), "login page") || !strings.Contains(err.Error(), "makes no sense") || Advice(err) == "" {
			t.Errorf("%s, another form: %v; %s", op, err, Advice(err))
		}
	}
	_, _, err := fails(t, "get", says(200, strings.Repeat(" ", maxBody+1)))
	if err == nil || !strings.Contains(err.Error(), "too long to be the service's") {
		t.Errorf("%v", err)
	}
}

// A post whose clock is wrong cannot check a certificate, and must say why: a
// real handshake with a certificate of another time.
func TestWrongClocksAreTold(t *testing.T) {
	for name, from := range map[string]time.Time{"run out": time.Now().AddDate(-2, 0, 0), "not yet": time.Now().AddDate(1, 0, 0)} {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t, from, from.AddDate(1, 0, 0))}}
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		config := (&api{Server: s}).config()
		c, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Ask(t.Context(), order(payment.Look))
		s.Close()
		want := "not valid at " + time.Now().UTC().Format("2006-01-02")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(Advice(err), "set the clock") {
			t.Errorf("%s: %v; %s", name, err, Advice(err))
		}
	}
}

func certificate(t *testing.T, from, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

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
		"keys":     {says(401, problemOf(401, "")), "keys or token not accepted"},
		"front":    {says(401, `{"statusCode":401,"message":"Access denied"}`), "keys not accepted by the gateway"},
		"half":     {half, "connection broke in"},
		"a broken": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "connection broke: "},
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
		"end":   {context.Canceled, "given up by this program"},
	} {
		f := gone.failed(get, "get", reply{}, x.err)
		if !strings.Contains(f.Error(), x.want) || Advice(f) == "" {
			t.Errorf("%s: %v; %s", name, f, Advice(f))
		}
	}
}

// Keys that are wrong, keys of another sales unit, and somebody else who answers are told
// apart.
func TestKeysAreToldFromSalesUnits(t *testing.T) {
	for _, x := range []struct {
		op         string
		h          http.HandlerFunc
		keys, unit bool
	}{
		{"token", says(401, `{"error":"invalid_client","error_description":"wrong"}`), true, false},
		{"token", says(401, `{"error":"unauthorized_client","error_description":"another"}`), false, true},
		{"token", says(401, `{"statusCode":401,"message":"Access denied due to invalid subscription key."}`), true, false},
		{"get", says(403, problemOf(403, "")), false, true},
		{"get", says(403, `{"statusCode":403,"message":"Forbidden"}`), true, false},
		{"token", says(401, "<html>please log in</html>"), false, false},
		{"get", says(500, ""), false, false},
		{"get", says(404, problemOf(404, "5090")), false, false},
	} {
		_, _, err := fails(t, x.op, x.h)
		if BadKeys(err) != x.keys || BadUnit(err) != x.unit {
			t.Errorf("%s: %v: keys %v, unit %v; want %v, %v", x.op, err, BadKeys(err), BadUnit(err), x.keys, x.unit)
		}
	}
	if err := fmt.Errorf("not of this package"); BadKeys(err) || BadUnit(err) {
		t.Error("another error is taken for one of keys")
	}
}
