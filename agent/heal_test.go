package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/config/trial"
	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/display"
)

// What was missing has come, and takes a start anew. There is none while that would end a
// charge, take a configuration back, keep drivers away, or leave the post with a file that
// does not load: then it would end for ever, or start in vain every few seconds. There is
// one, and one only, when that is over.
func TestWhatHasComeWaitsForItsMoment(t *testing.T) {
	read := func(t *testing.T, file string) []byte {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	write := func(t *testing.T, file string, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, waits := range map[string]func(t *testing.T, x *bureau) (over func()){
		"nothing is in the way": nil,
		"somebody charges": func(t *testing.T, x *bureau) func() {
			x.b.charge(t, session.Charging)
			return func() {
				x.b.step(session.Stopped{Why: display.ByDriver})
				x.b.passes(time.Minute)
			}
		},
		"many starts": func(_ *testing.T, x *bureau) func() {
			x.a.state.Boots = 4
			return func() {
				x.a.mu.Lock()
				defer x.a.mu.Unlock()
				x.a.state.Boots = 1
			}
		},
		"a configuration on trial": func(t *testing.T, x *bureau) func() {
			text := read(t, x.file)
			if err := trial.Try(x.file, text, append(text, '\n'), time.Hour); err != nil {
				t.Fatal(err)
			}
			return func() {
				on, err := trial.Of(x.file)
				if err == nil {
					err = on.Confirm()
				}
				if err != nil {
					t.Error(err)
				}
			}
		},
		"a file that does not load": func(t *testing.T, x *bureau) func() {
			text := read(t, x.file)
			write(t, x.file, append(text, "nonsense: 1\n"...))
			return func() { write(t, x.file, text) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, log := newBureau(t), new(paper)
				x.log = slog.New(slog.NewTextHandler(log, nil))
				var come, looks, starts atomic.Int32
				p := &parts{lacks: []lack{{
					Lack:  doctor.Lack{Kind: doctor.Folder},
					there: func() bool { looks.Add(1); return come.Load() > 0 },
				}}}
				ctx, end := context.WithCancel(t.Context())
				defer end()
				var over func()
				if waits != nil {
					over = waits(t, x)
				}
				go p.heal(x.deeds, func() bool { return false }, func(cause error) {
					if starts.Add(1); !errors.Is(cause, errRestart) {
						t.Error(cause)
					}
				})(ctx)
				if over == nil {
					time.Sleep(3 * lookAgain)
					if looks.Load() < 2 || starts.Load() != 0 {
						t.Errorf("%d looks, %d starts with nothing that has come", looks.Load(), starts.Load())
					}
				}
				come.Store(1)
				if over != nil {
					time.Sleep(5 * lookAgain)
					if n := starts.Load(); n != 0 {
						t.Errorf("started anew %d times", n)
					}
					if n := strings.Count(log.String(), "level="); n > 1 {
						t.Errorf("told %d times of the same:\n%s", n, log)
					}
					over()
				}
				time.Sleep(3 * lookAgain)
				if n := starts.Load(); n != 1 {
					t.Errorf("started anew %d times", n)
				}
			})
		})
	}
}
