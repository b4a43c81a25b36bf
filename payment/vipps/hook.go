package vipps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const hooksPath = "/webhooks/v1/webhooks"

// Hook is a registration: an address to which the service tells what happens to
// the payments of the sales unit.
type Hook struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events,omitempty"`
	Secret string   `json:"-"` // with which deliveries are signed; from AddHook only, and never told again
}

// Format writes the registration without its secret, whatever the verb.
func (h Hook) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "webhook %s to %s", h.ID, h.URL) }

// LogValue is the registration in a log: without its secret.
func (h Hook) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(h)) }

// hookEvents are the events of a payment (Webhooks API 1.0, event types).
var hookEvents = [...]string{
	"epayments.payment.created.v1", "epayments.payment.aborted.v1", "epayments.payment.expired.v1", "epayments.payment.cancelled.v1",
	"epayments.payment.captured.v1", "epayments.payment.refunded.v1", "epayments.payment.authorized.v1", "epayments.payment.terminated.v1",
}

var hookIDPattern = regexp.MustCompile(`^[0-9A-Za-z-]+$`) // a UUID, as far as published

// maxID is the longest id of a webhook or a merchant's account that is believed, in
// characters. Chosen by us: a UUID has 36.
const maxID = 64

// Hooks lists the registrations of the sales unit.
func (c *Client) Hooks(ctx context.Context) ([]Hook, error) {
	var b struct {
		Webhooks []Hook `json:"webhooks"`
	}
	err := c.alone(ctx, call{op: hookCall, what: "list", path: hooksPath, take: func(body []byte) error {
		return decodeObject(body, &b)
	}})
	return b.Webhooks, err
}

// AddHook registers an address for all events of payments. The secret is told here
// and nowhere else: keep it before anything else is done.
func (c *Client) AddHook(ctx context.Context, address string) (Hook, error) {
	if err := c.fitHook(address); err != nil {
		return Hook{}, fmt.Errorf("vipps: webhook: %w", err)
	}
	var b struct{ ID, Secret string }
	err := c.alone(ctx, call{
		op: hookCall, what: "add " + address, path: hooksPath,
		body: struct {
			URL    string   `json:"url"`
			Events []string `json:"events"`
		}{address, hookEvents[:]},
		take: func(body []byte) error {
			if err := json.Unmarshal(body, &b); err != nil {
				return errors.New("not a registration in JSON") // the body has the secret in it
			}
			if len(b.ID) > maxID || !hookIDPattern.MatchString(b.ID) || b.Secret == "" || len(b.Secret) > maxSecret {
				return errors.New("no id, or no secret")
			}
			return nil
		},
	})
	if err != nil {
		return Hook{}, err
	}
	return Hook{ID: b.ID, URL: address, Events: hookEvents[:], Secret: b.Secret}, nil
}

// DropHook deletes a registration. Deliveries under way may still arrive.
func (c *Client) DropHook(ctx context.Context, id string) error {
	if len(id) > maxID || !hookIDPattern.MatchString(id) {
		return fmt.Errorf("vipps: webhook %q: want an id of letters, digits and hyphens", id)
	}
	return c.alone(ctx, call{op: hookCall, what: "drop " + id, method: http.MethodDelete, path: hooksPath + "/" + id})
}

// fitHook says why the service would not deliver to an address (webhooks guide):
// it wants https on one of three ports, and follows no redirect. Towards a
// simulator on this machine http will do.
func (c *Client) fitHook(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("address of %d characters: want https://host/path", len(address))
	}
	if u.Scheme == "http" && loopback(u.Hostname()) && loopback(c.base.Hostname()) {
		return nil
	}
	port := u.Port()
	if u.Scheme != "https" || port != "" && port != "443" && port != "8080" {
		return fmt.Errorf("address %s: want https on port 443 or 8080", strings.TrimSuffix(u.Scheme+"://"+u.Host, "/"))
	}
	return nil
}
