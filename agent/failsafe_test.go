package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"stolpe/agent/config"
	"stolpe/hal/gpio"
)

// wiredEVSEs are two real contactors, one of them on a board that
// closes on low, and meters that are never asked.
const wiredEVSEs = `evses:
  - {id: 1, code: A12, meter: {model: eastron_sdm630, url: "tcp://127.0.0.1:1"}, contactor: {line: GPIO17, sense: GPIO27}, max_power_w: 22000}
  - {id: 2, code: B12, meter: {model: eastron_sdm630, url: "tcp://127.0.0.1:1", unit: 2}, contactor: {line: gpiochip0/18, sense: GPIO28, active_low: true}, max_power_w: 22000}
`

const simEVSEs = `evses:
  - {id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}
`

// sure is a configuration with these EVSEs.
func sure(evses string) string {
	return strings.NewReplacer(simEVSEs, evses, "STATE", "/var/lib/stolpe").Replace(postConfig)
}

// relays counts what failsafe asks of the lines.
type relays struct {
	opened []string
	broken error
}

func (r *relays) open(specs ...string) error {
	r.opened = append(r.opened, specs...)
	return r.broken
}

func TestFailsafeOpensWhatItFinds(t *testing.T) {
	const none = "absent"
	for name, row := range map[string]struct {
		lines, config string // texts; none for no file
		broken        error
		opened        string
		code          int
		says          string
	}{
		"lines":                       {"# post\nGPIO17 # left\n\n !gpiochip0/18\t\r\n", none, nil, "GPIO17 !gpiochip0/18", 0, "open: GPIO17, !gpiochip0/18\n"},
		"lines win":                   {"GPIO5\n", wiredEVSEs, nil, "GPIO5", 0, "open: GPIO5\n"},
		"lines of a simulated post":   {"# none\n", none, nil, "", 0, "no contactor is configured, none was opened\n"},
		"configuration":               {none, wiredEVSEs, nil, "GPIO17 !gpiochip0/18", 0, "open: GPIO17, !gpiochip0/18\n"},
		"simulated configuration":     {none, simEVSEs, nil, "", 0, "no contactor is configured"},
		"torn lines, configuration":   {"GPIO17\n\x00\x00\x00", wiredEVSEs, nil, "GPIO17 !gpiochip0/18", 0, "open: "},
		"torn lines, others":          {"GPIO5\n\x00\x00\x00", wiredEVSEs, nil, "GPIO5 GPIO17 !gpiochip0/18", 0, "open: GPIO5, GPIO17"},
		"torn lines, of no use":       {"GPIO5\nGPI", simEVSEs, nil, "GPIO5", 0, "open: GPIO5\n"},
		"as it is driven now":         {"!GPIO17\nGPIO18\nGPIO28\nx", wiredEVSEs, nil, "GPIO17 !gpiochip0/18", 0, "open: "},
		"empty lines, configuration":  {"", wiredEVSEs, nil, "GPIO17 !gpiochip0/18", 0, "open: "},
		"no lines, configuration":     {"# none\n", wiredEVSEs, nil, "GPIO17 !gpiochip0/18", 0, "open: "},
		"empty lines":                 {" \n", none, nil, "", 6, "contactors: found an empty file; want at least the line"},
		"no chip":                     {"GPIO17\n", none, fmt.Errorf("gpio: %w", gpio.ErrNoChip), "GPIO17", 7, "no GPIO chip (no /dev/gpiochip*), so no contactor can be switched; run this at the post"},
		"torn lines":                  {"GPIO17\nGPI", none, nil, "GPIO17", 6, `contactors:2: found "GPI"; want a line such as GPIO17`},
		"neither":                     {none, none, nil, "", 6, "contactors: no such file"},
		"invalid configuration":       {none, "evses: []\n", nil, "", 6, "stolpe.yaml:4: evses: found 0 entries"},
		"a line that does not open":   {"GPIO17\nGPIO5\n", none, syscall.EBUSY, "GPIO17 GPIO5", 7, "device or resource busy; if the daemon still runs, stop it first"},
		"torn, and one does not open": {"GPIO17\nx\n", none, syscall.EBUSY, "GPIO17", 7, `busy; ` + "DIR" + `/contactors:2: found "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put := func(name, text string) string {
				file := filepath.Join(dir, name)
				if text != none {
					if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				return file
			}
			file := put("stolpe.yaml", row.config)
			if row.config != none {
				file = put("stolpe.yaml", sure(row.config))
			}
			r := &relays{broken: row.broken}
			var stdout, stderr paper
			opened, err := failsafe(put(linesName, row.lines), file, r.open)
			if err == nil {
				fmt.Fprintln(&stdout, openedText(opened))
			}
			code := explain(&stderr, "stolpe", err)
			if got := strings.Join(r.opened, " "); got != row.opened || code != row.code {
				t.Errorf("opened %q, exit %d: want %q, %d\n%s", got, code, row.opened, row.code, &stderr)
			}
			if told := stdout.String() + stderr.String(); !strings.Contains(told, strings.ReplaceAll(row.says, "DIR", dir)) || (code == 0) == (stderr.String() != "") {
				t.Errorf("told %q: want %q", told, row.says)
			}
			if code != 0 && (strings.Count(stderr.String(), "breaker") != 1 || strings.Count(stderr.String(), "--config") > 1) {
				t.Errorf("does not say what to do, once: %q", stderr.String())
			}
		})
	}
}

// Nothing that a path leads to can keep failsafe waiting.
func TestFailsafeWaitsForNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, "/dev/zero", dir} {
		got := command("failsafe", "--lines", path, "--config", path)
		if got.code != 6 || got.stdout != "" || !strings.Contains(got.stderr, path+": want a plain file") {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// A secret that is missing, or that would have to be waited for, opens no
// contactor, and keeps none from being opened.
func TestFailsafeNeedsNoSecrets(t *testing.T) {
	file := configured(t, t.TempDir(), simEVSEs, wiredEVSEs, "through: sim",
		`through: vipps, vipps: {msn: "123456", client_id: "file:/none", client_secret: "env:NONE", subscription_key: "credential:none"}`,
		`"127.0.0.1:0"`, `"127.0.0.1:0", public_url: "https://lad.example.no"`)
	if c, err := withoutSecrets(file); err != nil || strings.Join(specsOf(c), " ") != "GPIO17 !gpiochip0/18" {
		t.Errorf("%v, %v", specsOf(c), err)
	}
}

// On a machine without GPIO a line cannot be opened, and a post without real
// contactors has nothing to open.
func TestFailsafeCommand(t *testing.T) {
	file := configured(t, t.TempDir(), simEVSEs, wiredEVSEs)
	got := command("failsafe", "--config", file)
	if chips, _ := filepath.Glob("/dev/gpiochip*"); len(chips) == 0 && (got.code != 7 || got.stdout != "" || strings.Count(got.stderr, "\n") != 1) {
		t.Errorf("%+v", got)
	}
	got = command("failsafe", "--config", configured(t, t.TempDir()))
	if got.code != 0 || got.stdout != "no contactor is configured, none was opened\n" || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}

// A mistake in the configuration leaves no contactor as it is.
func TestRunOpensWhatWasNotedWhenItCannotStart(t *testing.T) {
	file := configured(t, t.TempDir(), "kwh: 549", "kwh: x")
	if got := command("run", "--config", file); got.code != 6 || strings.Contains(got.stderr, "gpio") {
		t.Errorf("nothing noted: %+v", got)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), linesName), []byte("nochip/17\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := command("run", "--config", file)
	if got.code != 6 || !strings.Contains(got.stderr, "stolpe: gpio: ") || !strings.Contains(got.stderr, "price.kwh") {
		t.Errorf("a line that this machine does not have: %+v", got)
	}
}

// Of what an earlier start has noted, all is opened that this one does not drive.
func TestRunOpensWhatIsNoLongerConfigured(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end() // so that the daemon ends by itself
	for lines, want := range map[string]int{"nochip/17\n": 1, "": 0, "# none\n": 0} {
		file := configured(t, t.TempDir())
		var said paper
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), linesName), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := runAgain(ended, machineTime(), file, &said); err != nil || strings.Count(said.String(), "stolpe: gpio: ") != want {
			t.Errorf("%q: %v, %s", lines, err, &said)
		}
	}
	file := configured(t, t.TempDir(), simEVSEs, wiredEVSEs)
	var stderr paper
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), linesName), []byte("!GPIO17\ngpiochip0/28\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if openNoted(file, load(t, file), &stderr); stderr.String() != "" {
		t.Errorf("a line in use was asked for: %s", &stderr)
	}
}

func load(t *testing.T, file string) config.Config {
	t.Helper()
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What run writes down, failsafe opens; and no card is worn by writing it again.
func TestLinesAreWrittenDownOnce(t *testing.T) {
	file := configured(t, t.TempDir(), simEVSEs, wiredEVSEs)
	path := filepath.Join(filepath.Dir(file), linesName)
	var log paper
	note := func(file string) os.FileInfo {
		t.Helper()
		noteLines(load(t, file), file, slog.New(slog.NewTextHandler(&log, nil)))
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	first := note(file)
	if specs, err := readLines(path); err != nil || !slices.Equal(specs, []string{"GPIO17", "!gpiochip0/18"}) {
		t.Errorf("%q, %v", specs, err)
	}
	if again := note(file); !os.SameFile(first, again) || again.ModTime() != first.ModTime() {
		t.Error("written again although nothing has changed")
	}
	if err := os.WriteFile(file, []byte(sure(strings.Replace(wiredEVSEs, "GPIO17", "GPIO6", 1))), 0o600); err != nil {
		t.Fatal(err)
	}
	if note(file); !strings.Contains(readAll(t, path), "\nGPIO6\n!gpiochip0/18\n") {
		t.Errorf("after a change: %q", readAll(t, path))
	}
	if err := os.WriteFile(file, []byte(sure(simEVSEs)), 0o600); err != nil {
		t.Fatal(err)
	}
	if note(file); strings.Contains(readAll(t, path), "\nGPIO") || readAll(t, path) == "" {
		t.Errorf("after the last real contactor is gone: %q", readAll(t, path))
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 2 || log.String() != "" {
		t.Errorf("%v left behind, %v\n%s", names, err, &log)
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSimulatedPostWritesNoLines(t *testing.T) {
	file := configured(t, t.TempDir())
	noteLines(load(t, file), file, slog.New(slog.DiscardHandler))
	if _, err := os.Stat(filepath.Join(filepath.Dir(file), linesName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// A folder that cannot be written is told, with what to do, and stops nothing.
func TestLinesThatCannotBeWrittenAreTold(t *testing.T) {
	file := configured(t, t.TempDir(), simEVSEs, wiredEVSEs)
	c := load(t, file)
	var log paper
	noteLines(c, filepath.Join(file, "stolpe.yaml"), slog.New(slog.NewTextHandler(&log, nil)))
	for _, want := range []string{"level=WARN", "not a directory", "remedy=", "GPIO17 !gpiochip0/18"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s\nwant %q", &log, want)
		}
	}
	// A folder in the way of the file: nothing is left behind.
	path := filepath.Join(t.TempDir(), linesName)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeLines(path, []byte("# x\nGPIO17\n")); err == nil {
		t.Error("a folder was replaced")
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
}
