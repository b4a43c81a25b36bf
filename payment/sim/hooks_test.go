package sim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver takes webhooks, and keeps what came.
type receiver struct {
	t      *testing.T
	url    string
	secret string

	mu     sync.Mutex
	status int // of its answers
	got    []eventPost
	dates  []string
}

func newReceiver(t *testing.T) *receiver {
	v := &receiver{t: t, status: 200}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	v.url = server.URL + "/hook?post=A12"
	return v
}

func (v *receiver) answer(status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status = status
}

// ServeHTTP checks the signature as the published scheme has it.
func (v *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	sum := sha256.Sum256(body)
	digest, date := base64.StdEncoding.EncodeToString(sum[:]), r.Header.Get("x-ms-date")
	mac := hmac.New(sha256.New, []byte(v.secret))
	fmt.Fprintf(mac, "POST\n/hook?post=A12\n%s;%s;%s", date, r.Host, digest)
	want := "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if r.Method != "POST" || r.Header.Get("x-ms-content-sha256") != digest || r.Header.Get("Authorization") != want || r.Header.Get("X-Vipps-Authorization") != want {
		v.t.Errorf("%s, signed %q, want %q", r.Method, r.Header.Get("Authorization"), want)
	}
	var e eventPost
	if err := json.Unmarshal(body, &e); err != nil || r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		v.t.Errorf("%s: %v", body, err)
	}
	v.got, v.dates = append(v.got, e), append(v.dates, date)
	w.WriteHeader(v.status)
}

// names are the events that came, one after the other.
func (v *receiver) names() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var words []string
	for _, e := range v.got {
		words = append(words, string(e.Name))
	}
	return strings.Join(words, " ")
}

// register asks for webhooks of some events, or of all.
func (c *client) register(v *receiver, events ...EventName) {
	c.t.Helper()
	if len(events) == 0 {
		events = eventNames()
	}
	var topics []string
	for _, n := range events {
		topics = append(topics, topic(n))
	}
	text, _ := json.Marshal(map[string]any{"url": v.url, "events": topics})
	got := c.beside("POST", hooksPath, string(text))
	if v.secret = got.text("secret"); got.status != 201 || len(v.secret) != 88 || !strings.HasSuffix(v.secret, "==") {
		c.t.Fatalf("%d %s", got.status, got.raw)
	}
}

func TestEveryEventIsDelivered(t *testing.T) {
	c, v := newClient(t, Options{}), newReceiver(t)
	c.register(v)
	c.create("r1", createText)
	c.approve()
	c.post(string(ref)+"/capture", "c1", takeText)
	c.post(string(ref)+"/cancel", "", "{}")
	c.clock.pass(time.Minute)
	c.post(string(ref)+"/refund", "f1", giveText)
	for n, end := range []string{"cancel", "decline", "expire"} {
		other := strings.Replace(createText, "000001", fmt.Sprintf("00001%d", n), 1)
		page := c.create("r1"+end, other).text("redirectUrl")
		switch end {
		case "cancel":
			c.post("A12-1-000010/cancel", "", "{}")
		case "decline":
			c.browse("POST", page, "act=decline")
		case "expire":
			c.clock.pass(10 * time.Minute) // and nobody looks at it
		}
	}
	if n := c.till.Deliver(t.Context()); n != 11 {
		t.Errorf("%d tries", n)
	}
	if got, want := v.names(), "CREATED AUTHORIZED CAPTURED CANCELLED REFUNDED CREATED TERMINATED CREATED ABORTED CREATED EXPIRED"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var events []eventBody
	if err := json.Unmarshal([]byte(c.get(string(ref)+"/events").raw), &events); err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		got := v.got[i]
		if got.PSPReference != e.PSPReference || got.Amount != e.Amount || got.Key != e.Key || got.Timestamp != e.Timestamp || !got.Success ||
			got.MSN != accepted.MSN || got.Reference != ref {
			t.Errorf("delivered %+v, want %+v", got, e)
		}
	}
	if v.got[1].Guaranteed != "2026-11-27T12:00:00Z" || v.got[0].Guaranteed != "" {
		t.Errorf("guaranteed until %q", v.got[1].Guaranteed)
	}
	if n := c.till.Deliver(t.Context()); n != 0 || c.till.waiting != 0 || len(c.till.open) != 0 {
		t.Errorf("afterwards: %d tries, %d wait, %d open", n, c.till.waiting, len(c.till.open))
	}
}

func TestFailedCaptureIsToldAsOne(t *testing.T) {
	c, v := held(t, Options{}), newReceiver(t)
	c.register(v, Captured)
	c.till.Do(func(_ time.Duration, b *Book) { b.Funds(ref, false) })
	c.post(string(ref)+"/capture", "c1", takeText)
	c.till.Deliver(t.Context())
	if len(v.got) != 1 || v.got[0].Success || v.got[0].Key != "c1" {
		t.Errorf("%+v", v.got)
	}
}

func TestRetriesComeAsPublished(t *testing.T) {
	c, v := newClient(t, Options{}), newReceiver(t)
	c.register(v, Created)
	v.answer(202) // is not 200
	c.create("r1", createText)
	began, last := c.clock.now(), c.clock.now()
	c.till.Deliver(t.Context())
	gaps := []time.Duration{0}
	for c.till.waiting > 0 && len(gaps) < 100 {
		p := c.till.hooks[0].queues[ref][0]
		c.clock.pass(p.due - c.clock.now() - time.Millisecond)
		if n := c.till.Deliver(t.Context()); n != 0 {
			t.Fatalf("%d tries before they are due", n)
		}
		c.clock.pass(time.Millisecond)
		if n := c.till.Deliver(t.Context()); n != 1 {
			t.Fatalf("%d tries when one is due", n)
		}
		gaps = append(gaps, c.clock.now()-last)
		last = c.clock.now()
	}
	want := []time.Duration{0, 2 * time.Second, 2 * time.Second, 2 * time.Second, 2 * time.Second, time.Minute, 2 * time.Minute}
	if !slices.Equal(gaps[:7], want) {
		t.Errorf("pauses %v, want %v", gaps[:7], want)
	}
	for i, gap := range gaps[7:] {
		if hourly := i+8 <= 29; hourly && gap != time.Hour || !hourly && gap != day {
			t.Errorf("try %d after %v", i+8, gap)
		}
	}
	if last-began > giveUp || last-began < giveUp-day {
		t.Errorf("given up after %v", last-began)
	}
	if first, later := v.dates[0], v.dates[1]; first != "Fri, 20 Nov 2026 12:00:00 GMT" || later == first {
		t.Errorf("signed at %s and %s", first, later)
	}
}

func TestOneThatIsNotTakenKeepsLaterOnesBack(t *testing.T) {
	c, v, other := newClient(t, Options{}), newReceiver(t), newReceiver(t)
	c.register(v)
	c.register(other, Authorized)
	v.answer(500)
	c.create("r1", createText)
	c.till.Deliver(t.Context())
	c.approve()
	c.till.Deliver(t.Context())
	if v.names() != "CREATED" || other.names() != "AUTHORIZED" {
		t.Errorf("%q, and to another registration %q", v.names(), other.names())
	}
	v.answer(200)
	c.create("r2", strings.Replace(createText, "000001", "000002", 1))
	c.till.Deliver(t.Context())
	if got := v.names(); got != "CREATED CREATED" || v.got[1].Reference == ref {
		t.Errorf("another payment: %q", got)
	}
	c.clock.pass(2 * time.Second)
	c.till.Deliver(t.Context())
	if got := v.names(); got != "CREATED CREATED CREATED AUTHORIZED" {
		t.Errorf("after the pause: %q", got)
	}
}

func TestSilentReceiverLosesItsRegistration(t *testing.T) {
	c, v := newClient(t, Options{}), newReceiver(t)
	c.register(v)
	v.answer(301)
	for n := 0; len(c.till.hooks) > 0; n++ {
		c.create(fmt.Sprint("r", n), strings.Replace(createText, "000001", fmt.Sprintf("1%05d", n), 1))
		c.till.Deliver(t.Context())
		c.clock.pass(day / 2)
		if n == 100 {
			t.Fatal("it is registered for ever")
		}
	}
	if after := c.clock.now() - time.Hour; after < tooLong || after > tooLong+day {
		t.Errorf("gone after %v", after)
	}
	if c.till.waiting != 0 {
		t.Errorf("%d still wait", c.till.waiting)
	}
}

func TestSignOfLifeKeepsARegistration(t *testing.T) {
	c, v := newClient(t, Options{}), newReceiver(t)
	c.register(v)
	for n := range 20 { // twenty days, and one event taken in their midst
		v.answer(map[bool]int{true: 200, false: 500}[n == 10])
		c.create(fmt.Sprint("r", n), strings.Replace(createText, "000001", fmt.Sprintf("1%05d", n), 1))
		c.till.Deliver(t.Context())
		c.clock.pass(day)
	}
	if len(c.till.hooks) != 1 {
		t.Error("gone, though it answered ten days ago")
	}
}

func TestRegistrations(t *testing.T) {
	c := newClient(t, Options{})
	body := func(url string, events ...string) string {
		text, _ := json.Marshal(map[string]any{"url": url, "events": append([]string{}, events...)})
		return string(text)
	}
	const captured = "epayments.payment.captured.v1"
	for _, row := range []struct{ body, field string }{
		{body("https://lad.example.no/hook"), "events"},
		{body("https://lad.example.no/hook", "captured"), "events"},
		{body("https://lad.example.no/hook", captured, captured), "events"},
		{body("http://lad.example.no/hook", captured), "url"},
		{body("https://a:b@lad.example.no/hook", captured), "url"},
		{body("https://lad.example.no/#x", captured), "url"},
		{body("httpstolpe://lad.example.no/", captured), "url"},
		{body("stolpe://lad.example.no/", captured), "url"},
		{body("/hook", captured), "url"},
		{body("https://lad.example.no/"+strings.Repeat("x", maxHookURL), captured), "url"},
		{"", "Content-Type"}, {"{}", "events"}, {`{"url":"https://lad.example.no/","events":[],"secret":"x"}`, "secret"},
	} {
		if got := c.beside("POST", hooksPath, row.body); got.status != 400 || got.field() != row.field {
			t.Errorf("%.120s: %d %s, want %s", row.body, got.status, got.raw, row.field)
		}
	}
	first := c.beside("POST", hooksPath, body("https://lad.example.no/hook", captured, scanned))
	if got := c.beside("POST", hooksPath, body("https://lad.example.no/2", scanned)); got.status != 400 {
		t.Errorf("two for a scan: %d", got.status)
	}
	for n := 2; n <= perEvent; n++ {
		if got := c.beside("POST", hooksPath, body("https://lad.example.no/hook", captured)); got.status != 201 || got.text("secret") == first.text("secret") {
			t.Fatalf("%d: %d %s", n, got.status, got.raw)
		}
	}
	if got := c.beside("POST", hooksPath, body("https://lad.example.no/hook", captured)); got.status != 400 || got.field() != "events" {
		t.Errorf("one too many: %d %s", got.status, got.raw)
	}
	list := c.beside("GET", hooksPath, "")
	if strings.Contains(list.raw, "secret") || strings.Count(list.raw, captured) != perEvent || !strings.Contains(list.raw, first.text("id")) {
		t.Errorf("%s", list.raw)
	}
	for _, want := range []int{204, 400} {
		if got := c.beside("DELETE", hooksPath+"/"+first.text("id"), ""); got.status != want {
			t.Errorf("delete: %d %s, want %d", got.status, got.raw, want)
		}
	}
}

func TestDeletedRegistrationGetsNothing(t *testing.T) {
	c, v := newClient(t, Options{}), newReceiver(t)
	c.register(v)
	c.create("r1", createText)
	id := c.till.hooks[0].id
	c.beside("DELETE", hooksPath+"/"+id, "")
	if n := c.till.Deliver(t.Context()); n != 0 || c.till.waiting != 0 || v.names() != "" {
		t.Errorf("%d tries, %d wait, %q came", n, c.till.waiting, v.names())
	}
}

func TestNotTooManyWebhooksWait(t *testing.T) {
	c, v := newClient(t, Options{}), newReceiver(t)
	c.register(v)
	c.till.waiting = maxWaiting
	c.create("r1", createText)
	if n := len(c.till.hooks[0].queues); n != 0 {
		t.Errorf("%d queues", n)
	}
}

// TestServeDelivers waits for deliveries of a Till that serves: nobody asks it to.
func TestServeDelivers(t *testing.T) {
	came := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came <- struct{}{} }))
	defer server.Close()
	c := newClient(t, Options{})
	ctx, stop := context.WithCancel(t.Context())
	l := make(pipes)
	done := make(chan error, 1)
	go func() { done <- c.till.Serve(ctx, l) }()
	text, _ := json.Marshal(map[string]any{"url": server.URL, "events": []string{topic(Created), topic(Expired)}})
	c.beside("POST", hooksPath, string(text))
	c.create("r1", createText)
	<-came
	for len(c.till.wake) > 0 {
		c.till.Deliver(ctx) // takes turns with Serve
	}
	c.till.Deliver(ctx)
	c.clock.pass(10 * time.Minute) // nobody touches the Till any more
	<-came
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReceiverThatHangsIsLeftAlone(t *testing.T) {
	c, arrived := newClient(t, Options{}), make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer server.Close()
	text, _ := json.Marshal(map[string]any{"url": server.URL, "events": []string{topic(Created)}})
	c.beside("POST", hooksPath, string(text))
	c.create("r1", createText)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan int)
	go func() { done <- c.till.Deliver(ctx) }()
	<-arrived
	if got := c.get(string(ref)); got.status != 200 { // and holds nobody else up
		t.Errorf("meanwhile: %d", got.status)
	}
	stop()
	if n := <-done; n != 0 || c.till.waiting != 1 {
		t.Errorf("%d counted, %d wait: it was not the receiver's fault", n, c.till.waiting)
	}
}
