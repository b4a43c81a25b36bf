package meters

import "strings"

// Quantity is what a register measures, as the maps name it.
type Quantity string

// The quantities.
const (
	ImportTotal Quantity = "import_total" // energy drawn, what is billed
	ExportTotal Quantity = "export_total" // energy fed in
	PowerTotal  Quantity = "power_total"  // active power, negative when fed in
	PowerL1     Quantity = "power_l1"
	PowerL2     Quantity = "power_l2"
	PowerL3     Quantity = "power_l3"
	VoltageL1   Quantity = "voltage_l1" // between phase and neutral
	VoltageL2   Quantity = "voltage_l2"
	VoltageL3   Quantity = "voltage_l3"
	CurrentL1   Quantity = "current_l1"
	CurrentL2   Quantity = "current_l2"
	CurrentL3   Quantity = "current_l3"
	Frequency   Quantity = "frequency"
)

// Quantities lists all that a map may have, in the order they are told.
func Quantities() []Quantity {
	return []Quantity{
		ImportTotal, ExportTotal, PowerTotal, PowerL1, PowerL2, PowerL3,
		VoltageL1, VoltageL2, VoltageL3, CurrentL1, CurrentL2, CurrentL3, Frequency,
	}
}

// units lists the units that a quantity may have in a map.
func (q Quantity) units() []string {
	kind, _, _ := strings.Cut(string(q), "_")
	switch kind {
	case "import", "export":
		return []string{"kWh", "Wh"}
	case "power":
		return []string{"kW", "W"}
	case "voltage":
		return []string{"V"}
	case "current":
		return []string{"A"}
	}
	return []string{"Hz"}
}

// energy says whether a quantity is counted, and never goes back.
func (q Quantity) energy() bool { return q == ImportTotal || q == ExportTotal }

// signed says whether a quantity may be negative: what is fed in is.
func (q Quantity) signed() bool {
	kind, _, _ := strings.Cut(string(q), "_")
	return kind == "power" || kind == "current"
}

// thousands is the power of ten that leads from a unit of the maps to the one
// numbers are told in: Wh, W, and thousandths of V, A and Hz.
func thousands(unit string) int {
	if unit == "Wh" || unit == "W" {
		return 0
	}
	return 3
}

// believed is the largest value that is believed of a register whose map does not
// say, in Wh, W, or thousandths of V, A and Hz. All chosen by us, far above what
// a post can meet and far below a torn word: 100 A on three phases take 16 years
// to reach 10 GWh, current transformers of 9999 A stay below 10 MW, low voltage
// ends at 1000 V, and a mains frequency above 100 Hz is a wrong scale. Where its
// type is narrower, a register says less by itself.
func believed(unit string) float64 {
	switch unit {
	case "kWh", "Wh":
		return 10e9
	case "kW", "W":
		return 10e6
	case "V":
		return 1000e3
	case "A":
		return 10_000e3
	}
	return 100e3
}
