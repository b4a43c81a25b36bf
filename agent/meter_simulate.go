package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/hal"
	"stolpe/hal/modbus"
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
	json       bool
}

// mostPower is the most that a car draws, W: as much as an EVSE may deliver.
const mostPower = 50_000

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
	f.IntVar(&s.power, "power", 11_000, "power of the car, in `W`, at most 50000; 0 for no car")
	f.BoolVar(&s.json, "json", false, "print one JSON object: what is served, and where")
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
	if own := s.unit == 255 && strings.HasPrefix(s.url, "tcp:"); !own && (s.unit < 1 || s.unit > 247) {
		return fmt.Errorf("--unit %d: want 1 to 247, or 255 over tcp", s.unit)
	}
	if s.power < 0 || s.power > mostPower {
		return fmt.Errorf("--power %d: want 0 to %d W", s.power, mostPower)
	}
	rig := s.rig(m)
	if err := canShow(m, rig); err != nil {
		return fmt.Errorf("%w; another --serial may fit", err)
	}
	at, end, err := s.serve(m, sim.Units{byte(s.unit): play(m, rig)})
	if err != nil {
		return err
	}
	if s.json {
		err = printJSON(stdout, servedJSON{m.ID, s.unit, at, s.serial, s.power})
	} else {
		_, err = fmt.Fprintf(stdout, "Simulating %s %s as unit %d, a car charging at %v. Ctrl-C ends it.\nstolpe meter read --model %s --unit %d --url %s\n",
			m.Brand, m.Models[0], s.unit, hal.Power(s.power), m.ID, s.unit, quoted(at))
	}
	if err == nil {
		<-ctx.Done()
	}
	if closing := end(); err == nil {
		err = closing
	}
	return failed(err)
}

// servedJSON is a simulated meter, as --json has it.
type servedJSON struct {
	Model  string `json:"model"`
	Unit   int    `json:"unit"` // Modbus address
	URL    string `json:"url"`
	Serial string `json:"serial"`
	Power  int    `json:"power_w"` // of the car
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
		return "", nil, s.wrongURL()
	}
	switch u.Scheme {
	case "tcp", "rtuovertcp":
		at, end, err = s.serveTCP(u, units)
	case "rtu":
		at, end, err = s.serveLine(m, u, units)
	default:
		err = s.wrongURL()
	}
	return at, end, err
}

func (s simulation) wrongURL() error {
	return fmt.Errorf("--url %s: want tcp://host:port, rtuovertcp://host:port or rtu:PATH?baud=9600&parity=N", s.url)
}

// taken is for an address that could be, and cannot be had.
func taken(err error) error { return failed(fmt.Errorf("%w; choose another --url", err)) }

// serveTCP serves this machine alone unless a host is named.
func (s simulation) serveTCP(u *url.URL, units sim.Units) (at string, end func() error, err error) {
	_, err = strconv.ParseUint(u.Port(), 10, 16)
	if bare := (url.URL{Scheme: u.Scheme, Host: u.Host}); err != nil || *u != bare {
		return "", nil, s.wrongURL()
	}
	serve := map[string]func(string, sim.Units) (*sim.Server, error){"tcp": sim.ServeTCP, "rtuovertcp": sim.ServeRTUOverTCP}[u.Scheme]
	server, err := serve(net.JoinHostPort(cmp.Or(u.Hostname(), "127.0.0.1"), u.Port()), units)
	if err != nil {
		return "", nil, taken(err)
	}
	return server.URL(), server.Close, nil
}

// serveLine serves on a serial line. What the address leaves out is as the meter
// leaves the factory; what it says must be what stolpe meter read takes.
func (s simulation) serveLine(m *meters.Map, u *url.URL, units sim.Units) (at string, end func() error, err error) {
	path := u.Opaque + u.Path
	if path == "" || u.Host != "" {
		return "", nil, s.wrongURL()
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", nil, taken(err)
	}
	read := url.URL{Scheme: u.Scheme, Path: path, RawQuery: u.RawQuery}
	if _, err := modbus.OpenBus(read.String(), clock{}.mono); err != nil {
		return "", nil, fmt.Errorf("--url: %w", err)
	}
	line := sim.Serial{Link: path}
	if f := m.Serial; f != nil {
		line.Baud, line.Parity, line.StopBits = f.Baud, f.Parity, f.StopBits
	}
	said := u.Query()
	line.Parity = cmp.Or(said.Get("parity"), line.Parity)
	for name, number := range map[string]*int{"baud": &line.Baud, "stop": &line.StopBits} {
		if n, err := strconv.Atoi(said.Get(name)); err == nil {
			*number = n
		}
	}
	served, err := sim.ServeRTU(units, line)
	if err != nil {
		return "", nil, taken(err)
	}
	return served.URL(), served.Close, nil
}
