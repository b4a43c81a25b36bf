package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"stolpe/agent/config"
	"stolpe/agent/config/device"
	"stolpe/display/panel"
	"stolpe/display/panel/draw"
	"stolpe/display/panel/epaper"
	"stolpe/display/panel/fb"
	"stolpe/display/panel/file"
	"stolpe/display/panel/kiosk"
	"stolpe/display/panel/lcd"
	"stolpe/display/panel/light"
	"stolpe/display/panel/oled"
	"stolpe/display/panel/wire"
	"stolpe/display/screen"
	"stolpe/hal/gpio"
)

// wiring is what a display hangs on, while it is being opened and until it is closed.
type wiring struct {
	at     device.Address
	opened []io.Closer
}

// wiredPanel is a device with its port and its lines.
type wiredPanel struct {
	screen.Device
	wiring *wiring
}

// Close closes the device, and gives back port and lines.
func (d wiredPanel) Close() error { return errors.Join(d.Device.Close(), d.wiring.close()) }

// pulsingPanel is one that pulses.
type pulsingPanel struct {
	wiredPanel
	panel.Pulsing
}

// close gives back port and lines, last first.
func (w *wiring) close() (err error) {
	for _, c := range slices.Backward(w.opened) {
		err = errors.Join(err, c.Close())
	}
	w.opened = nil
	return err
}

// holding notes what must be closed.
func holding[T io.Closer](w *wiring, c T, err error) (T, error) {
	if err == nil {
		w.opened = append(w.opened, c)
	}
	return c, err
}

// out takes a line that is to be driven; nil where the address has none for that.
func (w *wiring) out(what string) (*gpio.OutPin, error) {
	spec := w.at.Lines[what]
	if spec == "" {
		return nil, nil
	}
	pin, err := gpio.OpenOut(spec)
	if err != nil {
		return nil, fmt.Errorf("line %s: %w", what, err)
	}
	return holding(w, pin, nil)
}

// outs takes several of them.
func (w *wiring) outs(what ...string) (all []*gpio.OutPin, err error) {
	all = make([]*gpio.OutPin, len(what))
	for i := range what {
		if all[i], err = w.out(what[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// open opens the display, whatever it showed before.
func (s *show) open() (screen.Device, error) {
	w := &wiring{at: s.display.At}
	var d screen.Device
	var err error
	switch s.display.Kind {
	case config.OLED:
		d, err = w.oled(oled.Model(s.display.Model))
	case config.EPaper:
		d, err = w.epaper(s)
	case config.LCD:
		d, err = w.lcd(mediumOf(s.display))
	case config.Light:
		d, err = w.light()
	case config.Framebuffer:
		d, err = fb.Open(w.at.Path)
	case config.PNG:
		d, err = file.Open(w.at.Path)
	case config.Kiosk:
		d, err = kiosk.Open(w.at.Path, s.display.Languages, s.draw(s.frame(true)))
	default:
		err = fmt.Errorf("no driver for a display of kind %q", s.display.Kind)
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	if p, ok := d.(panel.Pulsing); ok {
		return pulsingPanel{wiredPanel{d, w}, p}, nil
	}
	return wiredPanel{d, w}, nil
}

func (w *wiring) oled(m oled.Model) (d screen.Device, err error) {
	to := oled.Wiring{Address: uint16(w.at.Target)}
	if w.at.Bus == device.I2C {
		to.Bus, err = port(w, wire.OpenI2C)
	} else {
		to.Port, err = port(w, wire.OpenSPI)
	}
	if err != nil {
		return nil, err
	}
	p, err := w.outs("dc", "reset")
	if err != nil {
		return nil, err
	}
	if dc := p[0]; dc != nil {
		to.DC = dc
	}
	if reset := p[1]; reset != nil { // a nil in an interface would be none
		to.Reset = reset
	}
	return oled.Open(m, to)
}

// port opens the port of the address.
func port[T io.Closer](w *wiring, open func(string) (T, error)) (T, error) {
	p, err := open(w.at.Path)
	return holding(w, p, err)
}

func (w *wiring) epaper(s *show) (screen.Device, error) {
	spi, err := port(w, wire.OpenSPI)
	if err != nil {
		return nil, err
	}
	p, err := w.outs("dc", "reset")
	if err != nil {
		return nil, err
	}
	busy, err := gpio.OpenIn(w.at.Lines["busy"], false)
	if _, err = holding(w, busy, err); err != nil {
		return nil, fmt.Errorf("line busy: %w", err)
	}
	model := epaper.V4
	if s.display.Model == "waveshare213_v3" {
		model = epaper.V3
	}
	rests := panel.Scene{Post: s.info, Langs: s.display.Languages, Cold: true, EVSEs: s.scene(true).EVSEs}
	return epaper.Open(spi, epaper.Pins{Data: p[0], Reset: p[1], Busy: busy}, epaper.Options{
		Model: model, Coldest: s.display.Coldest, Thermometer: s.display.Temperature,
		Resting: draw.Draw(draw.Paper, rests.Page(), draw.Options{Turned: s.display.Turned}),
	})
}

func (w *wiring) lcd(m medium) (screen.Device, error) {
	o := lcd.Options{Columns: m.cols, Rows: m.rows}
	if w.at.Bus == device.I2C {
		bus, err := port(w, wire.OpenI2C)
		if err != nil {
			return nil, err
		}
		return lcd.OpenI2C(bus, uint16(w.at.Target), o)
	}
	p, err := w.outs("rs", "e", "d4", "d5", "d6", "d7", "backlight")
	if err != nil {
		return nil, err
	}
	if lamp := p[6]; lamp != nil {
		if err := lamp.Out(true); err != nil {
			return nil, fmt.Errorf("line backlight: %w", err)
		}
	}
	pins := lcd.Pins{Letter: p[0], Enable: p[1]}
	for i := range pins.Data {
		pins.Data[i] = p[2+i]
	}
	return lcd.OpenLines(pins, o)
}

func (w *wiring) light() (screen.Device, error) {
	if w.at.Bus == device.PWM {
		c := w.at.Channels
		return light.OpenPWM(light.PWM{Chip: w.at.Path, Red: c["red"], Green: c["green"], Blue: c["blue"]})
	}
	p, err := w.outs("red", "green", "blue")
	if err != nil {
		return nil, err
	}
	return light.OpenLines(light.Lines{Red: p[0], Green: p[1], Blue: p[2]})
}
