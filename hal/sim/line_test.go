package sim

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stolpe/hal"
)

// Frames of a line, byte by byte after MODBUS over Serial Line 1.02, with check
// sums that were not computed by the code under test.
var (
	askPower  = []byte{0x07, 0x04, 0x00, 0x34, 0x00, 0x02, 0x30, 0x63}       // two input registers from 0x34 of unit 7
	sayPower  = []byte{0x07, 0x04, 0x04, 0x46, 0x2B, 0xE0, 0x00, 0xB1, 0x04} // 11,000 as a float32
	askNobody = []byte{0x08, 0x04, 0x00, 0x34, 0x00, 0x02, 0x30, 0x9C}       // the same of unit 8
	askAll    = []byte{0x00, 0x04, 0x00, 0x34, 0x00, 0x02, 0x31, 0xD4}       // the same of everybody
)

// billing gives the meter of a car charging with 11 kW, an hour into the charge.
func billing(serial string) (Registers, *Rig) {
	var c Clock
	rig := NewRig(Setup{Serial: serial, Register: 1_000_000}, c.Now)
	rig.Do(func(b *Bench, now time.Duration) { b.PlugIn(now, family); b.Set(now, hal.Closed) })
	c.Step(time.Hour)
	return SDM630(rig), rig
}

// wired gives a line with that meter as unit 7.
func wired(t *testing.T, serial Serial) *Line {
	t.Helper()
	meter, _ := billing("22110345")
	return lined(t, Units{7: meter}, serial)
}

func lined(t *testing.T, units Units, serial Serial) *Line {
	t.Helper()
	l, err := ServeRTU(units, serial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// master opens the line as its URL says.
func master(t *testing.T, l *Line) *os.File {
	t.Helper()
	u, err := url.Parse(l.URL())
	if err != nil {
		t.Fatal(err)
	}
	port, err := os.OpenFile(u.Path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	baud, err := strconv.Atoi(u.Query().Get("baud"))
	if err != nil {
		t.Fatal(err)
	}
	configure(t, port, baud, u.Query().Get("parity"), u.Query().Get("stop"))
	return port
}

// configure sets a serial port up as a program does that wants its parity checked.
func configure(t *testing.T, port *os.File, baud int, parity, stop string) {
	t.Helper()
	settings := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.BOTHER, Ispeed: uint32(baud), Ospeed: uint32(baud)}
	settings.Cc[unix.VMIN] = 1
	if parity != "N" {
		settings.Cflag |= unix.PARENB
		settings.Iflag |= unix.INPCK
	}
	if parity == "O" {
		settings.Cflag |= unix.PARODD
	}
	if stop == "2" {
		settings.Cflag |= unix.CSTOPB
	}
	raw, err := port.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = unix.IoctlSetTermios(int(fd), unix.TCSETS2, &settings) })
	if err != nil {
		t.Fatal(err)
	}
}

// quiet listens until the line has been silent for so long, and gives what came.
func quiet(t *testing.T, port conn, d time.Duration) []byte {
	t.Helper()
	var came []byte
	for buf := make([]byte, 1024); ; {
		port.SetReadDeadline(time.Now().Add(d))
		n, err := port.Read(buf)
		came = append(came, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return came
		}
		if err != nil {
			t.Fatalf("after % x: %v", came, err)
		}
	}
}

// silence is what the tests leave before a request: more than the 4 ms of 3.5
// characters at 9600 baud, the slowest line here.
const silence = 5 * time.Millisecond

// say sends a request after a silence.
func say(t *testing.T, port conn, frame []byte) {
	t.Helper()
	if came := quiet(t, port, silence); len(came) > 0 {
		t.Fatalf("% x before the request", came)
	}
	if _, err := port.Write(frame); err != nil {
		t.Fatal(err)
	}
}

// hear waits for exactly these bytes.
func hear(t *testing.T, port conn, want []byte) {
	t.Helper()
	port.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(want))
	if n, err := io.ReadFull(port, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("heard % x, %v; want % x", got[:n], err, want)
	}
}

func TestALineAnswersTheUnitThatWasAskedAndNoOther(t *testing.T) {
	l := wired(t, Serial{})
	port := master(t, l)
	for range 2 {
		say(t, port, askPower)
		hear(t, port, sayPower)
		say(t, port, askNobody)
		say(t, port, askAll)
	}
}
