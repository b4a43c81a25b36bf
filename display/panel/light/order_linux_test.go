package light

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// written gives the names of the files of a folder that are written to meanwhile, in order.
func written(t *testing.T, folder string, meanwhile func()) (names []string) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, folder, unix.IN_MODIFY); err != nil {
		t.Fatal(err)
	}
	meanwhile()
	b := make([]byte, 64<<10)
	n, err := unix.Read(fd, b)
	if err != nil {
		t.Fatal(err)
	}
	for b = b[:n]; len(b) > 0; {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
		name := b[unix.SizeofInotifyEvent:][:e.Len]
		names = append(names, strings.TrimRight(string(name), "\x00"))
		b = b[unix.SizeofInotifyEvent+e.Len:]
	}
	return names
}

// The kernel refuses a period that is shorter than the width, and another polarity while a
// channel is on. Plain files refuse nothing, so here it is the order that is looked at.
func TestAChannelIsSetUpInTheKernelsOrder(t *testing.T) {
	dir := chip(t, 0, 1, 2)
	put(t, filepath.Join(dir, "pwm1", "period"), "2000000\n")
	put(t, filepath.Join(dir, "pwm1", "duty_cycle"), "1500000\n")
	put(t, filepath.Join(dir, "pwm1", "polarity"), "inversed\n")
	put(t, filepath.Join(dir, "pwm1", "enable"), "1\n")
	for n, want := range map[int][]string{
		0: {"period", "duty_cycle", "enable"}, // as it is after the start of the machine
		1: {"duty_cycle", "period", "enable", "polarity", "enable"},
	} {
		got := written(t, filepath.Join(dir, []string{"pwm0", "pwm1"}[n]), func() {
			c, err := openChannel(dir, n)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.duty.Close(); err != nil {
				t.Error(err)
			}
		})
		if !slices.Equal(got, want) {
			t.Errorf("channel %d: %v, want %v", n, got, want)
		}
	}
}
