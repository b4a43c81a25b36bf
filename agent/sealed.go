package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"stolpe/agent/config"
	"stolpe/agent/ledger"
)

// sealMemory is what a post remembers of the seal that it was commissioned with.
type sealMemory struct {
	Key   string `json:"key"` // public half
	By    string `json:"by"`
	Noted string `json:"noted,omitempty"` // in the ledger: the other key that was found; "none" for no seal any more
}

// sealPath is where that is remembered.
func sealPath(dir string) string { return filepath.Join(dir, "seal.json") }

// rememberedSeal is what is remembered; zero for nothing.
func rememberedSeal(dir string) (m sealMemory, err error) {
	text, err := os.ReadFile(sealPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

// sealTrouble says what is wrong with the seal of a configuration, seen by a post that
// remembers another; empty for nothing. Whoever has all rights on the machine can seal
// anew, but not without this being seen.
func sealTrouble(m sealMemory, c config.Commissioning) string {
	switch {
	case m.Key == "" || m.Key == c.Key:
		return ""
	case c.Key == "":
		return fmt.Sprintf("the seal that %s made has been taken off without its PIN", m.By)
	}
	return fmt.Sprintf("%s has sealed it anew, without the PIN of the seal that %s made", c.By, m.By)
}

// noteSeal remembers the first seal that a post sees, and has it written down when there
// is another.
func noteSeal(cfg config.Config, w world, log *slog.Logger) {
	m, err := rememberedSeal(cfg.StateDir)
	if err != nil {
		log.Error("the seal that the post was commissioned with cannot be compared", "err", err)
		return
	}
	now := cfg.Commissioning
	if m.Key == "" && now.Key != "" {
		m = sealMemory{Key: now.Key, By: now.By}
		saveSeal(cfg.StateDir, m, log)
		return
	}
	trouble := sealTrouble(m, now)
	if trouble == "" {
		return
	}
	log.Error("commissioning: "+trouble, "then", "look at the post; if all is right, remove "+sealPath(cfg.StateDir)+" and start again")
	other := now.Key
	if other == "" {
		other = "none"
	}
	if m.Noted == other {
		return
	}
	at := w.now().Wall
	e := ledger.Entry{At: at.Unix, Clock: at.Clock.String(), Kind: ledger.PostConfig, Post: &ledger.Post{Config: cfg.Sum, Seal: trouble}}
	if err := w.book.Append(e); err != nil {
		log.Warn("ledger: another seal is not written down", "err", err)
		return
	}
	m.Noted = other
	saveSeal(cfg.StateDir, m, log)
}

func saveSeal(dir string, m sealMemory, log *slog.Logger) {
	text, err := json.Marshal(m)
	if err == nil {
		err = writeSecret(sealPath(dir), string(text)+"\n")
	}
	if err != nil {
		log.Error("the seal that the post was commissioned with cannot be remembered", "err", err)
	}
}
