package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

// Chosen by us.
const (
	daemonFor = 40 * time.Second // for the daemon, which asks the payment service meanwhile
	meterFor  = 5 * time.Second  // for a meter that is read without it
)

// gatheredWith asks the daemon, the configuration and the machine. The file is the daemon's
// own unless another is named.
func gatheredWith(ctx context.Context, d *control.Client, c computer, file string, named bool, say meanwhile) doctor.Facts {
	f := doctor.Facts{Version: version, Commit: builtFrom()}
	said, err := askDaemon(ctx, d)
	if err == nil {
		f.Daemon = said
		if !named {
			file = cmp.Or(said.File, file)
		}
	} else {
		f.Absent, f.Refused = err.Error(), !errors.Is(err, control.ErrNoDaemon)
		say("ingen daemon svarer: dette er det som kan ses uten", "no daemon answers: this is what can be seen without it")
	}
	cfg := fileFacts(file, &f.File)
	switch {
	case cfg != nil:
		f.Machine = c.facts(cfg.StateDir, cfg.EVSEs)
	case f.Daemon != nil: // who asks may not read the file
		f.Machine = c.facts(f.Daemon.StateDir, wiredAs(f.Daemon))
	default:
		f.Machine = c.facts("", nil)
	}
	switch {
	case f.Daemon != nil:
		c.missing(f.Daemon.Displays)
	case cfg != nil:
		f.Displays = displayFacts(*cfg, nil)
		c.missing(f.Displays)
	}
	switch {
	case f.Daemon != nil:
		findMeters(ctx, d, f.Daemon, say)
	case cfg != nil && !f.Refused: // nobody else has the meters
		f.Bare = bareMeters(ctx, *cfg, say)
	}
	return f
}

// gathered is gatheredWith for whoever has another way to tell what is being done.
func gathered(ctx context.Context, d *control.Client, c computer, file string, named bool, out io.Writer) doctor.Facts {
	return gatheredWith(ctx, d, c, file, named, func(_, en string, a ...any) { fmt.Fprintf(out, en+"\n", a...) })
}

// meanwhile tells on the way what is being done, in the language of who waits.
type meanwhile func(nb, en string, a ...any)

// wiredAs are the lines of a daemon's contactors.
func wiredAs(d *doctor.Daemon) (all []config.EVSE) {
	for _, e := range d.EVSEs {
		all = append(all, config.EVSE{ID: e.ID, Meter: config.Meter{URL: e.Meter.URL}, Contactor: config.Contactor{Line: e.Contactor.Line, ActiveLow: e.Contactor.ActiveLow}})
	}
	return all
}

// askDaemon asks the daemon what it knows, and has it ask the payment service.
func askDaemon(ctx context.Context, d *control.Client) (*doctor.Daemon, error) {
	ctx, cancel := context.WithTimeout(ctx, daemonFor)
	defer cancel()
	said := new(doctor.Daemon)
	if err := d.Get(ctx, "facts", map[string]bool{"ask": true}, said); err != nil {
		return nil, err
	}
	var ping struct {
		Looked []doctor.Pinged `json:"looked_at"`
	}
	if said.Pay.Through == string(config.ThroughVipps) && said.Pay.Kind == "" {
		if err := d.Get(ctx, "payment/ping", nil, &ping); err == nil { // who may not goes without
			said.Pay.Pinged = ping.Looked
		}
	}
	return said, nil
}

// findMeters has the daemon look for meters that are silent where they should be. Who may
// not have that done goes without.
func findMeters(ctx context.Context, d *control.Client, said *doctor.Daemon, say meanwhile) {
	ctx, cancel := context.WithTimeout(ctx, probeFor+daemonFor)
	defer cancel()
	for i := range said.EVSEs {
		e := &said.EVSEs[i]
		if !searchable(&e.Meter) {
			continue
		}
		say("måleren til EVSE %d svarer ikke: ser om den er stilt inn annerledes", "the meter of EVSE %d does not answer: looking whether it is set otherwise", e.ID)
		var found struct {
			URL  string `json:"url"`
			Unit int    `json:"unit"`
		}
		if err := d.Get(ctx, "facts/meter", map[string]int{"evse": e.ID}, &found); err != nil {
			say("den ble ikke lett etter: %v", "it was not looked for: %v", err)
			continue
		}
		e.Meter.Looked, e.Meter.FoundURL, e.Meter.FoundAt = true, found.URL, found.Unit
	}
}

// searchable says whether a meter may be there all the same, otherwise set.
func searchable(m *doctor.Meter) bool {
	return m.URL != "" && (m.Trouble == doctor.Silent || m.Trouble == doctor.Garbled || m.Trouble == doctor.Gateway)
}

// fileFacts reads the configuration, without its secrets: these are the daemon's. It gives
// nil if it is not valid.
func fileFacts(file string, to *doctor.File) *config.Config {
	to.Path = file
	cfg, err := withoutSecrets(file)
	var wrong config.Errors
	switch {
	case errors.Is(err, fs.ErrPermission):
		to.Unread = true
		return nil
	case errors.As(err, &wrong):
		for _, w := range wrong {
			to.Wrong = append(to.Wrong, w.Error())
		}
		return nil
	case err != nil:
		to.Wrong = []string{err.Error()}
		return nil
	}
	to.Sum, to.Zone, to.Pay = cfg.Sum, cfg.Post.Zone.String(), string(cfg.Payment.Through)
	if by := cfg.Commissioning; by.Key != "" {
		to.Seal = by.SealedAt + ", " + by.By
	}
	if t, err := trial.Of(file); err == nil && t.On() {
		to.Trial = t.ID
	}
	return &cfg
}

// bareMeters reads the meters of a configuration that no daemon reads.
func bareMeters(ctx context.Context, cfg config.Config, say meanwhile) []doctor.EVSE {
	library, err := meters.Load(cfg.MetersDir)
	if err != nil {
		return nil // told with the configuration
	}
	var all []doctor.EVSE
	for i, e := range cfg.EVSEs {
		x := doctor.EVSE{ID: e.ID, Meter: doctor.Meter{Model: e.Meter.Model, URL: e.Meter.URL, Unit: e.Meter.Unit, Serial: e.Meter.Serial, MID: e.Meter.MIDUntil, Index: i}}
		if e.Meter.URL == "" {
			continue // it is simulated by the daemon
		}
		say("leser måleren til EVSE %d", "reading the meter of EVSE %d", e.ID)
		if err := readBare(ctx, library, e, &x.Meter); err != nil {
			x.Meter.Trouble, x.Meter.Wrong = troubleWith(e.Meter.URL, err), err.Error()
			x.Faults = []string{"MET-001"}
		} else if x.Meter.Serial != "" && x.Meter.Told != x.Meter.Serial {
			x.Faults = []string{"MET-002"}
		}
		all = append(all, x)
	}
	return all
}

// readBare reads one meter, or looks for it elsewhere.
func readBare(ctx context.Context, library *meters.Library, e config.EVSE, to *doctor.Meter) error {
	m, err := library.Find(e.Meter.Model)
	if err != nil {
		return err
	}
	bus, err := modbus.OpenBus(e.Meter.URL, clock{began: time.Now()}.mono)
	if err != nil {
		return err
	}
	defer bus.Close() //nolint:errcheck // nothing was written
	meter, err := bus.Meter(m, e.Meter.Unit)
	if err != nil {
		return err
	}
	began := time.Now()
	in, cancel := context.WithTimeout(ctx, meterFor)
	defer cancel()
	r, err := meter.Read(in)
	if err == nil {
		age := int64(0)
		to.Heard, to.Age, to.Told, to.Took = true, &age, r.Serial, time.Since(began).Milliseconds()
		return nil
	}
	if to.Trouble = troubleWith(e.Meter.URL, err); searchable(to) {
		in, cancel := context.WithTimeout(ctx, probeFor)
		defer cancel()
		if url, at, err := bus.Elsewhere(in, e.Meter.Unit); err == nil {
			to.Looked, to.FoundURL, to.FoundAt = true, url, at
		}
	}
	return err
}

// builtFrom is the commit of this build; empty where it was built without one.
func builtFrom() string {
	const enough = 12 // hexadecimal digits, to find it by
	c := commit()
	if c == unknownCommit {
		return ""
	}
	return c[:min(len(c), enough)]
}
