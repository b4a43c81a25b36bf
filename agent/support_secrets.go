package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/ledger"
	"stolpe/agent/support"
	"stolpe/hal"
)

// secretsOf are all values that the post must never tell: those of the configuration,
// and those of its webhooks.
func secretsOf(cfg config.Config) []string {
	v := cfg.Payment.Vipps
	all := []string{v.ClientID.Reveal(), v.ClientSecret.Reveal(), v.SubscriptionKey.Reveal(), cfg.Gateway.Key.Reveal()}
	var held []held
	if b, err := os.ReadFile(filepath.Join(cfg.StateDir, "hooks.json")); err == nil && json.Unmarshal(b, &held) == nil {
		for _, h := range held {
			all = append(all, h.Secret)
		}
	}
	return all
}

// people are those whose names a post knows: who has sealed its configuration, now and
// before, and who may change it.
func people(cfg config.Config) []string {
	all := append([]string{cfg.Commissioning.By}, cfg.Control.Admins...)
	if m, err := rememberedSeal(cfg.StateDir); err == nil {
		all = append(all, m.By)
	}
	return all
}

// keyBytes is the length of the key of a veil. As long as the hash it goes into.
const keyBytes = 32

// veilKey is the post's own key, which the daemon makes the first time: one that somebody
// else makes would be closed to it. Where there is none, one is made that nothing else is
// ever hidden with: a charge is then another one in the next bundle.
func veilKey(dir string, daemon bool) []byte {
	file := filepath.Join(dir, "support.key")
	if b, err := os.ReadFile(file); err == nil && len(b) == keyBytes {
		return b
	}
	key := make([]byte, keyBytes)
	rand.Read(key) //nolint:errcheck // it never fails
	if _, err := os.Stat(file); daemon && errors.Is(err, fs.ErrNotExist) {
		replace(file, key, 0o600) //nolint:errcheck // see above
	}
	return key
}

// gatherHere gathers from the files of the post, and changes none of them: no daemon runs.
func gatherHere(_ context.Context, file string, since time.Time, plain bool, send func(supportMessage) error) error {
	q := inquiry{file: file, since: since, now: hal.Instant{Wall: hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockHoldover}}}
	key := make([]byte, keyBytes)
	rand.Read(key) //nolint:errcheck // it never fails
	if cfg, _, err := config.Here(file); err == nil {
		q.cfg, key = cfg, veilKey(cfg.StateDir, false)
		q.displays = displayFacts(cfg, nil)
		q.read = func(fn func(ledger.Entry) error) error { return ledger.Browse(ledgerPath(cfg.StateDir), fn) }
	}
	q.veil = support.NewVeil(key, secretsOf(q.cfg), plain)
	q.veil.Know(people(q.cfg)...)
	if err := send(supportMessage{Key: key, Post: q.cfg.Post.ID, People: people(q.cfg)}); err != nil {
		return err
	}
	return q.gather(send)
}
