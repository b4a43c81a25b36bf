package main

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
)

// Every scene ends as it should, with every promise held, and tells its story. It is played
// more slowly than on an idle machine, as all tests are played at once.
func TestSimulate(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := command("simulate", "run", s.name, "--json", "--speed", "200")
			lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
			var last struct{ Promises []promise }
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || got.code != 0 || len(last.Promises) != 5 || len(lines) < 6 {
				t.Fatalf("%v: %+v", err, got)
			}
			for _, line := range lines[:len(lines)-1] {
				var h happening
				if err := json.Unmarshal([]byte(line), &h); err != nil || h.What == "" || h.Text == "" {
					t.Errorf("%v: %s", err, line)
				}
			}
		})
	}
}

// A scene that breaks a promise is found out: here whoever plays it goes away while a car
// is charging, and says that the charge ended otherwise.
func TestSimulateFindsABrokenPromise(t *testing.T) {
	t.Parallel()
	out := new(paper)
	p := player{speed: maxSpeed, out: out, log: slog.New(slog.DiscardHandler)}
	err := p.run(t.Context(), scene{name: "planted", about: "nobody stops", why: display.CarFull, sold: true, play: inTurn(charges(), passes(time.Minute))})
	if err == nil || strings.Count(out.String(), "BROKEN") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
	never := scene{name: "planted", about: "what never comes", play: becomes("pigs fly", time.Minute, func(*session.State) bool { return false })}
	if err := p.run(t.Context(), never); err == nil || !strings.Contains(err.Error(), "pigs fly") {
		t.Errorf("%v", err)
	}
}
