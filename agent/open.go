package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/sim"
)

// world is what differs between a post that lives and one that is shown.
type world struct {
	now   func() hal.Instant
	mono  func() time.Duration
	every time.Duration       // between passes, real time
	grace time.Duration       // for settling after the end, real time
	alive func(id int) func() // gives the watchdog hook of an EVSE; nil for none
	log   *slog.Logger

	// store opens the journal of an EVSE.
	store func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error)
	// bench makes the simulated meter, contactor and car of an EVSE that has no
	// real ones.
	bench func(e config.EVSE) (*bench, error)
	// watch adds watchers.
	watch []evse.Watcher
}

// parts are the running parts of a post.
type parts struct {
	posts
	close []func() error
}

// Close closes everything that was opened, last first.
func (p *parts) Close() error {
	var all error
	for i := len(p.close) - 1; i >= 0; i-- {
		all = errors.Join(all, p.close[i]())
	}
	return all
}

// open makes the EVSEs of a configuration. The contactors come first: they are
// ordered open before anything is read, asked or waited for.
func open(c config.Config, w world, payments evse.Payments) (p *parts, err error) {
	p = &parts{posts: posts{info: c.Post, units: map[string]*evse.EVSE{}}}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	hardware := make([]evse.Parts, len(c.EVSEs))
	for i, e := range c.EVSEs {
		if hardware[i], err = p.openHardware(c, e, w); err != nil {
			return p, err
		}
	}
	for i, e := range c.EVSEs {
		v, err := p.openEVSE(c, e, w, hardware[i], payments)
		if err != nil {
			return p, fmt.Errorf("evse %d: %w", e.ID, err)
		}
		p.units[e.Code] = v
	}
	return p, nil
}

// openHardware opens contactor and meter of an EVSE. Both are simulated when the
// contactor is; a meter that has an address is read there all the same.
func (p *parts) openHardware(c config.Config, e config.EVSE, w world) (evse.Parts, error) {
	if !e.Contactor.Sim {
		return evse.Parts{}, c.Wrong("evses["+strconv.Itoa(index(c, e))+"].contactor", "a real contactor, which is not wired yet", "sim: true")
	}
	b, err := w.bench(e)
	if err != nil {
		return evse.Parts{}, fmt.Errorf("evse %d: %w", e.ID, err)
	}
	if err := b.rig.Set(hal.Open); err != nil {
		return evse.Parts{}, fmt.Errorf("evse %d: open the contactor: %w", e.ID, err)
	}
	w.log.Info("contactor open", "evse", e.ID)
	p.close = append(p.close, b.Close)
	at := modbus.Config{Model: e.Meter.Model, URL: e.Meter.URL, Unit: e.Meter.Unit, Now: w.mono}
	if at.URL == "" {
		at.URL, at.Unit = b.server.URL(), 1
	}
	if at.Model == "" {
		at.Model = simulatedModel
	}
	m, err := modbus.Open(at)
	if err != nil {
		return evse.Parts{}, c.Wrong("evses["+strconv.Itoa(index(c, e))+"].meter", e.Meter.Model+" "+e.Meter.URL, err.Error())
	}
	p.close = append(p.close, m.Close)
	return evse.Parts{Meter: b.remembering(m), Contactor: b.rig, Rules: &session.Rules{Grain: m.Resolution(), Model: at.Model}}, nil
}

func index(c config.Config, e config.EVSE) int {
	for i := range c.EVSEs {
		if c.EVSEs[i].ID == e.ID {
			return i
		}
	}
	return 0
}

// openEVSE reads the journal of an EVSE and makes it of its parts.
func (p *parts) openEVSE(c config.Config, e config.EVSE, w world, made evse.Parts, payments evse.Payments) (*evse.EVSE, error) {
	rules := made.Rules
	rules.Post, rules.EVSE, rules.Code = c.Post.ID, e.ID, e.Code
	rules.Price, rules.Choices, rules.Default = c.Price, c.Reserve.Choices, c.Reserve.Default
	rules.MaxPower, rules.Serial = e.MaxPower, e.Meter.Serial
	rules.NoPlug = true // there is no plug input in this version: a car counts as present
	l := c.Limits
	rules.Limits = session.Limits{Approve: l.Approve, PlugIn: l.PlugIn, NoEnergy: l.NoEnergy, CarFull: l.CarFull, Longest: l.Longest}

	owner := c.Post.ID + "/" + strconv.Itoa(e.ID)
	journal, found, closeJournal, err := w.store(e, owner)
	if err != nil {
		return nil, err
	}
	p.close = append(p.close, closeJournal)
	log := w.log.With("evse", e.ID)
	if found.detail != "" {
		log.Warn("journal", "found", found.detail)
	}
	if found.trust != session.Whole {
		log.Warn("settle-only: open payments are read back and settled, no new driver is served")
	}
	made.State = rules.Recover(found.state, found.trust, w.now())
	made.Payments, made.Journal = payments, journal
	made.Watchers = append([]evse.Watcher{&diary{log: log, rules: rules}}, w.watch...)
	made.Now, made.Every, made.Grace, made.Log = w.now, w.every, w.grace, log
	if w.alive != nil {
		made.Alive = w.alive(e.ID)
	}
	return evse.New(made), nil
}

// simulatedModel is the meter that a bench plays.
const simulatedModel = "eastron_sdm630"

// bench is a simulated meter, contactor and car, with the meter behind a real wire.
type bench struct {
	rig    *sim.Rig
	server *sim.Server
	memory *os.File // the meter's register, which survives a power cut as a real one does
}

// newBench starts a bench. With a file the meter remembers its register there.
func newBench(mono func() time.Duration, car sim.Car, file string) (*bench, error) {
	b := &bench{}
	setup := sim.Setup{Serial: "22110345", Register: 10_344_076} // Wh: a meter some years old
	if file != "" {
		f, err := os.OpenFile(filepath.Clean(file), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("simulated meter: %w", err)
		}
		b.memory = f
		var last int64
		if _, err := fmt.Fscan(f, &last); err == nil {
			setup.Register = hal.Energy(last)
		}
	}
	b.rig = sim.NewRig(setup, mono)
	b.rig.Do(func(s *sim.Bench, now time.Duration) { s.PlugIn(now, car) })
	var err error
	if b.server, err = sim.Serve("127.0.0.1:0", 1, b.rig); err != nil {
		return nil, fmt.Errorf("simulated meter: %w", err)
	}
	return b, nil
}

// Close ends the wire.
func (b *bench) Close() error {
	err := b.server.Close()
	if b.memory != nil {
		err = errors.Join(err, b.memory.Close())
	}
	return err
}

// remembering writes down what the meter shows before anybody sees it.
func (b *bench) remembering(m evse.Meter) evse.Meter {
	if b.memory == nil {
		return m
	}
	return memory{m, b.memory}
}

type memory struct {
	evse.Meter
	file *os.File
}

// Read reads the meter.
func (m memory) Read(ctx context.Context) (hal.Reading, error) {
	r, err := m.Meter.Read(ctx)
	if err != nil {
		return r, err
	}
	if _, err := m.file.WriteAt(fmt.Appendf(nil, "%-20d\n", int64(r.Register)), 0); err != nil {
		return hal.Reading{}, fmt.Errorf("simulated meter: %w", err)
	}
	return r, nil
}
