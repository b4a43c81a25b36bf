//go:build kernelports

package wire

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// These tests hold the ports against a kernel, and need no hardware but two parallel ports
// (of QEMU: -parallel null -parallel null), over which the kernel speaks I2C and SPI bit by
// bit. As root, with KIND 5 for a bus where everybody answers, and 0 for one where nobody
// does:
//
//	modprobe i2c-dev
//	modprobe i2c-stub chip_addr=0x3c
//	modprobe i2c-parport parport=0 type=KIND
//	modprobe spi-butterfly
//	cd /sys/bus/spi/devices/spi42.1 && echo spidev > driver_override && echo spi42.1 > ../../drivers/spidev/bind
//	go test -tags kernelports ./display/panel/wire

// adapter gives the device file of the I2C bus with that name.
func adapter(t *testing.T, name string) string {
	t.Helper()
	all, err := filepath.Glob("/sys/class/i2c-dev/*/name")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if text, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(text)) == name {
			return "/dev/" + filepath.Base(filepath.Dir(path))
		}
	}
	t.Fatalf("no %q among %q: see above", name, all)
	return ""
}

func TestTheKernelsI2C(t *testing.T) {
	b, err := OpenI2C(adapter(t, "Parallel port adapter"))
	if err != nil {
		t.Fatal(err)
	}
	err = b.Tx(0x3c, nil, make([]byte, 1))
	answers := err == nil // by KIND
	if err != nil && !errors.Is(err, ErrSilent) {
		t.Fatal(err)
	}
	t.Logf("somebody answers: %v, %v", answers, err)
	for _, r := range [][]byte{nil, make([]byte, 2)} {
		if err := b.Tx(0x3c, []byte{0x00, 0xae}, r); (err == nil) != answers || err != nil && !errors.Is(err, ErrSilent) {
			t.Errorf("write and read %d: %v", len(r), err)
		}
	}
	if got := b.Count(); answers != (got == Count{Transfers: 3, Sent: 4, Received: 3}) || !answers && got != (Count{Failed: 3}) {
		t.Errorf("counted %+v", got)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if err := b.Tx(0x3c, []byte{0}, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("when closed: %v", err)
	}
}

func TestTheKernelsSMBusIsRefused(t *testing.T) {
	if b, err := OpenI2C(adapter(t, "SMBus stub driver")); err == nil || !strings.Contains(err.Error(), "only knows SMBus") {
		t.Errorf("%v, %v", b, err)
	}
}

func TestTheKernelsSPI(t *testing.T) {
	p, err := OpenSPI("/dev/spidev42.1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Connect(physic.MegaHertz, spi.Mode0, 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Tx([]byte{1, 2, 3}, make([]byte, 3)), c.Tx(make([]byte, p.most), nil),
		c.TxPackets([]spi.Packet{{W: []byte{1}, KeepCS: true}, {W: []byte{2}}})); err != nil {
		t.Error(err)
	}
	if err := c.Tx(make([]byte, p.most+1), nil); err == nil {
		t.Errorf("sent more than %d bytes", p.most)
	}
	p.most++ // so that the kernel says it
	if err := c.Tx(make([]byte, p.most), nil); err == nil {
		t.Errorf("the kernel took %d bytes: how many it takes is not what it says", p.most)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Tx([]byte{1}, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("when closed: %v", err)
	}
}
