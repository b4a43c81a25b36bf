package sim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"stolpe/payment"
)

// Limits of registrations.
const (
	perEvent   = 25   // registrations for one event, description
	perScan    = 1    // the same, for codes that call back (webhooks guide)
	maxHookURL = 2048 // characters; chosen by us

	secretSize = 64 // bytes, which are 88 characters: so long are the real ones
)

// scanned is the one event that is none of a payment. It can be registered, and
// never happens here.
const scanned = "user.checked-in.v1"

// topic is an event's name as registrations have it.
func topic(n EventName) string { return "epayments.payment." + strings.ToLower(string(n)) + ".v1" }

// hook is a registration.
type hook struct {
	id      string
	url     *url.URL
	address string // url as it was given
	events  []string
	secret  string // told once
	queues  map[payment.Ref][]*posting
	silent  time.Duration // since when nothing was taken; with failing
	failing bool
}

// hookBody is how the API tells a registration.
type hookBody struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
}

// webhooks answers for registrations.
func (t *Till) webhooks(in inbound) reply {
	switch in.method {
	case http.MethodPost:
		return t.register(in)
	case http.MethodDelete:
		return t.unregister(in)
	}
	body := struct {
		Webhooks []hookBody `json:"webhooks"`
	}{[]hookBody{}}
	for _, h := range t.hooks {
		body.Webhooks = append(body.Webhooks, hookBody{h.id, h.address, h.events})
	}
	return reply{status: http.StatusOK, kind: plainJSON, body: body}
}

func (t *Till) register(in inbound) reply {
	if _, field, reason := t.shapes.hook.read(in); reason != "" {
		return t.invalid(in, field, reason)
	}
	var b struct {
		URL    string   `json:"url"`
		Events []string `json:"events"`
	}
	if err := json.Unmarshal(in.body, &b); err != nil {
		return t.invalid(in, "body", err.Error())
	}
	u, err := url.Parse(b.URL)
	if err != nil || len(b.URL) > maxHookURL || u.Host == "" || u.Fragment != "" || !reachable(u) {
		return t.invalid(in, "url", "must be https, or http towards loopback, which the real service refuses")
	}
	if reason := t.badEvents(b.Events); reason != "" {
		return t.invalid(in, "events", reason)
	}
	h := &hook{
		id: newUUID(), url: u, address: b.URL, events: b.Events, secret: newSecret(), queues: map[payment.Ref][]*posting{},
	}
	t.hooks = append(t.hooks, h)
	t.nudge()
	return reply{status: http.StatusCreated, kind: plainJSON, body: map[string]string{"id": h.id, "secret": h.secret}}
}

// reachable says whether the service would call a URL.
func reachable(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && usable(u.String())
}

// badEvents says what is wrong with the events of a new registration; empty means
// nothing.
func (t *Till) badEvents(events []string) (reason string) {
	if len(events) == 0 {
		return "at least 1"
	}
	for i, name := range events {
		most := perEvent
		if name == scanned {
			most = perScan
		} else if !slices.ContainsFunc(eventNames(), func(n EventName) bool { return topic(n) == name }) {
			return fmt.Sprintf("%.100q is no event", name)
		}
		if slices.Contains(events[:i], name) {
			return name + " stands twice"
		}
		had := 0
		for _, h := range t.hooks {
			if slices.Contains(h.events, name) {
				had++
			}
		}
		if had >= most {
			return fmt.Sprintf("%s has %d registrations, and may have no more", name, most)
		}
	}
	return ""
}

func eventNames() []EventName {
	return []EventName{Created, Authorized, Aborted, Expired, Terminated, Captured, Cancelled, Refunded}
}

// unregister forgets a registration and what it had still to tell. For one that
// is not known the description has only 400.
func (t *Till) unregister(in inbound) reply {
	if reason := t.shapes.uuid.text(in.ref); reason != "" {
		return t.invalid(in, "id", reason)
	}
	if !t.drop(in.ref) {
		return t.problem(in, &Problem{Status: http.StatusBadRequest, Title: "No webhook with this id"})
	}
	return reply{status: http.StatusNoContent}
}

// drop removes a registration; false when there is none.
func (t *Till) drop(id string) bool {
	i := slices.IndexFunc(t.hooks, func(h *hook) bool { return h.id == id })
	if i < 0 {
		return false
	}
	for queue := range maps.Values(t.hooks[i].queues) {
		t.waiting -= len(queue)
	}
	t.hooks = slices.Delete(t.hooks, i, i+1)
	return true
}

// newSecret makes what signs the deliveries of one registration.
func newSecret() string {
	var b [secretSize]byte
	rand.Read(b[:]) // it never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// newUUID makes a random identifier (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
