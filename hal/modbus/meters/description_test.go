package meters

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"stolpe/hal"
)

// described is the registers of one meter, from a file in testdata/meters that a
// person wrote from the meter's description.
type described struct {
	m     *Map
	at    map[cell][]byte
	lines []string // what must be read: want, none or error
}

// describe reads such a file. The map and the file then say the same in two ways,
// neither of which is our encoder.
func describe(t *testing.T, path string) (d described) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d.at = map[cell][]byte{}
	for line := range strings.SplitSeq(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "meter":
			if d.m, err = Find(words[1]); err != nil {
				t.Fatal(err)
			}
		case "input", "holding":
			d.fill(t, map[string]uint8{"holding": 3, "input": 4}[words[0]], words)
		case "want", "none", "error":
			d.lines = append(d.lines, strings.TrimSpace(line))
		default:
			t.Fatalf("%s: %s?", path, words[0])
		}
	}
	return d
}

// fill puts the registers of one line where they belong.
func (d *described) fill(t *testing.T, function uint8, words []string) {
	t.Helper()
	addr, err := strconv.ParseUint(strings.TrimSuffix(words[1], ":"), 0, 16)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range words[2:] {
		b, err := hex.DecodeString(w)
		at := cell{function, uint16(int(addr) + i)}
		if err != nil || len(b) != 2 || d.at[at] != nil {
			t.Fatalf("%v: register %#04x: %q", words, at.addr, w)
		}
		d.at[at] = b
	}
}

// words gives the places of a register, if the file has them.
func (d *described) words(r *Register) (words [][]byte, err error) {
	for _, p := range r.Places() {
		var part []byte
		for a := int(p.Addr); a < int(p.Addr)+int(p.Words); a++ {
			b, ok := d.at[cell{d.m.FunctionOf(r), uint16(a)}]
			if !ok {
				return nil, fmt.Errorf("the file has no register %#04x", a)
			}
			part = append(part, b...)
		}
		words = append(words, part)
	}
	return words, nil
}

// read decodes what a line asks for and tells it as the file does.
func (d *described) read(name string) (string, error) {
	if r, ok := d.m.Identity[name]; ok {
		words, err := d.words(&r)
		if err != nil {
			return "", err
		}
		text, err := d.m.Text(&r, words)
		return strconv.Quote(text), err
	}
	q := Quantity(name)
	r, ok := d.m.Registers[q]
	if !ok {
		return "", fmt.Errorf("the map has no %s", name)
	}
	words, err := d.words(&r)
	if err != nil {
		return "", err
	}
	n, err := decode(d.m, q, &r, words)
	unit := map[string]string{"kWh": "Wh", "Wh": "Wh", "kW": "W", "W": "W", "V": "mV", "A": "mA", "Hz": "mHz"}[r.Unit]
	return fmt.Sprintf("%d %s", n, unit), err
}

func TestMetersAreReadAsTheirDescriptionsSay(t *testing.T) {
	paths, err := filepath.Glob("../../../testdata/meters/*.txt")
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d descriptions, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			d := describe(t, path)
			for _, line := range d.lines {
				verb, rest, _ := strings.Cut(line, " ")
				name, want, _ := strings.Cut(rest, " ")
				got, err := d.read(name)
				switch {
				case verb == "none" && !errors.Is(err, ErrNoValue):
					t.Errorf("%s: %s, %v; want no value", name, got, err)
				case verb == "error" && (err == nil || errors.Is(err, ErrNoValue)):
					t.Errorf("%s: %s, %v; want an error", name, got, err)
				case verb == "want" && (err != nil || got != want):
					t.Errorf("%s: %s, %v; want %s", name, got, err, want)
				}
			}
			for _, q := range []string{"import_total", "power_total"} {
				if !slices.ContainsFunc(d.lines, func(line string) bool { return strings.HasPrefix(line, "want "+q+" ") }) {
					t.Errorf("the file does not say what %s is", q)
				}
			}
		})
	}
}

// FuzzCodec: whatever the registers of a meter hold, there is a value or an error:
// no panic, no energy below zero, nothing beyond what is believed.
func FuzzCodec(f *testing.F) {
	var all []*Map
	for _, name := range Names() {
		m, err := Find(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, m)
	}
	f.Add(uint8(0), []byte{0x44, 0x9A, 0x52, 0x2B})
	f.Add(uint8(1), []byte{0x7F, 0xC0, 0, 0})
	f.Add(uint8(30), []byte{0x80, 0, 0, 0, 0x7F, 0xFF})
	f.Fuzz(func(t *testing.T, n uint8, wire []byte) {
		m := all[int(n)%len(all)]
		next := func(count uint16) []byte {
			b := make([]byte, 2*count)
			wire = wire[copy(b, wire):]
			return b
		}
		for _, q := range Quantities() {
			r, ok := m.Registers[q]
			if !ok {
				continue
			}
			var words [][]byte
			for _, p := range r.Places() {
				words = append(words, next(p.Words))
			}
			got, err := decode(m, q, &r, words)
			switch {
			case err != nil && got != 0:
				t.Fatalf("%s %s: %d with an error: %v", m.ID, q, got, err)
			case q.energy() && got < 0:
				t.Fatalf("%s %s: %d", m.ID, q, got)
			case float64(max(got, -got)) > most(r.Unit):
				t.Fatalf("%s %s: %d, more than %v", m.ID, q, got, most(r.Unit))
			}
		}
		for name, r := range m.Identity {
			if text, err := m.Text(&r, [][]byte{next(r.Words())}); err != nil && text != "" || strings.Contains(text, "\x00") {
				t.Fatalf("%s %s: %q, %v", m.ID, name, text, err)
			}
		}
	})
}

// Reading once a second for years must not feed the garbage collector.
func TestDecodingAllocatesNothing(t *testing.T) {
	for _, name := range []string{"eastron_sdm630", "bauer_bsm_ws36a", "siemens_pac2200", "abb_b23_b24", "iskra_wm3m4", "dzg_dvh4013"} {
		m, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		image := NewImage(m)
		if err := image.Show(Shown{Import: 1_234_567, Power: 7360, Voltage: [3]hal.Voltage{230_000}, FrequencyMilli: 50_000}); err != nil {
			t.Fatal(err)
		}
		energy, power, voltage := m.Registers[ImportTotal], m.Registers[PowerTotal], m.Registers[VoltageL1]
		e, p, v := read(t, image, &energy), read(t, image, &power), read(t, image, &voltage)
		if n := testing.AllocsPerRun(100, func() {
			_, err1 := m.Energy(&energy, e)
			_, err2 := m.Power(&power, p)
			_, err3 := m.Milli(&voltage, v)
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
