package modbus

import (
	"cmp"
	"fmt"
	"slices"

	"stolpe/hal/modbus/meters"
)

// value is where a quantity is found.
type value struct {
	meters.Register
	block  int       // index of the request that reads it
	offset int       // in its answer, bytes
	words  [1][]byte // its registers, while they are decoded
}

// plan puts values into as few requests as the meter's limits allow, and tells
// each value where it will be.
func plan(m *meters.Map, unit uint8, values ...*value) ([]*request, error) {
	for _, v := range values {
		if n := len(v.Places()); n > 1 {
			return nil, fmt.Errorf("the value at %#04x lies in %d places: want one", v.Addr, n)
		}
	}
	slices.SortFunc(values, func(a, b *value) int { return cmp.Compare(a.Addr, b.Addr) })
	var blocks []*request
	for len(values) > 0 {
		first, n := values[0], 1
		for n < len(values) && joins(m, first, values[n-1], values[n]) {
			n++
		}
		for _, v := range values[:n] {
			v.block, v.offset = len(blocks), 2*int(v.Addr-first.Addr)
		}
		r, err := newRequest(unit, m.FunctionOf(&first.Register), first.Addr, span(m.Limits, first, values[n-1]))
		if err != nil {
			return nil, err
		}
		blocks, values = append(blocks, r), values[n:]
	}
	return blocks, nil
}

// joins says whether next can be read in the request that begins with first and
// so far ends with last.
func joins(m *meters.Map, first, last, next *value) bool {
	adjacent := next.Addr == last.Addr+last.Words()
	return (adjacent || m.Limits.AcrossGaps) &&
		m.FunctionOf(&first.Register) == m.FunctionOf(&next.Register) &&
		span(m.Limits, first, next) <= m.Limits.MaxRegisters
}

// span is the number of registers to ask for from first to last.
func span(l meters.Limits, first, last *value) uint16 {
	count := last.Addr - first.Addr + last.Words()
	if l.EvenCountOnly {
		count += count % 2
	}
	return count
}
