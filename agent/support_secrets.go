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

// gatherHere gathers from the files of the post: no daemon runs.
func gatherHere(_ context.Context, file string, since time.Time, plain bool, send func(supportMessage) error) error {
	q := inquiry{file: file, since: since, now: hal.Instant{Wall: hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockHoldover}}}
	q.cfg, q.wrong = config.Load(file)
	key := make([]byte, keyBytes)
	if q.wrong == nil {
		key = veilKey(q.cfg.StateDir, false)
		if path := ledgerPath(q.cfg.StateDir); exists(path) {
			if book, _, err := ledger.Open(path); err == nil {
				q.book = book.Named(q.cfg.Post.ID)
				defer book.Close() //nolint:errcheck // nothing was written
			}
		}
	} else {
		rand.Read(key) //nolint:errcheck // it never fails
	}
	q.veil = support.NewVeil(key, secretsOf(q.cfg), plain)
	if err := send(supportMessage{Key: key, Post: q.cfg.Post.ID}); err != nil {
		return err
	}
	return q.gather(send)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
