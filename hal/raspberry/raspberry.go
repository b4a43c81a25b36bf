// Package raspberry knows what the firmware of a Raspberry Pi reads before there is a kernel:
// config.txt with its sections and the files that it includes, the kernel's command line, and
// what the lines of the header do until somebody takes them.
//
// # Why
//
// Before the program runs, the board alone decides where a contactor's line rests, and what
// the kernel does with it when the program has died. Both stand in config.txt. A line of it
// may hold for another model only, so it is read as the board at hand reads it: a card that is
// made for all models says so in sections.
//
// What is not known counts for nothing: a section whose condition cannot be told here (a
// monitor, the level of a line at power-on) is passed over. So what keeps a contactor open
// must stand where every board reads it.
//
// It is read and changed by the same package, so that whoever makes a card and whoever looks
// at it afterwards mean the same.
package raspberry

import (
	"slices"
	"strconv"
	"strings"
)

// Board is one Raspberry Pi.
type Board struct {
	Model  string // as the kernel names it, such as "Raspberry Pi 4 Model B Rev 1.4"
	Serial string // hexadecimal digits; empty if it is not known
}

// Is says whether it is a Raspberry Pi at all.
func (b Board) Is() bool { return strings.HasPrefix(b.Model, "Raspberry Pi") }

// RP1 says whether its header hangs on an RP1: the boards of the fifth generation.
func (b Board) RP1() bool { return slices.Contains(b.kind().filters, "pi5") }

// kind is a model, as filters tell them apart.
type kind struct {
	name    string // without the revision
	number  int64  // in revision codes
	filters []string
}

// kinds are the models, their numbers and their filters (Raspberry Pi documentation,
// "Raspberry Pi revision codes" and "config.txt: Model filters").
func kinds() []kind {
	return []kind{
		{"Raspberry Pi Model A", 0x00, []string{"pi1"}},
		{"Raspberry Pi Model B", 0x01, []string{"pi1"}},
		{"Raspberry Pi Model A Plus", 0x02, []string{"pi1"}},
		{"Raspberry Pi Model B Plus", 0x03, []string{"pi1"}},
		{"Raspberry Pi 2 Model B", 0x04, []string{"pi2"}},
		{"Raspberry Pi Compute Module", 0x06, []string{"pi1"}},
		{"Raspberry Pi 3 Model B", 0x08, []string{"pi3"}},
		{"Raspberry Pi Zero", 0x09, []string{"pi0"}},
		{"Raspberry Pi Compute Module 3", 0x0a, []string{"pi3"}},
		{"Raspberry Pi Zero W", 0x0c, []string{"pi0", "pi0w"}},
		{"Raspberry Pi 3 Model B Plus", 0x0d, []string{"pi3", "pi3+"}},
		{"Raspberry Pi 3 Model A Plus", 0x0e, []string{"pi3", "pi3+"}},
		{"Raspberry Pi Compute Module 3 Plus", 0x10, []string{"pi3"}},
		{"Raspberry Pi 4 Model B", 0x11, []string{"pi4"}},
		{"Raspberry Pi Zero 2 W", 0x12, []string{"pi0", "pi0w", "pi02"}},
		{"Raspberry Pi 400", 0x13, []string{"pi4", "pi400"}},
		{"Raspberry Pi Compute Module 4", 0x14, []string{"pi4", "cm4"}},
		{"Raspberry Pi Compute Module 4S", 0x15, []string{"pi4", "cm4s"}},
		{"Raspberry Pi 5 Model B", 0x17, []string{"pi5"}},
		{"Raspberry Pi Compute Module 5", 0x18, []string{"pi5", "cm5"}},
		{"Raspberry Pi 500", 0x19, []string{"pi5", "pi500"}},
		{"Raspberry Pi Compute Module 5 Lite", 0x1a, []string{"pi5", "cm5"}},
	}
}

// kind is the board's model; zero for one that is not known.
func (b Board) kind() kind {
	name, _, _ := strings.Cut(b.Model, " Rev ")
	for _, k := range kinds() {
		if k.name == strings.TrimSpace(name) {
			return k
		}
	}
	return kind{number: -1}
}

// sieve is which filters of config.txt let a line through. Filters of one sort take each
// other's place, those of different sorts must all hold.
type sieve struct{ model, serial, other bool }

func open() sieve { return sieve{model: true, serial: true, other: true} }

// through says whether a line counts.
func (s sieve) through() bool { return s.model && s.serial && s.other }

// filter goes by one more filter, without its brackets.
func (s sieve) filter(name string, b Board) sieve {
	number, isType := strings.CutPrefix(name, "board-type=")
	_, isSerial := strings.CutPrefix(name, "0x")
	switch {
	case name == "all":
		return open()
	case isType:
		n, err := strconv.ParseInt(number, 0, 64)
		s.model = err == nil && n >= 0 && n == b.kind().number
	case name == "none" || isModel(name):
		s.model = slices.Contains(b.kind().filters, name)
	case isSerial:
		s.serial = sameSerial(name, b.Serial)
	default: // a monitor, a line's level, a second try at booting: not known here
		s.other = false
	}
	return s
}

// isModel says whether a filter is that of a model, be it one that is not known here.
func isModel(name string) bool {
	digits := strings.TrimPrefix(strings.TrimPrefix(name, "pi"), "cm")
	return digits != name && digits != "" && digits[0] >= '0' && digits[0] <= '9'
}

// sameSerial compares a filter with a board's number: its last 32 bits, which is what
// filters have.
func sameSerial(filter, serial string) bool {
	want, err := strconv.ParseUint(filter, 0, 32)
	if err != nil {
		return false
	}
	is, err := strconv.ParseUint(serial, 16, 64)
	return err == nil && uint32(is) == uint32(want) //nolint:gosec // the last 32 bits are meant
}
