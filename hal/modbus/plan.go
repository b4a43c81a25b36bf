package modbus

import (
	"cmp"
	"fmt"
	"slices"

	"stolpe/hal/modbus/meters"
)

// value is a quantity and where its registers will be once its plan has been read.
type value struct {
	name     meters.Quantity
	register meters.Register
	words    [][]byte // of each place, in the blocks
	blocks   []int    // the block of each place
}

// block is one request of a plan, and the registers it has brought.
type block struct {
	span
	shapes    []shape
	registers []byte // two bytes each; the words of the values lie in here
}

// shape is one way to ask for a block: for its registers and perhaps some more.
type shape struct {
	*request
	lead int // registers asked for before the block's first
}

// span is a row of registers.
type span struct {
	function byte
	addr     uint16 // of the first
	end      int    // after the last; up to 0x10000
}

func (s span) count() int { return s.end - int(s.addr) }

// holds says whether the other span lies within this one.
func (s span) holds(other span) bool {
	return s.function == other.function && s.addr <= other.addr && other.end <= s.end
}

// plan puts values into as few requests as the map allows, and tells each value
// where it will be. What blocks hold that are read before need not be read again.
//
// Going through the rows from the lowest address, each request begins where the
// first row does that no request holds yet, and takes in as many more as it may.
// No choice of requests is smaller: whatever request holds that first row begins
// there or earlier, so it reaches no further.
func plan(m *meters.Map, before []*block, values ...*value) ([]*block, error) {
	blocks := slices.Clone(before)
	var rows []span
	for _, v := range values {
		more, err := v.rows(m)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	slices.SortFunc(rows, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.function, b.function), cmp.Compare(a.addr, b.addr), cmp.Compare(a.end, b.end))
	})
	for i, row := range rows {
		if slices.ContainsFunc(blocks, func(b *block) bool { return b.holds(row) }) {
			continue
		}
		reach := row
		for _, next := range rows[i:] {
			wider := span{row.function, row.addr, max(reach.end, next.end)}
			if next.function == row.function && legal(m, wider) {
				reach = wider
			}
		}
		blocks = append(blocks, &block{span: reach, registers: make([]byte, 2*reach.count())})
	}
	for _, v := range values {
		v.locate(m, blocks)
	}
	return blocks[len(before):], nil
}

// rows lists the registers of a value that must come in one request: those of each
// of its places, or of all together if there is an exponent, which changes with
// them. It returns an error when the map's own limits do not allow that.
func (v *value) rows(m *meters.Map) ([]span, error) {
	var rows []span
	for _, p := range v.register.Places() {
		row := spanOf(m, &v.register, p)
		if v.register.Exp10 != nil && len(rows) > 0 {
			rows[0].addr, rows[0].end = min(rows[0].addr, row.addr), max(rows[0].end, row.end)
			continue
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if !short(m, row) || v.register.Exp10 != nil && !legal(m, row) {
			return nil, fmt.Errorf("map %s: %s: registers %#04x to %#04x cannot be read in one request", m.ID, v.name, row.addr, row.end-1)
		}
	}
	return rows, nil
}

func spanOf(m *meters.Map, r *meters.Register, p meters.Place) span {
	return span{m.FunctionOf(r), p.Addr, int(p.Addr) + int(p.Words)}
}

// locate finds the places of a value in blocks. It must be in there, and where
// there is an exponent, all of it in one.
func (v *value) locate(m *meters.Map, blocks []*block) {
	v.words, v.blocks = nil, nil
	rows, _ := v.rows(m) // planned without an error
	for i, p := range v.register.Places() {
		row := rows[min(i, len(rows)-1)]
		at := slices.IndexFunc(blocks, func(b *block) bool { return b.holds(row) })
		from := 2 * int(p.Addr-blocks[at].addr)
		v.words = append(v.words, blocks[at].registers[from:][:2*p.Words])
		v.blocks = append(v.blocks, at)
	}
}

// legal says whether a meter of this map allows one request for the span. What it
// says of itself is no bridge over a gap: some meters refuse to tell that together
// with anything else.
func legal(m *meters.Map, s span) bool {
	return short(m, s) && (m.Limits.AcrossGaps || covered(s, places(m, m.Registers)))
}

// short says whether the span has no more registers than may be asked for at once.
func short(m *meters.Map, s span) bool { return padded(m, s).count() <= int(m.Limits.MaxRegisters) }

// padded is what must be asked for to read a span: where the meter allows even
// counts only, one register more, and one that it has if the map knows.
func padded(m *meters.Map, s span) span {
	if !m.Limits.EvenCountOnly || s.count()%2 == 0 {
		return s
	}
	after, before := s, s
	after.end++
	before.addr--
	known := append(places(m, m.Registers), places(m, m.Identity)...)
	if after.end > 1<<16 || s.addr > 0 && !covered(after, known) && covered(before, known) {
		return before
	}
	return after
}

// covered says whether each register of the span is in one of those known.
func covered(s span, known []span) bool {
	for at := int(s.addr); at < s.end; {
		next := at
		for _, k := range known {
			if k.function == s.function && int(k.addr) <= at {
				next = max(next, k.end)
			}
		}
		if next == at {
			return false
		}
		at = next
	}
	return true
}

// places lists where the registers of a map lie.
func places[K comparable](m *meters.Map, registers map[K]meters.Register) []span {
	var all []span
	for _, r := range registers {
		for _, p := range r.Places() {
			all = append(all, spanOf(m, &r, p))
		}
	}
	return all
}
