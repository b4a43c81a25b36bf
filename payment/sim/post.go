package sim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"stolpe/payment"
)

// posting is one event on its way to one registration. Those of one payment are
// delivered in their order: one that is not taken keeps the later ones back.
type posting struct {
	ref   payment.Ref
	name  EventName
	body  []byte
	age   uint64        // by which those that are due together are told apart
	tries int           // so far
	first time.Duration // the first try
	due   time.Duration // the next try
}

const (
	// postTimeout is how long a receiver may take, in real time (webhooks guide).
	postTimeout = 10 * time.Second

	giveUp  = 7 * day  // from the first try of an event (webhooks guide)
	tooLong = 14 * day // without a sign of life, and the registration is gone (technical update, March 2026)

	// maxWaiting limits what is on its way to all registrations. Chosen by us:
	// eight events of some five hundred payments.
	maxWaiting = 1 << 12

	maxEcho = 4 << 10 // bytes of a receiver's answer that are read; chosen by us
)

// pause is how long after a failed try the next one comes (webhooks guide, which
// counts in round numbers: four times after two seconds, then a minute, two,
// hourly until the 29th try, and daily).
func pause(tries int) time.Duration {
	switch {
	case tries <= 4:
		return 2 * time.Second
	case tries == 5:
		return time.Minute
	case tries == 6:
		return 2 * time.Minute
	case tries < 29:
		return time.Hour
	}
	return day
}

// eventPost is a delivery's body.
type eventPost struct {
	MSN          string      `json:"msn"`
	Reference    payment.Ref `json:"reference"`
	PSPReference string      `json:"pspReference"` // the event's own
	Name         EventName   `json:"name"`
	Amount       money       `json:"amount"`
	Timestamp    string      `json:"timestamp"`
	Key          string      `json:"idempotencyKey,omitempty"`
	Success      bool        `json:"success"`
	Guaranteed   string      `json:"captureGuaranteedUntil,omitempty"` // of an approval
}

// heard is told of every event of every payment, as it happens.
func (t *Till) heard(e *entry, ev Event) {
	if ev.Name == Created {
		t.open = append(t.open, e)
	}
	if ev.Success && (ev.Name == Captured || ev.Name == Refunded) {
		t.moves = append(t.moves, move{e.request.Ref, ev})
	}
	for _, h := range t.hooks {
		if slices.Contains(h.events, topic(ev.Name)) {
			t.enqueue(h, e, ev)
		}
	}
}

func (t *Till) enqueue(h *hook, e *entry, ev Event) {
	if t.waiting >= maxWaiting {
		t.log.Warn("till: too many webhooks wait; dropped", "limit", maxWaiting)
		return
	}
	body := eventPost{
		MSN: t.accept.MSN, Reference: e.request.Ref, PSPReference: pspNumber(ev.PSP), Name: ev.Name,
		Amount: money{e.request.Currency, ev.Amount}, Timestamp: t.wall(ev.At).Format(time.RFC3339Nano), Key: ev.Key, Success: ev.Success,
	}
	if ev.Name == Authorized {
		body.Guaranteed = t.wall(ev.At + guaranteed).Format(time.RFC3339)
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.log.Error("till: webhook", "error", err) // cannot happen: it is made of words and numbers
		return
	}
	t.made++
	p := &posting{ref: e.request.Ref, name: ev.Name, body: text, age: t.made, due: ev.At}
	h.queues[p.ref] = append(h.queues[p.ref], p)
	t.waiting++
	t.nudge()
}

// Deliver sends the webhooks that are due by now, one after the other, and says
// how many tries that took. Serve does it by itself.
func (t *Till) Deliver(ctx context.Context) (tries int) {
	t.delivering.Lock()
	defer t.delivering.Unlock()
	for ; ctx.Err() == nil; tries++ {
		h, p, r := t.nextPost(ctx)
		if p == nil {
			break
		}
		taken := send(r)
		if ctx.Err() != nil {
			break // it was not the receiver who ended it
		}
		t.posted(h, p, taken)
	}
	return tries
}

// nextPost takes the posting that is due first, signed for this try; nil when
// none is.
func (t *Till) nextPost(ctx context.Context) (*hook, *posting, *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.catchUp(t.clock())
	t.ageAll(now)
	var to *hook
	var next *posting
	for _, h := range t.hooks {
		for _, queue := range h.queues {
			if p := queue[0]; p.due <= now && (next == nil || p.due < next.due || p.due == next.due && p.age < next.age) {
				to, next = h, p
			}
		}
	}
	if next == nil {
		return nil, nil, nil
	}
	if next.tries == 0 {
		next.first = now
	}
	next.tries++
	return to, next, to.signed(ctx, t.wall(now), next.body)
}

// ageAll lets happen what time alone does to payments. Nobody may be looking at
// them, and their expiry is an event all the same.
func (t *Till) ageAll(now time.Duration) {
	if len(t.hooks) == 0 {
		return
	}
	t.open = slices.DeleteFunc(t.open, func(e *entry) bool {
		t.book.age(now, e)
		return e.found.State != payment.Created && (e.found.State != payment.Authorised || e.found.Left() <= 0)
	})
}

// signed makes the request of one try. A retry is signed anew; whether the real
// ones are is not published.
func (h *hook) signed(ctx context.Context, at time.Time, body []byte) *http.Request {
	r := (&http.Request{
		Method: http.MethodPost, URL: h.url, Host: h.url.Host, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	sum := sha256.Sum256(body)
	date, digest := at.UTC().Format(http.TimeFormat), base64.StdEncoding.EncodeToString(sum[:])
	mac := hmac.New(sha256.New, []byte(h.secret))                                        // as printed, not decoded
	io.WriteString(mac, "POST\n"+h.url.RequestURI()+"\n"+date+";"+h.url.Host+";"+digest) //nolint:errcheck // a hash takes everything
	proof := "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for name, value := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "User-Agent": "Vipps MobilePay/1.0 Webhooks/1.0",
		"X-Ms-Date": date, "X-Ms-Content-Sha256": digest, "Authorization": proof, "X-Vipps-Authorization": proof, "Webhook-Id": h.id,
	} {
		r.Header.Set(name, value)
	}
	return r
}

// send says whether the receiver took a delivery: 200 in time, and nothing else.
// A redirect is not followed.
func send(r *http.Request) bool {
	ctx, cancel := context.WithTimeout(r.Context(), postTimeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeader} // and no proxy
	w, err := transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return false
	}
	defer w.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(w.Body, maxEcho))
	return err == nil && w.StatusCode == http.StatusOK
}

// posted takes note of how a try ended.
func (t *Till) posted(h *hook, p *posting, taken bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.catchUp(t.clock())
	t.log.Info("till: webhook", "event", string(p.name), "reference", string(p.ref), "try", p.tries, "taken", taken)
	queue := h.queues[p.ref]
	if !slices.Contains(t.hooks, h) || len(queue) == 0 {
		return // the registration is gone
	}
	if !taken && !h.failing {
		h.silent = now
	}
	h.failing = !taken
	p.due = now + pause(p.tries)
	switch {
	case taken, p.due-p.first > giveUp:
		t.waiting--
		if h.queues[p.ref] = queue[1:]; len(queue) == 1 {
			delete(h.queues, p.ref)
		}
	case now-h.silent >= tooLong:
		t.log.Warn("till: a webhook's receiver is silent for two weeks; registration deleted", "id", h.id)
		t.drop(h.id)
	}
}
