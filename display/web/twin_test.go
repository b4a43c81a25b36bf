package web

import (
	"bytes"
	"context"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret  = "abcdefghijklmnopqrstuvwxya" // well-formed: the last letter leaves two bits 0
	secret2 = "zzzzzzzzzzzzzzzzzzzzzzzzza"
)

var price = payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20000}}

// twin is one post, A12, in memory.
type twin struct {
	mu       sync.Mutex
	post     display.Post
	public   display.View
	silent   bool // cannot be reached
	sessions map[payment.Holder]display.View
	changed  chan struct{}
	others   map[string]display.View // EVSEs of the same post, by code
	requests []display.Request
	claims   []string // digits
	acts     []display.Act
	refusal  error    // of the next Request, Act or Claim
	looks    int      // calls of Session
	codes    []string // asked of Post
}

func newTwin() *twin {
	return &twin{
		post: display.Post{ID: "A12", Name: "Storgata 1", Helpdesk: "+47 22 00 00 00",
			Seller: display.Seller{Name: "Eksempel Lading AS", OrgNo: "999999999", VATRegistered: true}},
		public: display.View{Code: "A12", State: display.Available, Price: price, Choices: []payment.Amount{20000, 35000, 50000},
			Default: 35000, MaxPower: 22000},
		sessions: map[payment.Holder]display.View{},
		changed:  make(chan struct{}),
	}
}

func (t *twin) Post(code string) (display.Post, bool) {
	t.codes = append(t.codes, code)
	return t.post, code == "A12"
}

func (t *twin) Public(code string) (display.View, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v, ok := t.others[code]; ok {
		return v, true
	}
	return t.public, !t.silent
}

func (t *twin) Session(_ context.Context, _ string, h payment.Holder) (display.View, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks++
	v, ok := t.sessions[h]
	return v, ok && !t.silent
}

func (t *twin) Request(_ context.Context, _ string, r display.Request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = append(t.requests, r)
	if t.refusal != nil {
		return t.refusal
	}
	v := t.public
	v.State, v.Busy = display.Paying, true
	v.Charge = display.Charge{Ref: "A12-1-000007", Price: r.Seen, Reserved: r.Reserve}
	t.sessions[r.Holder] = v
	return nil
}

func (t *twin) Act(_ context.Context, _ string, h payment.Holder, a display.Act) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.acts = append(t.acts, a)
	return t.refusal
}

// rightCode is the stop code of every charge of a twin.
const rightCode = "4827"

func (t *twin) Claim(_ context.Context, _, digits string, h payment.Holder) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claims = append(t.claims, digits)
	switch {
	case t.refusal != nil:
		return t.refusal
	case digits != rightCode:
		return display.CodeError{Left: 3}
	}
	t.sessions[h] = running()
	return nil
}

func (t *twin) Changed(string) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

// set puts a session in place and tells of the change.
func (t *twin) set(secret string, v display.View) {
	h, ok := holderOf(secret)
	if !ok {
		panic("not a secret: " + secret)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sessions[h] = v
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *twin) looked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.looks
}

// running is a charge under way.
func running() display.View {
	return display.View{Code: "A12", State: display.Charging, Price: price, Busy: true,
		Charge: display.Charge{Ref: "A12-1-000007", Price: price, Reserved: 20000, Held: true, StopCode: rightCode, Cost: 4743, Energy: 8640, Power: 7243,
			Elapsed: 72 * time.Minute, Meter: display.Meter{Model: "Eastron SDM630", Serial: "22110345", Start: 12345678},
			Started: hal.Stamp{Unix: 1789900000, Clock: hal.ClockSynced}}}
}

// ended is a charge that is over, not settled.
func ended(e display.End) display.View {
	v := running()
	v.State, v.Busy = display.Available, false
	c := &v.Charge
	c.End, c.Energy, c.Elapsed = e, 12404, 104*time.Minute
	c.Bill = price.Cost(payment.Use{Energy: 12404, Time: 104 * time.Minute, Idle: 3 * time.Minute}, 20000)
	c.Meter.End, c.Ended = c.Meter.Start+12404, hal.Stamp{Unix: 1789906240, Clock: hal.ClockSynced}
	return v
}

// settled is an ended charge with everything read back.
func settled(e display.End) display.View {
	v := ended(e)
	c := &v.Charge
	c.Settled, c.Captured, c.Released = true, c.Bill.Total, c.Reserved-c.Bill.Total
	return v
}

// site is the handler under test with its log.
type site struct {
	*pages
	log *bytes.Buffer
}

func newSite(t testing.TB, posts Posts) site {
	t.Helper()
	var log bytes.Buffer
	h, err := New(posts, Options{PublicURL: "https://lad.example.no", Log: slog.New(slog.NewTextHandler(&log, nil)), Streams: 1})
	if err != nil {
		t.Fatal(err)
	}
	return site{h.(*pages), &log}
}

func (s site) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func (s site) post(path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// wish is the form of a landing page.
func wishForm() url.Values {
	return url.Values{"amount": {"20000"}, "seen": {writePrice(price)}, "key": {secret}}
}

// text is what a page says to a reader, with no-break spaces as spaces.
func text(w *httptest.ResponseRecorder) string {
	return strings.ReplaceAll(html.UnescapeString(w.Body.String()), "\u00a0", " ")
}

// contains checks that a page has all parts.
func contains(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, body(page))
		}
	}
}

// lacks checks that a page has none of the parts.
func lacks(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if part != "" && strings.Contains(page, part) {
			t.Errorf("the page has %q:\n%s", part, body(page))
		}
	}
}

// body is a page without its style and script.
func body(page string) string {
	_, after, ok := strings.Cut(page, "<body")
	if !ok {
		return page
	}
	before, _, _ := strings.Cut(after, "<script>")
	return before
}
