package main

import (
	"errors"
	"fmt"
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

// openContactors orders every real contactor open, also beside one that cannot be
// had: then it gives all back, and the error.
func openContactors(c config.Config, w world) (*parts, error) {
	p := &parts{posts: posts{info: c.Post, units: map[string]*evse.EVSE{}, doors: map[string]*door{}}, wires: map[int]wires{}, meter: map[int]*modbus.Meter{}, buses: map[string]*modbus.Bus{}, seen: newWitness(), found: map[int]string{}, windows: map[int]*window{}}
	if len(c.Displays) > 0 {
		p.look = newLookout()
	}
	var all error
	chipless := false
	for i, e := range c.EVSEs {
		if e.Contactor.Sim {
			continue
		}
		k, in := e.Contactor, e.Inputs
		l, err := w.wires(gpio.Config{
			Line: k.Line, Sense: k.Sense, DeadMan: k.DeadMan, ActiveLow: k.ActiveLow,
			Plug: in.Plug, Stop: in.Stop, EStop: in.EStop, RCD: in.RCD, Hot: in.Hot, Accept: in.Accept,
		})
		switch {
		case errors.Is(err, gpio.ErrNoChip):
			if !chipless { // told once: there is none for the others either
				all = errors.Join(all, errors.New(noChip+"; to try out without one write contactor: {sim: true}"))
			}
			chipless = true
			continue
		case err != nil:
			all = errors.Join(all, c.Wrong(fmt.Sprintf("evses[%d].contactor", i), "lines that cannot be had: "+err.Error(),
				"lines of this machine that no other program holds (gpioinfo lists them; "+perhapsDaemon+"); if one may be closed, switch the post off at its breaker"))
			continue
		}
		w.log.Info("contactor open", "evse", e.ID, "line", k.Line)
		p.wires[e.ID] = l
		p.close = append(p.close, l.Close)
	}
	if all != nil {
		// Not exitConfig: chips may come late at boot, and another program may end.
		return nil, coded{errors.Join(all, p.Close()), exitDevice}
	}
	return p, nil
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

// aliveHook gives what an EVSE calls while it lives: it keeps the service manager
// calm, and the dead-man of its contactor. Nil where nobody listens.
func (p *parts) aliveHook(e config.EVSE, w world, log *slog.Logger) func() {
	var hook func()
	if w.alive != nil {
		hook = w.alive(e.ID)
	}
	l := p.wires[e.ID]
	if e.Contactor.DeadMan == "" {
		return hook
	}
	var once sync.Once
	return func() {
		if hook != nil {
			hook()
		}
		if err := l.Beat(); err != nil {
			once.Do(func() {
				log.Error("dead-man does not beat; the contactor opens by itself", "line", e.Contactor.DeadMan, "err", err)
			})
		}
	}
}
