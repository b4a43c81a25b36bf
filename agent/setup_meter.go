package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/setup"
	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

// fitted is what is learned of a post while it is set up.
type fitted struct {
	charge *outcome // the first charge; nil for none
	files  []string // that were written
	name   string   // of the report
}

// meterOf is the meter of an EVSE, as the answers have it.
func (f *fitting) meterOf(n int) asked {
	key := func(name string) string {
		return f.progress.Answers[strings.TrimSuffix(shownKey(n), "shown")+name]
	}
	a := asked{model: key("model"), url: key("url"), serial: key("serial"), unit: 1, timeout: meterWithin, confirmed: true}
	if u, err := strconv.Atoi(key("unit")); err == nil {
		a.unit = u
	}
	return a
}

// setMeter notes what was found out of a meter.
func (f *fitting) setMeter(n int, name, v string) {
	f.progress.Answers[strings.TrimSuffix(shownKey(n), "shown")+name] = v
}

// readMeters finds, reads and compares the meter of each EVSE.
func (f *fitting) readMeters(ctx context.Context) error {
	if f.progress.Answers.Yes("simulated") {
		f.note(setup.Meter, setup.Nothing, setup.Words{NB: "simulert", EN: "simulated"}.In(f.lang))
		return nil
	}
	library, err := loadMeters("")
	if err != nil {
		return err
	}
	var said []string
	for n := 1; n <= f.progress.Answers.EVSEs(); n++ {
		text, err := f.readMeter(ctx, library, n)
		if err != nil {
			return err
		}
		said = append(said, text)
	}
	f.note(setup.Meter, setup.Passed, strings.Join(said, "; "))
	return nil
}

// readMeter is readMeters for one EVSE.
func (f *fitting) readMeter(ctx context.Context, library *meters.Library, n int) (string, error) {
	if f.meterOf(n).model == "" {
		if err := f.scanMeter(ctx, library, n); err != nil {
			return "", err
		}
	}
	a := f.meterOf(n)
	m, err := a.registerMap(a.wrongSerial)
	if err != nil {
		return "", err
	}
	r, err := a.readOnce(ctx, m)
	if err != nil {
		return "", err
	}
	var register *hal.Energy
	var power hal.Power
	for _, v := range r.values {
		switch {
		case v.Err != nil:
		case v.Name == string(meters.ImportTotal):
			e := hal.Energy(v.Number)
			register = &e
		case v.Name == string(meters.PowerTotal):
			power = hal.Power(v.Number)
		case v.Name == "serial" && v.Text != "":
			f.setMeter(n, "serial", v.Text) // pinned: another meter is then an alarm, and no bill
		}
	}
	if register == nil {
		return "", coded{errors.New("the meter does not say how much it has counted; is the model right?"), exitDevice}
	}
	fmt.Fprintf(f.stderr, "  %s %s: %s\n", m.Brand, m.Models[0], strings.Join(told(r.values), "  "))
	return f.compare(ctx, m, n, *register, power)
}

// meterWithin is how long one reading may take.
const meterWithin = 10 * time.Second

// readOnce reads a meter on a bus of its own.
func (a *asked) readOnce(ctx context.Context, m *meters.Map) (readout, error) {
	began := time.Now()
	now := func() time.Duration { return time.Since(began) }
	bus, err := modbus.OpenBus(a.url, now)
	if err != nil {
		return readout{}, err
	}
	defer bus.Close() //nolint:errcheck // nothing was written
	meter, err := bus.Meter(m, a.unit)
	if err != nil {
		return readout{}, err
	}
	r := a.once(ctx, meter, now)
	if r.err != nil {
		return r, coded{fmt.Errorf("%w; %s", r.err, advice(a.url, r.err)), exitDevice}
	}
	return r, nil
}

// scanMeter looks for the meter at its address, of which nothing else is known.
func (f *fitting) scanMeter(ctx context.Context, library *meters.Library, n int) error {
	s := scan{url: f.meterOf(n).url}
	p := &progress{out: f.stderr, terminal: f.terminal != nil}
	found, err := modbus.Scan(ctx, s.url, library, false, p.show)
	p.clear()
	if err != nil {
		return coded{fmt.Errorf("%w; %s", err, advice(s.url, err)), exitDevice}
	}
	var sure []modbus.Found
	for _, x := range found {
		if len(x.Candidates) > 0 {
			sure = append(sure, x)
			if err := s.print(f.stderr, library, x); err != nil {
				return err
			}
		}
	}
	flag, _ := setup.Find(shownKey(n))
	model := "--" + strings.TrimSuffix(flag.Flag(), "shown") + "model"
	switch {
	case len(sure) == 0:
		return coded{errors.New(s.nothing()), exitDevice}
	case len(sure) > 1:
		return coded{fmt.Errorf("%d meters answer; say which one with %s and its unit", len(sure), model), exitUsage}
	case !sure[0].Candidates[0].Proved && f.terminal == nil:
		return coded{fmt.Errorf("the meter does not say what it is; look at its plate and add %s", model), exitUsage}
	}
	best := sure[0].Candidates[0]
	if !best.Proved {
		ok, err := f.confirm(ctx, fmt.Sprintf("%s?", best.Model), setup.Words{
			NB: "Måleren sier ikke selv hva den er. Stemmer det med skiltet?", EN: "The meter does not say what it is. Does its plate?"}.In(f.lang), "")
		if err != nil {
			return err
		}
		if !ok {
			return coded{fmt.Errorf("look at its plate, and add %s", model), exitUsage}
		}
	}
	f.setMeter(n, "model", best.Model)
	f.setMeter(n, "url", sure[0].URL)
	f.setMeter(n, "unit", fmt.Sprint(sure[0].Unit))
	return nil
}

// compare holds the register against what a person reads on the meter's own display.
// Only then is it known that the map reads what is billed.
func (f *fitting) compare(ctx context.Context, m *meters.Map, n int, register hal.Energy, power hal.Power) (string, error) {
	shown := f.progress.Answers[shownKey(n)]
	if shown == "" {
		q, _ := setup.Find(shownKey(n))
		said, err := f.terminal.ask(ctx, setup.Request{Do: setup.DoAsk, Title: setup.Meter.Title().In(f.lang), Keys: []string{q.Key}, Must: []string{q.Key}}, f.checkKey)
		if err != nil {
			return "", err
		}
		shown = said.Answers[q.Key]
	}
	d, err := parseShown(shown)
	if err != nil {
		return "", coded{err, exitUsage}
	}
	held := compared{Model: m.ID, RegisterWh: register, ShownWh: d.value, PowerW: power, WithinWh: d.step + m.Resolution + power.Over(looking)}
	switch held.judge() {
	case exitDiffers:
		delete(f.progress.Answers, shownKey(n)) // it may have been misread
		return "", coded{fmt.Errorf("%s; is it the same meter, and the display that counts what is drawn? If so: %s", held.Why, held.Next), exitDevice}
	case exitRefused: // a new meter has counted nothing yet
		if m.Confidence == "low" {
			return "", coded{fmt.Errorf("%s; %s", held.Why, held.Next), exitDevice}
		}
		f.setMeter(n, "shown", shown)
		f.progress.Read(n, int64(register))
		return fmt.Sprintf("%s %s %v; %s", m.ID, f.meterOf(n).serial, register, held.Why), nil
	}
	f.setMeter(n, "shown", shown)
	f.setMeter(n, "confirmed", m.ID)
	f.progress.Read(n, int64(register))
	return fmt.Sprintf("%s %s %v = %s kWh", m.ID, f.meterOf(n).serial, register, shown), nil
}
