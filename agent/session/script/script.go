// Package script plays a scenario of testdata/scenarios: what happens around one EVSE,
// command by command, and what the pure core makes of it, line by line.
//
// # Why
//
// What went wrong at a post has to go wrong on a desk, again and again, until it is
// understood. The core needs nothing for that but what happened, so a support bundle
// becomes a text that anybody can read, change and play, and that can be put into
// testdata/scenarios when it is understood: then it never goes wrong again.
//
// The tests of the core play the same language with the same player. They look into the
// core at each step, and hold its laws against it. There is no clock here, no chance and
// no file.
package script

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// Played is what came of a scenario.
type Played struct {
	Text  string        // the scenario, with the lines that came of it
	State session.State // at the end
	Rules session.Rules
}

// Limits, chosen by us: a scenario comes from somebody else's file.
const (
	maxLines = 2000
	longest  = 30 * 24 * time.Hour // what a scenario may last
)

// errCommand is what a command gives that is not written as it must be.
var errCommand = errors.New("not a command of a scenario")

// Play plays a scenario. Lines that begin with a space are what came of it some other
// time, and are left out. Whoever looks is shown the state before and after each event,
// and changes nothing. The error names the line.
func Play(text string, look ...func(r *session.Rules, before, after *session.State, now hal.Instant)) (Played, error) {
	w := newWorld()
	w.look = look
	var out []string
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > maxLines {
		return Played{}, fmt.Errorf("scenario: has %d lines, want at most %d", len(lines), maxLines)
	}
	for n, line := range lines {
		if strings.HasPrefix(line, " ") {
			continue
		}
		out = append(out, line)
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if err := w.obey(words); err != nil {
			return Played{}, fmt.Errorf("scenario: line %d: %q: %w", n+1, line, err)
		}
		w.diary.money(w)
		out = append(out, w.diary.lines...)
		w.diary.lines = nil
	}
	return Played{strings.Join(out, "\n") + "\n", w.state, w.rules}, nil
}

// obey carries out one command.
func (w *world) obey(words []string) error {
	if w.at > longest {
		return fmt.Errorf("the scenario lasts longer than %v", longest)
	}
	do := verbs()[words[0]]
	if do == nil {
		return errCommand
	}
	return do(w, words[1:])
}

// holder is the secret of a driver's page, from the driver's name.
func holder(name string) payment.Holder {
	var h payment.Holder
	copy(h[:], "driver "+name)
	return h
}
