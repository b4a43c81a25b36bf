package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// simulation is a simulated meter to be served.
type simulation struct {
	model, url string
	unit       int // Modbus address
	serial     string
	power      int // of the car, W
	dir        string
}

func meterSimulateCommand() *cobra.Command {
	var s simulation
	c := &cobra.Command{
		Use:   "simulate --model MODEL [--url URL] [--unit N]",
		Short: "be a meter, with a car charging behind it, for trying things out without one",
		Example: `  stolpe meter simulate --model eastron_sdm120 --url tcp://127.0.0.1:1502
  stolpe meter simulate --model eastron_sdm120 --url "rtu:/tmp/meter?baud=9600&parity=N"`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.run(c.Context(), c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVar(&s.model, "model", "", "`model` to be, from stolpe meter list")
	f.StringVar(&s.url, "url", "tcp://127.0.0.1:1502", "`address` to serve at: tcp://host:port, rtuovertcp://host:port, or rtu:PATH?baud=9600&parity=N, which makes a serial line at PATH")
	f.IntVar(&s.unit, "unit", 1, "Modbus `address` to answer to")
	f.StringVar(&s.serial, "serial", "22110345", "`serial` number to have")
	f.IntVar(&s.power, "power", 11_000, "power of the car, in `W`; 0 for no car")
	withMeters(c, &s.dir)
	if err := c.MarkFlagRequired("model"); err != nil {
		panic(err) // the flag stands a few lines above
	}
	return c
}

// run serves until ctx ends.
func (s simulation) run(ctx context.Context, stdout io.Writer) error {
	library, err := loadMeters(s.dir)
	if err != nil {
		return err
	}
	m, err := findMap(library, s.model)
	if err != nil {
		return err
	}
	if s.unit < 1 || s.unit > 255 {
		return fmt.Errorf("--unit %d: want 1 to 247, or 255 over tcp", s.unit)
	}
	rig := s.rig(m)
	if err := canShow(m, rig); err != nil {
		return fmt.Errorf("%w; another --serial may fit", err)
	}
	at, end, err := s.serve(m, sim.Units{byte(s.unit): play(m, rig)})
	if err != nil {
		return failed(fmt.Errorf("%w; choose another --url", err))
	}
	_, err = fmt.Fprintf(stdout, "Simulating %s %s as unit %d, a car charging at %v. Ctrl-C ends it.\nstolpe meter read --model %s --unit %d --url %s\n",
		m.Brand, m.Models[0], s.unit, hal.Power(s.power), m.ID, s.unit, quoted(at))
	if err == nil {
		<-ctx.Done()
	}
	if closing := end(); err == nil {
		err = closing
	}
	return failed(err)
}

// rig is a bench with a car that charges from now on and is never full.
func (s simulation) rig(m *meters.Map) *sim.Rig {
	const neverFull hal.Energy = 2_000_000 // Wh
	const since = 10 * time.Second         // the car has woken up and draws all it can
	began := time.Now()
	rig := sim.NewRig(sim.Setup{
		Serial: s.serial, Register: 10_344_076, // Wh: a meter some years old
		Modulus: m.Modulus(), Refresh: time.Duration(m.Limits.Refresh) * time.Millisecond,
	}, func() time.Duration { return time.Since(began) + since })
	rig.Do(func(b *sim.Bench, _ time.Duration) {
		b.PlugIn(0, sim.Car{Power: hal.Power(s.power), Need: neverFull})
		b.Set(0, hal.Closed)
	})
	return rig
}

// canShow says whether a meter of this map can show what happens on the bench.
func canShow(m *meters.Map, rig *sim.Rig) error {
	r, err := rig.Read(context.Background())
	if err != nil {
		return err
	}
	return meters.NewImage(m).Show(showing(m, r))
}

// serve puts meters on the wire that the address names.
func (s simulation) serve(m *meters.Map, units sim.Units) (at string, end func() error, err error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return "", nil, err
	}
	switch u.Scheme {
	case "tcp", "rtuovertcp":
		server, err := map[string]func(string, sim.Units) (*sim.Server, error){"tcp": sim.ServeTCP, "rtuovertcp": sim.ServeRTUOverTCP}[u.Scheme](u.Host, units)
		if err != nil {
			return "", nil, err
		}
		return server.URL(), server.Close, nil
	case "rtu":
		serial, err := serialOf(m, u)
		if err != nil {
			return "", nil, err
		}
		line, err := sim.ServeRTU(units, serial)
		if err != nil {
			return "", nil, err
		}
		return line.URL(), line.Close, nil
	}
	return "", nil, fmt.Errorf("--url %s: want tcp://host:port, rtuovertcp://host:port or rtu:PATH?baud=9600&parity=N", s.url)
}

// serialOf is the line that an address describes. What is left out is as the meter
// leaves the factory.
func serialOf(m *meters.Map, u *url.URL) (sim.Serial, error) {
	line := sim.Serial{Link: u.Opaque + u.Path}
	if f := m.Serial; f != nil {
		line.Baud, line.Parity, line.StopBits = f.Baud, f.Parity, f.StopBits
	}
	said, err := url.ParseQuery(u.RawQuery)
	for name, all := range said {
		value := all[len(all)-1]
		switch name {
		case "parity":
			line.Parity = value
		case "baud":
			line.Baud, err = strconv.Atoi(value)
		case "stop":
			line.StopBits, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("%s: want baud, parity or stop", name)
		}
		if err != nil {
			return line, fmt.Errorf("--url %s: %w", u, err)
		}
	}
	return line, err
}
