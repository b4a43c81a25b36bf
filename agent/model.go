package main

import "stolpe/hal/modbus/meters"

// model is what --json prints of a register map. Numbers that are not known are
// left out.
type model struct {
	Model      string              `json:"model"`
	Brand      string              `json:"brand"`
	Meters     []string            `json:"meters"` // as printed on them
	Phases     int                 `json:"phases"` // 1 or 3
	Wires      []string            `json:"wires"`  // rtu, tcp
	StepWh     int64               `json:"step_wh,omitempty"`
	MID        *approved           `json:"mid,omitempty"`
	Confidence string              `json:"confidence"`
	Origin     string              `json:"origin"` // built-in or a file
	WordOrder  meters.WordOrder    `json:"word_order"`
	Values     map[string]register `json:"values"`
	Identity   map[string]register `json:"identity,omitempty"`
	Factory    *setting            `json:"factory_setting,omitempty"`
	Limits     limits              `json:"limits"`
	Sources    []string            `json:"sources"`
	Notes      []string            `json:"notes,omitempty"`
}

type approved struct {
	Class string `json:"class,omitempty"`
	Note  string `json:"note,omitempty"`
}

type register struct {
	Addr       uint16      `json:"addr"`     // on the wire, counted from 0
	Function   uint8       `json:"function"` // Modbus function code
	Type       meters.Type `json:"type"`
	Length     uint16      `json:"length,omitempty"` // registers of a text
	Unit       string      `json:"unit,omitempty"`
	Scale      float64     `json:"scale,omitempty"` // what a raw number is times to be in Unit; none: 1
	Max        float64     `json:"max,omitempty"`   // largest that is believed, in Unit
	SumWith    []uint16    `json:"sum_with,omitempty"`
	Subtract   *uint16     `json:"subtract,omitempty"`
	Exp10Addr  *uint16     `json:"exp10_addr,omitempty"`
	Expect     []string    `json:"expect,omitempty"`
	Resettable *bool       `json:"resettable,omitempty"`
}

type setting struct {
	Baud     int    `json:"baud,omitempty"` // bits a second
	Parity   string `json:"parity,omitempty"`
	StopBits int    `json:"stop_bits,omitempty"` // 1 or 2
	Unit     int    `json:"unit,omitempty"`      // Modbus address
}

type limits struct {
	MaxRegisters  uint16 `json:"max_registers"` // in one request
	EvenCountOnly bool   `json:"even_count_only"`
	AcrossGaps    bool   `json:"across_gaps"`
	MinGap        int    `json:"min_gap_ms"`           // silence before a request, ms
	MaxResponse   int    `json:"max_response_ms"`      // ms
	Refresh       int    `json:"refresh_ms,omitempty"` // between new values, ms
	Boot          int    `json:"boot_ms,omitempty"`    // from power on until values are right, ms
}

func modelOf(library *meters.Library, m *meters.Map) model {
	o := model{
		Model: m.ID, Brand: m.Brand, Meters: m.Models, Phases: m.Phases, Wires: m.Transports, StepWh: int64(m.Resolution),
		MID: (*approved)(m.MID), Confidence: m.Confidence, Origin: library.Origin(m.ID), WordOrder: m.WordOrder,
		Values: map[string]register{}, Identity: map[string]register{}, Factory: (*setting)(m.Serial), Limits: limits(m.Limits),
		Sources: m.Sources, Notes: m.Notes,
	}
	for q, r := range m.Registers {
		o.Values[string(q)] = registerOf(m, r)
	}
	for name, r := range m.Identity {
		o.Identity[name] = registerOf(m, r)
	}
	return o
}

func registerOf(m *meters.Map, r meters.Register) register {
	o := register{
		Addr: r.Addr, Function: m.FunctionOf(&r), Type: r.Type, Length: r.Length, Unit: r.Unit, Scale: r.Scale, Max: r.Max,
		SumWith: r.SumWith, Subtract: r.Subtract, Expect: r.Expect, Resettable: r.Resettable,
	}
	if r.Exp10 != nil {
		o.Exp10Addr = &r.Exp10.Addr
	}
	return o
}
