package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"stolpe/display"
	"stolpe/hal"
)

// boardFile is where what drivers are told stands, in the state folder.
const boardFile = "notices.json"

// board is what drivers are told beside their charges: a notice of the owner, which a
// restart does not take down, and that this is the post somebody looks for.
type board struct {
	file  string                                  // empty for none
	write func(string, []byte, fs.FileMode) error // replaces a file; hangs as long as the disk does
	now   func() hal.Instant

	pinning sync.Mutex            // held by who pins, also while the disk writes
	mu      sync.Mutex            // guards what follows; never held while the disk writes, as pages wait for it
	notices map[int]pinned        // never changed, but another takes its place
	here    map[int]time.Duration // until when, Instant.Mono
}

// pinned is a notice and how long it stays. Those at an EVSE go before those at the
// whole post, which are at 0; the same goes for what is sought.
type pinned struct {
	Text  map[string]string `json:"text"`            // by language
	Until int64             `json:"until,omitempty"` // s since 1970; 0 for ever

	notice display.Notice
}

// openBoard reads what was pinned up before. What cannot be read is left out: no
// charge depends on it.
func openBoard(dir string, now func() hal.Instant, log *slog.Logger) *board {
	b := &board{file: filepath.Join(dir, boardFile), write: replace, now: now, notices: map[int]pinned{}, here: map[int]time.Duration{}}
	text, err := os.ReadFile(b.file)
	if errors.Is(err, fs.ErrNotExist) {
		return b
	}
	read := map[int]pinned{}
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	for at, p := range read {
		if p.notice, err = display.ParseNotice(p.Text); err != nil {
			break
		}
		b.notices[at] = p
	}
	if err != nil {
		log.Warn("notices for drivers cannot be read; set them again", "err", err)
	}
	return b
}

// pin puts up a notice at an EVSE, or at all with 0, until a time or, with 0, for ever.
// The zero Notice takes it down.
func (b *board) pin(at int, n display.Notice, until int64) error {
	b.pinning.Lock()
	defer b.pinning.Unlock()
	all := maps.Clone(b.notices)
	all[at] = pinned{Text: n.Tags(), Until: until, notice: n}
	if n == (display.Notice{}) {
		delete(all, at)
	}
	if err := b.keep(all); err != nil { // what is not kept is not shown: after a restart it would be another
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notices = all
	return nil
}

func (b *board) keep(all map[int]pinned) error {
	text, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("notices: %w", err)
	}
	if err := b.write(b.file, text, 0o600); err != nil {
		return fmt.Errorf("notices cannot be kept: %w", err)
	}
	return syncFolder(filepath.Dir(b.file))
}

// call has an EVSE, or all with 0, say for so long that it is the one.
func (b *board) call(at int, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.here[at] = b.now().Mono + d
}

// dress puts on a view of an EVSE what is pinned there. Nothing is on a nil board.
func (b *board) dress(v *display.View, evse int) {
	if b == nil {
		return
	}
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	v.Here = now.Mono < max(b.here[0], b.here[evse])
	for _, at := range []int{evse, 0} {
		p, ok := b.notices[at]
		over := p.Until > 0 && now.Wall.Clock != hal.ClockUnknown && now.Wall.Unix >= p.Until
		if ok && !over {
			v.Notice = p.notice
			return
		}
	}
}
