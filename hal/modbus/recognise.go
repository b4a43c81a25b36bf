package modbus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"stolpe/hal/modbus/meters"
)

// Candidate is what a meter may be that a scan has found.
type Candidate struct {
	Model  string   // the id of a map
	Proved bool     // the meter says of itself what the map expects; else it is only like one
	Values []Value  // what it tells if it is one
	Doubts []string // what speaks against it

	likeness int  // the higher the better
	trusted  bool // the map rests on good sources: it comes first among equals
}

// What a meter is taken for, chosen by us. A voltage within 180 to 260 V in each
// phase is read by hardly any wrong map, so one that has none is no candidate
// unless its own word or a count of energy speaks for it. Frequency only orders
// those that are equal, because its scale differs between versions of one meter.
const (
	provedWeight    = 1000 // as likeness
	voltageWeight   = 100
	countWeight     = 10
	serialWeight    = 4 // a serial where the map has one
	frequencyWeight = 1

	leastVoltage, mostVoltage     = 180_000, 260_000 // mV
	leastFrequency, mostFrequency = 45_000, 65_000   // mHz

	// While it is being recognised a meter is left in silence for as long as any
	// manual demands, and given the time that all but the slowest need.
	strangeGap  = 60 * time.Millisecond
	strangeWait = 500 * time.Millisecond
)

// Recognise says what the meter of a unit may be, of which nobody knows the model. What
// the URL leaves out of a serial line's settings is 9600, N and 1. An error says that
// nothing answers there.
func Recognise(ctx context.Context, url string, unit int, l *meters.Library) (Found, error) {
	s, err := newScan(url, l, nil)
	if err != nil {
		return Found{}, fmt.Errorf("modbus: recognise: %w", err)
	}
	encode := encodeTCP
	if s.place.rtu() {
		encode = encodeRTU
	}
	line := setting{}
	if s.place.scheme == schemeRTU {
		line = s.place.line.or(factory)
	}
	b := s.bus(line)
	defer b.Close() //nolint:errcheck // nothing was written
	r, err := encoded(encode, uint8(unit), harmless(3))
	if err != nil {
		return Found{}, fmt.Errorf("modbus: recognise: %w", err)
	}
	r.within, r.gap = gatewayWait, strangeGap
	if _, err := b.ask(ctx, r); err != nil && !unknown(err) {
		return Found{}, fmt.Errorf("modbus: unit %d at %s: %w", unit, s.place.address, err)
	}
	if err = s.recognise(ctx, b, []int{unit}); err != nil {
		return Found{}, fmt.Errorf("modbus: unit %d at %s: %w", unit, s.place.address, err)
	}
	return s.found[0], nil
}

// recognise compares what units tell with all maps.
func (s *scan) recognise(ctx context.Context, b *Bus, units []int) error {
	defer b.Close() //nolint:errcheck // nothing was written
	for _, unit := range units {
		s.found = append(s.found, Found{URL: b.url(), Unit: unit})
	}
	for i := range s.found {
		stranger := &stranger{bus: b, unit: uint8(s.found[i].Unit), told: map[span]answer{}}
		for _, m := range s.maps {
			s.tell(b.place.line, s.found[i].Unit)
			c, like := stranger.compare(ctx, m)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if like {
				s.found[i].Candidates = append(s.found[i].Candidates, c)
			}
		}
		slices.SortStableFunc(s.found[i].Candidates, func(a, b Candidate) int {
			switch {
			case a.likeness != b.likeness:
				return b.likeness - a.likeness
			case a.trusted && !b.trusted:
				return -1
			case b.trusted && !a.trusted:
				return 1
			}
			return 0
		})
	}
	return nil
}

// stranger is a unit of which nobody knows what it is. What it has told is kept,
// because many maps ask the same.
type stranger struct {
	bus  *Bus
	unit uint8 // Modbus address
	told map[span]answer
}

type answer struct {
	registers []byte
	err       error
	at        time.Duration
}

// compare reads the stranger as a meter of the map.
func (s *stranger) compare(ctx context.Context, m *meters.Map) (c Candidate, like bool) {
	c.Model = m.ID
	c.trusted = m.Confidence == "high"
	for _, q := range meters.Quantities() {
		v := newValue(m, q)
		if v == nil {
			continue
		}
		told := s.tells(ctx, m, v)
		c.Values = append(c.Values, told)
		needed := q == meters.ImportTotal || q == meters.PowerTotal
		if needed && told.Err != nil || ctx.Err() != nil {
			return c, false
		}
		c.weigh(q, told)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Identity)) {
		p := &proof{value: value{name: meters.Quantity(name), register: m.Identity[name]}}
		told := s.says(ctx, m, p)
		c.Values = append(c.Values, told)
		switch {
		case name == "serial" && told.Err == nil && told.Text != "":
			c.likeness += serialWeight
		case len(p.register.Expect) == 0:
		case told.Err != nil:
			c.Doubts = append(c.Doubts, fmt.Sprintf("%s: %v", name, told.Err))
		case !p.fits(told.Text):
			return c, false
		default:
			c.Proved = true
			c.likeness += provedWeight
		}
	}
	return c, c.likeness >= countWeight
}

// weigh notes how far a value speaks for the candidate.
func (c *Candidate) weigh(q meters.Quantity, v Value) {
	within := func(least, most int64) bool { return v.Err == nil && v.Number >= least && v.Number <= most }
	switch q {
	case meters.VoltageL1, meters.VoltageL2, meters.VoltageL3:
		if within(leastVoltage, mostVoltage) {
			c.likeness += voltageWeight
		} else {
			c.likeness -= voltageWeight
			c.Doubts = append(c.Doubts, doubt(v, "want 180 to 260 V"))
		}
	case meters.Frequency:
		if within(leastFrequency, mostFrequency) {
			c.likeness += frequencyWeight
		} else {
			c.Doubts = append(c.Doubts, doubt(v, "want 45 to 65 Hz"))
		}
	case meters.ImportTotal:
		if v.Number > 0 {
			c.likeness += countWeight
		} else {
			c.Doubts = append(c.Doubts, "import_total: it has counted nothing yet")
		}
	}
}

// doubt says what is wrong with a value.
func doubt(v Value, want string) string {
	if v.Err != nil {
		return fmt.Sprintf("%s: %v", v.Name, v.Err)
	}
	return fmt.Sprintf("%s: %d %s: %s", v.Name, v.Number, v.Unit, want)
}

// tells reads a quantity as the map has it.
func (s *stranger) tells(ctx context.Context, m *meters.Map, v *value) (told Value) {
	told = Value{Name: string(v.name), Unit: unitOf(v.register.Unit)}
	if told.At, told.Err = s.fetch(ctx, m, v); told.Err == nil {
		told.Number, told.Err = decode(m, v)
	}
	return told
}

// says reads what the meter says of itself.
func (s *stranger) says(ctx context.Context, m *meters.Map, p *proof) (told Value) {
	told = Value{Name: string(p.name)}
	if told.At, told.Err = s.fetch(ctx, m, &p.value); told.Err == nil {
		told.Text, told.Err = m.Text(&p.register, p.words)
	}
	return told
}

// fetch gets the registers of a value, from memory where they were told before.
func (s *stranger) fetch(ctx context.Context, m *meters.Map, v *value) (at time.Duration, err error) {
	blocks, err := plan(m, nil, v)
	if err != nil {
		return 0, err
	}
	for _, b := range blocks {
		asked := padded(m, b.span)
		a, known := s.told[asked]
		if !known {
			a = s.ask(ctx, asked)
			s.told[asked] = a
		}
		if a.err != nil {
			return 0, a.err
		}
		copy(b.registers, a.registers[2*int(b.addr-asked.addr):])
		at = max(at, a.at)
	}
	return at, nil
}

// ask asks for registers. A meter that has nothing there may be silent.
func (s *stranger) ask(ctx context.Context, asked span) answer {
	r, err := encoded(s.bus.encode, s.unit, asked)
	if err != nil {
		return answer{err: err}
	}
	r.within, r.gap = strangeWait, strangeGap
	if !s.bus.place.rtu() {
		r.within = gatewayWait
	}
	registers, err := s.bus.ask(ctx, r)
	return answer{slices.Clone(registers), err, s.bus.lastWord}
}
