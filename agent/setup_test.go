package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/agent/config"
	"stolpe/agent/ledger"
	"stolpe/agent/setup"
)

// Every question about the configuration is about a key that there is, and an answer of
// any kind becomes a configuration that loads.
func TestAnswersBecomeAConfiguration(t *testing.T) {
	if err := answersFormat().Check(); err != nil && !strings.Contains(err.Error(), "meaning is no sentence") {
		t.Error(err)
	}
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		if err := config.CheckKey(q.Config, "\x00"); q.Config != "" && (err == nil || strings.Contains(err.Error(), "there is no key")) {
			t.Errorf("%s: %v", q.Key, err)
		}
	}
	common := setup.Answers{
		"post.id": "A12", "post.name": `Storgata "1" på hjørnet`, "post.helpdesk": "+47 22 00 00 00", "seller.name": "Eksempel Lading AS", "seller.org_no": "999999999",
		"meter.url": "rtu:///dev/ttyUSB0?baud=9600&parity=N", "meter.model": "eastron_sdm630", "meter.serial": "22110345", setup.Confirmed(1): "eastron_sdm630",
		"contactor.line": "GPIO17", "contactor.sense": "!GPIO27", "inputs.estop": "GPIO24", "price.kwh": "5.49", "payment.through": "sim", "web.public_url": "",
	}
	all := map[string]setup.Answers{
		"simple":         {},
		"without VAT":    {"seller.vat_registered": "false"},
		"Finland":        {"post.country": "FI", "seller.org_no": "12345678"},
		"idle fee":       {"price.idle.minute": "1.00", "price.idle.cap": "200.00"},
		"vipps":          {"payment.through": "vipps", "payment.vipps.msn": "123456", "web.public_url": "https://lad.example.no"},
		"gateway":        {"payment.through": "gateway", "mqtt.url": "mqtts://broker:8883", "post.tenant": "acme"},
		"closes on low":  {"contactor.active_low": "true", "contactor.deadman": "GPIO5"},
		"and not on low": {"contactor.active_low": "false"},
		"two": {"evses": "2", "meter2.url": "rtu:///dev/ttyUSB0?baud=9600&parity=N", "meter2.unit": "2", "meter2.model": "eastron_sdm630",
			"contactor2.line": "GPIO18", "contactor2.sense": "GPIO28"},
		"sh1106 by SPI": {"display.kind": "oled", "display.model": "sh1106", "display.url": "spi:///dev/spidev0.0?dc=GPIO6", "display.code": "rotating"},
	}
	kinds, _ := setup.Find("display.kind")
	for _, kind := range kinds.One {
		all["display "+kind] = setup.Answers{"display.kind": kind}
	}
	for name, more := range all {
		a := setup.Answers{}
		for _, from := range []setup.Answers{common, more} {
			for k, v := range from {
				a[k] = v
			}
		}
		if missing := a.Missing(); len(missing) > 0 {
			t.Errorf("%s: %s is missing", name, missing[0].Key)
		}
		text := setup.File(a, time.Unix(1_800_000_000, 0))
		c, err := config.Parse(name, strings.NewReader(string(text)), func(string, string) (string, error) { return strings.Repeat("0", 64), nil })
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		if c.EVSEs[0].Meter.Confirmed != "eastron_sdm630" || c.Price.KWh != 549 || c.Post.Name != `Storgata "1" på hjørnet` || len(c.EVSEs) != a.EVSEs() || c.Old() {
			t.Errorf("%s: %+v", name, c)
		}
		if kind := more["display.kind"]; len(c.Displays) != map[bool]int{false: 1}[kind == "" || kind == "none"] || len(c.Displays) > 0 && string(c.Displays[0].Kind) != kind {
			t.Errorf("%s: displays %+v", name, c.Displays)
		}
	}
	if len(kinds.One) != 8 {
		t.Errorf("kinds of displays: %v", kinds.One)
	}
}

// What the configuration finds wrong leads back to the question.
func TestWrongKeysAreQuestions(t *testing.T) {
	for key, want := range map[string]string{
		"post.id": "post.id", "evses[0].meter.url": "meter.url", "evses[1].contactor.line": "contactor2.line", "reserve.choices[2]": "reserve.choices",
		"price.idle.cap": "price.idle.cap", "price": "price.kwh", "evses[1].contactor": "contactor2.line", "evses[7].code": "", "commands": "", "evses": "",
		"display[0].url": "display.url", "display[0].model": "display.model", "display[1].url": "", "display[0].evses[2]": "",
	} {
		if q, ok := questionOf(key); q.Key != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", key, q.Key, want)
		}
	}
}

// An answer that comes when the configuration is written has it written again, also where
// there was none before; and one that changes nothing changes nothing.
func TestWhatRestsOnAnAnswerIsDoneAgain(t *testing.T) {
	kept := setup.Answers{"meter.url": "tcp://10.0.0.5:502", "meter.shown": "12.5", setup.Confirmed(1): "eastron_sdm630"}
	for _, c := range []struct {
		given setup.Answers
		again []setup.Step // some of those that are done again
		stays []setup.Step // some of those that are not
		knows bool         // that the meter was compared
	}{
		{setup.Answers{"price.session": "5.00"}, []setup.Step{setup.Price, setup.Config, setup.Report}, []setup.Step{setup.Meter}, true},
		{setup.Answers{"price.minute": "0.00"}, nil, setup.Steps(), true}, // as it was without
		{setup.Answers{"by": "kari"}, []setup.Step{setup.Report}, []setup.Step{setup.Config, setup.Close}, true},
		{setup.Answers{"pages": "https://lad.example.no"}, []setup.Step{setup.Sticker, setup.Report}, []setup.Step{setup.Config}, true},
		{setup.Answers{"evses": "2"}, setup.Steps(), nil, true},
		{setup.Answers{"meter.unit": "2"}, []setup.Step{setup.Meter, setup.Config}, []setup.Step{setup.Price}, false},
	} {
		f := &fitting{progress: setup.NewProgress()}
		maps.Copy(f.progress.Answers, kept)
		for _, s := range setup.Steps() {
			f.progress.Note(setup.Result{Step: s, Status: setup.Passed})
		}
		f.take(c.given)
		for _, s := range c.again {
			if f.progress.Has(s) {
				t.Errorf("%v: %s is not done again", c.given, s)
			}
		}
		for _, s := range c.stays {
			if !f.progress.Has(s) {
				t.Errorf("%v: %s is done again", c.given, s)
			}
		}
		a := f.progress.Answers
		if (a[setup.Confirmed(1)] != "") != c.knows || (a["meter.shown"] != "") != c.knows {
			t.Errorf("%v: of the meter is known %v", c.given, a)
		}
	}
}

// Who sets a sealed post up again has its PIN, so nobody is told that the seal was taken
// off without it.
func TestSetupOverASealForgetsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pin, memory := filepath.Join(dir, "pin"), filepath.Join(dir, "state", "seal.json")
	if err := os.WriteFile(pin, []byte("korrekt hest\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := func(more ...string) said {
		return command(append([]string{"setup", "--config", filepath.Join(dir, "a.yaml"), "--simulated", "--skip", "close,pay,selftest", "--yes", "--control-dir", filepath.Join(dir, "run")}, more...)...)
	}
	if got := again("--pin-file", pin); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	if err := os.WriteFile(memory, []byte(`{"key":"k","by":"kari"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := again(); got.code != exitRefused {
		t.Errorf("without the PIN: %+v", got)
	}
	if _, err := os.Stat(memory); err != nil {
		t.Errorf("forgotten without the PIN: %v", err)
	}
	if got := again("--restart", "--pin-file", pin); got.code != 0 {
		t.Errorf("with the PIN: %+v", got)
	}
	if _, err := os.Stat(memory); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is remembered: %v", err)
	}
}

// A report names the one before it, and the ledger names both.
func TestReportsAreAChain(t *testing.T) {
	t.Parallel()
	dir, names := t.TempDir(), []string{}
	for n, id := range []string{"A12", "A12"} {
		got := command("setup", "--config", filepath.Join(dir, "a.yaml"), "--simulated", "--post-id", id, "--skip", "close,pay,selftest", "--yes", "--json",
			"--report", filepath.Join(dir, fmt.Sprint("report", n)), "--by", "kari", "--control-dir", filepath.Join(dir, "run"))
		var j setupJSON
		if err := json.Unmarshal([]byte(got.stdout), &j); got.code != 0 || err != nil {
			t.Fatalf("%+v, %v", got, err)
		}
		names = append(names, j.Report)
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("report", n, ".json")))
		if err != nil || setup.Name(text) != j.Report {
			t.Errorf("%v: the report is not what it is called", err)
		}
		var r setup.Commissioning
		if err := json.Unmarshal(text, &r); err != nil || r.By != "kari" || n == 1 && r.Previous != names[0] || n == 0 && r.Previous != "" {
			t.Errorf("%v, %+v", err, r)
		}
	}
	book, _, err := ledger.Open(filepath.Join(dir, "state", "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	var found []ledger.Post
	if err := book.Read(func(e ledger.Entry) error {
		if e.Kind == ledger.PostCommissioned {
			found = append(found, *e.Post)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[0].Report != names[0] || found[1].Previous != names[0] || found[1].Report != names[1] || found[0].By != "kari" {
		t.Errorf("%+v, want %v", found, names)
	}
}

// Whatever answers pass one by one, they become a configuration that loads, or what is
// wrong with them together leads back to a question, which is asked again.
func TestAnswersThatPassCanBePutRight(t *testing.T) {
	t.Parallel()
	texts := []string{"A12", "1", "0", "2", "GPIO17", "GPIO18", "!GPIO17", "tcp://10.0.0.5:502", "rtu:///dev/ttyUSB0", "mqtts://broker:8883", "mqtt://127.0.0.1:1883", "https://lad.example.no",
		"http://127.0.0.1:8080", "eastron_sdm630", "999999999", "12345678", "Europe/Oslo", "+47 22 00 00 00", "env:KEY", "credential:key", "file:/etc/key", "/etc/stolpe/x.pem",
		"123456", "22000", "5.49", "0.00", "200, 350", "350", "20", "true", "false", "2034-12-31", "gateway-1", "acme", "Storgata 1", "a@example.no", "127.0.0.1:0", "0.0.0.0:80"}
	all := setup.Questions(setup.MaxEVSEs)
	rapid.Check(t, func(t *rapid.T) {
		a := setup.Answers{"simulated": rapid.SampledFrom([]string{"true", "false"}).Draw(t, "simulated"), "payment.through": rapid.SampledFrom([]string{"vipps", "gateway", "sim"}).Draw(t, "through")}
		f := &fitting{}
		for _, q := range all {
			answer := rapid.SampledFrom(append(texts, q.One...)).Draw(t, q.Key)
			clean, err := q.Clean(answer)
			if _, said := a[q.Key]; !said && err == nil && f.check(q, clean) == nil && (q.Needs(a) || rapid.Bool().Draw(t, "said")) {
				a[q.Key] = clean
			}
		}
		for len(a.Useless()) > 0 {
			delete(a, a.Useless()[0].Key)
		}
		if len(a.Missing()) > 0 {
			return // it would be asked for
		}
		text := setup.File(a, time.Unix(1_800_000_000, 0))
		_, err := config.Parse("answers", strings.NewReader(string(text)), func(string, string) (string, error) { return strings.Repeat("0", 64), nil })
		var wrong config.Errors
		if err != nil && !errors.As(err, &wrong) {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, e := range wrong {
			if _, found := questionOf(e.Key); !found {
				t.Fatalf("%v: no question leads to that\n%s", e, text)
			}
		}
	})
}
