package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/agent/config"
	"stolpe/agent/doctor"
	"stolpe/agent/ledger"
	"stolpe/agent/support"
	"stolpe/agent/telemetry"
	"stolpe/display/screen"
	"stolpe/hal"
)

// newsroom is what is written of displays, into a book of its own.
type newsroom struct {
	*displayNews
	book *ledger.Ledger
	now  hal.Stamp
}

func newNewsroom(t *testing.T, path string) *newsroom {
	t.Helper()
	book, _, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	r := &newsroom{book: book, now: hal.Stamp{Unix: 1_800_000_000, Clock: hal.ClockSynced}}
	r.displayNews = &displayNews{book: book, now: func() hal.Instant { return hal.Instant{Wall: r.now} }, log: slog.New(slog.DiscardHandler)}
	return r
}

// told is what stands in the book of faults, in short.
func (r *newsroom) told(t *testing.T) string {
	t.Helper()
	var words []string
	err := r.book.Read(func(e ledger.Entry) error {
		if e.Fault != nil {
			words = append(words, fmt.Sprintf("%s %d %s %s %q %d", e.Kind, e.EVSE, e.Fault.Code, e.Fault.Class, e.Fault.Text, e.Fault.Seconds))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(words, "\n")
}

func TestTroubleWithDisplaysStandsInTheLedger(t *testing.T) {
	path := ledgerPath(t.TempDir())
	r := newNewsroom(t, path)
	well, new, dark := screen.Health{Name: "oled", Known: true}, screen.Health{Name: "kiosk"}, screen.Health{Name: "oled", Code: screen.Failing, Trouble: "remote I/O error"}
	cold := screen.Health{Name: "epaper", Code: screen.Resting, Trouble: "panel has -3 °C"}
	const raised = `fault.raised 0 DIS-001 display "oled: remote I/O error" 0`
	for _, step := range []struct {
		all  []screen.Health
		more string
	}{
		{[]screen.Health{well, new}, ""},
		{[]screen.Health{dark, new}, raised},
		{[]screen.Health{dark, dark}, ""}, // it stands there already
		{[]screen.Health{well, new}, ""},  // nobody knows yet of one
		{[]screen.Health{well, cold}, `fault.cleared 0 DIS-001 display "a display does not answer, or says that it cannot draw" 300` + "\n" + `fault.raised 0 DIS-002 display "epaper: panel has -3 °C" 0`},
		{[]screen.Health{well, well}, `fault.cleared 0 DIS-002 display "a display is too cold to be drawn, and rests until it is warmer" 100`},
		{[]screen.Health{well, well}, ""},
	} {
		before := r.told(t)
		r.now.Unix += 100
		r.judge(step.all)
		more := strings.TrimPrefix(strings.TrimPrefix(r.told(t), before), "\n")
		lines := strings.Split(more, "\n")
		want := strings.Split(step.more, "\n")
		if len(lines) == 2 && lines[0] == want[1] { // by code, not by kind
			lines[0], lines[1] = lines[1], lines[0]
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("%+v:\n%s", step.all, diff)
		}
	}
	if got := r.book.Raised(1); len(got) != 0 {
		t.Errorf("EVSE 1 has %v", got)
	}
}

// What was dark when the program ended, and works now, is over. So is what nobody has any
// more.
func TestTroubleWithDisplaysIsOverAfterAStart(t *testing.T) {
	for name, after := range map[string][]screen.Health{"works": {{Name: "oled", Known: true}}, "gone": nil} {
		path := ledgerPath(t.TempDir())
		r := newNewsroom(t, path)
		r.judge([]screen.Health{{Name: "oled", Code: screen.Failing, Trouble: "x"}})
		if err := r.book.Close(); err != nil {
			t.Fatal(err)
		}
		r = newNewsroom(t, path)
		r.now = hal.Stamp{Unix: 1_800_000_060} // nobody has set the clock
		r.judge([]screen.Health{{Name: "oled"}})
		if strings.Contains(r.told(t), "cleared") {
			t.Errorf("%s: it is over before anything was drawn: %s", name, r.told(t))
		}
		r.judge(after)
		if !strings.HasSuffix(r.told(t), "cannot draw\" 0") || len(r.book.Raised(0)) != 0 {
			t.Errorf("%s: %s", name, r.told(t))
		}
	}
}

// A card that takes nothing is tried again, and what it did not take is not lost.
func TestNewsOfDisplaysWaitForTheCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := &forgetful{refuses: 3}
		n := displayNews{book: book, log: slog.New(slog.DiscardHandler), now: func() hal.Instant { return hal.Instant{} },
			look: func() []screen.Health { return []screen.Health{{Name: "oled", Code: screen.Failing}} }}
		ctx, end := context.WithCancel(t.Context())
		defer end()
		go n.run(ctx)
		time.Sleep(5*newsEvery + time.Second)
		synctest.Wait()
		if book.asked != 4 || len(book.raised) != 1 {
			t.Errorf("asked %d times, raised %v", book.asked, book.raised)
		}
	})
}

// forgetful is a book that refuses a few times.
type forgetful struct {
	refuses, asked int
	raised         ledger.Raised
}

func (f *forgetful) Append(e ledger.Entry) error {
	if f.asked++; f.asked <= f.refuses {
		return errors.New("no space left on device")
	}
	f.raised = ledger.Raised{e.Fault.Code: e.At}
	return nil
}

func (f *forgetful) Raised(int) ledger.Raised { return f.raised }

// The doctor's codes are the displays' own.
func TestCodesOfDisplays(t *testing.T) {
	if diff := cmp.Diff([]string{screen.Failing, screen.Resting}, doctor.DisplayCodes()); diff != "" {
		t.Error(diff)
	}
	for _, code := range doctor.DisplayCodes() {
		if telemetry.ClassOf(code) != "display" {
			t.Errorf("%s is of class %s", code, telemetry.ClassOf(code))
		}
	}
}

// withDisplays is a post with these displays, as the configuration has it.
func withDisplays(t *testing.T, displays string) config.Config {
	t.Helper()
	cfg, err := config.Parse("stolpe.yaml", strings.NewReader(demoConfig+"display:\n"+displays), config.System)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestFactsOfDisplays(t *testing.T) {
	cfg := withDisplays(t, `  - {kind: oled, model: ssd1306, url: "i2c:///dev/i2c-1?address=0x3c"}
  - {kind: epaper, model: waveshare213, url: "spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13"}
  - {kind: png, url: "file:///run/stolpe/display.png?size=800x480"}
  - {kind: kiosk, url: "http://127.0.0.1:8090"}
  - {kind: light, url: "lines:?red=GPIO5&green=GPIO16&blue=GPIO20"}
  - {kind: oled, model: ssd1306, url: "i2c:///dev/i2c-1?address=0x3d"}
`)
	all := displayFacts(cfg, []screen.Health{{Name: "oled", Code: screen.Failing, Trouble: "remote I/O error", Pages: 7, Failures: 3, Opened: 2, Shown: time.Now().Add(-time.Minute)}})
	computer{files: fstest.MapFS{"dev/spidev0.0": {}}}.missing(all)
	if all[0].Shown == nil || *all[0].Shown < 60 {
		t.Errorf("shown %v s ago", all[0].Shown)
	}
	all[0].Shown = nil
	want := []doctor.Display{
		{Name: "oled", Kind: "oled", URL: "i2c:///dev/i2c-1?address=0x3c", Missing: "/dev/i2c-1", Code: "DIS-001", Wrong: "remote I/O error", Pages: 7, Failures: 3, Opened: 2},
		{Name: "epaper", Kind: "epaper", URL: "spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13", Index: 1},
		{Name: "png", Kind: "png", URL: "file:///run/stolpe/display.png?size=800x480", Index: 2},
		{Name: "kiosk", Kind: "kiosk", URL: "http://127.0.0.1:8090", Index: 3},
		{Name: "light", Kind: "light", URL: "lines:?red=GPIO5&green=GPIO16&blue=GPIO20", Index: 4},
		{Name: "oled-2", Kind: "oled", URL: "i2c:///dev/i2c-1?address=0x3d", Index: 5, Missing: "/dev/i2c-1"},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	if got := displayFacts(withDisplays(t, `  - {kind: framebuffer, url: "fb:///dev/fb0"}`+"\n"), nil); len(got) != 1 || got[0].Code != "" {
		t.Errorf("%+v", got)
	}
}

// The fleet is told which displays there are, and how they are doing, by the same names.
func TestFleetIsToldOfDisplays(t *testing.T) {
	cfg := withDisplays(t, `  - {kind: oled, model: ssd1306, url: "i2c:///dev/i2c-1?address=0x3c"}`+"\n")
	if diff := cmp.Diff([]telemetry.Display{{Name: "oled", Kind: "oled", EVSEs: []int{1}}}, displaysOf(cfg)); diff != "" {
		t.Error(diff)
	}
	got := displayTelemetry([]screen.Health{{Name: "oled", Code: screen.Failing, Trouble: strings.Repeat("å", 300), Pages: 4, Failures: 5}})
	if len(got) != 1 || got[0].Name != "oled" || got[0].Fault != "DIS-001" || len([]rune(got[0].Text)) != longestTrouble || got[0].Pages != 4 || got[0].Failures != 5 {
		t.Errorf("%+v", got)
	}
}

func TestFiguresOfDisplays(t *testing.T) {
	var b lines
	b.displays([]screen.Health{{Name: "oled", Pages: 7, Failures: 3, Opened: 2, Took: 250 * time.Millisecond}, {Name: "kiosk", Code: screen.Failing}})
	wantFigures(t, readFigures(t, b.String()), map[string]float64{
		`stolpe_display_up{display="oled"}`:             1,
		`stolpe_display_up{display="kiosk"}`:            0,
		`stolpe_display_pages_total{display="oled"}`:    7,
		`stolpe_display_failures_total{display="oled"}`: 3,
		`stolpe_display_opened_total{display="oled"}`:   2,
		`stolpe_display_draw_seconds{display="oled"}`:   .25,
	})
}

// A support bundle has them, too.
func TestSupportHasDisplays(t *testing.T) {
	q := inquiry{veil: support.NewVeil(bytes.Repeat([]byte{1}, keyBytes), nil, false), displays: []doctor.Display{{Name: "oled", URL: "i2c:///dev/i2c-1?address=0x3c", Code: "DIS-001", Wrong: "remote I/O error"}}}
	p, err := q.health()
	if err != nil || !strings.Contains(string(p.Body), `"wrong": "remote I/O error"`) || !strings.Contains(string(p.Body), `"oled"`) {
		t.Errorf("%s, %v", p.Body, err)
	}
}

// A deep look at a configuration finds a bus and lines that the machine does not have, and
// draws nothing.
func TestDeepLookAtDisplays(t *testing.T) {
	cfg := withDisplays(t, `  - {kind: oled, model: ssd1306, url: "i2c:///dev/i2c-1?address=0x3c"}
  - {kind: framebuffer, url: "fb:///dev/fb0"}
  - {kind: light, url: "lines:?red=nochip/1&green=nochip/2&blue=nochip/3"}
  - {kind: png, url: "file:///run/stolpe/display.png?size=128x64"}
`)
	all := probeDisplays(cfg, computer{files: fstest.MapFS{"dev/fb0": {}}})
	for i, want := range []string{"false the machine has no /dev/i2c-1", "true fb:///dev/fb0", "false ", "true file:///run/stolpe"} {
		if got := fmt.Sprint(all[i].OK, " ", all[i].Text); !strings.HasPrefix(got, want) || all[i].What != fmt.Sprintf("display[%d]", i) || all[i].OK != (all[i].code == 0) {
			t.Errorf("%+v: want %s", all[i], want)
		}
	}
}
