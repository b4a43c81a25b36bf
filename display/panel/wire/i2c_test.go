package wire

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/physic"
)

func mustOpenI2C(t *testing.T, p *pretend) *I2C {
	t.Helper()
	p.can |= funcPlain
	b, err := openI2C(file(t), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() }) // nothing was written
	return b
}

func TestI2CWritesAndReads(t *testing.T) {
	p := &pretend{devices: map[uint16][]byte{0x3c: {0x43}, 0x48: {0x19, 0x80}}}
	b := mustOpenI2C(t, p)
	if err := b.Tx(0x3c, []byte{0x00, 0xae}, nil); err != nil {
		t.Error(err)
	}
	two := make([]byte, 2)
	if err := b.Tx(0x48, []byte{0x05}, two); err != nil || two[0] != 0x19 || two[1] != 0x80 {
		t.Errorf("read % x: %v", two, err)
	}
	if err := b.Tx(0x3c, nil, two[:1]); err != nil || two[0] != 0x43 {
		t.Errorf("read % x: %v", two, err)
	}
	mustHear(t, p,
		"0x703 0x3c", // whether it is free, once for each address
		"0x3c writes 00 ae, flags 0",
		"0x703 0x48",
		"0x48 writes 05, flags 0", "0x48 reads 2",
		"0x3c reads 1")
	if c := b.Count(); c != (Count{Transfers: 3, Sent: 3, Received: 3}) {
		t.Errorf("counted %+v", c)
	}
}

func TestI2CSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		request uintptr
		errno   error
		want    string
	}{
		{i2cRdwr, unix.ENXIO, "device 0x3c: no device answers"},
		{i2cRdwr, remoteIO, "device 0x3c: no device answers"},
		{i2cRdwr, unix.ETIMEDOUT, "a line of the bus is held low, or the device is too slow"},
		{i2cRdwr, unix.EAGAIN, "lost to somebody else on it"},
		{i2cRdwr, unix.EIO, "input/output error"},
		{i2cSlave, unix.EBUSY, "a driver of the kernel has the device"},
	} {
		p := &pretend{devices: map[uint16][]byte{0x3c: nil}, fails: map[uintptr]error{c.request: c.errno}}
		b := mustOpenI2C(t, p)
		err := b.Tx(0x3c, []byte{0}, nil)
		if err == nil || !errors.Is(err, c.errno) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "i2c: "+b.String()) {
			t.Errorf("%v: got %v, want %q", c.errno, err, c.want)
		}
		if silent := strings.Contains(c.want, "answers"); errors.Is(err, ErrSilent) != silent {
			t.Errorf("%v: silent is %v", err, !silent)
		}
		if got := b.Count(); got != (Count{Failed: 1}) {
			t.Errorf("%v: counted %+v", c.errno, got)
		}
	}
}

func TestAnAddressThatTheKernelHasIsAskedForAgain(t *testing.T) {
	p := &pretend{devices: map[uint16][]byte{0x3c: nil}, fails: map[uintptr]error{i2cSlave: unix.EBUSY}}
	b := mustOpenI2C(t, p)
	if err := b.Tx(0x3c, []byte{0}, nil); !errors.Is(err, unix.EBUSY) {
		t.Errorf("got %v", err)
	}
	delete(p.fails, i2cSlave) // its driver has let go
	if err := b.Tx(0x3c, []byte{0}, nil); err != nil {
		t.Error(err)
	}
	mustHear(t, p, "0x703 0x3c", "0x703 0x3c", "0x3c writes 00, flags 0")
}

func TestI2CRefusesWhatTheKernelWould(t *testing.T) {
	p := &pretend{devices: map[uint16][]byte{0x3c: nil}}
	b := mustOpenI2C(t, p)
	for name, err := range map[string]error{
		"address":       b.Tx(0x80, []byte{0}, nil),
		"nothing":       b.Tx(0x3c, nil, nil),
		"long write":    b.Tx(0x3c, make([]byte, i2cMost+1), nil),
		"long read":     b.Tx(0x3c, nil, make([]byte, i2cMost+1)),
		"set a speed":   b.SetSpeed(physic.MegaHertz),
		"SMBus adapter": func() error { _, err := openI2C(file(t), &pretend{can: 0xeff0008}); return err }(),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	mustHear(t, p)
	if err := b.Tx(0x3c, make([]byte, i2cMost), nil); err != nil {
		t.Errorf("the longest: %v", err)
	}
	if err := b.Tx(0x7f, []byte{0}, nil); !errors.Is(err, ErrSilent) {
		t.Errorf("the last address: %v", err)
	}
}

func TestWhoAnswersElsewhere(t *testing.T) {
	p := &pretend{devices: map[uint16][]byte{0x27: nil, 0x3d: {0x43}, 0x50: nil}}
	b := mustOpenI2C(t, p)
	silent := func(want string) {
		t.Helper()
		if err := b.Tx(0x3c, []byte{0}, nil); !errors.Is(err, ErrSilent) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	silent("no device answers (remote I/O error), but at 0x27, 0x3d")
	p.devices = nil
	silent("no device answers (remote I/O error), nor at any other address of a display")
	if strings.Contains(p.heard(), "0x50") {
		t.Error("read from what is no display")
	}
	if got := b.Count(); got != (Count{Failed: 2}) {
		t.Errorf("counted %+v", got)
	}
	p.asked = nil
	p.then = unix.ETIMEDOUT // held from now on: one more is tried, and no other
	silent("nor at any other address of a display")
	if got := strings.Count(p.heard(), "\n"); got != 1 {
		t.Errorf("asked for\n%s", p.heard())
	}
}

// A transfer that hangs in the kernel hinders neither another one nor the end, and its
// file stays its own.
func TestATransferThatHangs(t *testing.T) {
	p := &pretend{devices: map[uint16][]byte{0x3c: nil}, entered: make(chan struct{}), released: make(chan struct{})}
	b := mustOpenI2C(t, p)
	done := make(chan error)
	for range 2 {
		go func() { done <- b.Tx(0x3c, []byte{0}, nil) }()
		<-p.entered
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Tx(0x3c, []byte{0}, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("when closed: %v", err)
	}
	close(p.released)
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("a transfer that was under way: %v", err)
		}
	}
}
