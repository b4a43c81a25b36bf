package modbus

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// counting counts what is read from a wire.
type counting struct {
	wire
	reads *atomic.Int64
}

func (c counting) Read(b []byte) (int, error) {
	c.reads.Add(1)
	return c.wire.Read(b)
}

// imaged lets an image answer on a simulated wire.
type imaged struct{ *meters.Image }

func (i imaged) Registers(to []byte, function byte, addr, count uint16) (_ []byte, exception byte, answers bool) {
	to, exception = i.Image.Registers(to, function, addr, count)
	return to, exception, true
}

// files gives what this process has open.
func files(t *testing.T) (open []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(target, "/dev/pts") {
			open = append(open, target)
		}
	}
	return open
}

// An adapter is pulled out and put in again, and comes back under another number
// behind the same name.
func TestAnAdapterThatComesBackIsReadAgain(t *testing.T) {
	link := filepath.Join(t.TempDir(), "usb-FTDI_FT232R_USB_UART_A10M5QW3-if00-port0")
	image, shows := showing(t, sdm630Map(t))
	line, err := sim.ServeRTU(sim.Units{1: imaged{image}}, sim.Serial{Link: link})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	start := time.Now()
	b, err := OpenBus("rtu://"+link, func() time.Duration { return time.Since(start) })
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var reads atomic.Int64
	opens, open := 0, b.dial
	b.dial = func(ctx context.Context) (wire, error) {
		conn, err := open(ctx)
		if err != nil {
			return nil, err
		}
		opens++
		return counting{conn, &reads}, nil
	}
	m := sdm630Map(t)
	m.Limits.MaxResponse, m.Limits.MinGap = 100, 0
	meter, err := b.Meter(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	before, paths := files(t), map[string]bool{}
	for round := range 3 {
		path, _ := os.Readlink(link)
		paths[path] = true
		for range 2 {
			if got, err := meter.Read(t.Context()); err != nil || got.Register != shows.Import {
				t.Fatalf("round %d: %+v, %v", round, got, err)
			}
		}
		line.Unplug()
		began := reads.Load()
		for range 3 {
			if got, err := meter.Read(t.Context()); err == nil || got != (hal.Reading{}) {
				t.Fatalf("round %d, pulled out: %+v, %v", round, got, err)
			}
		}
		if n := reads.Load() - began; n > 4 {
			t.Errorf("round %d: read %d times from nothing", round, n)
		}
		if err := line.Plug(); err != nil {
			t.Fatal(err)
		}
		for limit := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
			got, err := meter.Read(t.Context())
			if err == nil && got.Register == shows.Import {
				break
			}
			if time.Now().After(limit) {
				t.Fatalf("round %d, put in again: %v", round, err)
			}
		}
	}
	line.Unplug() // and put in again while nothing is asked: nobody notices
	if err := line.Plug(); err != nil {
		t.Fatal(err)
	}
	if got, err := meter.Read(t.Context()); err != nil || got.Register != shows.Import {
		t.Errorf("after a short absence: %+v, %v", got, err)
	}
	b.drop()
	if after := files(t); len(after) != len(before) {
		t.Errorf("open before: %v; after: %v", before, after)
	}
	if opens != 5 || len(paths) < 2 {
		t.Errorf("opened %d times, want 5, at %v", opens, paths)
	}
}
