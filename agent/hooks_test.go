package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stolpe/payment/vipps"
)

// registry is a payment service, as far as registrations go.
type registry struct {
	there []vipps.Hook
	made  int
	fails error
}

func (r *registry) Hooks(context.Context) ([]vipps.Hook, error) {
	var told []vipps.Hook
	for _, h := range r.there {
		told = append(told, vipps.Hook{ID: h.ID, URL: h.URL}) // the secret is told once only
	}
	return told, r.fails
}

func (r *registry) AddHook(_ context.Context, url string) (vipps.Hook, error) {
	r.made++
	h := vipps.Hook{ID: fmt.Sprintf("id-%d", r.made), URL: url, Secret: fmt.Sprintf("secret-%d", r.made)}
	r.there = append(r.there, h)
	return h, r.fails
}

func (r *registry) DropHook(_ context.Context, id string) error {
	r.there = slices.DeleteFunc(r.there, func(h vipps.Hook) bool { return h.ID == id })
	return r.fails
}

func (r *registry) ids() string {
	var ids []string
	for _, h := range r.there {
		ids = append(ids, h.ID)
	}
	return strings.Join(ids, " ")
}

func TestHooksAreTended(t *testing.T) {
	dir := t.TempDir()
	var log paper
	open := func(r *registry) *hooks {
		return openHooks(r, "https://lad.example.no", dir, slog.New(slog.NewTextHandler(&log, nil)))
	}
	tend := func(h *hooks) {
		t.Helper()
		if err := h.tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r := &registry{there: []vipps.Hook{{ID: "foreign", URL: "https://lad.example.no/other"}, {ID: "orphan", URL: "https://lad.example.no/webhooks/vipps"}}}
	h := open(r)
	tend(h)
	if r.ids() != "foreign id-1" || !slices.Equal(h.secrets(), []string{"secret-1"}) {
		t.Fatalf("there is %s, held are %q", r.ids(), h.secrets())
	}
	tend(h)
	again := open(r) // a restart
	tend(again)
	if r.made != 1 || !slices.Equal(again.secrets(), []string{"secret-1"}) {
		t.Errorf("registered %d times, held are %q", r.made, again.secrets())
	}
	r.there = r.there[:1] // deleted by the service
	tend(again)
	if r.ids() != "foreign id-2" || !slices.Equal(again.secrets(), []string{"secret-1", "secret-2"}) {
		t.Errorf("there is %s, held are %q", r.ids(), again.secrets())
	}
	if info, err := os.Stat(filepath.Join(dir, "hooks.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want a file that nobody else can read", info, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hooks.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	tend(open(r))
	if r.ids() != "foreign id-3" {
		t.Errorf("after a damaged file there is %s", r.ids())
	}
	for range 2 * maxHooks {
		r.there = nil
		tend(again)
	}
	if n := len(again.secrets()); n != maxHooks {
		t.Errorf("%d secrets are held: want %d at most", n, maxHooks)
	}
	if strings.Contains(log.String(), "secret-") {
		t.Errorf("the log tells a secret:\n%s", &log)
	}
}

// A registration whose secret cannot be kept is worth nothing, and is taken back.
func TestHookThatCannotBeKeptIsTakenBack(t *testing.T) {
	r := &registry{}
	h := openHooks(r, "https://lad.example.no", filepath.Join(t.TempDir(), "none"), slog.New(slog.DiscardHandler))
	if err := h.tend(t.Context()); err == nil || len(r.there) != 0 || len(h.secrets()) != 0 {
		t.Errorf("%v; there is %s, held are %q", err, r.ids(), h.secrets())
	}
	r.fails = errors.New("not now")
	if err := h.tend(t.Context()); !errors.Is(err, r.fails) {
		t.Errorf("%v", err)
	}
}
