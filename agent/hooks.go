package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/session"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// hooksPath is where the payment service tells of what happens to payments, below
// the public address. No post can have it for a code.
const hooksPath = "/webhooks/vipps"

// Chosen by us. The service deletes a registration that has not answered for two
// weeks, so it is looked after daily.
const (
	tendEvery  = 24 * time.Hour
	tendAgain  = 10 * time.Minute // after a failure
	tendWithin = time.Minute
	maxHooks   = 8 // registrations of ours that are held at a time; there is one, and two while one replaces another
)

// registrar is what tending needs of the payment service.
type registrar interface {
	Hooks(context.Context) ([]vipps.Hook, error)
	AddHook(ctx context.Context, url string) (vipps.Hook, error)
	DropHook(ctx context.Context, id string) error
}

// hooks keeps the post registered with the payment service, which tells the secret
// of a registration once only. What comes in is a hint and nothing more: without
// any of it the post finds out by asking, a little later.
type hooks struct {
	service registrar
	url     string
	file    string // holds the secrets, for us alone
	log     *slog.Logger

	mu   sync.Mutex
	held []held
	last error // how they were last looked after
}

// state is how many registrations are held, and what is wrong with them.
func (h *hooks) state() (held int, last error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.held), h.last
}

// held is a registration whose secret we have.
type held struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// openHooks reads what is held. A file that makes no sense is as good as none: its
// registrations are orphans then, and will be replaced.
func openHooks(service registrar, publicURL, stateDir string, log *slog.Logger) *hooks {
	h := &hooks{service: service, url: publicURL + hooksPath, file: filepath.Join(stateDir, "hooks.json"), log: log}
	b, err := os.ReadFile(h.file)
	if err == nil {
		err = json.Unmarshal(b, &h.held)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		h.held = nil
		log.Warn("registrations for webhooks cannot be read; they will be made anew", "err", err)
	}
	return h
}

// secrets are those of all registrations that may still be in use.
func (h *hooks) secrets() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	secrets := make([]string, len(h.held))
	for i, x := range h.held {
		secrets[i] = x.Secret
	}
	return secrets
}

// tendUntil looks after the registrations until ctx ends.
func (h *hooks) tendUntil(ctx context.Context) {
	for {
		next := tendEvery
		within, cancel := context.WithTimeout(ctx, tendWithin)
		err := h.tend(within)
		cancel()
		h.mu.Lock()
		h.last = err
		h.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			h.log.Warn("webhooks cannot be registered; payments are polled as before", "err", err, "again_in", tendAgain)
			next = tendAgain
		}
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// tend registers our address if it is not registered, and deletes registrations
// of it whose secret nobody has any more. Other addresses are none of our business.
func (h *hooks) tend(ctx context.Context) error {
	there, err := h.service.Hooks(ctx)
	if err != nil {
		return err
	}
	there = slices.DeleteFunc(there, func(x vipps.Hook) bool { return x.URL != h.url })
	if !slices.ContainsFunc(there, func(x vipps.Hook) bool { return h.holds(x.ID) }) {
		made, err := h.service.AddHook(ctx, h.url)
		if err != nil {
			return err
		}
		if err := h.hold(held{made.ID, made.Secret}); err != nil {
			return errors.Join(err, h.service.DropHook(ctx, made.ID))
		}
		h.log.Info("webhook registered", "id", made.ID, "url", h.url)
	}
	var all error
	for _, x := range there {
		if h.holds(x.ID) {
			continue
		}
		if err := h.service.DropHook(ctx, x.ID); err != nil {
			all = errors.Join(all, err)
			continue
		}
		h.log.Info("webhook without a known secret deleted", "id", x.ID)
	}
	return all
}

func (h *hooks) holds(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.held, func(x held) bool { return x.ID == id })
}

// hold keeps a secret, on disk first: it is told once only.
func (h *hooks) hold(x held) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := append(slices.Clone(h.held), x)
	all = all[max(0, len(all)-maxHooks):]
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := replace(h.file, b, 0o600); err != nil {
		return fmt.Errorf("keep the secret of a webhook: %w", err)
	}
	h.held = all
	return nil
}

// replace writes a file whole or not at all.
func replace(file string, b []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // for us alone until it is whole
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone after the rename
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// receiveHooks puts the receiver of webhooks before the driver's pages, and has the
// registrations looked after. Nothing of that is there if the configuration does
// not want it.
func (p *parts) receiveHooks(cfg config.Config, client *vipps.Client, pages http.Handler, log *slog.Logger) (http.Handler, error) {
	if cfg.Payment.Through != config.ThroughVipps || !cfg.Payment.Vipps.Webhooks {
		return pages, nil
	}
	h := openHooks(client, cfg.Web.PublicURL, cfg.StateDir, log)
	p.hooks = h
	receiver, err := vipps.NewReceiver(vipps.ReceiverOptions{
		URL: h.url, MSN: cfg.Payment.Vipps.MSN, Secrets: h.secrets, Log: log,
		Hint: func(x vipps.Hint) { p.hint(x.Ref) },
	})
	if err != nil {
		return nil, err
	}
	p.jobs = append(p.jobs, h.tendUntil, receiver.Deliver)
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("POST "+hooksPath, receiver)
	return mux, nil
}

// hint tells the EVSE whose payment it is that something has happened to it. The
// loop may be busy: then the hint is lost, and polling finds out.
func (p *posts) hint(ref payment.Ref) {
	for _, v := range p.units {
		if v.Rules().Ref(ref.Number()) != ref {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), showWithin)
		defer cancel()
		if err := v.Tell(ctx, session.Hinted{Ref: ref}); err != nil {
			return
		}
	}
}
