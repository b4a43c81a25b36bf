package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// newcomer is a meter that no program of ours has ever heard of: two tariffs,
// little words, hundredths of a kWh.
const newcomer = `id: newcomer
brand: Nobody
models: [N1]
phases: 1
transports: [rtu, tcp]
function: 3
word_order: little
registers:
  import_total: {addr: 0x0100, type: uint32, unit: kWh, scale: 0.01, sum_with: [0x0110]}
  power_total: {addr: 0x0200, type: int32, unit: W}
  voltage_l1: {addr: 0x0210, type: uint16, unit: V, scale: 0.1}
identity:
  serial: {addr: 0x0300, type: string, length: 8}
serial_defaults: {baud: 19200, parity: E, stop_bits: 1, unit: 1}
limits: {max_registers: 20, max_response_ms: 1000}
resolution_wh: 10
confidence: medium
sources: [this test]
`

// folder makes a folder of register maps: name, text, name, text.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMeterListFitsAScreen(t *testing.T) {
	dir := folder(t, "newcomer.yaml", newcomer)
	got := command("meter", "list", "--meters", dir)
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	column := utf8.RuneCountInString(lines[0][:strings.Index(lines[0], "TRUST")])
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > 90 || strings.TrimRight(line, " ") != line {
			t.Errorf("%d characters: %q", n, line)
		}
	}
	got = command("meter", "list")
	for line := range strings.Lines(got.stdout) {
		if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > 80 || strings.TrimRight(line, " ") != line {
			t.Errorf("%d characters: %q", utf8.RuneCountInString(line), line)
		}
	}
	if strings.Contains(got.stdout, "FROM") || strings.Contains(got.stdout, "built in") {
		t.Errorf("tells where all maps are from:\n%s", got.stdout)
	}
	for _, id := range append(meters.Names(), "newcomer") {
		m, err := meters.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		one, err := m.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		from := "built in"
		if id == "newcomer" {
			from = "file"
		}
		found := 0
		for _, line := range lines {
			if runes := []rune(line); strings.HasPrefix(line, id+" ") {
				found++
				if tail := string(runes[column:]); strings.Join(strings.Fields(tail), " ") != one.Confidence+" "+from {
					t.Errorf("%s ends in %q", id, tail)
				}
			}
		}
		if found != 1 {
			t.Errorf("%s stands in %d lines", id, found)
		}
	}
}

func TestFactorySettingTellsWhatIsNotKnown(t *testing.T) {
	for want, s := range map[string]meters.SerialDefaults{
		"9600 baud, 8E1, unit 1":                                         {Baud: 9600, Parity: "E", StopBits: 1, Unit: 1},
		"9600 baud, parity and stop bits not known, unit not known":      {Baud: 9600},
		"speed not known, parity N, stop bits not known, unit 2":         {Parity: "N", Unit: 2},
		"speed not known, parity not known, stop bits 2, unit not known": {StopBits: 2},
	} {
		if got := factory(&s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestMeterListTellsAllOfOne(t *testing.T) {
	got := command("meter", "list", "abb_b23_b24")
	for _, want := range []string{
		"ABB B23, B24", "rtu", "10 Wh", "high", "built in", "even counts only: false", "import_total", "0x5000", "uint64", "Sources\n  ", "Notes\n  ",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%s\nwant %q", got.stdout, want)
		}
	}
	for line := range strings.Lines(got.stdout) {
		if strings.HasSuffix(line, " \n") {
			t.Errorf("spaces at the end of %q", line)
		}
	}
	for id, want := range map[string]string{
		"dzg_dvh4013": "less 0x", "siemens_pac3200": "plus 0x", "sunspec_213_float": "is 21", "eltako_dsz15_dsz16": "times 0.",
	} {
		if got := command("meter", "list", id); got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("%s: %+v\nwant %q", id, got, want)
		}
	}
}

// What a map says is all there as JSON, and what another program reads there is a
// map's own number.
func TestMeterListAsJSON(t *testing.T) {
	dir := folder(t, "newcomer.yaml", newcomer, "eastron_sdm630.yaml", strings.Replace(newcomer, "id: newcomer", "id: eastron_sdm630", 1))
	all, origins := 0, map[string]string{}
	d := json.NewDecoder(strings.NewReader(command("meter", "list", "--json", "--meters", dir).stdout))
	d.DisallowUnknownFields()
	for {
		var o model
		if err := d.Decode(&o); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all++
		origins[o.Model] = o.Origin
		if len(o.Sources) == 0 || o.Values["import_total"].Unit == "" || o.Values["power_total"].Function < 3 || o.Limits.MaxRegisters == 0 {
			t.Errorf("%+v", o)
		}
	}
	if all != len(meters.Names())+1 {
		t.Errorf("%d objects", all)
	}
	if origins["abb_b23_b24"] != "built in" || origins["newcomer"] != filepath.Join(dir, "newcomer.yaml") || !strings.Contains(origins["eastron_sdm630"], "in place of") {
		t.Errorf("%s, %s, %s", origins["abb_b23_b24"], origins["newcomer"], origins["eastron_sdm630"])
	}
	var one model
	if err := json.Unmarshal([]byte(command("meter", "list", "--json", "--meters", dir, "newcomer").stdout), &one); err != nil {
		t.Fatal(err)
	}
	if r := one.Values["import_total"]; r.Addr != 0x100 || r.Scale != 0.01 || len(r.SumWith) != 1 || r.SumWith[0] != 0x110 || one.StepWh != 10 || one.Factory.Baud != 19200 {
		t.Errorf("%+v", one)
	}
}

func TestMeterListSaysWhatToDo(t *testing.T) {
	bad := folder(t, "newcomer.yaml", strings.Replace(newcomer, "phases: 1", "phases: 2", 1))
	for name, row := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"no such model": {[]string{"list", "sdm63"}, 10, []string{"eastron_sdm630", "stolpe meter list"}},
		"bad file":      {[]string{"list", "--meters", bad}, 6, []string{"newcomer.yaml: line 4", "phases", "put this right"}},
		"no folder":     {[]string{"list", "--meters", filepath.Join(bad, "none")}, 6, []string{"no such file", "put this right"}},
		"two models":    {[]string{"list", "a", "b"}, 2, []string{"accepts at most 1 arg"}},
		"no command":    {[]string{"sing"}, 2, []string{`unknown command "sing" for "stolpe meter"`}},
	} {
		got := command(append([]string{"meter"}, row.args...)...)
		for _, want := range row.want {
			if got.code != row.code || got.stdout != "" || !strings.Contains(got.stderr, want) {
				t.Errorf("%s: %+v, want %d and %q", name, got, row.code, want)
			}
		}
	}
	if got := command("meter"); got.code != 0 || !strings.Contains(got.stdout, "simulate") {
		t.Errorf("%+v", got)
	}
}

// Every model can be simulated, with the serial that simulate has by itself.
func TestEveryModelCanBeSimulated(t *testing.T) {
	for _, id := range meters.Names() {
		m, err := meters.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		s := simulation{model: id, serial: "22110345", power: 11_000}
		if err := canShow(m, s.rig(m)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A meter that has no mains voltage shows none, and one that is silent is silent.
func TestPlayedMeterFollowsItsBench(t *testing.T) {
	m, err := meters.Parse("newcomer.yaml", []byte(newcomer))
	if err != nil {
		t.Fatal(err)
	}
	var clock sim.Clock
	rig := sim.NewRig(sim.Setup{Serial: "22110345"}, clock.Now)
	meter := play(m, rig)
	volts := func() ([]byte, byte, bool) { return meter.Registers(nil, 3, 0x0210, 1) }
	if b, code, answers := volts(); !answers || code != 0 || string(b) != "\x02\x08\xfc" {
		t.Errorf("% x, %d, %v: want 2300 tenths of a volt", b, code, answers)
	}
	fault := func(f sim.Faults) { rig.Do(func(b *sim.Bench, now time.Duration) { b.Fault(now, f) }) }
	fault(sim.Faults{NoSupply: true})
	if b, code, answers := volts(); !answers || code != 0 || string(b) != "\x02\x00\x00" {
		t.Errorf("% x, %d, %v: want no voltage", b, code, answers)
	}
	fault(sim.Faults{Silent: true})
	if _, _, answers := volts(); answers {
		t.Error("a silent meter answers")
	}
	fault(sim.Faults{})
	rig.Do(func(b *sim.Bench, now time.Duration) { b.SwapMeter(now, strings.Repeat("9", 17), 0) })
	if _, code, answers := volts(); !answers || code != deviceFailure {
		t.Errorf("with a serial that does not fit: %d, %v", code, answers)
	}
}
