package modbus

import (
	"fmt"

	"stolpe/hal/modbus/meters"
)

// wording encodes a request for each block and, where they are to vary and the map
// allows it, a second one for a few registers more.
//
// On an RTU line an answer tells nothing of the request it belongs to but its
// length. Where money depends on it two readings in a row must be equal, and
// without this the second could be a late copy of the first one's answer. Asked
// for in turns with different counts, an answer to one reading is never taken for
// the next one's.
func wording(m *meters.Map, encode framing, unit uint8, vary bool, blocks []*block) error {
	used := map[int]bool{} // counts, of whatever function
	for _, b := range blocks {
		used[padded(m, b.span).count()] = true
	}
	for _, b := range blocks {
		spans := []span{padded(m, b.span)}
		if wider, found := widened(m, spans[0], used); found && vary {
			spans = append(spans, wider)
			used[wider.count()] = true
		}
		for _, s := range spans {
			r, err := newRequest(m, encode, unit, s)
			if err != nil {
				return fmt.Errorf("map %s: %w", m.ID, err)
			}
			b.shapes = append(b.shapes, shape{r, int(b.addr) - int(s.addr)})
		}
	}
	return nil
}

// widened is a legal span that holds more than s: as little more as can be, and of
// a count that no other request has, if there is one. It ends where a quantity
// does, because beyond there may be no registers at all.
func widened(m *meters.Map, s span, used map[int]bool) (best span, found bool) {
	for _, p := range places(m, m.Registers) {
		if p.function != s.function {
			continue
		}
		for _, wider := range []span{{s.function, s.addr, p.end}, {s.function, p.addr, s.end}} {
			if wider = padded(m, wider); wider.count() > s.count() && wider.holds(s) && legal(m, wider) &&
				(!found || rank(wider, used) < rank(best, used)) {
				best, found = wider, true
			}
		}
	}
	return best, found
}

// rank orders spans: first those of a count that nobody uses, then the short ones,
// then those that begin late, with what is wanted.
func rank(s span, used map[int]bool) int {
	const counts, addresses = 1 << 8, 1 << 16 // more than there are
	order := s.count()*addresses - int(s.addr)
	if used[s.count()] {
		order += counts * addresses
	}
	return order
}
