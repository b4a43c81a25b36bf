package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// simulate runs stolpe meter simulate and gives the address it prints.
func simulate(t *testing.T, s simulation) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var printed paper
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, &printed) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	last := regexp.MustCompile(`--url '?([^'\n]*)'?\n`)
	until(t, "the meter is served", func() bool {
		if m := last.FindStringSubmatch(printed.String()); m != nil {
			url = m[1]
		}
		return url != ""
	})
	return url
}

// What simulate says on any wire, read reads, and so does whoever reads what read
// prints.
func TestMeterIsReadOnAllWires(t *testing.T) {
	for name, row := range map[string]struct{ model, url, prefix string }{
		"sdm120 over TCP":           {"eastron_sdm120", "tcp://127.0.0.1:0", "tcp://127.0.0.1:"},
		"sdm120 on a serial line":   {"eastron_sdm120", "rtu:" + filepath.Join(t.TempDir(), "line") + "?parity=E", "rtu:///"},
		"sdm120 behind a converter": {"eastron_sdm120", "rtuovertcp://127.0.0.1:0", "rtuovertcp://127.0.0.1:"},
		"three phases":              {"abb_b23_b24", "tcp://:0", "tcp://127.0.0.1:"},
		"exponents":                 {"iskra_wm3m4", "tcp://127.0.0.1:0", "tcp://"},
		"its own map":               {"newcomer", "rtu:" + filepath.Join(t.TempDir(), "line"), "rtu:///"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, "newcomer.yaml", newcomer)
			url := simulate(t, simulation{model: row.model, url: row.url, unit: 7, serial: "22110345", power: 11_000, dir: dir})
			if !strings.HasPrefix(url, row.prefix) {
				t.Fatalf("served at %s", url)
			}
			args := []string{"meter", "read", "--model", row.model, "--url", url, "--unit", "7", "--serial", "22110345", "--meters", dir}
			got := command(args...)
			if got.code != 0 || !strings.HasPrefix(got.stderr, mapIn(t, dir, row.model).Brand) || !strings.Contains(got.stderr, "unit 7 at "+url) {
				t.Fatalf("%+v", got)
			}
			for _, want := range []string{`\nserial +22110345 +ok +\d+ ms\n`, `\nimport_total +10344\.\d\d\d kWh +ok `, `\npower_total +11000 W +ok `, `\nvoltage_l1 +230\.0 V +ok `, `\n(\d+) of \d+ values in \d+ ms\n$`} {
				if !regexp.MustCompile(want).MatchString(got.stdout) {
					t.Errorf("%s\nwant %s", got.stdout, want)
				}
			}
			var o readoutJSON
			got = command(append(args, "--json")...)
			if err := json.Unmarshal([]byte(got.stdout), &o); err != nil || got.code != 0 || got.stderr != "" {
				t.Fatalf("%+v, %v", got, err)
			}
			said := map[string]valueJSON{}
			for _, v := range o.Values {
				said[v.Name] = v
			}
			if v := said["power_total"]; !o.OK || o.Unit != 7 || o.URL != url || v.Number == nil || *v.Number != 11_000 || v.Unit != "W" || v.Quality != "ok" {
				t.Errorf("%s", got.stdout)
			}
		})
	}
}

func mapIn(t *testing.T, dir, model string) *meters.Map {
	t.Helper()
	library, err := meters.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := library.Find(model)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMeterIsReadAgainAndAgain(t *testing.T) {
	t.Parallel()
	url := simulate(t, simulation{model: "iskra_wm3m4", url: "tcp://127.0.0.1:0", unit: 1, serial: "22110345"})
	got := command("meter", "read", "--model", "iskra_wm3m4", "--url", url, "--json", "--repeat", "2")
	if got.code != 0 || strings.Count(got.stdout, "\n") != 2 || strings.Count(got.stdout, `"ok":true`) != 2 {
		t.Errorf("%+v", got)
	}
}

// An error says what to try next, and ends with 7.
func TestMeterThatDoesNotAnswerIsSeven(t *testing.T) {
	t.Parallel()
	url := simulate(t, simulation{model: "eastron_sdm120", url: "tcp://127.0.0.1:0", unit: 1, serial: "22110345"})
	line := simulate(t, simulation{model: "newcomer", url: "rtu:" + filepath.Join(t.TempDir(), "line"), unit: 1, serial: "22110345", dir: folder(t, "newcomer.yaml", newcomer)})
	port, _, _ := strings.Cut(line, "?")
	for name, row := range map[string]struct {
		args []string
		want []string
	}{
		"no serial port":   {[]string{"--model", "eastron_sdm120", "--url", "rtu:///dev/null"}, []string{"that is no serial port: ls -l /dev/serial/by-id"}},
		"a folder":         {[]string{"--model", "eastron_sdm120", "--url", "rtu:///dev/pts"}, []string{"that is no serial port: ls -l /dev/serial/by-id"}},
		"nobody listens":   {[]string{"--model", "eastron_sdm120", "--url", "tcp://" + refuser(t, "")}, []string{"refused", "usually at 502"}},
		"no such adapter":  {[]string{"--model", "eastron_sdm120", "--url", "rtu:///dev/none"}, []string{"no such file", "ls -l /dev/serial/by-id"}},
		"another unit":     {[]string{"--model", "eastron_sdm120", "--url", url, "--unit", "2"}, []string{"the gateway got no answer from unit 2: ", "; look at --unit, and"}},
		"another model":    {[]string{"--model", "iskra_wm3m4", "--url", url}, []string{"another meter answers", "stolpe meter list"}},
		"another serial":   {[]string{"--model", "eastron_sdm120", "--url", url, "--serial", "1"}, []string{`its serial is "22110345", want "1"`, "on its plate"}},
		"another speed":    {[]string{"--model", "eastron_sdm120", "--timeout", "1s", "--url", port + "?baud=1200"}, []string{"A and B", "stolpe meter scan --url " + port + " tries"}},
		"silent converter": {[]string{"--model", "eastron_sdm120", "--timeout", "1s", "--url", "rtuovertcp://" + babbler(t, "")}, []string{"pass bytes on", "parity"}},
		"nobody, as JSON":  {[]string{"--json", "--model", "eastron_sdm120", "--url", "tcp://" + refuser(t, "")}, []string{"usually at 502"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := command(append([]string{"meter", "read"}, row.args...)...)
			for _, want := range row.want {
				if got.code != 7 || !strings.Contains(got.stderr, want) {
					t.Errorf("%+v\nwant 7 and %q", got, want)
				}
			}
			if strings.Contains(name, "JSON") != strings.Contains(got.stdout, `"ok":false,"error":"`) {
				t.Errorf("%s", got.stdout)
			}
		})
	}
}

func TestAdviceOnANameThatIsNotKnown(t *testing.T) {
	err := fmt.Errorf("modbus: %w", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "meter", IsNotFound: true}})
	if got := advice("tcp://meter:502", err); got != "that name is not known; use the IP address" {
		t.Errorf("%q", got)
	}
}

func TestMeterReadUsage(t *testing.T) {
	t.Parallel()
	file := configured(t, t.TempDir(), simEVSEs, wiredEVSEs)
	mute := configured(t, t.TempDir(), "code: A12,", `code: A12, meter: {model: ddm18sd, url: "tcp://127.0.0.1:1", serial: "1"},`)
	for name, row := range map[string]struct {
		args string
		code int
		want string
	}{
		"nothing":           {"read", 2, "say which meter: --model and --url, or --config"},
		"model alone":       {"read --model eastron_sdm120", 2, "say which meter: --model and --url, or --config"},
		"both":              {"read --config x --model y --url z", 2, "none of the others can be"},
		"evse alone":        {"read --model eastron_sdm120 --url tcp://127.0.0.1:1 --evse 1", 2, "--evse: is for --config"},
		"no time":           {"read --model eastron_sdm120 --url tcp://127.0.0.1:1 --timeout 0s", 2, "want more than 0"},
		"never":             {"read --model eastron_sdm120 --url tcp://127.0.0.1:1 --repeat 0", 2, "want more than 0"},
		"no such model":     {"read --model sdm12 --url tcp://127.0.0.1:1", 10, "eastron_sdm120"},
		"no address":        {"read --model eastron_sdm120 --url 127.0.0.1:1", 2, "tcp://host:port"},
		"no unit":           {"read --model eastron_sdm120 --url tcp://127.0.0.1:1 --unit 0", 2, "want 1 to 247"},
		"no such file":      {"read --config /nowhere/stolpe.yaml", 6, "--config"},
		"which EVSE":        {"read --config " + file, 10, "has several EVSEs; add --evse 1 or --evse 2"},
		"no such EVSE":      {"read --config " + file + " --evse 3", 10, "has no EVSE 3; add --evse 1 or --evse 2"},
		"simulated":         {"read --config " + configured(t, t.TempDir()), 6, "model without url tries out a register map; to have one that can be read from outside: stolpe meter simulate, then stolpe meter read --model"},
		"mute serial":       {"read --model ddm18sd --url tcp://127.0.0.1:1 --serial 1", 2, "--serial 1: want it left out: meters of model ddm18sd cannot tell their serial"},
		"mute in config":    {"read --config " + mute, 6, ":5: evses[0].meter.serial: found \"1\"; want it left out: meters of model ddm18sd cannot"},
		"mute, asked for":   {"read --config " + mute + " --serial 2", 2, "--serial 2: want it left out"},
		"bad config":        {"read --config " + configured(t, t.TempDir(), "kwh: 549", "kwh: x"), 6, "price.kwh"},
		"simulate nothing":  {"simulate", 2, `required flag(s) "model"`},
		"simulate unit":     {"simulate --model eastron_sdm120 --unit 300", 2, "--unit 300"},
		"simulate serial":   {"simulate --model eastron_sdm120 --serial eastron", 2, "another --serial"},
		"simulate anywhere": {"simulate --model eastron_sdm120 --url udp://x", 2, "--url udp://x: want tcp://host:port"},
		"simulate speed":    {"simulate --model eastron_sdm120 --url rtu:/tmp/x?baud=fast", 2, `baud "fast": want one of [1200`},
		"simulate option":   {"simulate --model eastron_sdm120 --url rtu:/tmp/x?speed=9600", 2, `unknown key "speed": want baud, parity or stop`},
		"simulate no baud":  {"simulate --model eastron_sdm120 --url rtu:/tmp/x?baud=", 2, `baud "": want one of [1200`},
		"simulate baud 0":   {"simulate --model eastron_sdm120 --url rtu:/tmp/x?baud=0", 2, `baud "0": want one of [1200`},
		"simulate parity":   {"simulate --model eastron_sdm120 --url rtu:/tmp/x?parity=", 2, `parity "": want N (none)`},
		"simulate no path":  {"simulate --model eastron_sdm120 --url rtu:?baud=9600", 2, "rtu:PATH"},
		"simulate host":     {"simulate --model eastron_sdm120 --url rtu://tmp/x", 2, "rtu:PATH"},
		"simulate no port":  {"simulate --model eastron_sdm120 --url tcp://127.0.0.1", 2, "tcp://host:port"},
		"simulate port":     {"simulate --model eastron_sdm120 --url tcp://:70000", 2, "tcp://host:port"},
		"simulate path":     {"simulate --model eastron_sdm120 --url tcp://:0/meter", 2, "tcp://host:port"},
		"simulate no URL":   {"simulate --model eastron_sdm120 --url %", 2, "tcp://host:port"},
		"simulate 255":      {"simulate --model eastron_sdm120 --unit 255 --url rtu:/tmp/x", 2, "--unit 255: want 1 to 247"},
		"simulate source":   {"simulate --model eastron_sdm120 --power -1", 2, "--power -1: want 0 to 50000 W"},
		"simulate plant":    {"simulate --model eastron_sdm120 --power 50001", 2, "--power 50001: want 0 to 50000 W"},
		"simulate no map":   {"simulate --model none", 10, "stolpe meter list"},
	} {
		got := command(append([]string{"meter"}, strings.Fields(row.args)...)...)
		if got.code != row.code || !strings.Contains(got.stderr, row.want) || got.stdout != "" {
			t.Errorf("%s: %+v\nwant %d and %q", name, got, row.code, row.want)
		}
	}
}

// An address that is taken is told, and what was made for it is gone.
func TestSimulateAtAnAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := command("meter", "simulate", "--model", "eastron_sdm120", "--url", "tcp://"+l.Addr().String())
	if got.code != 1 || !strings.Contains(got.stderr, "address already in use; choose another --url") {
		t.Errorf("%+v", got)
	}
	file := write(t, "precious", "text")
	got = command("meter", "simulate", "--model", "eastron_sdm120", "--url", "rtu:"+file)
	if text, err := os.ReadFile(file); got.code != 1 || err != nil || string(text) != "text" {
		t.Errorf("%+v: %q, %v", got, text, err)
	}
}

// The meter of a configuration is read as the post would read it; a map that rests
// on little says what to do.
func TestMeterOfAConfigurationIsRead(t *testing.T) {
	t.Parallel()
	weak := strings.NewReplacer("confidence: medium", "confidence: low").Replace(newcomer)
	dir := folder(t, "newcomer.yaml", weak)
	url := simulate(t, simulation{model: "newcomer", url: "tcp://127.0.0.1:0", unit: 3, serial: "22110345", dir: dir})
	evses := `evses:
  - {id: 4, code: A12, meter: {model: newcomer, url: "` + url + `", unit: 3, serial: SERIAL}, contactor: {sim: true}, max_power_w: 22000}
`
	file := configured(t, t.TempDir(), simEVSEs, "meters_dir: "+dir+"\n"+strings.Replace(evses, "SERIAL", `"22110345"`, 1))
	got := command("meter", "read", "--config", file)
	if got.code != 0 || !strings.Contains(got.stdout, "power_total") || !strings.Contains(got.stderr, "meter.confirmed' MODEL") {
		t.Errorf("%+v", got)
	}
	file = configured(t, t.TempDir(), simEVSEs, "meters_dir: "+dir+"\n"+strings.Replace(evses, "SERIAL", `"22110345", confirmed: true`, 1))
	if got := command("meter", "read", "--config", file); got.code != 0 || strings.Contains(got.stderr, "meter.confirmed' MODEL") {
		t.Errorf("already confirmed: %+v", got)
	}
	file = configured(t, t.TempDir(), simEVSEs, "meters_dir: "+dir+"\n"+strings.Replace(evses, "SERIAL", `"1"`, 1))
	if got := command("meter", "read", "--config", file, "--evse", "4"); got.code != 7 || !strings.Contains(got.stderr, `want "1"`) {
		t.Errorf("%+v", got)
	}
}

// With nothing to interrupt it for, a simulated meter goes on; interrupted, it is
// done.
func TestInterruptedReadingIsToldAsSuch(t *testing.T) {
	t.Parallel()
	s, err := sim.ServeTCP("127.0.0.1:0", sim.Units{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := asked{model: "eastron_sdm120", url: s.URL(), unit: 1, repeat: 2, timeout: enough}
	var stdout, stderr paper
	m, err := a.source(ctx, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close() //nolint:errcheck // nothing was written
	if code := explain(&stderr, "stolpe", a.read(ctx, m, &stdout, &stderr)); code != exitStopped {
		t.Errorf("%d: %s", code, &stderr)
	}
}
