// Package meters holds the register maps of energy meters as data: one YAML file
// per meter, checked strictly when it is read. It opens nothing and talks to
// nobody.
//
// # Why
//
// A wrong address bills the wrong energy, so a map is data that a person can
// compare with a manual, not code. A key that is not known is an error, because
// a misspelt limit would silently be no limit. Facts carry their sources, and
// what no source says is marked as chosen by us.
//
// The package stands apart from the transport so that YAML and Modbus, each an
// outside module, meet in no package.
package meters

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"stolpe/hal"
)

//go:embed *.yaml
var files embed.FS

// Map describes how one kind of meter is read. A Map that Parse returned is
// possible: every address, type and limit has been checked.
type Map struct {
	ID        string    `yaml:"id"` // as the configuration names it
	Brand     string    `yaml:"brand"`
	Models    []string  `yaml:"models"`   // as printed on meters that use this map
	Function  uint8     `yaml:"function"` // Modbus function code: 3 holding, 4 input registers
	WordOrder WordOrder `yaml:"word_order"`
	Registers struct {
		ImportTotal Register `yaml:"import_total"` // energy drawn, what is billed
		PowerTotal  Register `yaml:"power_total"`  // active power, negative when fed in
	} `yaml:"registers"`
	Identity struct {
		Serial *Register `yaml:"serial"` // nil: the meter cannot tell
	} `yaml:"identity"`
	Limits     Limits     `yaml:"limits"`
	Resolution hal.Energy `yaml:"resolution_wh"` // smallest step of import_total, Wh; 0: not known
	MID        *MID       `yaml:"mid"`           // nil: not approved, or not known
	Confidence string     `yaml:"confidence"`    // high, medium or low
	Sources    []string   `yaml:"sources"`
	Notes      []string   `yaml:"notes"`
}

// Register is one value of a meter.
type Register struct {
	Addr     uint16  `yaml:"addr"` // on the wire, counted from 0; never a 3xxxx or 4xxxx number
	Type     Type    `yaml:"type"`
	Unit     string  `yaml:"unit"`     // kWh or Wh; kW or W; none for a serial
	Scale    float64 `yaml:"scale"`    // value in Unit = raw * Scale; absent: 1
	Max      float64 `yaml:"max"`      // largest value that is believed, in Unit
	Function uint8   `yaml:"function"` // instead of the map's; absent: the map's
}

// Type is how a value lies in its registers.
type Type string

// The types.
const (
	Float32 Type = "float32" // IEEE 754
	Uint32  Type = "uint32"
)

// Words is the number of 16-bit registers of a value; 0 for an unknown type.
func (t Type) Words() uint16 {
	switch t {
	case Float32, Uint32:
		return 2
	}
	return 0
}

// WordOrder says which register of a value comes first. The bytes within a
// register are always most significant first (Modbus Application Protocol 4.2).
type WordOrder string

// The word orders.
const (
	Big    WordOrder = "big"    // most significant register first
	Little WordOrder = "little" // least significant register first
)

// Limits are what a meter bears.
type Limits struct {
	MaxRegisters  uint16 `yaml:"max_registers"`   // in one request
	EvenCountOnly bool   `yaml:"even_count_only"` // odd numbers of registers are refused
	AcrossGaps    bool   `yaml:"across_gaps"`     // a request may span registers nobody describes
	MinGap        int    `yaml:"min_gap_ms"`      // silence before a request, ms
	MaxResponse   int    `yaml:"max_response_ms"` // until the answer is complete, ms
}

// MID is the class under the Measuring Instruments Directive, 2014/32/EU.
type MID struct {
	Class string `yaml:"class"` // A, B or C
	Note  string `yaml:"note"`
}

// Names lists the ids of all maps, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // cannot happen: the folder is part of the program
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Find gives the map with this id. If there is none, the error names those most
// like it.
func Find(id string) (*Map, error) {
	if !slices.Contains(Names(), id) {
		return nil, fmt.Errorf("meters: no map for %q: the nearest are %s", id, strings.Join(nearest(id, Names()), ", "))
	}
	text, err := files.ReadFile(id + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("meters: read the map of %s: %w", id, err)
	}
	return Parse(id+".yaml", text)
}

// nearest gives the three names most like the wanted one, best first. A name that
// contains it, such as that of the model without the maker's, is very like it.
func nearest(wanted string, names []string) []string {
	wanted = strings.ToLower(wanted)
	far := func(name string) int {
		if strings.Contains(name, wanted) {
			return 0
		}
		return distance(wanted, name)
	}
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return far(a) - far(b) })
	return names[:min(3, len(names))]
}

// distance is the number of bytes to insert, delete or replace to get from a to
// b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
