package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stolpe/hal/modbus"
)

func meterIdentifyCommand() *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "identify [--evse ID | --url URL [--unit N]]",
		Short: "say which meter answers, and whether it is the one that the configuration names",
		Long: `Asks a meter of the running post what it says of itself: its serial and whatever its model can tell. With
--url it is compared with every model instead, for a meter of which nobody knows what it is; stolpe meter scan
finds those of which not even the address is known.`,
		Example: `  stolpe meter identify
  stolpe meter identify --url tcp://192.168.1.20:502 --unit 3`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if a.url != "" && a.model == "" {
				return a.recognise(c.Context(), c.OutOrStdout())
			}
			s, err := a.source(c.Context(), progressOf(c))
			if err != nil {
				return err
			}
			defer s.close() //nolint:errcheck // nothing was written
			return a.identify(c.Context(), s, c.OutOrStdout())
		},
	}
	a.meterFlags(c)
	c.Flags().BoolVar(&a.json, "json", false, "print one JSON object")
	return c
}

// recognise compares the meter at an address with all models.
func (a *asked) recognise(ctx context.Context, stdout io.Writer) error {
	if a.evse != 0 || a.serial != "" {
		return errors.New("--evse and --serial: are for a meter whose model is known")
	}
	const most = 247 // Modbus over serial line 1.02, 2.2; 255 is a meter that is its own gateway
	if a.unit < 1 || a.unit > most && a.unit != 255 {
		return fmt.Errorf("--unit %d: want 1 to %d, or 255", a.unit, most)
	}
	library, err := loadMeters(a.dir)
	if err != nil {
		return err
	}
	if _, err := modbus.OpenBus(a.url, clock{}.mono); err != nil {
		return err
	}
	f, err := modbus.Recognise(ctx, a.url, a.unit, library)
	switch {
	case ctx.Err() != nil:
		return coded{errors.New("interrupted"), exitStopped}
	case err != nil:
		return coded{fmt.Errorf("%w; %s", err, advice(a.url, err)), exitDevice}
	}
	if err := (scan{url: a.url, json: a.json}).print(stdout, library, f); err != nil {
		return failed(err)
	}
	if len(f.Candidates) == 0 {
		return coded{fmt.Errorf("unit %d answers and is like no meter of which there is a map; add one with --meters", a.unit), exitNotFound}
	}
	return nil
}

// identified is what a meter says of itself.
type identified struct {
	Model  string            `json:"model"` // that it is taken for
	Name   string            `json:"name"`  // of the model, for people
	URL    string            `json:"url"`
	Unit   int               `json:"unit"` // Modbus address
	OK     bool              `json:"ok"`   // nothing that it says speaks against the model
	Says   map[string]string `json:"says"` // what it says of itself, by what that is
	Error  string            `json:"error,omitempty"`
	silent error
}

// identify tells what a meter says of itself.
func (a *asked) identify(ctx context.Context, s *source, stdout io.Writer) error {
	r := s.once(ctx)
	if ctx.Err() != nil {
		return coded{errors.New("interrupted"), exitStopped}
	}
	o := identified{Model: s.model, Name: s.name, URL: s.url, Unit: s.unit, OK: r.err == nil, Says: map[string]string{}, silent: r.failure()}
	if r.err != nil {
		o.Error = r.err.Error()
	}
	var names []string
	for _, v := range r.values {
		if v.Unit != "" {
			continue
		}
		names = append(names, v.Name)
		o.Says[v.Name] = written(v)
		if v.Err != nil {
			o.OK, o.Says[v.Name] = false, v.Err.Error()
		}
	}
	if err := o.print(stdout, a.json, names); err != nil {
		return failed(err)
	}
	switch {
	case o.silent != nil:
		return o.silent
	case !o.OK:
		return coded{fmt.Errorf("what answers is not the %s that the configuration names; look at the plate of the meter, then at model and unit: stolpe meter identify --url", o.Model), exitDevice}
	}
	return nil
}

func (o identified) print(w io.Writer, asJSON bool, names []string) error {
	if asJSON {
		return printJSON(w, o)
	}
	verdict := "answers as the configuration says"
	if !o.OK {
		verdict = "does not answer as the configuration says"
	}
	t := table(w)
	fmt.Fprintf(t, "%s, unit %d at %s: %s\n", o.Name, o.Unit, o.URL, verdict)
	for _, n := range names {
		fmt.Fprintf(t, "  %s\t%s\n", n, o.Says[n])
	}
	return t.Flush()
}
