package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/hal/gpio"
	"stolpe/hal/modbus"
)

// probe is what was found at something that a configuration names.
type probe struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`

	code int // with which a command ends for it
}

// probeWithin is how long a meter may take to be looked at. Chosen by us: as stolpe meter
// read has it.
const probeWithin = 10 * time.Second

// probeAll looks at everything that a configuration names and that can be looked at
// without switching anything.
func probeAll(ctx context.Context, cfg config.Config) []probe {
	all := []probe{probeFolder("state_dir", cfg.StateDir)}
	all = append(all, probeBroker(cfg.MQTT)...)
	runs := !errors.Is(daemonOf().Get(ctx, "", nil, nil), control.ErrNoDaemon)
	p := &parts{}
	if err := p.loadMaps(cfg); err != nil {
		return append(all, probe{"meters_dir", false, err.Error(), exitConfig})
	}
	for i, e := range cfg.EVSEs {
		all = append(all, probeMeter(ctx, p, cfg, i, runs))
		all = append(all, probeLines(i, e)...)
	}
	return append(all, probeDisplays(cfg, computer{files: os.DirFS("/")})...)
}

// probeDisplays looks whether the machine has what the displays hang on. Nothing is drawn.
func probeDisplays(cfg config.Config, c computer) (all []probe) {
	facts := displayFacts(cfg, nil)
	c.missing(facts)
	for i, d := range cfg.Displays {
		p := probe{What: fmt.Sprintf("display[%d]", i), OK: true, Text: d.URL + "; whether it is drawn: stolpe doctor display"}
		lines := slices.Sorted(maps.Values(d.At.Lines))
		switch err := gpio.Check(lines...); {
		case facts[i].Missing != "":
			p = probe{p.What, false, "the machine has no " + facts[i].Missing + "; stolpe help displays says how it gets one", exitDevice}
		case len(lines) > 0 && err != nil:
			p = probe{p.What, false, strings.ReplaceAll(err.Error(), "\n", "; "), exitDevice}
		}
		all = append(all, p)
	}
	return all
}

// probeLines looks whether the machine has the lines of an EVSE. Nothing is switched.
func probeLines(i int, e config.EVSE) []probe {
	var specs []string
	for _, spec := range []string{e.Contactor.Line, e.Contactor.Sense, e.Contactor.DeadMan, e.Inputs.Plug, e.Inputs.Stop, e.Inputs.EStop, e.Inputs.RCD, e.Inputs.Hot, e.Inputs.Accept} {
		if spec != "" {
			specs = append(specs, spec)
		}
	}
	if len(specs) == 0 {
		return nil
	}
	p := probe{What: fmt.Sprintf("evses[%d].contactor and inputs", i), OK: true, Text: strings.Join(specs, ", ") + " are there; whether they are wired so: stolpe contactor status"}
	if err := gpio.Check(specs...); err != nil {
		p = probe{p.What, false, strings.ReplaceAll(err.Error(), "\n", "; "), exitDevice}
	}
	return []probe{p}
}

func probeFolder(what, path string) probe {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return probe{What: what, OK: true, Text: path + " is made when the post starts"}
	case err != nil:
		return probe{what, false, err.Error() + "; mend owner and mode", exitConfig}
	case !info.IsDir():
		return probe{what, false, path + " is no folder: name another, or move what is there", exitConfig}
	}
	return probe{What: what, OK: true, Text: path}
}

// probeBroker reads the files with which the post shows who it is.
func probeBroker(m config.MQTT) (all []probe) {
	if m.CA == "" {
		return nil
	}
	text, err := os.ReadFile(m.CA)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
		err = fmt.Errorf("%s has no certificate in PEM", m.CA)
	}
	all = append(all, probe{"mqtt.ca", err == nil, cmp.Or(wrongOf(err), m.CA), exitConfig})
	pair, err := tls.LoadX509KeyPair(m.Cert, m.Key)
	said := m.Cert
	if err == nil {
		if said += ", good until " + pair.Leaf.NotAfter.Format(time.DateOnly); time.Now().After(pair.Leaf.NotAfter) {
			err = errors.New(said + ", which is over: have a new one made")
		}
	}
	return append(all, probe{"mqtt.cert and mqtt.key", err == nil, cmp.Or(wrongOf(err), said), exitConfig})
}

// probeMeter reads a meter once, unless the daemon does.
func probeMeter(ctx context.Context, p *parts, cfg config.Config, i int, runs bool) probe {
	e, what := cfg.EVSEs[i], fmt.Sprintf("evses[%d].meter", i)
	m, err := p.mapOf(cfg, i)
	switch {
	case err != nil:
		return probe{what, false, err.Error(), exitConfig}
	case e.Meter.URL == "":
		return probe{What: what, OK: true, Text: "simulated, as a " + m.ID}
	case runs && strings.HasPrefix(e.Meter.URL, "rtu:"):
		return probe{What: what, OK: true, Text: "not asked, as the daemon has its line: stolpe meter read"}
	}
	a := &asked{model: m.ID, url: e.Meter.URL, unit: e.Meter.Unit, serial: e.Meter.Serial, timeout: probeWithin}
	began := time.Now()
	now := func() time.Duration { return time.Since(began) }
	bus, err := modbus.OpenBus(a.url, now)
	if err != nil {
		return probe{what, false, err.Error(), exitDevice}
	}
	defer bus.Close() //nolint:errcheck // nothing was written
	meter, err := bus.Meter(m, a.unit)
	if err != nil {
		return probe{what, false, err.Error(), exitDevice}
	}
	r := a.once(ctx, meter, now)
	if r.err != nil {
		return probe{what, false, fmt.Sprintf("%v; %s", r.err, advice(a.url, r.err)), exitDevice}
	}
	return probe{What: what, OK: true, Text: fmt.Sprintf("%s answers at %s after %d ms", m.ID, a.url, r.took.Milliseconds())}
}
