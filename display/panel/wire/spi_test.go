package wire

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

func mustOpenSPI(t *testing.T, p *pretend) *SPI {
	t.Helper()
	b, err := openSPI(file(t), p, os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() }) // nothing was written
	return b
}

func mustConnect(t *testing.T, p *SPI, f physic.Frequency, mode spi.Mode) spi.Conn {
	t.Helper()
	c, err := p.Connect(f, mode, 8)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSPISettings(t *testing.T) {
	for _, c := range []struct {
		device, limit physic.Frequency
		mode          spi.Mode
		want          []string
	}{
		{4 * physic.MegaHertz, 0, spi.Mode0, []string{"mode 0x0", "bits 8", "speed 4000000"}},
		{0, 0, spi.Mode3, []string{"mode 0x3", "bits 8", "speed 125000000"}},
		{4 * physic.MegaHertz, physic.MegaHertz, spi.Mode1, []string{"mode 0x1", "bits 8", "speed 1000000"}},
		{physic.MegaHertz, 4 * physic.MegaHertz, spi.Mode2, []string{"mode 0x2", "bits 8", "speed 1000000"}},
		{physic.GigaHertz, 0, spi.HalfDuplex, []string{"mode 0x10", "bits 8", "speed 125000000"}},
		{physic.MegaHertz, 0, spi.NoCS | spi.LSBFirst, []string{"mode 0x48", "bits 8", "speed 1000000"}},
	} {
		p := &pretend{fastest: 125_000_000}
		b := mustOpenSPI(t, p)
		if c.limit != 0 {
			if err := b.LimitSpeed(c.limit); err != nil {
				t.Fatal(err)
			}
		}
		d := mustConnect(t, b, c.device, c.mode)
		mustHear(t, p, c.want...)
		if want := map[bool]conn.Duplex{true: conn.Half, false: conn.Full}[c.mode&spi.HalfDuplex != 0]; d.Duplex() != want || d.String() != b.String() {
			t.Errorf("%v: %v, is %v", c.mode, d.Duplex(), d)
		}
	}
}

func TestSPISendsAndReceives(t *testing.T) {
	p := &pretend{fastest: 1_000_000}
	b := mustOpenSPI(t, p)
	c := mustConnect(t, b, 0, spi.Mode0)
	p.asked = nil
	in := make([]byte, 3)
	if err := c.Tx([]byte{1, 2, 3}, in); err != nil || !slices.Equal(in, []byte{0xa0, 0xa1, 0xa2}) {
		t.Errorf("received % x: %v", in, err)
	}
	if err := errors.Join(c.Tx([]byte{4}, nil), c.Tx(nil, in[:1])); err != nil {
		t.Error(err)
	}
	if err := c.TxPackets([]spi.Packet{{W: []byte{5}, KeepCS: true}, {W: []byte{6}, BitsPerWord: 8}, {R: in, KeepCS: true}}); err != nil {
		t.Error(err)
	}
	mustHear(t, p,
		"sends 01 02 03 and receives at 1000000 Hz, 8 bits, delay 0, change 0",
		"sends 04 at 1000000 Hz, 8 bits, delay 0, change 0",
		"sends nothing and receives at 1000000 Hz, 8 bits, delay 0, change 0",
		"sends 05 at 1000000 Hz, 8 bits, delay 0, change 0",                   // stays selected
		"sends 06 at 1000000 Hz, 8 bits, delay 0, change 1",                   // is let go of
		"sends nothing and receives at 1000000 Hz, 8 bits, delay 0, change 1", // stays selected
	)
	if got := b.Count(); got != (Count{Transfers: 4, Sent: 6, Received: 7}) {
		t.Errorf("counted %+v", got)
	}
}

func TestSPITakesAsMuchAsTheKernelDoes(t *testing.T) {
	limit := filepath.Join(t.TempDir(), "bufsiz")
	for text, want := range map[string]int{"": spiMost, "4096\n": 4096, "65536\n": 65536, "-1": spiMost} {
		if err := os.WriteFile(limit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &pretend{}
		b, err := openSPI(file(t), p, limit)
		if err != nil {
			t.Fatal(err)
		}
		c := mustConnect(t, b, physic.MegaHertz, spi.Mode0)
		if got := c.(conn.Limits).MaxTxSize(); got != want {
			t.Errorf("%q: %d at once, want %d", text, got, want)
		}
		if err := c.Tx(make([]byte, want), nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		p.asked = nil
		if err := c.Tx(make([]byte, want+1), nil); err == nil || !strings.Contains(err.Error(), "at once") {
			t.Errorf("%q: too much: %v", text, err)
		}
		mustHear(t, p)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSPIRefusesWhatItCannot(t *testing.T) {
	p := &pretend{}
	b := mustOpenSPI(t, p)
	full, half := mustConnect(t, b, physic.MegaHertz, spi.Mode0), mustConnect(t, b, physic.MegaHertz, spi.HalfDuplex)
	p.asked = nil
	_, nine := b.Connect(physic.MegaHertz, spi.Mode0, 9)
	for name, err := range map[string]error{
		"9 bits":        nine,
		"9 in a packet": full.TxPackets([]spi.Packet{{W: []byte{1}, BitsPerWord: 9}}),
		"nothing":       full.Tx(nil, nil),
		"no packets":    full.TxPackets(nil),
		"65 packets":    full.TxPackets(make([]spi.Packet, 65)),
		"lengths":       full.Tx([]byte{1, 2}, make([]byte, 1)),
		"half":          half.Tx([]byte{1}, make([]byte, 1)),
		"no speed":      b.LimitSpeed(physic.MilliHertz),
		"too fast":      b.LimitSpeed(5 * physic.GigaHertz),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	mustHear(t, p)
}

func TestSPISaysWhatIsWrong(t *testing.T) {
	for request, want := range map[uintptr]string{
		spiWriteMode: "set Mode0", spiWriteBits: "set words of 8 bits", spiWriteSpeed: "set 1000000 Hz",
		spiMessage | 32<<16: "a line of the bus is held low",
	} {
		b := mustOpenSPI(t, &pretend{fails: map[uintptr]error{request: unix.ETIMEDOUT}})
		c, err := b.Connect(physic.MegaHertz, spi.Mode0, 8)
		if err == nil {
			err = c.Tx([]byte{1}, nil)
		}
		if !errors.Is(err, unix.ETIMEDOUT) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "spi: "+b.String()) {
			t.Errorf("%#x: %v", request, err)
		}
		if failed := b.Count().Failed; failed != map[bool]uint64{true: 1}[request&0xffff == spiMessage&0xffff] {
			t.Errorf("%#x: counted %d", request, failed)
		}
	}
	b := mustOpenSPI(t, &pretend{})
	c := mustConnect(t, b, physic.MegaHertz, spi.Mode0)
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if err := c.Tx([]byte{1}, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("when closed: %v", err)
	}
}
