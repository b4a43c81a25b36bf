// Package meters holds the register maps of energy meters as data: one YAML file
// for each family, checked strictly when it is read. It turns registers into
// numbers with units and back, opens nothing and talks to nobody.
//
// # Why
//
// A wrong address bills the wrong energy, so a map is data that a person can
// compare with a manual, not code. A key that is not known is an error, because
// a misspelt limit would silently be no limit. Facts carry their sources, and
// what no source says is marked as chosen by us.
//
// What a register means is worked out here and nowhere else, for all meters with
// the same few lines: whole numbers stay whole, and the one float there is lives
// no longer than it takes to round it. The same map also says what a simulated
// meter answers (Image), so that the two can be held against each other.
//
// The package stands apart from the transport so that YAML and Modbus, each an
// outside module, meet in no package.
package meters

import (
	"cmp"

	"stolpe/hal"
)

// Map describes how one kind of meter is read. A Map that Parse returned is
// possible: every address, type and limit has been checked.
type Map struct {
	ID         string                `yaml:"id"` // as the configuration names it
	Brand      string                `yaml:"brand"`
	Models     []string              `yaml:"models"`     // as printed on meters that use this map
	Phases     int                   `yaml:"phases"`     // 1 or 3
	Transports []string              `yaml:"transports"` // rtu, tcp: what the meter itself speaks
	Function   uint8                 `yaml:"function"`   // Modbus function code: 3 holding, 4 input registers
	WordOrder  WordOrder             `yaml:"word_order"`
	Registers  map[Quantity]Register `yaml:"registers"`       // ImportTotal and PowerTotal are always there
	Identity   map[string]Register   `yaml:"identity"`        // "serial" and other things a meter says of itself
	Serial     *SerialDefaults       `yaml:"serial_defaults"` // nil: not known, or not on a serial line
	Limits     Limits                `yaml:"limits"`
	Invalid    map[Type]uint64       `yaml:"invalid"`       // bits that stand for "no value"; NaN always does
	Resolution hal.Energy            `yaml:"resolution_wh"` // smallest step of the import register, Wh; 0: not known
	MID        *MID                  `yaml:"mid"`           // nil: not approved, or not known
	Confidence string                `yaml:"confidence"`    // high, medium or low
	Sources    []string              `yaml:"sources"`
	Notes      []string              `yaml:"notes"`
}

// Register is one value of a meter.
type Register struct {
	Addr       uint16    `yaml:"addr"` // on the wire, counted from 0; never a 3xxxx or 4xxxx number
	Type       Type      `yaml:"type"`
	Length     uint16    `yaml:"length"`     // of a text, in registers
	Unit       string    `yaml:"unit"`       // kWh or Wh, kW or W, V, A, Hz; none for what is not measured
	Scale      float64   `yaml:"scale"`      // value in Unit = raw * Scale; absent: 1
	Max        float64   `yaml:"max"`        // largest value that is believed, in Unit; absent: see believed
	Function   uint8     `yaml:"function"`   // instead of the map's; absent: the map's
	SumWith    []uint16  `yaml:"sum_with"`   // addresses of like registers to add: tariffs
	Subtract   *uint16   `yaml:"subtract"`   // address of a like register to take away: power fed in
	Exp10      *Exponent `yaml:"exp10"`      // times ten to the power of that register
	Expect     []string  `yaml:"expect"`     // a meter of this map says one of these
	Resettable *bool     `yaml:"resettable"` // whether a user can set the counter back; nil: not known
}

// Exponent is a register that holds the power of ten of others.
type Exponent struct {
	Addr uint16 `yaml:"addr"` // on the wire, counted from 0
	Type Type   `yaml:"type"` // int16
}

// Place is where on the wire a value, or a part of one, lies.
type Place struct {
	Addr  uint16 // of its first register
	Words uint16 // number of registers
}

// Words is the number of registers of a value.
func (r *Register) Words() uint16 {
	if r.Type.text() {
		return r.Length
	}
	return r.Type.Words()
}

// Places lists where the parts of a value lie: its own registers first, then
// those to be added, the one to be taken away, and the exponent's.
func (r *Register) Places() []Place {
	places := []Place{{r.Addr, r.Words()}}
	for _, addr := range r.SumWith {
		places = append(places, Place{addr, r.Words()})
	}
	if r.Subtract != nil {
		places = append(places, Place{*r.Subtract, r.Words()})
	}
	if r.Exp10 != nil {
		places = append(places, Place{r.Exp10.Addr, r.Exp10.Type.Words()})
	}
	return places
}

// parts is the number of places, which is one at the least.
func (r *Register) parts() int {
	n := 1 + len(r.SumWith)
	if r.Subtract != nil {
		n++
	}
	if r.Exp10 != nil {
		n++
	}
	return n
}

// FunctionOf is the Modbus function code that reads a register of this map.
func (m *Map) FunctionOf(r *Register) uint8 { return cmp.Or(r.Function, m.Function) }

// WordOrder says which register of a number comes first. The bytes within a
// register are always most significant first (Modbus Application Protocol 4.2),
// and texts are never turned around.
type WordOrder string

// The word orders.
const (
	Big    WordOrder = "big"    // most significant register first
	Little WordOrder = "little" // least significant register first
)

// SerialDefaults are what a meter is set to when it leaves the factory. What is 0
// or empty is not known, or is set on the meter.
type SerialDefaults struct {
	Baud     int    `yaml:"baud"`      // bits a second
	Parity   string `yaml:"parity"`    // N, E or O
	StopBits int    `yaml:"stop_bits"` // 1 or 2
	Unit     int    `yaml:"unit"`      // unit id, 1 to 247
}

// Limits are what a meter bears.
type Limits struct {
	MaxRegisters  uint16 `yaml:"max_registers"`   // in one request
	EvenCountOnly bool   `yaml:"even_count_only"` // odd numbers of registers are refused
	AcrossGaps    bool   `yaml:"across_gaps"`     // a request may span registers nobody describes
	MinGap        int    `yaml:"min_gap_ms"`      // silence before a request, ms
	MaxResponse   int    `yaml:"max_response_ms"` // until the answer is complete, ms
	Refresh       int    `yaml:"refresh_ms"`      // between two changes of a value, ms; 0: not known
	Boot          int    `yaml:"boot_ms"`         // from power on until values are right, ms; 0: not known
}

// MID is the class under the Measuring Instruments Directive, 2014/32/EU.
type MID struct {
	Class string `yaml:"class"` // A, B or C; empty: approved, but the class is not known
	Note  string `yaml:"note"`
}
