package modbus

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"stolpe/hal/modbus/meters"
)

func TestReadsAreJoinedAsFarAsTheMeterBears(t *testing.T) {
	at := func(addr uint16) meters.Register { return meters.Register{Addr: addr, Type: meters.Float32} }
	holding := at(0x48)
	holding.Function = 3
	for _, c := range []struct {
		name          string
		limits        meters.Limits
		energy, power meters.Register
		want          []span
	}{
		{"across a gap", meters.Limits{MaxRegisters: 80, AcrossGaps: true}, at(0x48), at(0x34), []span{{4, 0x34, 0x4A}}},
		{"as many as are allowed", meters.Limits{MaxRegisters: 22, AcrossGaps: true}, at(0x48), at(0x34), []span{{4, 0x34, 0x4A}}},
		{"too far apart", meters.Limits{MaxRegisters: 21, AcrossGaps: true}, at(0x48), at(0x34), []span{{4, 0x34, 0x36}, {4, 0x48, 0x4A}}},
		{"gaps are refused", meters.Limits{MaxRegisters: 80}, at(0x48), at(0x34), []span{{4, 0x34, 0x36}, {4, 0x48, 0x4A}}},
		{"side by side", meters.Limits{MaxRegisters: 80}, at(0x34), at(0x36), []span{{4, 0x34, 0x38}}},
		{"another function", meters.Limits{MaxRegisters: 80, AcrossGaps: true}, holding, at(0x34), []span{{3, 0x48, 0x4A}, {4, 0x34, 0x36}}},
		{"an even count only", meters.Limits{MaxRegisters: 80, AcrossGaps: true, EvenCountOnly: true}, at(0x37), at(0x34), []span{{4, 0x34, 0x3A}}},
		{"any count", meters.Limits{MaxRegisters: 80, AcrossGaps: true}, at(0x37), at(0x34), []span{{4, 0x34, 0x39}}},
	} {
		m := &meters.Map{Function: 4, Limits: c.limits, Registers: map[meters.Quantity]meters.Register{
			meters.ImportTotal: c.energy, meters.PowerTotal: c.power}}
		blocks, err := plan(m, nil, newValue(m, meters.ImportTotal), newValue(m, meters.PowerTotal))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := asked(t, m, blocks); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// asked encodes the blocks and gives what is really asked for.
func asked(t interface{ Fatal(...any) }, m *meters.Map, blocks []*block) (spans []span) {
	if err := wording(m, encodeTCP, 1, false, blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		r := b.shapes[0]
		spans = append(spans, span{r.function, r.addr, int(r.addr) + int(r.count)})
	}
	return spans
}

// drawn is any map that could be, with registers close enough to meet.
func drawn(t *rapid.T) *meters.Map {
	types := []meters.Type{meters.Uint16, meters.Uint32, meters.Float32, meters.Uint64}
	m := &meters.Map{ID: "drawn", Function: 4, Registers: map[meters.Quantity]meters.Register{}, Limits: meters.Limits{
		MaxRegisters:  uint16(rapid.IntRange(6, 24).Draw(t, "most")),
		EvenCountOnly: rapid.Bool().Draw(t, "even"),
		AcrossGaps:    rapid.Bool().Draw(t, "across gaps"),
	}}
	addr := rapid.Uint16Range(0x10, 0x30)
	quantities := rapid.SliceOfNDistinct(rapid.SampledFrom(meters.Quantities()), 2, 6, rapid.ID).Draw(t, "quantities")
	for _, q := range quantities {
		r := meters.Register{Addr: addr.Draw(t, "addr"), Type: rapid.SampledFrom(types).Draw(t, "type"), Unit: "W"}
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			r.SumWith = []uint16{addr.Draw(t, "sum with")}
		case 1:
			r.Subtract = new(addr.Draw(t, "subtract"))
		case 2: // beside the value, as they are
			r.Exp10 = &meters.Exponent{Addr: r.Addr + r.Words(), Type: meters.Int16}
		case 3:
			r.Function = 3
		}
		m.Registers[q] = r
	}
	return m
}

// Every place is read, no request is one the meter refuses, and no choice of
// requests is smaller.
func TestAPlanReadsEverythingLegallyInTheFewestRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawn(t)
		image := meters.NewImage(m)
		var values []*value
		for _, q := range meters.Quantities() {
			if v := newValue(m, q); v != nil {
				values = append(values, v)
			}
		}
		blocks, err := plan(m, nil, values...)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range asked(t, m, blocks) {
			answer, refusal := image.Registers(nil, s.function, s.addr, uint16(s.count()))
			padding := m.Limits.EvenCountOnly && blocks[i].count()%2 == 1 // may fall on a register nobody describes
			if refusal != 0 && !padding {
				t.Fatalf("%v is refused with exception %d", s, refusal)
			}
			if refusal == 0 {
				copy(blocks[i].registers, answer[1+2*int(blocks[i].addr-s.addr):])
			}
			for n := range blocks[i].registers { // each register says where it is
				at := blocks[i].addr + uint16(n/2)
				blocks[i].registers[n] = byte(at >> (8 * (1 - n%2)))
			}
		}
		for _, v := range values {
			for n, p := range v.register.Places() {
				if from := uint16(v.words[n][0])<<8 | uint16(v.words[n][1]); from != p.Addr || len(v.words[n]) != 2*int(p.Words) {
					t.Fatalf("%s: place %d, %v, is looked for at %#x, %d bytes", v.name, n, p, from, len(v.words[n]))
				}
				if v.register.Exp10 != nil && v.blocks[n] != v.blocks[0] {
					t.Fatalf("%s: its exponent comes in another request", v.name)
				}
			}
		}
		if few := fewest(m, values); len(blocks) != few {
			t.Fatalf("%d requests, %d would do", len(blocks), few)
		}
	})
}

// fewest finds the least number of requests by trying them all: spans that begin
// where a row does, taken in any combination, by how much of the rows they leave.
func fewest(m *meters.Map, values []*value) int {
	rows := map[span]bool{}
	for _, v := range values {
		all, _ := v.rows(m)
		for _, r := range all {
			rows[r] = true
		}
	}
	var search func(left map[span]bool) int
	known := map[string]int{}
	search = func(left map[span]bool) int {
		if len(left) == 0 {
			return 0
		}
		key := fmt.Sprint(left) // maps print sorted
		if n, ok := known[key]; ok {
			return n
		}
		best := len(left)
		for r := range left {
			for size := r.count(); size <= int(m.Limits.MaxRegisters); size++ {
				s := span{r.function, r.addr, int(r.addr) + size}
				if s != r && !legal(m, s) {
					continue
				}
				rest := map[span]bool{}
				for other := range left {
					if !s.holds(other) {
						rest[other] = true
					}
				}
				best = min(best, 1+search(rest))
			}
		}
		known[key] = best
		return best
	}
	return search(rows)
}
