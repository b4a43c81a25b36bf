package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/hal/modbus"
	"stolpe/hal/sim"
)

// A scan finds a meter on a line of which only the speed is known, and what it says
// to write is what stolpe meter read and stolpe run take.
func TestScanFindsWhatToWrite(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		serve, ask string
		unit       int
	}{
		"serial line": {"rtu:%s?baud=19200&parity=E", "rtu://%s?baud=19200&parity=E", 3},
		"gateway":     {"tcp://127.0.0.1:0", "", 17},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, ask := row.serve, row.ask
			if strings.Contains(at, "%s") {
				link := filepath.Join(t.TempDir(), "line")
				at, ask = fmt.Sprintf(at, link), fmt.Sprintf(ask, link)
			}
			url := simulate(t, simulation{model: "eastron_sdm120", url: at, unit: row.unit, serial: "22110345", power: 11_000})
			if ask == "" {
				ask = url
			}
			got := scanned(ask)
			line := fmt.Sprintf(`meter: {model: eastron_sdm120, url: %q, unit: %d, serial: "22110345"}`, url, row.unit)
			for _, want := range []string{"says it is Eastron SDM120-Modbus (eastron_sdm120)\n", "voltage l1 230.0 V", "\n    " + line + "\n"} {
				if got.code != 0 || !strings.Contains(got.stdout, want) {
					t.Fatalf("%+v\nwant %q", got, want)
				}
			}
			if !strings.HasPrefix(got.stderr, "trying ") || strings.ContainsAny(got.stderr, "\r\x1b") {
				t.Errorf("progress %q: want a line for each setting", got.stderr)
			}
			evse := "evses:\n  - {id: 1, code: A12, " + line + ", contactor: {sim: true}, max_power_w: 22000}\n"
			if got := command("meter", "read", "--config", configured(t, t.TempDir(), simEVSEs, evse)); got.code != 0 {
				t.Errorf("what was to be written: %+v", got)
			}
		})
	}
}

// scanned scans as somebody does who knows that there is a meter. The simulated one runs
// on the machine of the tests; when that is busy it answers later than a hasty scan waits.
func scanned(url string) said {
	const enough = 10
	got := command("meter", "scan", "--url", url)
	for range enough {
		if got.code != exitDevice {
			break
		}
		got = command("meter", "scan", "--url", url)
	}
	return got
}

func TestScanAsJSON(t *testing.T) {
	t.Parallel()
	url := simulate(t, simulation{model: "abb_b23_b24", url: "tcp://127.0.0.1:0", unit: 9, serial: "22110345"})
	got := command("meter", "scan", "--json", "--url", url)
	var o foundJSON
	if err := json.Unmarshal([]byte(got.stdout), &o); err != nil || got.code != 0 || strings.Contains(got.stdout, `\u0026`) {
		t.Fatalf("%+v, %v", got, err)
	}
	is := func(c candidateJSON) bool { return c.Model == "abb_b23_b24" && len(c.Values) > 0 } // ABB's A series has the same registers
	if o.Unit != 9 || o.URL != url || !slices.ContainsFunc(o.Candidates, is) || !strings.HasPrefix(o.Config, "meter: {model: abb_") {
		t.Errorf("%s", got.stdout)
	}
}

func TestScanThatFindsNothingIsSeven(t *testing.T) {
	t.Parallel()
	empty, err := sim.ServeTCP("127.0.0.1:0", sim.Units{})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	for name, row := range map[string]struct {
		args string
		code int
		want string
	}{
		"empty bus":  {"--url " + empty.URL(), 7, "no meter was found; is it on"},
		"no adapter": {"--url rtu:///dev/none", 7, "ls -l /dev/serial/by-id"},
		"no gateway": {"--url tcp://" + refuser(t, ""), 7, "usually at 502"},
		"no address": {"--url 9600", 2, "want tcp://host:port"},
		"nothing":    {"", 2, `required flag(s) "url"`},
		"no folder":  {"--url " + empty.URL() + " --meters /nowhere/at/all", 6, "no such file"},
	} {
		got := command(append([]string{"meter", "scan"}, strings.Fields(row.args)...)...)
		if got.code != row.code || got.stdout != "" || !strings.Contains(got.stderr, row.want) {
			t.Errorf("%s: %+v\nwant %d and %q", name, got, row.code, row.want)
		}
	}
}

// A setting in the address narrows the search, and may be what is wrong.
func TestScanOfOneSettingThatFindsNothingSaysSo(t *testing.T) {
	const leave = "Leave baud and parity out of --url to try them all. Some meters answer late: add --patient"
	if got := (scan{url: "rtu:///dev/ttyS0?baud=9600"}).nothing(); !strings.HasSuffix(got, "? "+leave) {
		t.Errorf("%q", got)
	}
	if got := (scan{url: "rtu:///dev/ttyS0"}).nothing(); strings.Contains(got, "Leave") {
		t.Errorf("%q", got)
	}
}

// What rests on little is told where it is proposed.
func TestScanThatFindsAWeakMapSaysSo(t *testing.T) {
	t.Parallel()
	dir := folder(t, "newcomer.yaml", strings.NewReplacer("confidence: medium", "confidence: low").Replace(newcomer))
	url := simulate(t, simulation{model: "newcomer", url: "tcp://127.0.0.1:0", unit: 3, serial: "22110345", dir: dir})
	got := command("meter", "scan", "--url", url, "--meters", dir)
	if got.code != 0 || !strings.Contains(got.stdout, "(newcomer)") || strings.Count(got.stderr, "meter.confirmed' MODEL") != 1 {
		t.Errorf("%+v", got)
	}
	dir = folder(t, "newcomer.yaml", newcomer)
	if got := command("meter", "scan", "--url", url, "--meters", dir); got.code != 0 || strings.Contains(got.stderr, "confirmed") {
		t.Errorf("%+v", got)
	}
}

func TestInterruptedScanIsToldAsSuch(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr paper
	err := scan{url: "tcp://" + babbler(t, "")}.run(ctx, &stdout, &stderr)
	if code := explain(&stderr, "stolpe", err); code != exitStopped || !strings.Contains(stderr.String(), "interrupted; 0 meters were found") {
		t.Errorf("%d: %s", code, &stderr)
	}
}

// On a terminal there is one line, which is gone at the end.
func TestProgressOnATerminalIsOneLine(t *testing.T) {
	var out paper
	p := &progress{out: &out, terminal: true}
	p.show(modbus.Progress{Where: "9600 8N1", Unit: 12, Share: 0.126, Left: 90 * time.Second, Found: 1})
	p.clear()
	if got := out.String(); got != "\r\x1b[K9600 8N1, unit 12, 1 found, 13 % done, at most 1m30s left\r\x1b[K" {
		t.Errorf("%q", got)
	}
}

// A meter that nobody has a map of is told as such, and one that may be several as
// each of them.
func TestScanTellsWhatItDoesNotKnow(t *testing.T) {
	var out paper
	library, err := loadMeters("")
	if err != nil {
		t.Fatal(err)
	}
	if err := (scan{}).print(&out, library, modbus.Found{URL: "tcp://x:1", Unit: 4}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "unit 4 at tcp://x:1\n  answers, and is like no meter of which there is a map; one may be added with --meters\n" {
		t.Errorf("%q", got)
	}
	out = paper{}
	doubtful := modbus.Candidate{Model: "eastron_sdm220", Doubts: []string{"frequency: 5 mHz: want 45 to 65 Hz"}}
	f := modbus.Found{URL: "tcp://x:1", Unit: 4, Candidates: []modbus.Candidate{doubtful, {Model: "eastron_sdm230"}, {Model: "a"}, {Model: "b"}, {Model: "c"}}}
	if err := (scan{}).print(&out, library, f); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"  is like Eastron SDM220-Modbus (eastron_sdm220)\n", "    but frequency: 5 mHz", "  or is like Eastron SDM230", "  or is like b (b)\n"} {
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "(c)") {
			t.Errorf("%s\nwant %q, and not the last", got, want)
		}
	}
}
