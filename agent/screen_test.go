package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
)

// shown gives the moment at which a charge has come so far.
func shown(p session.Phase, end hal.Energy) evse.Moment {
	kept := charge(p)
	kept.Charge.Seen = end
	return evse.Moment{After: session.State{Kept: kept}, Now: hal.Instant{Mono: time.Hour}}
}

func newScreen(out *paper, terminal bool) *showcase {
	return &showcase{
		out: out, terminal: terminal, post: display.Post{ID: "A12", Name: "Storgata 1"},
		rules: &session.Rules{Post: "A12", EVSE: 1, Code: "A12", NoPlug: true, Limits: session.DefaultLimits()},
	}
}

var escape = regexp.MustCompile("\x1b\\[[0-9;]*([A-Za-z])")

// escapes gives the letters of the escape codes in a text.
func escapes(text string) string {
	var all strings.Builder
	for _, m := range escape.FindAllStringSubmatch(text, -1) {
		all.WriteString(m[1])
	}
	return all.String()
}

func TestScreenInAPipeIsPlain(t *testing.T) {
	var out paper
	s := newScreen(&out, false)
	for _, p := range []session.Phase{session.Approving, session.Charging, session.Charging, session.Stopping} {
		s.Saw(shown(p, 0))
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("%q", out.String())
	}
	if n := strings.Count(out.String(), "Post A12"); n != 3 {
		t.Errorf("drawn %d times: want once for each state\n%s", n, &out)
	}
}

func TestTerminalIsDrawnOver(t *testing.T) {
	var out paper
	s := newScreen(&out, true)
	s.colour = true
	s.Saw(shown(session.Approving, 0))
	if first := escapes(out.String()); first == "" || strings.Trim(first, "m") != "" {
		t.Errorf("first: %q: want colour only", first)
	}
	s.Saw(shown(session.Charging, 0))
	if all := escapes(out.String()); strings.ReplaceAll(all, "m", "") != "AJ" {
		t.Errorf("then: %q: want up and clear once", all)
	}
}

func TestWithoutColoursItIsDrawnOver(t *testing.T) {
	var out paper
	s := newScreen(&out, true)
	s.Saw(shown(session.Approving, 0))
	s.Saw(shown(session.Charging, 0))
	if all := escapes(out.String()); all != "AJ" {
		t.Errorf("%q: want no colour", all)
	}
}

// blind is where nobody reads.
type blind struct{ tries int }

func (b *blind) Write([]byte) (int, error) {
	b.tries++
	return 0, errors.New("broken pipe")
}

func TestScreenThatNobodySeesIsQuiet(t *testing.T) {
	var out blind
	s := newScreen(nil, false)
	s.out = &out
	s.Saw(shown(session.Approving, 0))
	s.Saw(shown(session.Charging, 0))
	if out.tries != 1 {
		t.Errorf("written to %d times", out.tries)
	}
	var once paper
	s = newScreen(&once, true)
	s.quiet = true
	s.Saw(shown(session.Approving, 0))
	if once.String() != "" {
		t.Errorf("%q", once.String())
	}
}

func TestOnlyATerminalIsATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	file, err := os.Open(write(t, "file", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	device, err := os.Open(os.DevNull) // a device for characters, as terminals are
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if isTerminal(w) || isTerminal(file) || isTerminal(new(paper)) {
		t.Error("a pipe, a file or a buffer is taken for a terminal")
	}
	if !isTerminal(device) {
		t.Error("a device is not taken for a terminal")
	}
	t.Setenv("TERM", "dumb")
	if isTerminal(device) {
		t.Error("a dumb terminal is taken for one that can be drawn over")
	}
}
