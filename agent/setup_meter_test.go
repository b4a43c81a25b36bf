package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/agent/setup"
	"stolpe/display"
)

// realPost are the flags of a post with a meter at url.
func realPost(dir, url string, more ...string) []string {
	return append([]string{
		"setup", "--config", filepath.Join(dir, "a.yaml"), "--post-id", "A12", "--post-name", "Storgata 1", "--post-helpdesk", "+47 22 00 00 00", "--seller-name", "Eksempel Lading AS",
		"--seller-org-no", "999999999", "--meter-url", url, "--contactor-line", "GPIO17", "--contactor-sense", "GPIO27", "--inputs-estop", "GPIO24", "--inputs-plug", "GPIO22",
		"--price-kwh", "5.49", "--payment-through", "sim", "--state-dir", filepath.Join(dir, "state"), "--web-listen", "127.0.0.1:0",
	}, more...)
}

// A meter of which only the address is known is found, pinned by its serial, and
// compared with its display; one that shows something else is not taken.
func TestSetupFindsAndComparesTheMeter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url := simulate(t, simulation{model: "eastron_sdm120", url: "tcp://127.0.0.1:0", unit: 3, serial: "22110345", power: 0})
	read := command("meter", "read", "--url", url, "--unit", "3", "--model", "eastron_sdm120", "--json")
	var r readoutJSON
	if err := json.Unmarshal([]byte(read.stdout), &r); err != nil {
		t.Fatal(err, read)
	}
	var register int64
	for _, v := range r.Values {
		if v.Name == "import_total" {
			register = *v.Number
		}
	}
	wrong := fmt.Sprintf("%d.00", register/1000*10+50)
	got := command(realPost(dir, url, "--meter-shown", wrong, "--skip", "close,press,pay,selftest")...)
	if got.code != exitDevice || !strings.Contains(got.stderr, "the post reads") || !strings.Contains(got.stderr, "--resume") {
		t.Fatalf("%+v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.yaml")); err == nil {
		t.Error("a configuration is written with a meter that does not agree")
	}
	shown := fmt.Sprintf("%d,%02d", register/1000, register%1000/10)
	got = command("setup", "--config", filepath.Join(dir, "a.yaml"), "--resume", "--meter-shown", shown, "--skip", "close,press,pay,selftest")
	if got.code != 0 {
		t.Fatalf("%+v", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "a.yaml"))
	for _, want := range []string{"unit: 3\n", `serial: "22110345"`, `model: "eastron_sdm120"`, "confirmed: eastron_sdm120", "estop: \"GPIO24\""} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("no %s: %v\n%s", want, err, text)
		}
	}
	report, err := os.ReadFile(filepath.Join(dir, "a.commissioning.txt"))
	for _, want := range []string{"eastron_sdm120 22110345", shown + " kWh", "Contactor test         SKIPPED"} {
		if err != nil || !strings.Contains(string(report), want) {
			t.Errorf("no %s: %v\n%s", want, err, report)
		}
	}
}

// stand is a post that only says what a test wants it to say.
type stand struct {
	mu     sync.Mutex
	asked  []string // names of routes, in order
	passes bool     // its contactor
	file   string   // what it goes by, once it is told to
	late   int      // how often it says so only later
}

// goes is what it goes by: it takes the file over a little after it is told to.
func (s *stand) goes(context.Context, control.Caller, json.RawMessage) (any, error) {
	text, err := os.ReadFile(s.file)
	sum := sha256.Sum256(text)
	p := map[string]string{"file": s.file, "cfg": hex.EncodeToString(sum[:6]), "running": "before"}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.asked, "reload") {
		if s.late--; s.late < 0 {
			p["running"] = p["cfg"]
		}
	}
	return p, err
}

func (s *stand) did(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name)
}

func (s *stand) routes() []control.Route {
	answer := func(name string, changes bool, v any) control.Route {
		least := control.Viewer
		if changes {
			least = control.Technician
		}
		return control.Route{Name: name, Least: least, Changes: changes, Do: func(context.Context, control.Caller, json.RawMessage) (any, error) {
			s.did(name)
			return v, nil
		}}
	}
	return []control.Route{
		answer("status", false, map[string]any{}), answer("reload", true, nil), answer("service/out", true, nil), answer("service/in", true, nil),
		answer("contactor", false, map[string]any{"evses": []contactorNow{{EVSE: 1}}}),
		answer("contactor/test", true, tried{EVSE: 1, Passed: s.passes, Steps: []triedStep{{"close", s.passes, "sensed closed after 38 ms"}}}),
		answer("payment/ping", false, pingJSON{Looked: []pinged{{What: "token", State: pingOK}, {What: "webhook", State: pingOff}}}),
		answer("facts", false, doctor.Daemon{}), {Name: "config", Least: control.Technician, Do: s.goes},
		{Name: "inputs", Follow: func(_ context.Context, _ control.Caller, args json.RawMessage, send func(any) error) error {
			for _, x := range [][2]string{{"released", "out"}, {"pressed", "out"}, {"released", "in"}, {"released", "out"}} {
				if err := send(map[string]any{"evses": []wiresNow{{1, []wireNow{{"sense", "GPIO27", "open", true}, {"plug", "GPIO22", x[1], true}, {"estop", "GPIO24", x[0], x[0] == "released"}}}}}); err != nil {
					return err
				}
				if strings.Contains(string(args), "once") {
					return nil
				}
			}
			return errors.New("nobody moves anything any more")
		}},
	}
}

// serve serves it, and gives the folder of its sockets.
func (s *stand) serve(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	server, err := control.Listen(control.Options{Dir: dir, Routes: s.routes(), Log: slog.New(slog.DiscardHandler), Note: func(control.Record) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		os.RemoveAll(dir)
	})
	return dir
}

// The daemon that runs takes the new configuration, and does the tests; a post whose
// contactor does not pass stays out of service.
func TestSetupTestsThroughTheDaemon(t *testing.T) {
	t.Parallel()
	url := simulate(t, simulation{model: "eastron_sdm120", url: "tcp://127.0.0.1:0", unit: 1, serial: "1", power: 0})
	for _, passes := range []bool{true, false} {
		dir := t.TempDir()
		s := &stand{passes: passes, file: filepath.Join(dir, "a.yaml"), late: 1}
		got := command(realPost(dir, url, "--control-dir", s.serve(t), "--yes", "--skip", "meter,selftest", "--meter-model", "eastron_sdm120", "--lang", "en")...)
		back := strings.Contains(strings.Join(s.asked, " "), "service/in")
		if want := map[bool]int{true: 0, false: exitDevice}[passes]; got.code != want || back != passes {
			t.Errorf("passes %t: back in service %t, %+v", passes, back, got)
		}
		if s.asked[1] != "reload" || s.late >= 0 {
			t.Errorf("%v: want the new configuration taken first, and waited for", s.asked)
		}
		if passes && !strings.Contains(got.stderr, "EVSE 1 plug, EVSE 1 estop: read and not worked") {
			t.Errorf("%+v: want it said that nobody has worked the inputs", got)
		}
		if !passes && !strings.Contains(got.stderr, "stays out of service") {
			t.Errorf("%+v", got)
		}
	}
}

// A daemon that goes by another file has nothing of it tested in the name of this one.
func TestSetupTestsNoOtherPost(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(other, []byte("another post"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &stand{passes: true, file: other}
	got := command("setup", "--config", filepath.Join(dir, "a.yaml"), "--simulated", "--control-dir", s.serve(t), "--yes", "--lang", "en")
	if got.code != exitRefused || !strings.Contains(got.stderr, "goes by "+other) || len(s.asked) != 1 {
		t.Errorf("%+v, and it was asked for %v", got, s.asked)
	}
}

// An input has been worked once it has moved and come back; one that does not is told of
// with its line.
func TestInputsAreWorked(t *testing.T) {
	t.Parallel()
	s := &stand{}
	post := control.Dial(s.serve(t))
	var said paper
	f := &fitting{lang: display.EN, stderr: &headed{Writer: &said}, progress: setup.NewProgress()}
	for name, says := range map[string]string{"plug": "out", "estop": "released"} {
		if err := f.press(t.Context(), post, 1, wireNow{Name: name, Line: "GPIO9", Says: says}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.press(t.Context(), post, 1, wireNow{Name: "sense", Line: "GPIO27", Says: "open"}); err == nil {
		t.Error("a wire that has not moved has been worked")
	}
	if text := said.String(); !strings.Contains(text, "Press the emergency stop") || !strings.Contains(text, "    pressed\n") {
		t.Errorf("%s", text)
	}
}
