package main

import (
	"context"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/config/device"
	"stolpe/agent/doctor"
	"stolpe/agent/ledger"
	"stolpe/agent/telemetry"
	"stolpe/display/screen"
	"stolpe/hal"
)

// Chosen by us.
const (
	// newsEvery is how often it is looked whether a display has begun to fail. The display
	// itself judges what is a disturbance.
	newsEvery = 5 * time.Second
	// longestTrouble is how much is told of what went wrong with displays, characters: a
	// line of the ledger, and of the fleet's schema.
	longestTrouble = 200
)

// displayHealth is how the displays are doing, in the order of the configuration.
func (p *parts) displayHealth() []screen.Health {
	all := make([]screen.Health, len(p.screens))
	for i, s := range p.screens {
		all[i] = s.Health()
	}
	return all
}

// displayTelemetry is that for the fleet; nil for none.
func displayTelemetry(displays []screen.Health) (all []telemetry.DisplayHealth) {
	for _, h := range displays {
		all = append(all, telemetry.DisplayHealth{Name: h.Name, Fault: h.Code, Text: cut(h.Trouble, longestTrouble), Pages: h.Pages, Failures: h.Failures})
	}
	return all
}

// displaysOf are the displays of a configuration, for the fleet; nil for none.
func displaysOf(cfg config.Config) (all []telemetry.Display) {
	for _, d := range cfg.Displays {
		all = append(all, telemetry.Display{Name: d.Name, Kind: string(d.Kind), EVSEs: d.EVSEs})
	}
	return all
}

// displayFacts are the displays for the doctor: as they stand in the configuration, and as
// they are doing if somebody draws on them.
func displayFacts(cfg config.Config, all []screen.Health) (facts []doctor.Display) {
	for i, d := range cfg.Displays {
		f := doctor.Display{Name: d.Name, Kind: string(d.Kind), URL: d.URL, Index: i}
		if i < len(all) {
			h := all[i]
			f.Code, f.Wrong, f.Pages, f.Failures, f.Opened = h.Code, h.Trouble, h.Pages, h.Failures, h.Opened
			if !h.Shown.IsZero() {
				ago := int64(time.Since(h.Shown) / time.Second)
				f.Shown = &ago
			}
		}
		facts = append(facts, f)
	}
	return facts
}

// missing notes which displays need a device that the machine does not have.
func (c computer) missing(all []doctor.Display) {
	for i := range all {
		at, err := device.Parse(all[i].URL, config.Output)
		if err != nil {
			continue // of a daemon of another version
		}
		switch at.Bus {
		case device.File, device.Page, device.Lines:
			continue // it is made, or no file
		case device.I2C, device.SPI, device.PWM, device.Framebuffer:
		}
		if _, err := fs.Stat(c.files, strings.TrimPrefix(at.Path, "/")); err != nil {
			all[i].Missing = at.Path
		}
	}
}

// displays adds the figures of the displays.
func (b *lines) displays(all []screen.Health) {
	for _, h := range all {
		b.add(number(h.Code == ""), "stolpe_display_up", "display", h.Name)
		b.add(float64(h.Pages), "stolpe_display_pages_total", "display", h.Name)
		b.add(float64(h.Failures), "stolpe_display_failures_total", "display", h.Name)
		b.add(float64(h.Opened), "stolpe_display_opened_total", "display", h.Name)
		b.add(h.Took.Seconds(), "stolpe_display_draw_seconds", "display", h.Name)
	}
}

// displayNews writes into the ledger when displays begin to fail, and when all of them work
// again. It is a fault of the post, and of no EVSE: nobody is turned away for it.
type displayNews struct {
	look func() []screen.Health
	book interface {
		Append(ledger.Entry) error
		Raised(evse int) ledger.Raised
	}
	now func() hal.Instant
	log *slog.Logger
}

// tellOfDisplays has the ledger told.
func (p *parts) tellOfDisplays(w world) {
	if w.book == nil {
		return
	}
	n := displayNews{look: p.displayHealth, book: w.book, now: w.now, log: w.log}
	p.jobs = append(p.jobs, func(ctx context.Context) {
		if !endsWith(ctx, func() { n.run(ctx) }) {
			w.log.Error("what displays were like last is not written down")
		}
	})
}

func (n *displayNews) run(ctx context.Context) {
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.judge(n.look())
		case <-ctx.Done():
			return
		}
	}
}

// judge writes what is new, and what is over. What the card does not take is written the
// next time.
func (n *displayNews) judge(all []screen.Health) {
	raised := n.book.Raised(0)
	for _, code := range doctor.DisplayCodes() {
		var ill []string
		known := true
		for _, h := range all {
			if h.Code == code {
				ill = append(ill, h.Name+": "+h.Trouble)
			}
			known = known && (h.Code != "" || h.Known)
		}
		at, told := raised[code]
		switch {
		case len(ill) > 0 && !told:
			n.tell(ledger.FaultRaised, ledger.Fault{Code: code, Text: cut(strings.Join(ill, "; "), longestTrouble)})
		case len(ill) == 0 && told && known: // one that has just started may still fail
			what, _ := doctor.Told(code)
			n.tell(ledger.FaultCleared, ledger.Fault{Code: code, Text: what.EN, Seconds: n.lasted(at)})
		}
	}
}

// lasted is how long it has been so since then, in s; 0 if nobody knows.
func (n *displayNews) lasted(at int64) int64 {
	now := n.now().Wall
	if at < epoch || now.Clock == hal.ClockUnknown {
		return 0
	}
	return max(0, now.Unix-at)
}

func (n *displayNews) tell(kind ledger.Kind, f ledger.Fault) {
	f.Class = telemetry.ClassOf(f.Code)
	at := n.now().Wall
	if err := n.book.Append(ledger.Entry{Kind: kind, At: at.Unix, Clock: at.Clock.String(), Fault: &f}); err != nil {
		n.log.Debug("ledger does not take what displays are like", "err", err)
	}
}
