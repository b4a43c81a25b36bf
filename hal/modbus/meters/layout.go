package meters

import (
	"cmp"
	"fmt"
	"slices"
)

// part is one place of one register, with the key that it stands under.
type part struct {
	Place
	key      string
	function uint8 // Modbus function code
	exponent bool
}

// end is the address after the last register.
func (p part) end() int { return int(p.Addr) + int(p.Words) }

// parts lists all places of a map by their addresses.
func (m *Map) parts() []part {
	var all []part
	add := func(key string, r Register) {
		places := r.Places()
		for n, p := range places {
			all = append(all, part{p, key, m.FunctionOf(&r), r.Exp10 != nil && n == len(places)-1})
		}
	}
	for q, r := range m.Registers {
		add("registers."+string(q), r)
	}
	for name, r := range m.Identity {
		add("identity."+name, r)
	}
	slices.SortFunc(all, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.function, b.function), cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.key, b.key))
	})
	return all
}

// layout lists what must hold of where the registers of a map lie.
func (m *Map) layout() []rule {
	var rules []rule
	parts := m.parts()
	for i, p := range parts {
		if i > 0 && parts[i-1].function == p.function && parts[i-1].end() > int(p.Addr) && !same(parts[i-1], p) {
			rules = append(rules, rule{p.key, false, false, fmt.Sprintf("registers of its own: %#04x belongs to %s", p.Addr, parts[i-1].key)})
		}
		if m.Limits.EvenCountOnly && p.Words%2 == 1 && !m.Limits.AcrossGaps && !evenWith(parts, p) {
			rules = append(rules, rule{p.key, false, false, "an even number of registers, or another value after it, as limits.even_count_only says"})
		}
	}
	for q, r := range m.Registers {
		if r.Exp10 != nil && !m.together(parts, &r) {
			rules = append(rules, rule{"registers." + string(q) + ".exp10", false, false,
				"a register that one request can read together with the value, within limits.max_registers and, without limits.across_gaps, over described registers only"})
		}
	}
	return rules
}

// same says whether two parts are one exponent that several values share.
func same(a, b part) bool { return a.exponent && b.exponent && a.Place == b.Place }

// evenWith says whether a value follows that makes the number of registers even.
func evenWith(parts []part, p part) bool {
	return slices.ContainsFunc(parts, func(next part) bool {
		return next.function == p.function && int(next.Addr) == p.end()
	})
}

// together says whether one request can read a value and its exponent: apart, the
// exponent might change between the two.
func (m *Map) together(parts []part, r *Register) bool {
	own, exponent := Place{r.Addr, r.Words()}, Place{r.Exp10.Addr, r.Exp10.Type.Words()}
	first, last := own, exponent
	if exponent.Addr < own.Addr {
		first, last = exponent, own
	}
	end := int(last.Addr) + int(last.Words)
	if end-int(first.Addr) > int(m.Limits.MaxRegisters) {
		return false
	}
	at := int(first.Addr)
	for _, p := range parts {
		if p.function == m.FunctionOf(r) && int(p.Addr) <= at {
			at = max(at, p.end())
		}
	}
	return m.Limits.AcrossGaps || at >= end
}
