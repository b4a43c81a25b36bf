// Package light shows a page as one light of three colours: on three lines, or by pulse
// width through the kernel.
//
// # Why
//
// A post without a display still says from afar what it does. Which colour a page has is
// decided where its words are (panel.Page.Light); here it is only made. Lines know on and
// off, so a colour is made of the parts that are bright enough, and what pulses blinks.
// Pulse width gives every colour, pulses without steps that one sees, and is dimmed at
// night.
//
// The eye sees a quarter of the power as half as bright, so the width is the square of
// the brightness. There is no goroutine here: what pulses is called again when it is due
// (panel.Pulsing). When the device is closed, the light stays, steady: what nobody looks
// after must not pretend that somebody does.
//
// A pulse width needs no program: the kernel keeps the last one for ever. That is why a
// daemon must show its end; see panel.OutOfOrder.
package light

import (
	"fmt"
	"time"

	"stolpe/display/panel"
)

// steps is how many brightnesses a pulse goes through. Chosen by us: one sees no steps,
// and a pulse of two seconds costs 16 writes a second.
const steps = 32 // a period

// stepLeast is the shortest time between two of them. Chosen by us: no eye is quicker.
const stepLeast = 40 * time.Millisecond

// nightShare is what is left of the brightness at night. Chosen by us: a sixteenth of the
// power, which is plain to see in the dark and blinds nobody.
const nightShare = 4 // one part of so many

// lamp makes one colour.
type lamp interface {
	set(red, green, blue uint8) error // 0 to 255, of brightness
	smooth() bool                     // there is more than on and off
	close() error
}

// Device is one light. It is used by one goroutine at a time.
type Device struct {
	lamp  lamp
	light panel.Light
	night bool

	since time.Time     // the light is this one
	ago   time.Duration // it was so when its frame was shown
}

// open makes the light dark, which shows at once whether it can be set.
func open(l lamp) (*Device, error) {
	if err := l.set(0, 0, 0); err != nil {
		return nil, fmt.Errorf("light: %w", err)
	}
	return &Device{lamp: l}, nil
}

// Show sets the colour of the frame's page. Another light begins at its brightest, the same
// one pulses on: a page is new each second while its figures run. After an error the light
// must be opened anew.
func (d *Device) Show(f panel.Frame) error {
	if now := time.Now(); d.since.IsZero() || d.light != f.Page.Light {
		d.since, d.ago = now, 0
	} else {
		d.ago = now.Sub(d.since)
	}
	d.light, d.night = f.Page.Light, f.Night
	_, err := d.Pulse(0)
	return err
}

// Pulse sets the brightness for the time since the frame was shown, and says after how
// long to call it again; 0 is never.
func (d *Device) Pulse(since time.Duration) (next time.Duration, err error) {
	share, next := d.share(d.ago + since)
	if err := d.set(share); err != nil {
		return 0, fmt.Errorf("light: %w", err)
	}
	return next, nil
}

// share gives the brightness in thousandths, and how long it lasts.
func (d *Device) share(since time.Duration) (share int, lasts time.Duration) {
	period := d.light.Period
	if period <= 0 {
		return 1000, 0 // thousandths: steady
	}
	half, at := period/2, since%period
	if !d.lamp.smooth() {
		if at < half {
			return 1000, half - at // thousandths: on
		}
		return 0, period - at
	}
	step := max(period/steps, stepLeast)
	share = int((half - at).Abs() * 1000 / half)
	return share, step - at%step
}

// set makes the light's colour, so bright in thousandths.
func (d *Device) set(share int) error {
	if d.night && d.lamp.smooth() {
		share /= nightShare
	}
	part := func(v uint8) uint8 { return uint8(int(v) * share / 1000) } // thousandths
	return d.lamp.set(part(d.light.Red), part(d.light.Green), part(d.light.Blue))
}

// Close leaves the light as it is, without pulsing. Lines are the caller's.
func (d *Device) Close() error {
	err := d.set(1000) // thousandths
	if shut := d.lamp.close(); err == nil {
		err = shut
	}
	if err != nil {
		return fmt.Errorf("light: %w", err)
	}
	return nil
}
