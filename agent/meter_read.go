package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
	key        string        // there, for the model that somebody confirms
	evse       int           // in the configuration
	confirmed  bool          // somebody answers for the register map
	raw        bool          // with what is said on the bus
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
		Use:   "read [--evse ID | --model MODEL --url URL | --config FILE [--evse ID]]",
		Short: "read everything a meter has to say, once or again and again",
		Long: `Reads a meter of the running post through the daemon, which holds its line. With --model and --url, or
with --config, it reads the meter itself; on a serial line the daemon must not hold it then.`,
		Example: `  stolpe meter read --raw
  stolpe meter read --model eastron_sdm630 --url tcp://192.168.1.20:502
  stolpe meter read --model eastron_sdm120 --url "rtu:///dev/ttyUSB0?baud=9600&parity=N" --unit 3
  stolpe meter read --config /etc/stolpe/stolpe.yaml --evse 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if a.repeat < 1 {
				return errors.New("--repeat: want more than 0")
			}
			s, err := a.source(c.Context(), progressOf(c))
			if err != nil {
				return err
			}
			defer s.close() //nolint:errcheck // nothing was written
			return a.read(c.Context(), s, c.OutOrStdout(), progressOf(c))
		},
	}
	f := c.Flags()
	f.IntVar(&a.repeat, "repeat", 1, "`times` to read, a second apart")
	f.BoolVar(&a.raw, "raw", false, "show what is said on the bus, byte by byte")
	f.BoolVar(&a.json, "json", false, "print one JSON object a line for each reading")
	a.meterFlags(c)
	return c
}

// find finds the register map, and in a configuration the rest as well.
func (a *asked) find() (*meters.Map, error) {
	switch {
	case a.file != "":
		return a.findConfigured()
	case a.model == "" || a.url == "":
		return nil, errors.New("say which meter: --model and --url, or --config, or nothing for that of the daemon")
	case a.evse != 0:
		return nil, errors.New("--evse: is for --config, or for the daemon")
	}
	return a.registerMap(a.wrongSerial)
}

func (a *asked) findConfigured() (*meters.Map, error) {
	c, err := withoutSecrets(a.file)
	var wrong config.Errors
	if err != nil && !errors.As(err, &wrong) {
		err = fmt.Errorf("%w; name another with --config", err)
	}
	if err != nil {
		return nil, err
	}
	i, err := a.choose(c.EVSEs)
	if err != nil {
		return nil, err
	}
	e := c.EVSEs[i]
	if e.Meter.URL == "" {
		return nil, coded{fmt.Errorf("the meter of EVSE %d is simulated inside stolpe run, where model without url tries out a register map; "+
			"to have one that can be read from outside: stolpe meter simulate, then stolpe meter read --model", e.ID), exitConfig}
	}
	a.key = confirmedKey(i)
	a.model, a.url, a.unit, a.dir, a.confirmed = e.Meter.Model, e.Meter.URL, e.Meter.Unit, c.MetersDir, e.Meter.Confirmed == e.Meter.Model
	if a.serial != "" {
		return a.registerMap(a.wrongSerial)
	}
	a.serial = e.Meter.Serial
	return a.registerMap(func(want string) error {
		return config.Errors{c.Wrong(fmt.Sprintf("evses[%d].meter.serial", i), fmt.Sprintf("%q", a.serial), want)}
	})
}

// confirmedKey is the key for the model that somebody confirms, of an EVSE by its place.
func confirmedKey(i int) string { return fmt.Sprintf("evses[%d].meter.confirmed", i) }

// choose gives the index of the EVSE that is meant.
func (a *asked) choose(all []config.EVSE) (int, error) {
	if a.evse == 0 && len(all) == 1 {
		return 0, nil
	}
	var flags []string
	for i, e := range all {
		if e.ID == a.evse {
			return i, nil
		}
		flags = append(flags, fmt.Sprintf("--evse %d", e.ID))
	}
	found := "several EVSEs"
	if a.evse != 0 {
		found = fmt.Sprintf("no EVSE %d", a.evse)
	}
	return 0, coded{fmt.Errorf("%s has %s; add %s", a.file, found, strings.Join(flags, " or ")), exitNotFound}
}

func (a *asked) wrongSerial(want string) error {
	return fmt.Errorf("--serial %s: want %s", a.serial, want)
}

// registerMap finds the register map of the model. A serial that no such meter can
// tell is wrong.
func (a *asked) registerMap(wrongSerial func(want string) error) (*meters.Map, error) {
	library, err := loadMeters(a.dir)
	if err != nil {
		return nil, err
	}
	m, err := findMap(library, a.model)
	if err == nil && a.serial != "" && !tellsSerial(m) {
		err = wrongSerial(cannotTell(m))
	}
	return m, err
}

// read reads as often as asked, and tells all of it.
func (a *asked) read(ctx context.Context, s *source, stdout, stderr io.Writer) error {
	if !a.json {
		fmt.Fprintf(stderr, "%s, unit %d at %s%s\n", s.name, s.unit, s.url, s.through)
	}
	for n := range a.repeat {
		var r readout
		if n == 0 || pause(ctx, between) == nil {
			r = s.once(ctx)
		}
		if ctx.Err() != nil {
			return coded{errors.New("interrupted"), exitStopped}
		}
		if err := s.print(stdout, r, a.json); err != nil {
			return failed(err)
		}
		if err := r.failure(); err != nil {
			return err
		}
	}
	if s.weak {
		fmt.Fprintln(stderr, weakMap)
	}
	return nil
}

// weakMap is told of a register map of low confidence.
const weakMap = "The register map of this model rests on one weak source. Compare energy, power and voltage with the\n" +
	"meter's own display. If they agree: stolpe config set 'evses[0].meter.confirmed' MODEL. Until then it may not bill."

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
	frames []modbus.Frame // if they were asked for
	took   time.Duration
	now    time.Duration // when all had come
	err    error
	next   string // what to do about it
	code   int    // to exit with then; 0 for exitDevice
}

// failure is what a command ends with after such a readout; nil if all is well.
func (r readout) failure() error {
	if r.err == nil {
		return nil
	}
	return coded{fmt.Errorf("%w; %s", r.err, r.next), cmp.Or(r.code, exitDevice)}
}

func (a *asked) once(ctx context.Context, meter *modbus.Meter, now func() time.Duration) (r readout) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	began := now()
	if a.raw {
		r.values, r.frames, r.err = meter.Frames(ctx)
	} else {
		r.values, r.err = meter.Values(ctx)
	}
	if r.err != nil && modbus.Unanswered(r.err) {
		r.err = fmt.Errorf("the gateway got no answer from unit %d: %w", a.unit, r.err)
	}
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
	if r.err != nil {
		r.next = advice(a.url, r.err)
	}
	return r
}

// errNotThis says that something answers, and not as it should.
var errNotThis = errors.New("another meter answers than the one that was asked for")
