package vipps

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// receiver makes one for deliveries that are signed with "s".
func receiver(t testing.TB, url string, hint func(Hint), log io.Writer) *Receiver {
	t.Helper()
	v, err := NewReceiver(ReceiverOptions{
		URL: url, MSN: "123456", Secrets: func() []string { return []string{"s"} }, Hint: hint, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// signedAt is a delivery of a body, signed with "s" at this time.
func signedAt(body string, at time.Time) delivery {
	d := example()
	d.body = body
	d.header.Set("x-ms-date", at.UTC().Format(http.TimeFormat))
	sign(&d, "s")
	return d
}

// to hands a delivery to a receiver and gives the answer's status.
func (d delivery) to(v *Receiver) int {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(d.body))
	r.Header = d.header
	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	return w.Code
}

// Whoever acts on hints may take for ever: deliveries are answered all the same,
// what is too much is dropped, and the rest is passed on later, in order.
func TestSlowHintsNeverDelayAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		stuck := make(chan struct{})
		v := receiver(t, exampleURL, func(h Hint) { <-stuck; got = append(got, h.PSPReference) }, io.Discard)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); v.Deliver(ctx) }()
		began := time.Now()
		for n := range 1 + maxHints + 3 {
			if code := signedAt(captured(fmt.Sprint(n)), began).to(v); code != http.StatusOK {
				t.Fatalf("delivery %d: %d", n, code)
			}
			synctest.Wait() // the first is being acted on, the others wait
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the answers took %v", took)
		}
		close(stuck)
		synctest.Wait()
		cancel()
		<-done
		if len(got) != 1+maxHints || got[0] != "0" || got[maxHints] != fmt.Sprint(maxHints) {
			t.Errorf("%d hints: %v", len(got), got)
		}
	})
}

// Over a real wire, behind something that rewrites host and path; in one piece and
// in chunks.
func TestDeliveriesOverAWire(t *testing.T) {
	v := receiver(t, exampleURL, func(Hint) {}, io.Discard)
	s := httptest.NewServer(v)
	defer s.Close()
	post := func(d delivery, body io.Reader) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/rewritten?by=proxy", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = d.header
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(answer)
	}
	d := signedAt(captured("p-1"), time.Now())
	chunked := struct{ io.Reader }{strings.NewReader(d.body)} // no length is known
	long := strings.Repeat("x", maxWebhook+1)
	for name, row := range map[string]struct {
		body io.Reader
		want int
	}{
		"whole":   {strings.NewReader(d.body), http.StatusOK},
		"chunked": {chunked, http.StatusOK},
		"other":   {strings.NewReader(captured("p-2")), http.StatusUnauthorized},
		"empty":   {http.NoBody, http.StatusUnauthorized},
		"long":    {struct{ io.Reader }{strings.NewReader(long)}, http.StatusRequestEntityTooLarge},
	} {
		if code, answer := post(d, row.body); code != row.want || answer != "" {
			t.Errorf("%s: %d %q, want %d and no body", name, code, answer, row.want)
		}
	}
}

// The longest body is read whole.
func TestLongestDeliveryIsTaken(t *testing.T) {
	v := receiver(t, exampleURL, func(Hint) {}, io.Discard)
	for more, want := range map[int]int{0: http.StatusOK, 1: http.StatusRequestEntityTooLarge} {
		body := captured("p-1")
		body += strings.Repeat(" ", maxWebhook+more-len(body))
		if code := signedAt(body, time.Now()).to(v); code != want {
			t.Errorf("%d bytes: %d, want %d", len(body), code, want)
		}
	}
	if len(v.hints) != 1 {
		t.Errorf("%d hints", len(v.hints))
	}
}

// A date far off is logged, whichever way, and the delivery is taken. One within
// reason is not worth a line.
func TestDatesFarOffAreLoggedOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for off, logged := range map[time.Duration]bool{
			0: false, maxSkew: false, -maxSkew: false, maxSkew + time.Second: true, -maxSkew - time.Second: true, 240 * time.Hour: true,
		} {
			var log bytes.Buffer
			v := receiver(t, exampleURL, func(Hint) {}, &log)
			code := signedAt(captured("p-1"), time.Now().Add(off)).to(v)
			if code != http.StatusOK || len(v.hints) != 1 || (log.Len() > 0) != logged {
				t.Errorf("%v off: %d, %d hints, log %q", off, code, len(v.hints), log.String())
			}
		}
	})
}

// The guide's code signs the host as a browser would write it: in small letters,
// and without the port that https has anyway.
func TestHostIsSignedAsTheServiceWritesIt(t *testing.T) {
	for url, want := range map[string]int{
		exampleURL: http.StatusOK,
		strings.Replace(exampleURL, "webhook.site", "webhook.site:443", 1):  http.StatusOK,
		strings.Replace(exampleURL, "webhook.site", "Webhook.SITE", 1):      http.StatusOK,
		strings.Replace(exampleURL, "webhook.site", "webhook.site:8080", 1): http.StatusUnauthorized,
		strings.Replace(exampleURL, "webhook.site", "webhook.site:80", 1):   http.StatusUnauthorized,
		strings.Replace(exampleURL, "e2cee29b", "E2CEE29B", 1):              http.StatusUnauthorized,
	} {
		if code := signedAt(captured("p-1"), time.Now()).to(receiver(t, url, func(Hint) {}, io.Discard)); code != want {
			t.Errorf("%s: %d, want %d", url, code, want)
		}
	}
}

// Events of two payments are two events, whatever else they have in common.
func TestRepetitionsAreOfOnePayment(t *testing.T) {
	other := strings.Replace(captured(""), "000042", "000043", 1)
	if hints, _ := receive(t, captured(""), other, captured(""), other); len(hints) != 2 || hints[0].Ref == hints[1].Ref {
		t.Errorf("%v", hints)
	}
}

// What failed is told as such; and what a delivery says of itself never breaks a
// line of the log.
func TestHintsSayWhetherItWorkedAndLogsStayInLine(t *testing.T) {
	hints, _ := receive(t, strings.Replace(captured("p-1"), `"success":true`, `"success":false`, 1), captured("p-2"))
	if len(hints) != 2 || hints[0].Success || !hints[1].Success {
		t.Errorf("%+v", hints)
	}
	var said string
	v := receiver(t, exampleURL, func(Hint) {}, io.Discard)
	v.Log = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "date" {
			said = a.Value.String()
		}
		return a
	}}))
	d := example()
	d.body = captured("p-3")
	d.header.Set("x-ms-date", "soon\tor \x1b[31m"+strings.Repeat("later", maxTrace))
	sign(&d, "s")
	if code := d.to(v); code != http.StatusOK || said == "" || len(said) > maxTrace+3 || strings.ContainsAny(said, "\t\x1b") {
		t.Errorf("%d, said %q", code, said)
	}
}

// The memory is of the newest events, and has an end, also in bytes.
func TestMemoryOfDeliveriesIsBounded(t *testing.T) {
	v := receiver(t, exampleURL, func(Hint) {}, io.Discard)
	tell := func(psp string) (passedOn bool) {
		t.Helper()
		if code := signedAt(captured(psp), time.Now()).to(v); code != http.StatusOK {
			t.Fatalf("%q: %d", psp, code)
		}
		for len(v.hints) > 0 {
			<-v.hints
			passedOn = true
		}
		return passedOn
	}
	for n := range maxSeen {
		if !tell(fmt.Sprint(n)) {
			t.Fatalf("event %d is not passed on", n)
		}
	}
	if tell("0") || tell(fmt.Sprint(maxSeen-1)) {
		t.Error("a repetition is passed on")
	}
	if !tell("one more") || !tell("0") || tell(fmt.Sprint(maxSeen-1)) {
		t.Error("not the oldest is forgotten first")
	}
	if len(v.seen) != maxSeen || len(v.old) != maxSeen {
		t.Errorf("%d and %d are remembered, want %d", len(v.seen), len(v.old), maxSeen)
	}
}

// What would fail at the first delivery fails at the start.
func TestReceiverSaysWhatIsMissing(t *testing.T) {
	whole := ReceiverOptions{URL: exampleURL, MSN: "123456", Secrets: func() []string { return nil }, Hint: func(Hint) {}}
	if _, err := NewReceiver(whole); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ReceiverOptions){
		"no address": func(o *ReceiverOptions) { o.URL = "" },
		"a path":     func(o *ReceiverOptions) { o.URL = "/webhooks/vipps" },
		"no MSN":     func(o *ReceiverOptions) { o.MSN = "" },
		"no secrets": func(o *ReceiverOptions) { o.Secrets = nil },
		"no hint":    func(o *ReceiverOptions) { o.Hint = nil },
	} {
		o := whole
		change(&o)
		if _, err := NewReceiver(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
