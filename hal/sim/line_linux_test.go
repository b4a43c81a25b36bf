package sim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
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
	askSerial = []byte{0x07, 0x03, 0xFC, 0x00, 0x00, 0x02, 0xF4, 0x3D}       // two holding registers from 0xFC00
	saySerial = []byte{0x07, 0x03, 0x04, 0x01, 0x51, 0x60, 0x89, 0x25, 0xB8} // 22110345
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

func master(t *testing.T, l *Line) *os.File {
	t.Helper()
	return open(t, l.URL())
}

// open opens a line as its URL says.
func open(t *testing.T, at string) *os.File {
	t.Helper()
	u, err := url.Parse(at)
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

// asked lets a test know when a request has reached its meter.
type asked struct {
	meter Registers
	told  chan struct{}
}

func (a asked) Registers(to []byte, function byte, addr, count uint16) ([]byte, byte, bool) {
	defer func() { a.told <- struct{}{} }()
	return a.meter.Registers(to, function, addr, count)
}

func TestALineAnswersTheUnitThatWasAskedAndNoOther(t *testing.T) {
	l := wired(t, Serial{})
	port := master(t, l)
	for range 3 {
		say(t, port, askPower)
		hear(t, port, sayPower)
		say(t, port, askNobody) // say demands that the last one was not answered
		say(t, port, askAll)
		say(t, port, askSerial)
		hear(t, port, saySerial)
	}
}

func TestAMeterOnALineRefusesWhatItDoesNotKnow(t *testing.T) {
	l := wired(t, Serial{})
	port := master(t, l)
	for _, c := range []struct {
		name        string
		frame, want []byte
	}{
		{"write single register", []byte{0x07, 0x06, 0x00, 0x34, 0x00, 0x02, 0x49, 0xA3}, []byte{0x07, 0x86, 0x01, 0x63, 0xA1}},
		{"write multiple registers, which is longer", []byte{0x07, 0x10, 0x00, 0x34, 0x00, 0x01, 0x02, 0x00, 0x00, 0x89, 0x84}, []byte{0x07, 0x90, 0x01, 0x6D, 0xC1}},
		{"report server id, which is shorter", []byte{0x07, 0x11, 0xC3, 0x8C}, []byte{0x07, 0x91, 0x01, 0x6C, 0x51}},
		{"serial as an input register", []byte{0x07, 0x04, 0xFC, 0x00, 0x00, 0x02, 0x41, 0xFD}, []byte{0x07, 0x84, 0x02, 0x22, 0xC0}},
		{"no registers", []byte{0x07, 0x04, 0x00, 0x34, 0x00, 0x00, 0xB1, 0xA2}, []byte{0x07, 0x84, 0x03, 0xE3, 0x00}},
	} {
		t.Run(c.name, func(t *testing.T) {
			say(t, port, c.frame)
			hear(t, port, c.want)
		})
	}
}

func TestTwelveMetersShareALine(t *testing.T) {
	units := Units{}
	for unit := byte(1); unit <= 12; unit++ {
		units[unit], _ = billing(strconv.Itoa(22_110_300 + int(unit)))
	}
	port := master(t, lined(t, units, Serial{Baud: 115_200, Parity: "E"}))
	for range 3 {
		for unit := byte(1); unit <= 12; unit++ {
			say(t, port, sealRTU([]byte{unit, readHolding, 0xFC, 0, 0, 2}))
			hear(t, port, sealRTU(binary.BigEndian.AppendUint32([]byte{unit, readHolding, 4}, 22_110_300+uint32(unit))))
		}
	}
}

func TestASilentMeterDoesNotAnswerOnALine(t *testing.T) {
	silent, rig := billing("1")
	sound, _ := billing("22110345")
	rig.Do(func(b *Bench, now time.Duration) { b.Fault(now, Faults{Silent: true}) })
	port := master(t, lined(t, Units{7: sound, 8: silent}, Serial{}))
	say(t, port, askNobody)
	say(t, port, askPower)
	hear(t, port, sayPower)
}

func TestALineFindsItsStepAfterBrokenRequests(t *testing.T) {
	port := master(t, wired(t, Serial{}))
	wrong := bytes.Clone(askPower)
	wrong[7] ^= 1
	for name, broken := range map[string][]byte{
		"half a request":         askPower[:5],
		"a wrong check sum":      wrong,
		"noise":                  {0, 0xFF, 0xFF},
		"as long as a request":   make([]byte, 8),
		"more than a frame":      bytes.Repeat([]byte{0x07}, 300),
		"more than is ever kept": bytes.Repeat([]byte{0x07, 0x04}, 700),
	} {
		t.Run(name, func(t *testing.T) {
			say(t, port, broken)
			say(t, port, askPower) // whether the line has been silent for long enough or not
			hear(t, port, sayPower)
		})
	}
}

// At one baud 3.5 characters last 35 seconds: no machine is so slow that this
// request seems to come later.
func TestARequestRightAfterAnAnswerIsLost(t *testing.T) {
	meter, _ := billing("22110345")
	a := asked{meter, make(chan struct{}, 9)}
	port := master(t, lined(t, Units{7: a}, Serial{Baud: 1}))
	port.Write(askPower)
	hear(t, port, sayPower)
	<-a.told
	port.Write(askPower)
	if came := quiet(t, port, 50*time.Millisecond); len(came) > 0 || len(a.told) > 0 {
		t.Errorf("answered with % x", came)
	}
}

func TestTheMasterInterruptsAMeter(t *testing.T) {
	l := wired(t, Serial{})
	port := master(t, l)
	l.Wire(Dribble)
	say(t, port, []byte{0x07, 0x04, 0x00, 0x00, 0x00, 0x50, 0xF0, 0x50}) // the answer takes 8 s
	hear(t, port, []byte{0x07, 0x04})
	port.Write(askPower)
	came := quiet(t, port, 500*time.Millisecond)
	if !bytes.HasSuffix(came, sayPower) || len(came) > 100 {
		t.Errorf("% x, want the end of the first answer to be missing, then % x", came, sayPower)
	}
}

func TestAMeterThinksAndBytesTakeTheirTime(t *testing.T) {
	for _, c := range []struct {
		serial Serial
		least  time.Duration
	}{
		{Serial{Delay: 40 * time.Millisecond}, 40 * time.Millisecond},
		{Serial{Paced: true}, (8+9)*10*time.Second/9600 + 2*time.Millisecond},
		{Serial{Paced: true, Baud: 2400, Parity: "E", StopBits: 2, Delay: 10 * time.Millisecond}, (8+9)*12*time.Second/2400 + 10*time.Millisecond},
	} {
		port := master(t, wired(t, c.serial))
		start := time.Now()
		port.Write(askPower)
		hear(t, port, sayPower)
		if took := time.Since(start); took < c.least {
			t.Errorf("%+v: %v, want at least %v", c.serial, took, c.least)
		}
	}
}

func TestBytesThatNobodyTakesAreLost(t *testing.T) {
	near, far := net.Pipe() // holds nothing, so that no system's buffers must be filled
	defer far.Close()
	defer near.Close()
	on := talk{conn: near, line: &Line{}}
	if err := on.write(sayPower); err != nil {
		t.Errorf("%v, want the line to go on", err)
	}
	off := talk{conn: near}
	near.Close()
	if err := off.write(sayPower); err == nil {
		t.Error("wrote to a connection that is closed")
	}
}

func TestALineThatCannotBeIsAnError(t *testing.T) {
	meter, _ := billing("1")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		units  Units
		serial Serial
	}{
		"a negative speed":       {Units{1: meter}, Serial{Baud: -1}},
		"an unknown parity":      {Units{1: meter}, Serial{Parity: "even"}},
		"three stop bits":        {Units{1: meter}, Serial{StopBits: 3}},
		"an answer before":       {Units{1: meter}, Serial{Delay: -1}},
		"a broadcast unit":       {Units{0: meter}, Serial{}},
		"a reserved unit":        {Units{248: meter}, Serial{}},
		"a unit without a meter": {Units{1: nil}, Serial{}},
		"a link that is a file":  {Units{1: meter}, Serial{Link: file}},
		"a link nowhere":         {Units{1: meter}, Serial{Link: file + "/x"}},
	} {
		if l, err := ServeRTU(c.units, c.serial); err == nil {
			l.Close()
			t.Errorf("%s was taken", name)
		}
	}
}
