package modbus

import (
	"cmp"
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// answering serves images of meters over Modbus RTU. It notes what it was asked.
type answering struct {
	units map[byte]*meters.Image
	mu    sync.Mutex
	asked []span
}

// asks gives what was asked since so many requests.
func (a *answering) asks(since int) []span {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked[since:])
}

func (a *answering) serve(conn net.Conn) {
	for r := heard(conn); r != nil; r = heard(conn) {
		addr, count := binary.BigEndian.Uint16(r[2:]), binary.BigEndian.Uint16(r[4:])
		a.mu.Lock()
		a.asked = append(a.asked, span{r[1], addr, int(addr) + int(count)})
		a.mu.Unlock()
		image := a.units[r[0]]
		if image == nil {
			continue
		}
		answer, refusal := image.Registers(r[:2:2], r[1], addr, count)
		if refusal != 0 {
			answer = []byte{r[0], r[1] | 0x80, refusal}
		}
		conn.Write(framed(answer...))
	}
}

// showing gives a meter of the map, and what it shows: an energy that the coarsest
// of them can.
func showing(t testing.TB, m *meters.Map) (*meters.Image, meters.Shown) {
	t.Helper()
	image := meters.NewImage(m)
	shows := meters.Shown{Import: 1_234_000, Export: 56_000, Power: 6900, FrequencyMilli: 50_000,
		Voltage: [3]hal.Voltage{230_000, 231_000, 229_000}, Current: [3]hal.Current{10_000, 10_000, 10_000}}
	var err error
	for _, serial := range []string{"20240117", "4711", "200000000000"} { // one of them fits any meter
		shows.Serial = serial
		if err = image.Show(shows); err == nil {
			return image, shows
		}
	}
	t.Fatalf("%s: %v", m.ID, err)
	return nil, shows
}

// Every map there is can be read over a line: nothing that is asked is refused,
// and what is told is what the meter shows.
func TestEveryMeterThereIsAMapOfIsRead(t *testing.T) {
	for _, id := range meters.Names() {
		synctest.Test(t, func(t *testing.T) {
			m, err := meters.Find(id)
			if err != nil {
				t.Fatal(err)
			}
			image, shows := showing(t, m)
			far := &answering{units: map[byte]*meters.Image{7: image}}
			meter, err := lined(t, setting{}, far.serve).Meter(m, 7)
			if err != nil {
				t.Fatal(err)
			}
			if step := meter.Resolution(); step != cmp.Or(m.Resolution, 10) || meter.Modulus() != m.Modulus() {
				t.Errorf("%s: counts in steps of %v up to %v, want %v, or 10 Wh where it is not known", id, step, meter.Modulus(), m.Resolution)
			}
			if refresh := meter.Refresh(); refresh != time.Duration(cmp.Or(m.Limits.Refresh, 2000))*time.Millisecond {
				t.Errorf("%s: refreshes every %v", id, refresh)
			}
			for range 2 {
				got, err := meter.Read(t.Context())
				if err != nil || got.Register != shows.Import || got.Power != shows.Power || got.Supply != hal.SupplyPresent {
					t.Errorf("%s: %+v, %v", id, got, err)
				}
				time.Sleep(time.Second)
			}
			values, err := meter.Values(t.Context())
			if err != nil {
				t.Errorf("%s: %v", id, err)
			}
			for _, v := range values {
				if v.Err != nil {
					t.Errorf("%s: %s: %v", id, v.Name, v.Err)
				}
			}
		})
	}
}
