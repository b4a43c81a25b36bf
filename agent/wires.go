package main

import (
	"log/slog"
	"sync"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/hal"
	"stolpe/hal/gpio"
	"stolpe/hal/modbus"
)

// wires are the lines of a real contactor and what is wired beside it.
type wires interface {
	evse.Contactor
	evse.Plug
	evse.Inputs
	Beat() error
	Presses() <-chan struct{} // of the accept button
	Pressed() (bool, error)
	Close() error
}

// openWires opens lines of this machine.
func openWires(c gpio.Config) (wires, error) {
	l, err := gpio.Open(c)
	if err != nil {
		return nil, err // not l, which would be a nil that is not nil
	}
	return l, nil
}

// openContactors orders every real contactor open. One whose lines cannot be had is looked
// for later: chips may come late at boot, and another program may end.
func openContactors(c config.Config, w world) *parts {
	p := &parts{posts: posts{info: c.Post, units: map[string]*evse.EVSE{}, doors: map[string]*door{}}, wires: map[int]wires{}, meter: map[int]*modbus.Meter{}, buses: map[string]*modbus.Bus{}, seen: newWitness(), found: map[int]string{}, windows: map[int]*window{}}
	if len(c.Displays) > 0 {
		p.look = newLookout()
	}
	for _, e := range c.EVSEs {
		if e.Contactor.Sim {
			continue
		}
		k, in := e.Contactor, e.Inputs
		ask := func(again bool) (wires, error) {
			return w.wires(gpio.Config{
				Line: k.Line, Sense: k.Sense, DeadMan: k.DeadMan, ActiveLow: k.ActiveLow, Again: again,
				Plug: in.Plug, Stop: in.Stop, EStop: in.EStop, RCD: in.RCD, Hot: in.Hot, Accept: in.Accept,
			})
		}
		l, err := ask(false)
		if err != nil {
			later := newLateWires(func() (wires, error) { return ask(true) }, err, w.log.With("evse", e.ID, "line", k.Line))
			p.withoutWires(e.ID, k.Line, later, w.log)
			l = later
		} else {
			w.log.Info("contactor open", "evse", e.ID, "line", k.Line)
		}
		p.wires[e.ID] = l
		p.close = append(p.close, l.Close)
	}
	return p
}

// wired are the signals that have a wire.
func wired(in config.Inputs) hal.Signals {
	var s hal.Signals
	for _, w := range []struct {
		spec   string
		signal hal.Signals
	}{{in.Stop, hal.StopPressed}, {in.EStop, hal.EmergencyStop}, {in.RCD, hal.RCDTripped}, {in.Hot, hal.TooHot}} {
		if w.spec != "" {
			s |= w.signal
		}
	}
	return s
}

// aliveHook gives what an EVSE calls while all is as wanted: it keeps the dead-man of its
// contactor calm. Nil where there is none.
func (p *parts) aliveHook(e config.EVSE, log *slog.Logger) func() {
	l := p.wires[e.ID]
	if e.Contactor.DeadMan == "" {
		return nil
	}
	var once sync.Once
	return func() {
		if err := l.Beat(); err != nil {
			once.Do(func() {
				log.Error("dead-man does not beat; the contactor opens by itself", "line", e.Contactor.DeadMan, "err", err)
			})
		}
	}
}
