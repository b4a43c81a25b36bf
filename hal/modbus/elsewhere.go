package modbus

import (
	"context"
	"fmt"
	"slices"
)

// Elsewhere looks for a meter that does not answer at its unit: on a serial line at other
// speeds and parities, and everywhere as one of the units that meters usually are. It
// gives the first that answers, as a configuration says where it is, or an empty address.
// It is the haste of a Scan: what answers late is found only by that.
//
// The bus is held meanwhile, so no meter on it is read; a serial port is closed and
// opened again.
func (b *Bus) Elsewhere(ctx context.Context, unit int) (url string, found int, err error) {
	if err := b.take(ctx, true); err != nil {
		return "", 0, fmt.Errorf("modbus: look elsewhere: %w", err)
	}
	defer b.release(true)
	b.drop()
	url, found, err = b.elsewhere(ctx, unit)
	if err != nil {
		return "", 0, fmt.Errorf("modbus: look elsewhere at %s: %w", b.place.address, err)
	}
	return url, found, nil
}

func (b *Bus) elsewhere(ctx context.Context, unit int) (string, int, error) {
	s := &scan{place: b.place}
	s.bus = s.newBus
	if b.place.scheme == schemeTCP {
		return s.behind(ctx, unit)
	}
	present := b.setting()
	passes := []pass{{present, s.others(unit), likelyWait, []byte{3}}} // the unit is wrong
	if b.place.scheme == schemeRTUOverTCP {
		passes[0].wait = converterWait
	} else {
		s.place.line = setting{}
		for _, line := range s.near(present) { // the line is set wrong
			passes = append(passes, pass{line, []int{unit}, politely, []byte{3}})
		}
		for _, line := range s.near(present) { // both
			passes = append(passes, pass{line, s.others(unit)[:3], likelyWait, []byte{3}})
		}
	}
	for _, p := range passes {
		units, err := s.sweep(ctx, p)
		if err != nil {
			return "", 0, err
		}
		if len(units) > 0 {
			return s.bus(p.line).url(), units[0], nil
		}
	}
	return "", 0, nil
}

// others are the units to try beside the one that does not answer, the likely ones first.
func (s *scan) others(unit int) []int {
	return slices.DeleteFunc(s.likelyUnits(), func(u int) bool { return u == unit })
}

// near are other settings of a line than the present one: another parity first, which is
// what is mistaken most often, then other speeds.
func (s *scan) near(present setting) []setting {
	var same, other []setting
	_, all := s.settings()
	for _, line := range all {
		switch {
		case line == present:
		case line.baud == present.baud:
			same = append(same, line)
		default:
			other = append(other, line)
		}
	}
	return append(same, other...)
}

// behind asks likely units behind a gateway.
func (s *scan) behind(ctx context.Context, unit int) (string, int, error) {
	b := s.bus(setting{})
	defer b.Close() //nolint:errcheck // nothing was written
	for _, u := range append(s.others(unit), 255) {
		if _, _, err := b.connected(ctx, gatewayWait); err != nil {
			return "", 0, err
		}
		r, err := encoded(encodeTCP, uint8(u), harmless(3))
		if err != nil {
			return "", 0, err
		}
		r.within = gatewayWait
		_, err = b.ask(ctx, r)
		if ctx.Err() != nil {
			return "", 0, ctx.Err()
		}
		if err == nil || refused(err) && !Unanswered(err) {
			return b.url(), u, nil
		}
	}
	return "", 0, nil
}
