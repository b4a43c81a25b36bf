package main

import (
	"log/slog"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/panel/draw"
	"stolpe/display/panel/fb"
	"stolpe/display/panel/lcd"
	"stolpe/display/panel/oled"
	"stolpe/display/screen"
	"stolpe/hal"
)

// Chosen by us.
const (
	// unpaidFor is how long a payment service that was not reached counts as one that cannot
	// be. Then a driver may try again: who else would find out?
	unpaidFor = 5 * time.Minute
	// Hours in which panels are dimmed, local time.
	nightFrom, nightTo = 22, 6
)

// show is what one display shows, and how.
type show struct {
	*parts
	display config.Display
	evses   []config.EVSE // that it is for
	look    *lookout      // nil where no EVSE runs
	now     func() hal.Instant
	log     *slog.Logger

	began  time.Time
	glyphs draw.Glyphs
	codes  panel.Codes
	told   toldPrice
}

// openDisplays has the displays of a configuration run beside the post until it has
// settled. None of them has been touched when it returns, and whatever is wrong with one
// is no matter of the post's.
func (p *parts) openDisplays(cfg config.Config, w world, b *uplink) {
	if b != nil && cfg.Payment.Through == config.ThroughGateway {
		p.away = func() bool { return !b.connected() }
	}
	for _, d := range cfg.Displays {
		s := p.showOn(cfg, d, w.log)
		s.look, s.now = p.look, w.now
		s.tellDoors(p.run(s.options(p.windowOf(s, w.log))))
	}
}

// run has a display run beside the EVSEs.
func (p *parts) run(o screen.Options) *screen.Screen {
	s := screen.New(o)
	p.screens = append(p.screens, s)
	p.jobs = append(p.jobs, s.Run)
	return s
}

// showOn is for one display of a configuration.
func (p *parts) showOn(cfg config.Config, d config.Display, log *slog.Logger) *show {
	s := &show{parts: p, display: d, log: log, began: time.Now(), now: func() hal.Instant { return hal.Instant{} }}
	for _, id := range d.EVSEs {
		for _, e := range cfg.EVSEs {
			if e.ID == id {
				s.evses = append(s.evses, e)
			}
		}
	}
	return s
}

// windowOf is the window that the display is of: nil where there is no button beside it.
func (p *parts) windowOf(s *show, log *slog.Logger) *window {
	if len(s.evses) != 1 || s.display.Code == config.CodeNone {
		return nil
	}
	e := s.evses[0]
	w, ok := p.windows[e.ID]
	if !ok {
		w = p.openButton(e, func() panel.Page { return s.frame(false).Page }, log)
		p.windows[e.ID] = w
	}
	return w
}

// options are what the loop of the display goes by.
func (s *show) options(w *window) screen.Options {
	o := screen.Options{Name: s.display.Name, Frame: s.frame, Draw: s.draw, Log: s.log}
	o.Open = func() (screen.Device, error) {
		d, err := s.open()
		if err != nil || w == nil {
			return d, err
		}
		return w.behind(s.display.Name, d), nil
	}
	switch s.display.Kind {
	case config.OLED:
		o.Again = oled.Again
	case config.EPaper:
		o.Refresh, o.Keeps = panel.Paper(), true
		o.Again = o.Refresh.Cold
	case config.LCD:
		o.Again = lcd.Again
	case config.Framebuffer:
		o.Again = fb.Again
	case config.Light, config.PNG, config.Kiosk:
	}
	if s.look != nil {
		o.Changed, o.Switched = s.look.add()
	}
	if k := s.display.Kind; k == config.PNG || k == config.Kiosk {
		o.Switched = nil // no cable to disturb, and a page that ends for a moment says out of order
	}
	return o
}

// frame is what is to be shown, but for the picture.
func (s *show) frame(end bool) panel.Frame {
	scene := s.scene(end)
	page := scene.Page()
	if page.Face == panel.FreeButton && !s.told.by(mediumOf(s.display), page) {
		for i := range scene.EVSEs { // nobody accepts what is not said: the code leads to a page that says it
			scene.EVSEs[i].Button = false
		}
		page = scene.Page()
	}
	return panel.Frame{Page: page, Night: night(scene)}
}

// draw adds what the display takes of a page.
func (s *show) draw(f panel.Frame) panel.Frame {
	o := draw.Options{Turned: s.display.Turned, Glyphs: &s.glyphs}
	if s.display.Kind == config.OLED {
		o.Shift = oled.Shift(time.Since(s.began), draw.ShiftMost)
	}
	return mediumOf(s.display).drawn(f, o)
}

// scene is all that the display may show now. When the post takes no new drivers, whoever
// charged till then sees the end of that, and nobody else is asked to pay.
func (s *show) scene(end bool) panel.Scene {
	now := s.now()
	all := panel.Scene{Post: s.info, Langs: s.display.Languages, Version: version, Now: now.Wall, Codes: &s.codes}
	ending, served := closed(s.ends), false
	for _, e := range s.evses {
		one := panel.EVSE{Button: e.Inputs.Accept != ""}
		one.View.Code = e.Code
		if v := s.units[e.Code]; v != nil {
			s.see(&one, e, v)
		}
		served = served || one.View.Busy
		if ending && !one.View.Busy {
			one.Link, one.NoPay = "", true
		}
		all.EVSEs = append(all.EVSEs, one)
	}
	all.Off = end || ending && !served
	return all
}

// closed says whether something has come to its end.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// see takes in how an EVSE is doing.
func (s *show) see(one *panel.EVSE, e config.EVSE, v *evse.EVSE) {
	state, now, _ := v.Snapshot()
	rules := v.Rules()
	one.View = s.dressed(rules.View(&state, now), v)
	one.NoPay = s.unpaid()
	// A wire that nobody has looked at yet says that the stop is pressed.
	one.Stop = state.Signals()&hal.EmergencyStop != 0 && one.View.State != display.Starting
	one.Parked = state.PlugSensed() == hal.PlugIn
	if s.display.Code != config.CodeNone {
		one.Link = s.link(e.Code)
	}
	if last, ago, ok := rules.Last(&state, now); ok && !s.gone(e.ID, &state) {
		one.View.Charge, one.Over = last, max(ago, 1)
	}
}

// gone says whether the car of the last charge has left, and another stands there.
func (s *show) gone(evse int, state *session.State) bool {
	return state.PlugSensed() == hal.PlugIn && s.look != nil && s.look.left(evse, state.Counter)
}

// unpaid says whether nobody can pay at present.
func (p *parts) unpaid() bool {
	if p.away != nil && p.away() {
		return true
	}
	if p.money == nil {
		return false
	}
	last := p.money.paid()
	return last.failed > last.well && p.money.mono()-last.failed < unpaidFor
}

// night says whether it is dark outside, as far as the clock is known.
func night(s panel.Scene) bool {
	if s.Now.Clock == hal.ClockUnknown || s.Post.Zone == nil {
		return false
	}
	h := time.Unix(s.Now.Unix, 0).In(s.Post.Zone).Hour()
	return h >= nightFrom || h < nightTo
}
