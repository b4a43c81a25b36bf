package modbus

import (
	"strings"
	"testing"
	"time"

	"stolpe/cross/ports"
	"stolpe/hal/sim"
)

// A meter that is set otherwise than the configuration says is found where it is, on the
// bus that the post itself holds, which goes on afterwards.
func TestAMeterIsFoundElsewhere(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		unit   byte
		serial sim.Serial
		says   string // in the configuration's URL
		want   string // in the URL that is found
	}{
		"parity": {1, sim.Serial{Baud: 9600, Parity: "E"}, "baud=9600&parity=N", "baud=9600&parity=E"},
		"speed":  {1, sim.Serial{Baud: 19200}, "baud=9600&parity=N", "baud=19200&parity=N"},
		"unit":   {7, sim.Serial{Baud: 9600}, "baud=9600&parity=N", "baud=9600&parity=N"},
		"both":   {2, sim.Serial{Baud: 2400, Parity: "O"}, "baud=9600&parity=N", "baud=2400&parity=O"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image, _ := showing(t, sdm630Map(t))
			line, err := sim.ServeRTU(sim.Units{x.unit: imaged{image}}, x.serial)
			if err != nil {
				t.Fatal(err)
			}
			defer line.Close()
			path, _, _ := strings.Cut(line.URL(), "?")
			b := elsewhereBus(t, path+"?"+x.says)
			m, err := b.Meter(sdm630Map(t), 1)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Read(t.Context()); err == nil {
				t.Fatal("it answers where it is not")
			}
			url, unit, err := b.Elsewhere(t.Context(), 1)
			if err != nil || unit != int(x.unit) || !strings.Contains(url, x.want) {
				t.Fatalf("found %q, unit %d, %v; want unit %d at %s", url, unit, err, x.unit, x.want)
			}
			found, err := elsewhereBus(t, url).Meter(sdm630Map(t), unit)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil { // it has opened the port again, or will
				t.Error(err)
			}
			if _, err := found.Read(t.Context()); err != nil {
				t.Errorf("where it was found: %v", err)
			}
		})
	}
}

// Nobody is found where nobody is, and what cannot be reached is an error.
func TestNobodyIsFoundElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: listens at every setting of a line")
	}
	t.Parallel()
	line, err := sim.ServeRTU(sim.Units{240: silence{}}, sim.Serial{})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	if url, unit, err := elsewhereBus(t, line.URL()).Elsewhere(t.Context(), 1); url != "" || unit != 0 || err != nil {
		t.Errorf("on a line without a meter: %q, unit %d, %v", url, unit, err)
	}
	gone := "tcp://127.0.0.1:" + ports.Free(t)
	if _, _, err := elsewhereBus(t, gone).Elsewhere(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "look elsewhere at 127.0.0.1:") {
		t.Errorf("where nobody listens: %v", err)
	}
	if _, _, err := elsewhereBus(t, "rtu:///dev/no/such/line").Elsewhere(t.Context(), 1); err == nil {
		t.Error("a line that is not there was searched")
	}
}

// silence is a meter that says nothing.
type silence struct{}

func (silence) Registers(to []byte, _ byte, _, _ uint16) ([]byte, byte, bool) { return to, 0, false }

// elsewhereBus opens a bus until the test ends.
func elsewhereBus(t *testing.T, url string) *Bus {
	t.Helper()
	began := time.Now()
	b, err := OpenBus(url, func() time.Duration { return time.Since(began) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}
