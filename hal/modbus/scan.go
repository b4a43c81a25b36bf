package modbus

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"stolpe/hal/modbus/meters"
)

// Found is a meter that a scan has found.
type Found struct {
	URL        string      // where, as a configuration says it
	Unit       int         // Modbus address
	Candidates []Candidate // what it may be, best first; none: it is like nothing we have a map of
}

// Progress says how far a scan has come.
type Progress struct {
	Where string        // the setting of the line, or the address
	Unit  int           // Modbus address that is being asked
	Share float64       // of the work that is done at most, 0 to 1
	Left  time.Duration // at most, going by what it took so far; 0: not known yet
	Found int           // meters
}

// The time a scan takes, chosen by us so that a meter with any setting is found
// within 90 s on a line that takes no time itself.
//
// An answer names its unit and silence is the only cost. So at first a few likely
// units at the likely settings are asked with a decent wait; then all units at all
// settings, with hardly any. Whatever is heard then, however late and even in
// pieces, stops the haste, and the last units are asked again properly.
//
//	likely:   6 settings * 12 units * (60 ms + T3.5)                         5 s
//	all:     18 settings * 247 units, each the longer of T3.5 and 5 ms:
//	         741 * (32 ms at 1200 + 16 ms at 2400 + 4 * 5 ms above)          50 s
//	         18 settings * 250 ms to listen at the end                       5 s
//	found:    1 setting * 247 units * (30 ms or T3.5)                        8 s
//
// A real line adds the time that 8 bytes are on it, 741 * (73 ms at 1200, 37 ms
// at 2400, 17 ms at all others together), which is 94 s more. A meter that takes
// longer than 5 ms to answer, and gives up when it hears the next request
// meanwhile, is found by the patient pass only: 18 * 247 * 2 * 300 ms are 45 min.
const (
	likelyWait  = 60 * time.Millisecond
	hastyWait   = 5 * time.Millisecond
	foundWait   = 30 * time.Millisecond
	patientWait = 300 * time.Millisecond
	lastWait    = 250 * time.Millisecond // at the end of a pass at one setting

	// politely is the wait for the answer of a unit that may have been heard, and
	// clearly that of one whose own frame was. A slow meter takes half a second.
	politely = 150 * time.Millisecond
	clearly  = time.Second

	// memory is how far back the unit may be asked for that is heard now.
	memory = 150 * time.Millisecond

	// falseAlarms is how often at one setting a line may make noise without a
	// meter, before it is left alone.
	falseAlarms = 8
)

// Over TCP there is one setting, which is not ours. Chosen by us.
const (
	// gatewayWait is the time for a whole answer over Modbus TCP: gateways wait about
	// as long for a meter, and say so when there is none.
	gatewayWait = 1200 * time.Millisecond

	// converterWait is between two requests through a converter, which passes on
	// what it is told at a speed nobody here knows: at 1200 baud a request and its
	// silence take 105 ms.
	converterWait = 110 * time.Millisecond
)

// harmless is what a scan asks every unit for: any answer, a refusal too, shows a
// meter. Reading holding registers is what most meters know and none minds.
func harmless(function byte) span { return span{function, 0, 2} }

// scan is one search for meters.
type scan struct {
	maps     []*meters.Map
	progress func(Progress)
	place    place
	bus      func(setting) *Bus
	found    []Found

	total, done time.Duration // work, by the times above
	began       time.Time
	told        time.Time // when progress was last called
}

// Scan looks for meters where nobody knows what is there. On a serial port it
// tries every speed from 1200 to 115200 baud, parity and unit, but for what the
// URL says; it stops at the first setting at which anything answers, and looks
// through all units there. Over TCP it tries all units. A patient scan also waits
// for meters that answer late. What it finds it compares with the maps. It calls
// progress, unless that is nil, several times a second. When it ends early, by ctx
// or by an error, it gives what it has found until then.
func Scan(ctx context.Context, url string, l *meters.Library, patient bool, progress func(Progress)) ([]Found, error) {
	s, err := newScan(url, l, progress)
	if err != nil {
		return nil, fmt.Errorf("modbus: scan: %w", err)
	}
	if err := s.run(ctx, patient); err != nil {
		return s.found, fmt.Errorf("modbus: scan %s: %w", s.place.address, err)
	}
	return s.found, nil
}

// newScan prepares a search at a URL for meters of the maps.
func newScan(url string, l *meters.Library, progress func(Progress)) (*scan, error) {
	p, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	s := &scan{place: p, progress: progress}
	s.bus = s.newBus
	for _, id := range l.Names() {
		m, err := l.Find(id)
		if err != nil {
			return nil, err
		}
		if p.scheme == schemeTCP || slices.Contains(m.Transports, "rtu") {
			s.maps = append(s.maps, m)
		}
	}
	return s, nil
}

func (s *scan) run(ctx context.Context, patient bool) error {
	s.began = time.Now()
	if s.place.scheme == schemeTCP {
		return s.gateway(ctx)
	}
	return s.lines(ctx, s.passes(patient))
}

// passes lists what is tried, one after the other.
func (s *scan) passes(patient bool) []pass {
	if s.place.scheme == schemeRTUOverTCP {
		return []pass{{setting{}, allUnits(), converterWait, []byte{3}}}
	}
	var passes []pass
	likely, all := s.settings()
	for _, line := range likely {
		passes = append(passes, pass{line, s.likelyUnits(), likelyWait, []byte{3}})
	}
	for _, line := range all {
		passes = append(passes, pass{line, allUnits(), hastyWait, []byte{3}})
	}
	for _, line := range all {
		if patient {
			passes = append(passes, pass{line, allUnits(), patientWait, []byte{3, 4}})
		}
	}
	return passes
}

// lines makes passes until one finds meters. Then it looks through the other units
// at that setting.
func (s *scan) lines(ctx context.Context, passes []pass) error {
	slowest := time.Duration(0) // look through the other units
	for _, p := range passes {
		s.total += p.cost()
		slowest = max(slowest, pass{p.line, allUnits(), foundWait, []byte{3}}.cost())
	}
	s.total += slowest
	for _, p := range passes {
		units, err := s.sweep(ctx, p)
		if err != nil {
			return err
		}
		if len(units) == 0 {
			continue
		}
		if p.wait < foundWait || len(p.units) < len(allUnits()) {
			others := slices.DeleteFunc(allUnits(), func(u int) bool { return slices.Contains(units, u) })
			rest := pass{p.line, others, foundWait, []byte{3}}
			s.total = s.done + rest.cost()
			more, err := s.sweep(ctx, rest)
			if err != nil {
				return err
			}
			units = append(units, more...)
		}
		slices.Sort(units)
		return s.recognise(ctx, s.bus(p.line), units)
	}
	return nil
}

// pass is one way through some units at one setting.
type pass struct {
	line      setting
	units     []int         // Modbus addresses
	wait      time.Duration // after a request
	functions []byte
}

// cost is how long a pass takes without a meter.
func (p pass) cost() time.Duration {
	return time.Duration(len(p.units)*len(p.functions))*p.pace() + lastWait
}

// pace is how long a request takes without an answer.
func (p pass) pace() time.Duration {
	return p.line.wireTime(requestSize) + max(p.wait, p.line.silence())
}

// settings lists those of a serial line to be tried, as far as the URL leaves them
// open: the likely ones are those that meters come with, the usual first; all are
// all, those that take long last.
func (s *scan) settings() (likely, all []setting) {
	count := map[setting]int{}
	for _, m := range s.maps {
		if m.Serial != nil && m.Serial.Baud != 0 {
			count[setting{m.Serial.Baud, m.Serial.Parity, m.Serial.StopBits}.or(factory)]++
		}
	}
	for line := range count {
		if s.place.line.or(line) == line && slices.Contains(bauds(), line.baud) {
			likely = append(likely, line)
		}
	}
	slices.SortFunc(likely, func(a, b setting) int {
		return cmp.Or(count[b]-count[a], b.baud-a.baud, cmp.Compare(a.parity, b.parity), a.stop-b.stop)
	})
	for _, baud := range []int{9600, 19200, 38400, 115200, 2400, 1200} {
		for _, parity := range parities() {
			line := s.place.line.or(setting{baud, parity, 1})
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	for _, line := range likely {
		if !slices.Contains(all, line) { // two stop bits
			all = append(all, line)
		}
	}
	return likely, all
}

// likelyUnits lists 1 to 10 and those that meters come with.
func (s *scan) likelyUnits() []int {
	units := allUnits()[:10]
	for _, m := range s.maps {
		if m.Serial != nil && m.Serial.Unit > 10 {
			units = append(units, m.Serial.Unit)
		}
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// allUnits lists the units that there can be on a line.
func allUnits() []int {
	units := make([]int, 247)
	for i := range units {
		units[i] = i + 1
	}
	return units
}

// tell reports progress, but not too often.
func (s *scan) tell(line setting, unit int) {
	if s.progress == nil || time.Since(s.told) < 100*time.Millisecond {
		return
	}
	s.told = time.Now()
	p := Progress{Where: s.where(line), Unit: unit, Found: len(s.found)}
	if p.Share = min(1, float64(s.done)/float64(s.total)); p.Share > 0 {
		p.Left = time.Duration(float64(time.Since(s.began)) * (1 - p.Share) / p.Share).Round(time.Second)
	}
	s.progress(p)
}
