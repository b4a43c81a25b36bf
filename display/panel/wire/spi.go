package wire

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"
)

// Requests of the kernel's SPI device files (linux/spi/spidev.h), numbered as on ARM,
// x86 and RISC-V.
const (
	spiReadSpeed  = 0x80046b04
	spiWriteSpeed = 0x40046b04
	spiWriteMode  = 0x40016b01
	spiWriteBits  = 0x40016b03
	spiMessage    = 0x40006b00 // and the bytes of all transfers from bit 16 on

	// modeThreeWire and modeNoSelect are the kernel's bits for two of periph's modes;
	// those of clock and polarity are the same, and so is that of the bits' order.
	modeThreeWire = 0x10
	modeNoSelect  = 0x40
	modeLSBFirst  = 0x08

	// spiSizeBits is where the size of an argument begins in the number of a request.
	spiSizeBits = 16
	// spiWord is how many bits a word has: displays want nothing else.
	spiWord = 8
	// spiMost is how many bytes spidev takes at once when it is not told otherwise.
	spiMost = 4096
	// spiLimit is where the kernel says how many.
	spiLimit = "/sys/module/spidev/parameters/bufsiz"
	// spiPackets is how many transfers there may be in one call. Chosen by us: the size
	// of all of them has 14 bits in the number of the request.
	spiPackets = 64
)

// spiTransfer is the kernel's struct spi_ioc_transfer.
type spiTransfer struct {
	send, receive uint64 // addresses in memory; 0 for nothing
	length        uint32 // bytes
	speed         uint32 // Hz
	delay         uint16 // µs
	word          uint8  // bits
	change        uint8  // 1: of select, after this transfer; after the last: it stays
	_             [4]uint8
}

// SPI is a port of the kernel's. It is periph's spi.PortCloser.
type SPI struct {
	*node
	fastest uint32 // Hz, of the port itself
	limit   uint32 // Hz, as LimitSpeed said; 0: none
	most    int    // bytes at once
}

// spiDevice is a port with the settings of a device. It is periph's spi.Conn.
type spiDevice struct {
	port  *SPI
	speed uint32 // Hz
	half  bool   // one wire for both directions
}

var (
	_ spi.PortCloser = (*SPI)(nil)
	_ spi.Conn       = (*spiDevice)(nil)
	_ conn.Limits    = (*spiDevice)(nil)
)

// OpenSPI opens a port, such as /dev/spidev0.0. Nothing is sent.
func OpenSPI(path string) (*SPI, error) { return openSPI(path, linux{}, spiLimit) }

func openSPI(path string, k kernel, limit string) (*SPI, error) {
	n, err := openNode(path, k)
	if err != nil {
		return nil, fmt.Errorf("spi: %w", err)
	}
	p := &SPI{node: n, most: spiMost}
	if err := n.pointer(spiReadSpeed, unsafe.Pointer(&p.fastest)); err != nil {
		return nil, fmt.Errorf("spi: %s: its speed: %w", path, errors.Join(explained(err), n.Close()))
	}
	if text, err := os.ReadFile(limit); err == nil {
		if most, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && most > 0 {
			p.most = most
		}
	}
	return p, nil
}

// LimitSpeed sets the highest speed for devices that are connected from now on, for long
// or bad wires.
func (p *SPI) LimitSpeed(f physic.Frequency) error {
	hz := int64(f / physic.Hertz)
	if hz < 1 || hz > math.MaxUint32 {
		return fmt.Errorf("spi: %s: speed %v: want 1 Hz to 4 GHz", p, f)
	}
	p.limit = uint32(hz)
	return nil
}

// Connect sets what the device wants: the highest speed that it stands (0: any), the mode,
// and words of 8 bits. It may be called again when a device is opened anew.
func (p *SPI) Connect(f physic.Frequency, mode spi.Mode, bits int) (spi.Conn, error) {
	if bits != spiWord {
		return nil, fmt.Errorf("spi: %s: words of %d bits: only %d are known here", p, bits, spiWord)
	}
	d := &spiDevice{port: p, speed: p.fastest, half: mode&spi.HalfDuplex != 0}
	for _, hz := range []int64{int64(f / physic.Hertz), int64(p.limit)} {
		if hz > 0 && (d.speed == 0 || hz < int64(d.speed)) {
			d.speed = uint32(hz)
		}
	}
	m := uint8(mode & spi.Mode3)
	for ours, kernels := range map[spi.Mode]uint8{spi.HalfDuplex: modeThreeWire, spi.NoCS: modeNoSelect, spi.LSBFirst: modeLSBFirst} {
		if mode&ours != 0 {
			m |= kernels
		}
	}
	word := uint8(spiWord)
	for _, s := range []struct {
		what    string
		request uintptr
		value   unsafe.Pointer
	}{
		{mode.String(), spiWriteMode, unsafe.Pointer(&m)},
		{"words of 8 bits", spiWriteBits, unsafe.Pointer(&word)},
		{fmt.Sprintf("%d Hz", d.speed), spiWriteSpeed, unsafe.Pointer(&d.speed)},
	} {
		if err := p.pointer(s.request, s.value); err != nil {
			return nil, fmt.Errorf("spi: %s: set %s: %w", p, s.what, explained(err))
		}
	}
	return d, nil
}

// String gives the path of the device file.
func (d *spiDevice) String() string { return d.port.String() }

// MaxTxSize gives how many bytes may be sent at once.
func (d *spiDevice) MaxTxSize() int { return d.port.most }

// Duplex says whether both directions go at once.
func (d *spiDevice) Duplex() conn.Duplex {
	if d.half {
		return conn.Half
	}
	return conn.Full
}

// Tx sends and receives at once. Either may be empty; if neither is, they are of the same
// length.
func (d *spiDevice) Tx(w, r []byte) error {
	return d.TxPackets([]spi.Packet{{W: w, R: r}})
}

// TxPackets does several such transfers in one call of the kernel's.
func (d *spiDevice) TxPackets(packets []spi.Packet) error {
	sent, received, err := d.exchange(packets)
	d.port.counted(sent, received, err)
	if err != nil {
		return fmt.Errorf("spi: %s: %w", d.port, err)
	}
	return nil
}

func (d *spiDevice) exchange(packets []spi.Packet) (sent, received int, err error) {
	if len(packets) == 0 || len(packets) > spiPackets {
		return 0, 0, fmt.Errorf("%d packets: want 1 to %d", len(packets), spiPackets)
	}
	var pins runtime.Pinner
	defer pins.Unpin()
	transfers := make([]spiTransfer, len(packets))
	for i, p := range packets {
		if err := d.fits(p); err != nil {
			return 0, 0, err
		}
		sent, received = sent+len(p.W), received+len(p.R)
		transfers[i] = spiTransfer{
			send: uint64(uintptr(pin(&pins, p.W))), receive: uint64(uintptr(pin(&pins, p.R))),
			length: uint32(max(len(p.W), len(p.R))), speed: d.speed, word: spiWord,
		}
		// The bit says "change" between transfers and "stay" after the last.
		if last := i == len(packets)-1; p.KeepCS == last {
			transfers[i].change = 1
		}
	}
	if max(sent, received) > d.port.most {
		return 0, 0, fmt.Errorf("send %d bytes, receive %d: the kernel takes %d at once (%s)", sent, received, d.port.most, spiLimit)
	}
	size := uintptr(len(transfers)) * unsafe.Sizeof(transfers[0])
	return sent, received, explained(d.port.pointer(spiMessage|size<<spiSizeBits, unsafe.Pointer(&transfers[0])))
}

// fits says with an error why a packet cannot be sent.
func (d *spiDevice) fits(p spi.Packet) error {
	switch {
	case p.BitsPerWord != 0 && p.BitsPerWord != spiWord:
		return fmt.Errorf("words of %d bits: only %d are known here", p.BitsPerWord, spiWord)
	case len(p.W)+len(p.R) == 0:
		return errors.New("nothing to send or receive")
	case len(p.W) > 0 && len(p.R) > 0 && (d.half || len(p.W) != len(p.R)):
		return fmt.Errorf("send %d bytes, receive %d: want equal numbers, or one of them on a wire for both", len(p.W), len(p.R))
	}
	return nil
}
