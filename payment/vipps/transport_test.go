package vipps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/payment"
)

// hangUp takes the request and breaks the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// On a connection used before, net/http would send a request with an
// Idempotency-Key again by itself. It must not: one asking is one call.
func TestLostAnswerIsUnknownAndNothingIsSentTwice(t *testing.T) {
	for _, row := range []struct {
		op    string
		order payment.Order
		asked string
	}{
		{"create", order(payment.Reserve), "create"},
		{"capture", order(payment.Settle), "get capture"},
		{"cancel", payment.Order{Verb: payment.Settle, Ref: ref, Currency: payment.NOK}, "get cancel"},
	} {
		s := start(t, approved()).on(row.op, hangUp)
		c := s.client(t)
		if _, err := c.Ask(t.Context(), order(payment.Look)); err != nil {
			t.Fatal(err) // now there is a connection to reuse
		}
		s.calls = nil
		a, err := c.Ask(t.Context(), row.order)
		if a != (payment.Answer{}) || err == nil || s.asked() != row.asked {
			t.Errorf("%s: %+v, %v, %q", row.op, a, err, s.asked())
		}
	}
}

// The answer to a create is lost, but the create was made: looking finds it, and
// so does asking for it again.
func TestLostCreateIsFoundAgain(t *testing.T) {
	s := start(t, payment.Found{})
	s.on("create", func(w http.ResponseWriter, r *http.Request) {
		s.answer("create", nil)
		s.on("create", says(409, problemOf(409, "4150")))
		hangUp(w, r)
	})
	c := s.client(t)
	for i, want := range []struct {
		verb   payment.Verb
		answer string
	}{{payment.Reserve, "unknown"}, {payment.Look, "pending"}, {payment.Reserve, "pending"}} {
		a, err := c.Ask(t.Context(), order(want.verb))
		if brief(a) != want.answer || i > 0 && (a.Found.Terms != terms() || a.Found.URL == "" || err != nil) {
			t.Errorf("asking %d: %+v, %v", i+1, a, err)
		}
	}
}

// An answer that breaks off, or never ends, is no answer; and more than the
// limit is never kept.
func TestUnusableBodiesAreUnknown(t *testing.T) {
	long := strings.Repeat(" ", maxBody)
	for name, h := range map[string]http.HandlerFunc{
		"too long":      says(200, adjustBody(approved(), payment.NOK)+long),
		"too long a no": says(400, problemOf(400, "6140")+long),
		"half":          says(200, adjustBody(approved(), payment.NOK)[:100]),
		"breaks off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			says(200, adjustBody(approved(), payment.NOK))(w, r)
		},
		"empty":            says(204, ""),
		"a no as a yes":    says(200, problemOf(200, "6140")),
		"other reference":  says(200, strings.ReplaceAll(adjustBody(approved(), payment.NOK), "000042", "000043")),
		"other currency":   says(200, adjustBody(approved(), payment.DKK)),
		"endless headers":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", maxHeaders+1)) },
		"not the protocol": scrawl("SSH-2.0-OpenSSH_9\r\n"),
	} {
		for _, op := range []string{"get", "create", "capture", "cancel"} {
			if op == "get" && name == "other currency" {
				continue // that is a payment, though not ours
			}
			if a, _, err := fails(t, op, h); a != (payment.Answer{Code: a.Code}) || err == nil {
				t.Errorf("%s to %s: %+v, %v", name, op, a, err)
			}
		}
	}
}

// scrawl answers with these bytes instead of HTTP.
func scrawl(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		io.WriteString(conn, s)
		conn.Close()
	}
}

func TestAskingEndsWithItsContext(t *testing.T) {
	for op, want := range map[string]string{"token": "busy", "get": "unknown", "create": "unknown", "capture": "unknown", "cancel": "unknown"} {
		ctx, cancel := context.WithCancel(t.Context())
		a, _, err := failsIn(ctx, t, op, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done() // until the client has gone
		})
		if brief(a) != want || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %s, %v", op, brief(a), err)
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An asking has a limit of its own, over all its calls.
func TestAskingEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{BaseURL: "https://api.example", MSN: "123456", ClientID: "a", ClientSecret: "b", SubscriptionKey: "c"})
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = transport(func(r *http.Request) (*http.Response, error) {
			body := tokenBody("abc", 3600)
			if r.Method == http.MethodGet {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			pass(askTimeout / 2)
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
		began := time.Now()
		a, err := c.Ask(t.Context(), order(payment.Settle))
		if a != (payment.Answer{}) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != askTimeout {
			t.Errorf("%+v, %v after %v", a, err, time.Since(began))
		}
	})
}

// Keys go to the configured address and to no other.
func TestRedirectIsNotFollowed(t *testing.T) {
	strayed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed = true }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for op, want := range map[string]string{"token": "busy", "get": "unknown", "create": "unknown", "capture": "unknown", "cancel": "unknown"} {
			a, s, err := fails(t, op, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
			if brief(a) != want || err == nil || strayed {
				t.Errorf("%s, HTTP %d: %s, %v, strayed %v", op, status, brief(a), err, strayed)
			}
			s.Close()
		}
	}
}

func TestTLSIsModernAndTheCertificateIsChecked(t *testing.T) {
	for _, row := range []struct {
		name    string
		version uint16
		trusted bool
		want    string
	}{
		{"TLS 1.3", tls.VersionTLS13, true, "missing"},
		{"TLS 1.2", tls.VersionTLS12, true, "missing"},
		{"TLS 1.1", tls.VersionTLS11, true, "busy"},
		{"TLS 1.3 of a stranger", tls.VersionTLS13, false, "busy"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &api{}
			s.Server = httptest.NewUnstartedServer(s)
			s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: row.version}
			s.EnableHTTP2 = true // offered, and not taken
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			c := s.client(t)
			if row.trusted {
				roots := x509.NewCertPool()
				roots.AddCert(s.Certificate())
				c.http.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
			}
			a, err := c.Ask(t.Context(), order(payment.Look))
			if brief(a) != row.want {
				t.Errorf("%s, %v", brief(a), err)
			}
			for _, c := range s.calls {
				if c.proto != "HTTP/1.1" {
					t.Errorf("%s over %s", c.op, c.proto)
				}
			}
			// A wrong clock looks like a bad certificate: the cause can be told.
			if _, stranger := errors.AsType[x509.UnknownAuthorityError](err); stranger == row.trusted {
				t.Errorf("cause: %v", err)
			}
		})
	}
}
