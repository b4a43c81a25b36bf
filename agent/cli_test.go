package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"stolpe/agent/config"
)

// postConfig is a post that is simulated as a whole and listens anywhere.
const postConfig = `post: {id: A12, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: STATE
evses:
  - {id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}
price: {currency: NOK, vat_bp: 2500, kwh: 549, idle: {after_minutes: 15, minute: 100, cap: 20000}}
reserve: {default: 35000, choices: [20000, 35000, 50000]}
payment: {through: sim}
web: {listen: "127.0.0.1:0"}
control: {dir: STATE/run}
`

// configured writes a configuration, with its state in a folder and some of its
// words replaced: old, new, old, new.
func configured(t *testing.T, state string, words ...string) (file string) {
	t.Helper()
	run := filepath.Join(state, "run")
	if len(run) > 80 || strings.ContainsAny(run, ",:") { // a socket is named in 80 characters, and this stands in YAML
		var err error
		if run, err = os.MkdirTemp("", "s"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(run) })
	}
	return write(t, "stolpe.yaml", strings.NewReplacer(append(words, "STATE/run", run, "STATE", state)...).Replace(postConfig))
}

func TestWrongUsageIsTwo(t *testing.T) {
	for _, row := range []struct {
		args, want string
		help       string // of this command
	}{
		{"sing", `unknown command "sing"`, "stolpe"},
		{"run --conf x", "unknown flag: --conf", "stolpe run"},
		{"run --config", "needs an argument", "stolpe run"},
		{"run now", `unknown command "now"`, "stolpe run"},
		{"demo --speed 0", "--speed 0: want 1 to 1000", "stolpe demo"},
		{"demo --speed -1", "--speed -1: want 1 to 1000", "stolpe demo"},
		{"demo --speed 1001", "--speed 1001: want 1 to 1000", "stolpe demo"},
		{"demo --speed fast", `"fast"`, "stolpe demo"},
		{"demo --json", "--once", "stolpe demo"},
		{"demo once", `unknown command "once"`, "stolpe demo"},
		{"version please", `unknown command "please"`, "stolpe version"},
		{"meter scan --url x", "want tcp://host:port", "stolpe meter scan"},
		{"--loud", "unknown flag: --loud", "stolpe"},
	} {
		got := command(strings.Fields(row.args)...)
		if got.code != 2 || !strings.Contains(got.stderr, row.want) || !strings.Contains(got.stderr, "stolpe: see "+row.help+" --help\n") || got.stdout != "" {
			t.Errorf("stolpe %s: %+v, want %q", row.args, got, row.want)
		}
	}
}

func TestAskedForHelpIsDone(t *testing.T) {
	for _, args := range []string{"", "completion bash", "--help", "help run", "run --help", "demo --help", "version"} {
		if got := command(strings.Fields(args)...); got.code != 0 || got.stdout == "" || got.stderr != "" {
			t.Errorf("stolpe %s: %+v", args, got)
		}
	}
	if got := command("version"); !strings.HasPrefix(got.stdout, "stolpe "+version+" ") {
		t.Errorf("version: %q", got.stdout)
	}
}

// What is wrong with a configuration is said with file, line, key, and what to
// write instead.
func TestBadConfigurationIsSix(t *testing.T) {
	for name, row := range map[string]struct {
		words []string // see configured
		want  []string
	}{
		"unknown key":     {[]string{"kwh: 549", "kwhh: 549"}, []string{":6: price.kwhh: ", "kwh"}},
		"kroner for øre":  {[]string{"kwh: 549", "kwh: 5.49"}, []string{":6: price.kwh: found 5.49; want a whole number", "549 is 5.49 kr"}},
		"no such choice":  {[]string{"default: 35000", "default: 36000"}, []string{":7: reserve.default: found 36000; want one of reserve.choices"}},
		"impossible id":   {[]string{"id: 1,", "id: 0,"}, []string{":5: evses[0].id: found 0; want"}},
		"not YAML":        {[]string{"payment: {", "payment: {{"}, []string{":8"}},
		"relative state":  {[]string{"STATE", "state"}, []string{":3: state_dir: ", "an absolute path"}},
		"no gateway":      {[]string{"through: sim", "through: gateway"}, []string{"mqtt: found nothing", ":8: payment.gateway.key: ", ":9: web: "}},
		"no keys":         {[]string{"through: sim", "through: vipps"}, []string{"payment.vipps", "client_secret", "web.public_url"}},
		"no such meter":   {[]string{"code: A12,", `code: A12, meter: {model: none, url: "tcp://127.0.0.1:1"},`}, []string{":5: evses[0].meter.model: found \"none\"; want a model that stolpe meter list has", "the nearest are"}},
		"weak map":        {[]string{"code: A12,", `code: A12, meter: {model: ddm18sd, url: "tcp://127.0.0.1:1"},`}, []string{":5: evses[0].meter.model: found \"ddm18sd\", whose register map rests on one weak source; want another, or ddm18sd as its confirmed"}},
		"mute meter":      {[]string{"code: A12,", `code: A12, meter: {model: ddm18sd, url: "tcp://127.0.0.1:1", serial: "1", confirmed: true},`}, []string{":5: evses[0].meter.serial: found \"1\"; want it left out: meters of model ddm18sd cannot tell their serial"}},
		"no such baud":    {[]string{"code: A12,", `code: A12, meter: {model: eastron_sdm630, url: "rtu:///dev/ttyS0?baud=9601&parity=N"},`}, []string{":5: evses[0].meter.url: found rtu:///dev/ttyS0?baud=9601", "9600"}},
		"no such unit":    {[]string{"code: A12,", `code: A12, meter: {model: eastron_sdm630, url: "rtu:///dev/ttyS0", unit: 255},`}, []string{":5: evses[0].meter: found unit 255 at rtu:///dev/ttyS0", "1 to 247"}},
		"no such folder":  {[]string{"evses:", "meters_dir: /nowhere/at/all\nevses:"}, []string{":4: meters_dir: found /nowhere/at/all; want a folder of register maps", "no such file"}},
		"two mistakes":    {[]string{"kwh: 549", "kwh: no", "NOK", "SEK"}, []string{"price.kwh", "price.currency"}},
		"of two EVSEs":    {[]string{simEVSEs, strings.NewReplacer("eastron_sdm630", "none", "line: GPIO17, sense: GPIO27", "sim: true", "line: gpiochip0/18, sense: GPIO28, active_low: true", "sim: true", "unit: 2", "unit: 255").Replace(wiredEVSEs)}, []string{":5: evses[0].meter.model: ", ":6: evses[1].meter.model: "}},
		"payer of no sim": {[]string{"through: sim", "through: sim, sim: {payer: sings}"}, []string{":8: payment.sim.payer: ", "approves"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := configured(t, t.TempDir(), row.words...)
			got := command("run", "--config", file)
			if got.code != 6 || !strings.Contains(got.stderr, file) || !strings.Contains(got.stderr, "nothing was started") {
				t.Errorf("%+v: want 6 and the name of the file", got)
			}
			for _, want := range row.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("%s\nwant %q", got.stderr, want)
				}
			}
		})
	}
}

func TestMissingConfigurationSaysWhatToWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none.yaml")
	got := command("run", "--config", file)
	if got.code != 6 || !strings.Contains(got.stderr, file) || !strings.Contains(got.stderr, "reference.yaml") || !strings.Contains(got.stderr, "--config") {
		t.Errorf("%+v", got)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{t.TempDir(), pipe, "/dev/zero"} {
		if got := command("run", "--config", file); got.code != 6 || !strings.Contains(got.stderr, file+": want a plain file; write one") {
			t.Errorf("%+v", got)
		}
	}
}

func TestDemoOnAnAddressInUseIsOne(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := command("demo", "--once", "--listen", l.Addr().String())
	if got.code != 1 || !strings.Contains(got.stderr, "--listen") {
		t.Errorf("demo: %+v", got)
	}
}

func TestExplainGivesTheCodeOfTheError(t *testing.T) {
	wrong := config.Error{File: "f", Line: 3, Key: "price.kwh", Found: "x", Allowed: "y"}
	for name, row := range map[string]struct {
		err  error
		code int
		text string
	}{
		"none":                  {nil, 0, ""},
		"of cobra":              {errors.New("unknown flag"), 2, "stolpe: unknown flag\nstolpe: see stolpe demo --help\n"},
		"while running":         {failed(errors.New("no disk")), 1, "stolpe: no disk\n"},
		"wrapped while running": {fmt.Errorf("a: %w", failed(errors.New("b"))), 1, "stolpe: a: b\n"},
		"with its own code":     {failed(coded{errors.New("interrupted"), exitStopped}), 130, "stolpe: interrupted\n"},
		"of the configuration":  {failed(fmt.Errorf("evse 1: %w", wrong)), 6, "f:3: price.kwh: found x; want y\nstolpe: nothing was started; put this right and start again\n"},
		"several of it":         {failed(config.Errors{wrong, wrong}), 6, "f:3: price.kwh: found x; want y\nf:3: price.kwh: found x; want y\nstolpe: nothing was started; put this right and start again\n"},
	} {
		var stderr paper
		if code := explain(&stderr, "stolpe demo", row.err); code != row.code || stderr.String() != row.text {
			t.Errorf("%s: %d %q, want %d %q", name, code, stderr.String(), row.code, row.text)
		}
	}
}
