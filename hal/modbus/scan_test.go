package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal/modbus/meters"
)

// party is a serial line in virtual time: meters that all have one setting. A
// byte takes no time.
type party struct {
	line  setting
	units map[byte]*meters.Image
	delay time.Duration // from a request to its answer
	timid bool          // a meter that hears another request first does not answer
	noisy bool          // whatever is asked, something is heard
}

func (p *party) said(r []byte) []byte {
	image := p.units[r[0]]
	if image == nil {
		return nil
	}
	answer, refusal := image.Registers(r[:2:2], r[1], binary.BigEndian.Uint16(r[2:]), binary.BigEndian.Uint16(r[4:]))
	if refusal != 0 {
		answer = []byte{r[0], r[1] | 0x80, refusal}
	}
	return framed(answer...)
}

// serve hears and answers at the same time, as a wire does.
func (p *party) serve(conn net.Conn, at setting) {
	var thinking sync.WaitGroup
	defer thinking.Wait()
	var heardOf atomic.Int64 // requests
	for r := heard(conn); r != nil; r = heard(conn) {
		answer, turn := p.said(r), heardOf.Add(1)
		if p.noisy {
			answer = []byte{0, 0xFF}
		}
		if answer == nil || at != p.line {
			continue
		}
		thinking.Go(func() {
			<-time.After(p.delay)
			if !p.timid || turn == heardOf.Load() {
				conn.Write(answer)
			}
		})
	}
}

// searched gives a scan of the party by way of this URL.
func searched(t *testing.T, p *party, maps []*meters.Map, url string, progress func(Progress)) *scan {
	t.Helper()
	place, err := parseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	s := &scan{place: place, progress: progress, maps: maps}
	s.bus = func(line setting) *Bus {
		b := lined(t, line, func(conn net.Conn) { p.serve(conn, line) })
		b.place = s.place
		b.place.line = line
		return b
	}
	return s
}

// everyMap reads all maps.
func everyMap(t *testing.T) (all []*meters.Map) {
	t.Helper()
	for _, id := range meters.Names() {
		m, err := meters.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// an SDM630 as unit number.
func sdm630(t *testing.T, units ...byte) map[byte]*meters.Image {
	t.Helper()
	m, err := meters.Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	all := map[byte]*meters.Image{}
	for _, unit := range units {
		all[unit], _ = showing(t, m)
	}
	return all
}

func TestAScanFindsAMeterAtAnySettingInTime(t *testing.T) {
	maps, all := everyMap(t), []setting(nil)
	for _, baud := range []int{1200, 2400, 9600, 19200, 38400, 115200} {
		for _, parity := range parities() {
			all = append(all, setting{baud, parity, 1})
		}
	}
	for _, line := range append(all, setting{115200, "N", 2}) {
		units := []byte{247}
		if line.baud == 19200 {
			units = []byte{1, 42, 99}
		}
		for _, unit := range units {
			synctest.Test(t, func(t *testing.T) {
				p := &party{line: line, units: sdm630(t, unit), delay: 2 * time.Millisecond, timid: true}
				told, last := 0, Progress{}
				s := searched(t, p, maps, "rtu:///dev/ttyUSB0", func(p Progress) {
					if p.Share < last.Share {
						t.Errorf("%v unit %d: %v after %v", line, unit, p, last)
					}
					told, last = told+1, p
				})
				start := time.Now()
				if err := s.run(t.Context(), false); err != nil {
					t.Fatal(err)
				}
				took := time.Since(start)
				if len(s.found) != 1 || s.found[0].Unit != int(unit) || s.found[0].URL != fmt.Sprintf("rtu:///dev/ttyUSB0?baud=%d&parity=%s&stop=%d", line.baud, line.parity, line.stop) {
					t.Errorf("%v unit %d: found %+v", line, unit, s.found)
				}
				if took > 90*time.Second || told < int(took/(200*time.Millisecond)) {
					t.Errorf("%v unit %d: took %v and told of it %d times", line, unit, took, told)
				}
			})
		}
	}
}

// Meters that take their time answer into the requests to others.
func TestAScanHearsSlowMetersAndAllOfThem(t *testing.T) {
	maps := everyMap(t)
	units := []byte{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 200, 247}
	for _, delay := range []time.Duration{0, 20 * time.Millisecond, 45 * time.Millisecond, 120 * time.Millisecond} {
		for _, line := range []setting{{9600, "N", 1}, {38400, "O", 1}, {1200, "E", 1}} {
			synctest.Test(t, func(t *testing.T) {
				p := &party{line: line, units: sdm630(t, units...), delay: delay}
				s := searched(t, p, maps, "rtu:///dev/ttyUSB0", nil)
				s.maps = s.maps[:1]
				if err := s.run(t.Context(), false); err != nil {
					t.Fatal(err)
				}
				var found []byte
				for _, f := range s.found {
					found = append(found, byte(f.Unit))
				}
				if !slices.Equal(found, units) {
					t.Errorf("%v, %v to answer: found %v, want %v", line, delay, found, units)
				}
			})
		}
	}
}

func TestAPatientScanFindsAMeterThatGivesUp(t *testing.T) {
	maps := everyMap(t)
	for patient, want := range map[bool]int{false: 0, true: 1} {
		synctest.Test(t, func(t *testing.T) {
			p := &party{line: setting{19200, "O", 1}, units: sdm630(t, 100), delay: 200 * time.Millisecond, timid: true}
			s := searched(t, p, maps, "rtu:///dev/ttyUSB0?parity=O", nil)
			if err := s.run(t.Context(), patient); err != nil || len(s.found) != want {
				t.Errorf("patient %t: %+v, %v; want %d", patient, s.found, err, want)
			}
		})
	}
}

func TestAScanOfNothingEndsAndANoisyLineIsLeftAlone(t *testing.T) {
	maps := everyMap(t)
	for name, p := range map[string]*party{"nobody": {}, "noise": {noisy: true, line: setting{9600, "N", 1}}} {
		synctest.Test(t, func(t *testing.T) {
			s := searched(t, p, maps, "rtu:///dev/ttyUSB0", nil)
			start := time.Now()
			if err := s.run(t.Context(), false); err != nil || len(s.found) != 0 {
				t.Errorf("%s: %+v, %v", name, s.found, err)
			}
			if took := time.Since(start); took > 2*90*time.Second {
				t.Errorf("%s: took %v", name, took)
			}
		})
	}
}

func TestAScanTriesWhatTheURLLeavesOpen(t *testing.T) {
	for url, want := range map[string]int{
		"rtu:///dev/ttyUSB0":                            18,
		"rtu:///dev/ttyUSB0?baud=9600":                  3,
		"rtu:///dev/ttyUSB0?baud=4800":                  3,
		"rtu:///dev/ttyUSB0?parity=E":                   6,
		"rtu:///dev/ttyUSB0?baud=9600&parity=E&stop=2":  1,
		"rtu:///dev/ttyUSB0?baud=57600&parity=N&stop=1": 1,
	} {
		place, err := parseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		s := &scan{place: place}
		likely, all := s.settings()
		if len(likely) != 0 || len(all) != want {
			t.Errorf("%s: %v and %v, want %d", url, likely, all, want)
		}
		s.maps = []*meters.Map{{Serial: &meters.SerialDefaults{Baud: 9600, Parity: "E", Unit: 33}}}
		if likely, _ = s.settings(); len(likely) != want/max(3, want/6*3) && len(likely) > 1 {
			t.Errorf("%s: likely %v", url, likely)
		}
		for _, line := range append(likely, all...) {
			if place.line.or(line) != line {
				t.Errorf("%s: tries %v", url, line)
			}
		}
	}
}

func TestAScanEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 12345*time.Millisecond)
		defer cancel()
		start := time.Now()
		s := searched(t, &party{}, everyMap(t), "rtu:///dev/ttyUSB0", nil)
		if err := s.run(ctx, true); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 12345*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// Of every meter there is a map of, that map is among the candidates, and none
// but its likes are better.
func TestAMeterIsRecognised(t *testing.T) {
	maps := everyMap(t)
	for _, m := range maps {
		id := m.ID
		synctest.Test(t, func(t *testing.T) {
			image, _ := showing(t, m)
			p := &party{line: setting{9600, "N", 1}, units: map[byte]*meters.Image{5: image}}
			s := searched(t, p, maps, "rtu:///dev/ttyUSB0", nil)
			start := time.Now()
			if err := s.run(t.Context(), false); err != nil || len(s.found) != 1 {
				t.Fatalf("%s: %+v, %v", id, s.found, err)
			}
			all := s.found[0].Candidates
			at := slices.IndexFunc(all, func(c Candidate) bool { return c.Model == id })
			if at < 0 {
				t.Fatalf("%s is not among the candidates %v", id, all)
			}
			if all[0].likeness > all[at].likeness {
				t.Errorf("%s: %s is better", id, all[0].Model)
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("%s took %v", id, took)
			}
		})
	}
}

func TestAConverterIsScanned(t *testing.T) {
	line := setting{}
	image, _ := showing(t, sdm630Map(t))
	synctest.Test(t, func(t *testing.T) {
		p := &party{line: line, units: map[byte]*meters.Image{9: image, 230: image}, delay: 60 * time.Millisecond}
		s := &scan{place: place{scheme: schemeRTUOverTCP, address: "converter:4001"}, maps: []*meters.Map{sdm630Map(t)}}
		s.bus = func(setting) *Bus {
			b := lined(t, line, func(conn net.Conn) { p.serve(conn, line) })
			b.place = s.place
			return b
		}
		start := time.Now()
		if err := s.run(t.Context(), false); err != nil || len(s.found) != 2 || s.found[1].Unit != 230 || s.found[0].URL != "rtuovertcp://converter:4001" {
			t.Errorf("%+v, %v", s.found, err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestFramesAreFoundInWhatIsHeard(t *testing.T) {
	one, two := framed(9, 3, 4, 0, 0, 0, 0), framed(230, 0x83, 2)
	for _, c := range []struct {
		name  string
		noise []byte
		units []int
		whole bool
	}{
		{"one", one, []int{9}, true},
		{"two", slices.Concat(one, two), []int{9, 230}, true},
		{"one and the beginning of another", slices.Concat(two, one[:4]), []int{230}, false},
		{"a byte before", append([]byte{0}, one...), nil, false},
		{"noise", []byte{0, 0xFF, 0, 0xFF, 0}, nil, false},
		{"zeros, whose checksum is none", make([]byte, 20), nil, false},
		{"of a unit that cannot be", framed(248, 3, 2, 0, 0), nil, false},
		{"a little", []byte{9}, nil, false},
	} {
		if units, whole := framesIn(c.noise); !slices.Equal(units, c.units) || whole != c.whole {
			t.Errorf("%s: %v, %t; want %v, %t", c.name, units, whole, c.units, c.whole)
		}
	}
}
