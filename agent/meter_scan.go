package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

// scan is a search for meters.
type scan struct {
	url, dir string
	patient  bool
	json     bool
}

func meterScanCommand() *cobra.Command {
	var s scan
	c := &cobra.Command{
		Use:   "scan --url URL",
		Short: "find the meters on a line of which nothing is known, and say what to write into the configuration",
		Long: `Asks every unit id, on a serial line at every usual speed and parity that the address leaves open,
and compares what answers with all register maps. The daemon must not hold the line meanwhile.`,
		Example: `  stolpe meter scan --url rtu:///dev/ttyUSB0
  stolpe meter scan --url "rtu:///dev/ttyUSB0?baud=9600" --patient`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.run(c.Context(), c.OutOrStdout(), progressOf(c))
		},
	}
	f := c.Flags()
	f.StringVar(&s.url, "url", "", "`address` of the bus: rtu:///dev/..., tcp://host:port or rtuovertcp://host:port")
	f.BoolVar(&s.patient, "patient", false, "wait for meters that answer late; takes much longer")
	f.BoolVar(&s.json, "json", false, "print one JSON object a line for each meter")
	withMeters(c, &s.dir)
	if err := c.MarkFlagRequired("url"); err != nil {
		panic(err) // the flag stands a few lines above
	}
	return c
}

func (s scan) run(ctx context.Context, stdout, stderr io.Writer) error {
	library, err := loadMeters(s.dir)
	if err != nil {
		return err
	}
	bus, err := modbus.OpenBus(s.url, clock{}.mono) // to know early whether there can be one
	if err != nil {
		return err
	}
	p := &progress{out: stderr, terminal: isTerminal(stderr)}
	found, err := modbus.Scan(ctx, s.url, library, s.patient, p.show)
	p.clear()
	weak := false
	for _, f := range found {
		if err := s.print(stdout, library, f); err != nil {
			return failed(err)
		}
		weak = weak || len(f.Candidates) > 0 && isWeak(library, f.Candidates[0].Model)
	}
	switch {
	case ctx.Err() != nil:
		return coded{fmt.Errorf("interrupted; %d meters were found until then", len(found)), exitStopped}
	case err != nil:
		return coded{fmt.Errorf("%w; %s", err, advice(s.url, err)), exitDevice}
	case len(found) == 0:
		return coded{errors.New(s.nothing()), exitDevice}
	}
	if weak {
		fmt.Fprintln(stderr, weakMap)
	}
	if more := bus.Advice(); more != "" {
		fmt.Fprintln(stderr, more)
	}
	return nil
}

func isWeak(library *meters.Library, model string) bool {
	m, err := library.Find(model)
	return err == nil && m.Confidence == "low"
}

// nothing says what to try when no meter was found.
func (s scan) nothing() string {
	next := "no meter was found; is it on, are A and B the right way round, does another program hold the line (systemctl stop stolpe)?"
	if strings.Contains(s.url, "?") {
		next += " Leave baud and parity out of --url to try them all."
	}
	if !s.patient {
		next += " Some meters answer late: add --patient"
	}
	return next
}

// progress tells how far a scan has come: in one line that is written over on a
// terminal, in a line for each setting otherwise.
type progress struct {
	out      io.Writer
	terminal bool
	last     string
}

func (p *progress) show(now modbus.Progress) {
	const percent = 100
	if p.terminal {
		left := ""
		if now.Left > 0 {
			left = fmt.Sprintf(", at most %v left", now.Left)
		}
		fmt.Fprintf(p.out, "\r\x1b[K%s, unit %d, %d found, %.0f %% done%s", now.Where, now.Unit, now.Found, percent*now.Share, left)
	} else if now.Where != p.last {
		fmt.Fprintf(p.out, "trying %s, %.0f %% done\n", now.Where, percent*now.Share)
	}
	p.last = now.Where
}

func (p *progress) clear() {
	if p.terminal && p.last != "" {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// print tells of one meter, what to write for it, and what else it may be.
func (s scan) print(w io.Writer, library *meters.Library, f modbus.Found) error {
	if s.json {
		return printJSON(w, foundOf(f))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "unit %d at %s\n", f.Unit, f.URL)
	for i, c := range f.Candidates {
		const others = 3 // chosen by us: whoever is less like it is not meant
		if i > others || i > 0 && f.Candidates[0].Proved && !c.Proved {
			break
		}
		name := c.Model
		if m, err := library.Find(c.Model); err == nil {
			name = m.Brand + " " + m.Models[0]
		}
		sure := "is like"
		if c.Proved {
			sure = "says it is"
		}
		if i > 0 {
			sure = "or " + sure
		}
		fmt.Fprintf(&b, "  %s %s (%s)\n", sure, name, c.Model)
		if i == 0 {
			fmt.Fprintf(&b, "    %s\n", strings.Join(told(c.Values), "  "))
		}
		for _, d := range c.Doubts {
			fmt.Fprintf(&b, "    but %s\n", d)
		}
	}
	if len(f.Candidates) == 0 {
		fmt.Fprintln(&b, "  answers, and is like no meter of which there is a map; one may be added with --meters")
	} else {
		fmt.Fprintf(&b, "  compare this with the meter's own display, then write into the configuration:\n    %s\n", configLine(f))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// told gives the values that there are, for comparing them with a display.
func told(values []modbus.Value) []string {
	var all []string
	for _, v := range values {
		name := strings.ReplaceAll(strings.TrimSuffix(v.Name, "_total"), "_", " ")
		if shown := v.Unit == "Wh" || v.Unit == "W" || v.Unit == "mV"; v.Err == nil && (shown || v.Name == "serial" && v.Text != "") {
			all = append(all, name+" "+written(v))
		}
	}
	return all
}

// configLine is what the configuration says of the meter.
func configLine(f modbus.Found) string {
	best := f.Candidates[0]
	line := fmt.Sprintf("meter: {model: %s, url: %q, unit: %d", best.Model, f.URL, f.Unit)
	for _, v := range best.Values {
		if v.Name == "serial" && v.Err == nil && v.Text != "" {
			line += fmt.Sprintf(", serial: %q", v.Text)
		}
	}
	return line + "}"
}

// Objects of --json.
type (
	foundJSON struct {
		URL        string          `json:"url"`
		Unit       int             `json:"unit"` // Modbus address
		Config     string          `json:"config,omitempty"`
		Candidates []candidateJSON `json:"candidates"` // best first
	}
	candidateJSON struct {
		Model  string      `json:"model"`
		Proved bool        `json:"proved"` // the meter says so of itself
		Doubts []string    `json:"doubts,omitempty"`
		Values []valueJSON `json:"values"`
	}
)

func foundOf(f modbus.Found) foundJSON {
	o := foundJSON{URL: f.URL, Unit: f.Unit, Candidates: []candidateJSON{}}
	if len(f.Candidates) > 0 {
		o.Config = configLine(f)
	}
	for _, c := range f.Candidates {
		j := candidateJSON{Model: c.Model, Proved: c.Proved, Doubts: c.Doubts, Values: []valueJSON{}}
		for _, v := range c.Values {
			j.Values = append(j.Values, valueOf(v))
		}
		o.Candidates = append(o.Candidates, j)
	}
	return o
}
