package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"stolpe/hal"
)

func TestMachineIsReadAsItSays(t *testing.T) {
	t.Parallel()
	if got := heat(write(t, "temp", "48312\n")); got == nil || *got != 48.3 {
		t.Errorf("temperature %v", got)
	}
	if got := memoryUsed(write(t, "meminfo", "MemTotal:         949448 kB\nMemFree:          300000 kB\nMemAvailable:     700000 kB\n")); fmt.Sprint(got) != "[243 927]" {
		t.Errorf("memory %v", got)
	}
	const titles = "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
	if got := radio(write(t, "wireless", titles+" wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0\n")); got == nil || *got != -56 {
		t.Errorf("radio %v", got)
	}
	for name, text := range map[string]string{"none": "", "nonsense": "what?\n", "titles": titles, "no level": titles + " wlan0: 0000\n", "of another": "MemTotal: x kB\n"} {
		file := write(t, "file", text)
		if name == "none" {
			file = filepath.Join(t.TempDir(), "none")
		}
		if heat(file) != nil || memoryUsed(file) != nil || radio(file) != nil {
			t.Errorf("%s: something was read", name)
		}
	}
	if diskUsed(filepath.Join(t.TempDir(), "none")) != nil {
		t.Error("a disk that is not there is in use")
	}
}

// fails is a meter that fails so often.
type fails struct{ left int }

func (m *fails) Read(ctx context.Context) (hal.Reading, error) {
	if m.left--; m.left >= 0 {
		return hal.Reading{}, errors.New("silent")
	}
	return hal.Reading{}, ctx.Err()
}

func TestFailedReadingsAreCounted(t *testing.T) {
	t.Parallel()
	p := new(parts)
	if p.wire() != nil {
		t.Error("of no readings some have failed")
	}
	m := counted{&fails{left: 2}, &p.readings, &p.misread}
	for range 8 {
		_, _ = m.Read(t.Context())
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = m.Read(over)
	if got := p.wire(); got == nil || *got != 250_000 {
		t.Errorf("%v in a million have failed: want 250000", got)
	}
	if p.wire() != nil {
		t.Error("counted twice")
	}
}
