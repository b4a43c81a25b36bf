package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/hal"
)

// glanceEvery is how often somebody who follows the wires is told of a change at most.
// Chosen by us: faster than a person presses.
const glanceEvery = 100 * time.Millisecond

// wiresNow is what the wires of an EVSE say.
type wiresNow struct {
	EVSE  int       `json:"evse"` // number on the post
	Wires []wireNow `json:"wires"`
}

// wireNow is one of them.
type wireNow struct {
	Name string `json:"name"`           // as under inputs and contactor in the configuration
	Line string `json:"line,omitempty"` // of the machine; empty for a simulated one
	Says string `json:"says"`           // in a word
	Fine bool   `json:"fine"`           // it says nothing against charging
}

// inputs tells what the wires say, now and at every change, of all EVSEs or one.
func (l *local) inputs(ctx context.Context, _ control.Caller, text json.RawMessage, send func(any) error) error {
	var args struct {
		EVSE int  `json:"evse"` // 0 for all
		Once bool `json:"once"` // only what they say now
	}
	if err := control.Read(text, &args); err != nil {
		return err
	}
	units, err := l.here(args.EVSE)
	if err != nil {
		return err
	}
	ticks := time.NewTicker(glanceEvery)
	defer ticks.Stop()
	var last []wiresNow
	for {
		var all []wiresNow
		for _, v := range units {
			all = append(all, l.wiresOf(v))
		}
		if !slices.EqualFunc(all, last, func(a, b wiresNow) bool { return a.EVSE == b.EVSE && slices.Equal(a.Wires, b.Wires) }) {
			if err := send(map[string]any{"evses": all}); err != nil {
				return err
			}
			last = all
		}
		if args.Once {
			return nil
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wiresOf lists what each wire of an EVSE says. A wire that there is not is left out.
func (l *local) wiresOf(v unit) wiresNow {
	s, now, _ := v.Snapshot()
	r := v.Rules()
	w := wiresNow{EVSE: r.EVSE}
	i := slices.IndexFunc(l.cfg.EVSEs, func(e config.EVSE) bool { return e.ID == r.EVSE })
	e := l.cfg.EVSEs[i]
	stands := s.Contactor(now.Mono)
	w.Wires = append(w.Wires, wireNow{"sense", e.Contactor.Sense, stands, stands == hal.Open.String() || stands == hal.Closed.String()})
	if !r.NoPlug {
		plug := s.PlugSensed()
		w.Wires = append(w.Wires, wireNow{"plug", e.Inputs.Plug, plug.String(), plug != hal.PlugUnknown})
	}
	if e.Inputs.Accept != "" {
		w.Wires = append(w.Wires, l.buttonNow(e))
	}
	for _, x := range signalWires(e.Inputs) {
		says, fine := x.sound, s.Signals()&x.signal == 0
		if !fine {
			says = x.on
		}
		if r.Wired&x.signal != 0 {
			w.Wires = append(w.Wires, wireNow{x.name, x.line, says, fine})
		}
	}
	return w
}

// buttonNow is what the wire of an accept button says. It never speaks against charging.
func (l *local) buttonNow(e config.EVSE) wireNow {
	w := wireNow{"accept", e.Inputs.Accept, "not pressed", true}
	switch held, err := l.parts.wires[e.ID].Pressed(); {
	case err != nil:
		w.Says = "unknown"
	case held:
		w.Says = "pressed"
	}
	return w
}

// signalWire is a wire that speaks against charging, and its words.
type signalWire struct {
	name, line string
	signal     hal.Signals
	sound, on  string
}

func signalWires(in config.Inputs) []signalWire {
	return []signalWire{
		{"stop", in.Stop, hal.StopPressed, "not pressed", "pressed"},
		{"estop", in.EStop, hal.EmergencyStop, "not pressed", "pressed"},
		{"rcd", in.RCD, hal.RCDTripped, "on", "tripped"},
		{"hot", in.Hot, hal.TooHot, "cool", "too hot"},
	}
}
