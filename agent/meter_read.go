package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

// asked is which meter to read, and how.
type asked struct {
	model, url string
	unit       int           // Modbus address
	serial     string        // another meter's answer is an error; empty for any
	dir        string        // of register maps
	file       string        // configuration that says all of that
	evse       int           // in the configuration
	repeat     int           // times
	timeout    time.Duration // of one reading
	json       bool
}

// between is the pause between repeated readings. Chosen by us: a person compares
// them with a display.
const between = time.Second

func meterReadCommand() *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "read (--model MODEL --url URL | --config FILE [--evse ID])",
		Short: "read everything a meter has to say, once or again and again",
		Example: `  stolpe meter read --model eastron_sdm630 --url tcp://192.168.1.20:502
  stolpe meter read --model eastron_sdm120 --url "rtu:///dev/ttyUSB0?baud=9600&parity=N" --unit 3
  stolpe meter read --config /etc/stolpe/stolpe.yaml --evse 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if a.repeat < 1 || a.timeout <= 0 {
				return errors.New("--repeat and --timeout: want more than 0")
			}
			m, err := a.find()
			if err != nil {
				return err
			}
			return a.read(c.Context(), m, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&a.model, "model", "", "`model` of the meter, from stolpe meter list")
	f.StringVar(&a.url, "url", "", "`address` of its bus: tcp://host:port, rtuovertcp://host:port or rtu:///dev/...?baud=9600&parity=N")
	f.IntVar(&a.unit, "unit", 1, "Modbus `address` of the meter")
	f.StringVar(&a.serial, "serial", "", "`serial` number it must have")
	f.StringVar(&a.file, "config", "", "read a meter of this configuration `file` instead")
	f.IntVar(&a.evse, "evse", 0, "`id` of the EVSE in it; may be left out if there is one")
	f.IntVar(&a.repeat, "repeat", 1, "`times` to read, a second apart")
	f.DurationVar(&a.timeout, "timeout", 10*time.Second, "`time` for one reading")
	f.BoolVar(&a.json, "json", false, "print one JSON object a line for each reading")
	withMeters(c, &a.dir)
	c.MarkFlagsMutuallyExclusive("config", "model")
	c.MarkFlagsMutuallyExclusive("config", "url")
	c.MarkFlagsMutuallyExclusive("config", "unit")
	c.MarkFlagsMutuallyExclusive("config", "meters")
	c.MarkFlagsOneRequired("config", "model")
	c.MarkFlagsRequiredTogether("model", "url")
	return c
}

// find finds the register map, and in a configuration the rest as well.
func (a *asked) find() (*meters.Map, error) {
	if a.file == "" {
		if a.evse != 0 {
			return nil, errors.New("--evse: is for --config")
		}
		return a.registerMap()
	}
	c, err := withoutSecrets(a.file)
	if err != nil {
		return nil, err
	}
	i := 0
	if a.evse != 0 || len(c.EVSEs) > 1 {
		i = slices.IndexFunc(c.EVSEs, func(e config.EVSE) bool { return e.ID == a.evse })
	}
	if i < 0 {
		var ids []int
		for _, e := range c.EVSEs {
			ids = append(ids, e.ID)
		}
		return nil, coded{fmt.Errorf("%s has no EVSE %d; say --evse with one of %d", a.file, a.evse, ids), exitNotFound}
	}
	e := c.EVSEs[i]
	if e.Meter.URL == "" {
		return nil, coded{fmt.Errorf("the meter of EVSE %d is simulated inside stolpe run; to have one that can be read: stolpe meter simulate", e.ID), exitConfig}
	}
	a.model, a.url, a.unit, a.dir = e.Meter.Model, e.Meter.URL, e.Meter.Unit, c.MetersDir
	if a.serial == "" {
		a.serial = e.Meter.Serial
	}
	return a.registerMap()
}

// registerMap finds the register map of the model.
func (a *asked) registerMap() (*meters.Map, error) {
	library, err := loadMeters(a.dir)
	if err != nil {
		return nil, err
	}
	return findMap(library, a.model)
}

// read reads as often as asked, and tells all of it.
func (a *asked) read(ctx context.Context, m *meters.Map, stdout, stderr io.Writer) error {
	began := time.Now()
	now := func() time.Duration { return time.Since(began) }
	bus, err := modbus.OpenBus(a.url, now)
	if err != nil {
		return err
	}
	defer bus.Close() //nolint:errcheck // nothing was written
	meter, err := bus.Meter(m, a.unit)
	if err != nil {
		return err
	}
	if !a.json {
		fmt.Fprintf(stderr, "%s %s (%s), unit %d at %s\n", m.Brand, m.Models[0], m.ID, a.unit, a.url)
	}
	for n := range a.repeat {
		var r readout
		if n == 0 || pause(ctx, between) == nil {
			r = a.once(ctx, meter, now)
		}
		if ctx.Err() != nil {
			return coded{errors.New("interrupted"), exitStopped}
		}
		if err := a.print(stdout, r); err != nil {
			return failed(err)
		}
		if r.err != nil {
			return coded{fmt.Errorf("%w; %s", r.err, advice(a.url, r.err)), exitDevice}
		}
	}
	if m.Confidence == "low" {
		fmt.Fprintln(stderr, "The register map of this model rests on one weak source. Compare energy, power and voltage with the\n"+
			"meter's own display. If they agree, write confirmed: true beside the model; until then it may not bill.")
	}
	return nil
}

// pause lets time pass, or gives the error of a context that ends meanwhile.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readout is what came of one reading.
type readout struct {
	values []modbus.Value
	took   time.Duration
	now    time.Duration // when all had come
	err    error
}

func (a *asked) once(ctx context.Context, meter *modbus.Meter, now func() time.Duration) (r readout) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	began := now()
	r.values, r.err = meter.Values(ctx)
	r.now = now()
	r.took = r.now - began
	for _, v := range r.values {
		needed := v.Name == string(meters.ImportTotal) || v.Name == string(meters.PowerTotal)
		switch {
		case r.err != nil:
		case needed && v.Err != nil:
			r.err = fmt.Errorf("%w: %w", errNotThis, v.Err)
		case v.Name == "serial" && a.serial != "" && v.Text != a.serial:
			r.err = fmt.Errorf("%w: its serial is %q, want %q", errNotThis, v.Text, a.serial)
		}
	}
	return r
}

// errNotThis says that something answers, and not as it should.
var errNotThis = errors.New("another meter answers than the one that was asked for")
