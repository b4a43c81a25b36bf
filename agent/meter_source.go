package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

// meterFlags are the flags that say which meter is meant.
func (a *asked) meterFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.model, "model", "", "`model` of the meter, from stolpe meter list")
	f.StringVar(&a.url, "url", "", "`address` of its bus: tcp://host:port, rtuovertcp://host:port or rtu:///dev/...?baud=9600&parity=N")
	f.IntVar(&a.unit, "unit", 1, "Modbus `address` of the meter")
	f.StringVar(&a.serial, "serial", "", "`serial` number it must have")
	f.StringVar(&a.file, "config", "", "read a meter of this configuration `file` itself, without the daemon")
	f.IntVar(&a.evse, "evse", 0, "`id` of the EVSE; may be left out if there is one")
	f.DurationVar(&a.timeout, "timeout", 10*time.Second, "`time` for one reading")
	withMeters(c, &a.dir)
	c.MarkFlagsMutuallyExclusive("config", "model")
	c.MarkFlagsMutuallyExclusive("config", "url")
	c.MarkFlagsMutuallyExclusive("config", "unit")
	c.MarkFlagsMutuallyExclusive("config", "meters")
}

// source is where readings come from: a meter that we read, or the daemon.
type source struct {
	name    string // of the model, for people
	model   string
	url     string
	unit    int    // Modbus address
	key     string // of the configuration, for the model that somebody confirms; empty where nobody knows
	through string // for people: by whom it is read
	step    hal.Energy
	weak    bool // its register map rests on one weak source, and nobody answers for it
	once    func(context.Context) readout
	close   func() error
}

// source finds the meter that is meant.
func (a *asked) source(ctx context.Context, stderr io.Writer) (*source, error) {
	if a.timeout <= 0 {
		return nil, errors.New("--timeout: want more than 0")
	}
	if a.model == "" && a.url == "" && a.file == "" {
		s, err := a.throughDaemon(ctx)
		if !errors.Is(err, control.ErrNoDaemon) {
			return s, err
		}
		if _, lost := os.Stat(defaultConfig); lost != nil {
			return nil, fmt.Errorf("say which meter: --model and --url, or --config; %w", err)
		}
		fmt.Fprintf(stderr, "no daemon listens; reading the meter of %s\n", defaultConfig)
		a.file = defaultConfig
	}
	m, err := a.find()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	now := func() time.Duration { return time.Since(began) }
	bus, err := modbus.OpenBus(a.url, now)
	if err != nil {
		return nil, err
	}
	meter, err := bus.Meter(m, a.unit)
	if err != nil {
		return nil, errors.Join(err, bus.Close())
	}
	return &source{
		key: a.key, name: nameOf(m), model: m.ID, url: a.url, unit: a.unit, step: meter.Resolution(), weak: m.Confidence == "low" && !a.confirmed,
		once: func(ctx context.Context) readout { return a.once(ctx, meter, now) }, close: bus.Close,
	}, nil
}

// nameOf is a model as people call it, and its id.
func nameOf(m *meters.Map) string { return fmt.Sprintf("%s %s (%s)", m.Brand, m.Models[0], m.ID) }

// throughDaemon is the meter of an EVSE of the daemon. It is read once at once, to know
// which it is.
func (a *asked) throughDaemon(ctx context.Context) (*source, error) {
	if a.serial != "" || a.dir != "" || a.unit != 1 {
		return nil, errors.New("--serial, --unit and --meters: are for a meter that is read without the daemon, with --model and --url or --config")
	}
	read := func(ctx context.Context) (o readoutJSON, err error) {
		err = daemonOf().Get(ctx, "meter/read", map[string]any{"evse": a.evse, "raw": a.raw, "within_ms": a.timeout.Milliseconds()}, &o)
		return o, err
	}
	first, err := read(ctx)
	if err != nil {
		if errors.Is(err, control.ErrNoDaemon) {
			return nil, err
		}
		return nil, answered(err)
	}
	fresh := true
	return &source{
		key: first.Key, name: cmp.Or(first.Name, first.Model), model: first.Model, url: first.URL, unit: first.Unit, step: first.StepWh, weak: first.Weak,
		through: ", through the daemon",
		once: func(ctx context.Context) readout {
			if fresh {
				fresh = false
				return first.readout()
			}
			o, err := read(ctx)
			if err != nil {
				return readout{err: err, next: "see stolpe status", code: codeOfError(err)}
			}
			return o.readout()
		},
		close: func() error { return nil },
	}, nil
}

// codeOfError is the exit code of an error of the daemon.
func codeOfError(err error) int {
	var own coded
	if errors.As(answered(err), &own) {
		return own.code
	}
	return exitFailed
}
