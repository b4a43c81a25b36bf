package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"stolpe/cross/rules"
)

// The house: which packages are words, which are pure, and what may be bigger
// than the rest. A row here needs a reason.

// layers: whatever is not listed is a doer, which imports words and the parts
// in its own folder.
func layers() rules.Layers {
	return rules.Layers{
		Words: map[string][]string{
			"hal":           {},
			"payment":       {"hal"},
			"display":       {"hal", "payment"},
			"agent/session": {"hal", "payment", "display"},

			"agent/doctor":     {"hal", "payment", "display"},
			"agent/telemetry":  {"hal", "payment", "display"},
			"payment/envelope": {},
			"agent/plain":      {},

			"display/qr":    {},
			"display/panel": {"hal", "payment", "display", "display/qr"},

			"agent/setup": {"hal", "payment", "display"},
			"agent/help":  {"display", "agent/doctor", "agent/session"},

			"agent/telemetry/fleet": {"hal", "payment", "display", "agent/session", "agent/telemetry"},
		},
		Builder: "cross",
	}
}

// pure lists the packages that have no I/O, no chance and no clock: what they
// say depends on nothing but what they are given.
func pure() []string {
	return []string{"hal", "payment", "display", "display/panel", "display/qr", "agent/session", "agent/session/script", "agent/doctor", "agent/telemetry", "agent/telemetry/fleet", "agent/setup", "agent/help", "hal/raspberry"}
}

// modules lists what comes from outside. Modules without a package of their own
// are for tests and for this tool.
func modules() []rules.Module {
	return []rules.Module{
		{Path: "codeberg.org/go-pdf/fpdf", In: []string{"display/paper"}, Why: "PDF files: sales documents and stickers"},
		{Path: "github.com/VictoriaMetrics/metrics", In: []string{"payment/gateway"}, Why: "figures in the form that Prometheus reads; from v1.36 on it prints a line at each start of every command where the kernel has no PSI, so an older one"},
		{Path: "github.com/charmbracelet/huh", In: []string{"agent/wizard"}, Why: "draws the questions of a setup on a terminal; in a program of its own, as it asks the terminal for its colours whenever a program begins"},
		{Path: "github.com/eclipse/paho.mqtt.golang", In: []string{"agent/mqtt"}, Why: "MQTT 3.1.1 over one connection"},
		{Path: "github.com/goburrow/modbus", In: []string{"hal/modbus"}, Why: "encodes and checks Modbus PDUs"},
		{Path: "github.com/mattn/go-isatty", In: []string{"agent"}, Why: "whether somebody sits at a terminal: colours, questions; the wizard brings it along"},
		{Path: "github.com/mochi-mqtt/server/v2", In: []string{"agent/mqtt/broker"}, Why: "an MQTT broker for tests and the demonstration; not in the product"},
		{Path: "github.com/piglig/go-qr", In: []string{"display/qr"}, Why: "codes that lead a phone to a page, made without the network"},
		{Path: "github.com/spf13/cobra", In: []string{"agent", "payment/gateway"}, Why: "subcommands, help and completion"},
		{Path: "github.com/spf13/pflag", In: []string{"agent"}, Why: "flags as cobra has them, told of in Norwegian"},
		{Path: "github.com/spf13/viper", In: []string{"agent/config/strict"}, Why: "file and environment as one configuration"},
		{Path: "go.yaml.in/yaml/v3", In: []string{"agent/config/strict", "hal/modbus/meters"}, Why: "line numbers in configuration errors; meter maps whose keys matter"},
		{Path: "golang.org/x/image", In: []string{"display/panel/draw"}, Why: "letters of any size from a font, for screens"},
		{Path: "golang.org/x/sys", In: []string{"display/panel/fb", "display/panel/wire", "hal/modbus", "hal/sim", "systemd"}, Why: "settings of serial lines, pseudo terminals and screens, the kernel's I2C and SPI ports, and its own clock, which the standard library does not know"},
		{Path: "golang.org/x/term", In: []string{"agent"}, Why: "a PIN is typed without being seen"},
		{Path: "periph.io/x/conn/v3", In: []string{"hal/gpio", "display/panel/epaper", "display/panel/lcd", "display/panel/light", "display/panel/oled", "display/panel/wire"}, Why: "the words of GPIO lines, SPI ports and I2C buses: levels, pulls, edges, transfers"},
		{Path: "periph.io/x/devices/v3", In: []string{"display/panel/oled"}, Why: "drives an SSD1306"},
		{Path: "periph.io/x/host/v3", In: []string{"hal/gpio"}, Why: "GPIO lines through the kernel's character devices"},
		{Path: "github.com/VictoriaMetrics/metricsql", Why: "reads the queries of dashboards and alerts"},
		{Path: "github.com/chromedp/cdproto", Why: "the words of the browser that the driver's pages are tested in"},
		{Path: "github.com/chromedp/chromedp", Why: "starts that browser and talks to it"},
		{Path: "github.com/getkin/kin-openapi", Why: "checks our calls against the published API descriptions"},
		{Path: "github.com/google/go-cmp", Why: "readable differences in tests"},
		{Path: "github.com/rogpeppe/go-internal", Why: "plays the scripts of testdata/cli"},
		{Path: "github.com/santhosh-tekuri/jsonschema/v6", Why: "checks our messages against their published schemas"},
		{Path: "go.uber.org/goleak", Why: "goroutines left behind by tests"},
		{Path: "pgregory.net/rapid", Why: "properties and shrinking in tests"},
	}
}

// goroutines lists the packages that may start them, and what for.
func goroutines() map[string]string {
	return map[string]string{
		"agent":         "runs the EVSEs, the pages and the simulated payment service side by side until all have ended",
		"agent/control": "serves two sockets side by side",

		"agent/mqtt":          "hands on what comes while the library reads on",
		"agent/evse":          "one worker for each device that may be slow: the loop itself waits for none",
		"display/panel/kiosk": "serves its page beside whoever shows a picture",
		"display/web":         "serves while it waits for its end",

		"display/screen": "a worker for the panel, which may be slow or hang: the loop waits for none",

		"agent/command": "a stop must not wait behind a slow deed, nor any deed for a slow disk",

		"agent/telemetry/publisher": "sends events beside the rest, as the ledger may wait for a card",

		"display/remote":  "answers several pages at a time: one wish may wait for a disk",
		"payment/gateway": "serves pages, posts and figures side by side until all have ended",
		"payment/relay":   "one asking for each goroutine: the payment service may be slow",

		"hal/sim":      "serves several connections at once, as a meter's gateway does",
		"payment/sim":  "delivers webhooks while it serves, as a payment service calls back by itself",
		"cross/demo":   "keeps processes running side by side, and one address in front of them",
		"cross/bench":  "reads what programs under measurement print, and is ten thousand posts",
		"cross/replay": "one worker for each processor; rows share nothing",
		"cross/worlds": "one worker for each processor; worlds share nothing",
		"cross/suite":  "prints while a program runs",
		"cross/wire":   "passes on both ways of a connection at once",

		"cross/vm":         "lets the world do what the lines of a machine say, beside all else",
		"cross/vm/disk":    "serves machines, which ask while others do",
		"cross/vm/field":   "serves the payment service beside the rest",
		"cross/vm/guest":   "does what it is asked for side by side, and waits for every line on a thread of its own",
		"cross/vm/image":   "downloads and builds side by side what does not need each other",
		"cross/vm/machine": "hears what a machine says while it waits for its end",
	}
}

// wide lists the packages that may export more than the others.
func wide() map[string]rules.Allowance {
	return map[string]rules.Allowance{
		"agent/config":  {Most: 55, Why: "one type for each section of the file, and what the commands that change one need"},
		"agent/doctor":  {Most: 44, Why: "statuses, groups, layers, what a post can do without, and every fact that a finding is made of"},
		"agent/session": {Most: 49, Why: "one type for each kind of event (also those of a technician's test), the whole state of an EVSE is public data, and what a later version wrote is told from damage"},
		"display":       {Most: 42, Why: "one type for each thing that is shown, and every medium draws all of them; and the pass of a display, which pages, gateways and the post read alike"},
	}
}

// banned lists words that say nothing in the name of a file, package or type.
func banned() []string {
	return []string{"util", "helper", "manager", "common", "misc", "impl", "service"}
}

// workplace matches names of the machine this was written on. They are put
// together here so that this file does not match itself.
func workplace() *regexp.Regexp {
	return regexp.MustCompile(`(^|[^\w.$])/wo` + `rk/|\.\./shared/(hooks|refe` + `rence)|helper ses` + `sion|farm-(ben` + `ch|studio)`)
}

// unmerged matches what git leaves in a file that two branches have changed.
func unmerged() *regexp.Regexp { return regexp.MustCompile(`^(<{7}|>{7}) `) }

func TestHouseRules(t *testing.T) {
	tree := load(t)
	for _, rule := range []struct {
		name    string
		check   func(*rules.Tree) []rules.Finding
		instead string
	}{
		{"imports", layers().Imports, "Words import words, doers import words and their own parts. Declare the interface you need where you use it, and let a main package wire the two."},
		{"modules", rules.Modules(modules(), required(t), "cross"), "Reach the module through the one package that owns it; a new module needs a row in modules() with what it is for."},
		{"pure", rules.Pure(pure()), "Take the time, the reading or the random number as an argument; leave I/O to a package below."},
		{"functions", rules.Functions(70, 100), "Split the function where a comment would say what the next part does."},
		{"files", rules.Files(300, 500), "Split the file: it holds two ideas."},
		{"surface", rules.Surface(30, wide()), "Make names private that nobody else uses, or split the package."},
		{"init", rules.Init, "Call a function from main, or write the value as a table."},
		{"variables", rules.Variables, "Put what changes into a struct with an owner, and pass it."},
		{"sleeps", rules.Sleeps, "Wait for what you are waiting for (a channel, synctest.Wait), or put the test into synctest.Test."},
		{"goroutines", rules.Goroutines(goroutines()), "Return and let the caller decide; if the package must run beside others, give it a row in goroutines() with the reason."},
		{"documented", rules.Documented, "Write a comment that begins with the name and says what it is for, with units and errors."},
		{"units", rules.Units, "Say the unit or the meaning in a comment on the line, or use a type that says it."},
		{"package comments", rules.PackageComments, "Begin with `Package <name>`, say what it does, and keep its decisions under `# Why`."},
		{"names", rules.Names(banned()), "Name it after what it is or does."},
		{"workplace", rules.Places(workplace()), "Say it in the product's own terms, with paths that exist in every clone."},
		{"merges", rules.Places(unmerged()), "Say what both sides say, once."},
		{"gofmt", rules.Formatted, "Run gofmt -w on it."},
	} {
		t.Run(rule.name, func(t *testing.T) { report(t, rule.check(tree), rule.instead) })
	}
}

func TestReadmeShowsTheTree(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("there is no README.md yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	found, err := rules.ReadmeTree(load(t), string(readme))
	if errors.Is(err, rules.ErrNoTree) {
		t.Skip(err)
	}
	report(t, found, "Name every folder of the first two levels in the README's tree, one a line, and none that is gone.")
}

func load(t *testing.T) *rules.Tree {
	t.Helper()
	tree, err := rules.Load("..", "stolpe")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func report(t *testing.T, found []rules.Finding, instead string) {
	t.Helper()
	if len(found) == 0 {
		return
	}
	var lines strings.Builder
	for _, f := range found {
		lines.WriteString(f.String() + "\n")
	}
	t.Errorf("%d found:\n%sInstead: %s", len(found), lines.String(), instead)
}

// required lists the modules that go.mod asks for directly.
func required(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatalf("go mod edit -json: %v", err)
	}
	var file struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatalf("go mod edit -json: %v", err)
	}
	var paths []string
	for _, r := range file.Require {
		if !r.Indirect {
			paths = append(paths, r.Path)
		}
	}
	return paths
}
