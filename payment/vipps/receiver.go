package vipps

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"stolpe/payment"
)

// Chosen by us.
const (
	maxHints = 64   // that wait for whoever acts on them; more are dropped, as payments are polled anyway
	maxSeen  = 1024 // deliveries that are known for repetitions
	// strangerEvery is how often it is told that something was turned away.
	strangerEvery = 10 * time.Minute
	maxSkew       = 5 * time.Minute // a date of a delivery further off is logged; a retry may carry an old one
	maxWebhook    = 64 << 10        // bytes of a delivery; real ones have some hundred
)

// Hint says that something has happened to a payment. Nobody may believe more of
// it than that: the payment has to be read back.
type Hint struct {
	Ref          payment.Ref
	Name         string // of the event, as in CAPTURED
	PSPReference string // of the event itself
	Success      bool
}

// ReceiverOptions say whose deliveries are received.
type ReceiverOptions struct {
	URL     string          // as it was registered: its host and path are signed, whatever a proxy makes of them
	MSN     string          // others' are none of our business
	Secrets func() []string // of all registrations that may be in use; asked for each delivery
	Hint    func(Hint)      // called by Deliver, one at a time
	Log     *slog.Logger    // nil for none
}

// Receiver takes in deliveries. It answers before anybody acts on them: the service
// holds back everything else about a payment until it has its answer, and asks
// again for a week if it has none. Deliver passes the hints on.
type Receiver struct {
	ReceiverOptions
	host, target string // as signed
	hints        chan Hint

	mu   sync.Mutex
	seen map[event]bool
	old  []event // in the order of their coming

	strangers int       // turned away since that was told
	warned    time.Time // when it was
}

// event is a hash of what tells an event from others: of one size, whatever comes.
type event [sha256.Size]byte

// NewReceiver makes one. It returns an error if the address is none, or if an
// option is missing.
func NewReceiver(o ReceiverOptions) (*Receiver, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("vipps: webhook: want the address that was registered, with scheme and host")
	case o.MSN == "" || o.Secrets == nil || o.Hint == nil:
		return nil, errors.New("vipps: webhook: want a sales unit, its secrets, and somebody to give hints to")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Receiver{ReceiverOptions: o, host: signedHost(u), target: u.RequestURI(), hints: make(chan Hint, maxHints), seen: map[event]bool{}}, nil
}

// signedHost is the host as the guide's code takes it from the address: in small
// letters, and without the port that the scheme has anyway.
func signedHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return host
}

// Deliver passes hints on until ctx ends.
func (v *Receiver) Deliver(ctx context.Context) {
	for {
		select {
		case h := <-v.hints:
			v.Hint(h)
		case <-ctx.Done():
			return
		}
	}
}

// ServeHTTP takes in one delivery. What is not signed with one of the secrets is
// turned away with 401; anything that is gets its 200, however odd.
func (v *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if !v.authentic(r.Header, body) {
		v.stranger(len(body))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	v.take(r.Header, body)
	w.WriteHeader(http.StatusOK)
}

// stranger tells of what was turned away, once in a while: anybody can send it, and
// a log is on a card.
func (v *Receiver) stranger(bytes int) {
	v.mu.Lock()
	v.strangers++
	n, quiet := v.strangers, time.Since(v.warned) < strangerEvery
	if !quiet {
		v.strangers, v.warned = 0, time.Now()
	}
	v.mu.Unlock()
	if !quiet {
		v.Log.Warn("webhook turned away: not signed by the service", "bytes", bytes, "times", n)
	}
}

// authentic checks the signature. Every secret is tried, however early one fits.
func (v *Receiver) authentic(h http.Header, body []byte) bool {
	for _, name := range []string{"x-ms-date", "x-ms-content-sha256", "Authorization"} {
		if len(h.Values(name)) != 1 { // of two, nobody could say which was signed
			return false
		}
	}
	sum := sha256.Sum256(body)
	content := base64.StdEncoding.EncodeToString(sum[:])
	if !hmac.Equal([]byte(h.Get("x-ms-content-sha256")), []byte(content)) {
		return false
	}
	fits := false
	for _, secret := range v.Secrets() {
		want := signature(secret, v.target, h.Get("x-ms-date"), v.host, content)
		fits = hmac.Equal([]byte(h.Get("Authorization")), []byte(want)) && secret != "" || fits
	}
	return fits
}

// signature is what the service writes into Authorization (webhooks guide, request
// authentication). The secret's text itself is the key, though it looks like base64.
func signature(secret, target, date, host, content string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "POST\n%s\n%s;%s;%s", target, date, host, content)
	return "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// take passes on what a delivery tells, unless it has been told before.
func (v *Receiver) take(h http.Header, body []byte) {
	var b struct {
		MSN          string      `json:"msn"`
		Reference    payment.Ref `json:"reference"`
		PSPReference string      `json:"pspReference"`
		Name         string      `json:"name"`
		Success      bool        `json:"success"`
	}
	if at, err := http.ParseTime(h.Get("x-ms-date")); err != nil || time.Since(at).Abs() > maxSkew {
		v.Log.Info("webhook from another time", "date", inLog(h.Get("x-ms-date")))
	}
	switch err := json.Unmarshal(body, &b); {
	case err != nil || !b.Reference.Valid():
		v.Log.Warn("webhook that says nothing about a payment", "bytes", len(body))
		return
	case b.MSN != v.MSN:
		v.Log.Warn("webhook for another sales unit", "reference", b.Reference)
		return
	case v.told(sha256.Sum256(fmt.Appendf(nil, "%q %q %q", b.Reference, b.Name, b.PSPReference))):
		return
	}
	select {
	case v.hints <- Hint{b.Reference, b.Name, b.PSPReference, b.Success}:
	default:
		v.Log.Warn("webhook dropped: too many wait; the payment will be polled", "reference", b.Reference)
	}
}

// told says whether an event has been told before. With more than one capture or
// refund a payment has events of one name, so its own number counts as well. Should
// that ever be missing, other payments are still others.
func (v *Receiver) told(e event) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen[e] {
		return true
	}
	v.seen[e] = true
	v.old = append(v.old, e)
	if len(v.old) > maxSeen {
		delete(v.seen, v.old[0])
		v.old = v.old[1:]
	}
	return false
}

// inLog makes foreign text fit for a log.
func inLog(s string) string { return (&failure{}).line(s, maxTrace) }
