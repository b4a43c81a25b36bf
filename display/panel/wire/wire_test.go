package wire

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pretend is a kernel with a bus of each kind behind every file. It reads and writes the
// memory that it is given as the kernel would, and writes down what it was asked for.
type pretend struct {
	mu       sync.Mutex
	asked    []string
	fails    map[uintptr]error // by request
	devices  map[uint16][]byte // what I2C devices say, by address
	can      uintptr           // functions of the I2C adapter
	fastest  uint32            // Hz, of the SPI port
	then     error             // what I2C gives after somebody was silent; nil: it goes on
	entered  chan struct{}     // nil, or told of each transfer
	released chan struct{}     // nil, or what each transfer waits for
}

func (p *pretend) note(format string, a ...any) { p.asked = append(p.asked, fmt.Sprintf(format, a...)) }

func (p *pretend) heard() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, "\n")
}

func (p *pretend) number(_, request, arg uintptr) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note("%#x %#x", request, arg)
	return p.fails[request]
}

func (p *pretend) pointer(fd, request uintptr, arg unsafe.Pointer) error {
	if p.entered != nil && request == i2cRdwr {
		p.entered <- struct{}{}
		<-p.released
		var is unix.Stat_t
		if err := unix.Fstat(int(fd), &is); err != nil { // it must not have gone
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.fails[request]; err != nil {
		p.note("%#x fails", request)
		return err
	}
	switch {
	case request == i2cFuncs:
		*(*uintptr)(arg) = p.can
	case request == i2cRdwr:
		return p.i2c((*i2cTransfer)(arg))
	case request == spiReadSpeed:
		*(*uint32)(arg) = p.fastest
	case request == spiWriteSpeed:
		p.note("speed %d", *(*uint32)(arg))
	case request == spiWriteMode:
		p.note("mode %#x", *(*uint8)(arg))
	case request == spiWriteBits:
		p.note("bits %d", *(*uint8)(arg))
	case request&0xc000ffff == spiMessage:
		size := request >> 16 & 0x3fff
		if size%unsafe.Sizeof(spiTransfer{}) != 0 {
			return unix.EINVAL
		}
		p.spi(unsafe.Slice((*spiTransfer)(arg), size/unsafe.Sizeof(spiTransfer{})))
	default:
		return unix.ENOTTY
	}
	return nil
}

func (p *pretend) i2c(t *i2cTransfer) error {
	for _, m := range unsafe.Slice((*i2cMessage)(t.messages), t.count) {
		says, ok := p.devices[m.address]
		if !ok {
			p.note("%#x is silent", m.address)
			if p.then != nil {
				p.fails = map[uintptr]error{i2cRdwr: p.then}
			}
			return remoteIO
		}
		data := unsafe.Slice((*byte)(m.data), m.length)
		if m.flags == msgRead {
			copy(data, says)
			p.note("%#x reads %d", m.address, m.length)
		} else {
			p.note("%#x writes % x, flags %d", m.address, data, m.flags)
		}
	}
	return nil
}

func (p *pretend) spi(transfers []spiTransfer) {
	for _, t := range transfers {
		data := "nothing"
		if t.send != 0 {
			data = fmt.Sprintf("% x", memory(&t.send, t.length))
		}
		if t.receive != 0 {
			for i, in := 0, memory(&t.receive, t.length); i < len(in); i++ {
				in[i] = byte(0xa0 + i)
			}
			data += " and receives"
		}
		p.note("sends %s at %d Hz, %d bits, delay %d, change %d", data, t.speed, t.word, t.delay, t.change)
	}
}

// memory gives what is at an address, which is written as the kernel has it.
func memory(address *uint64, length uint32) []byte {
	at := *(*unsafe.Pointer)(unsafe.Pointer(address)) // the low half, where pointers have 32 bits
	return unsafe.Slice((*byte)(at), length)
}

// file is a device file to open; pretend is what is behind it.
func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "port")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustHear(t *testing.T, p *pretend, want ...string) {
	t.Helper()
	if got := p.heard(); got != strings.Join(want, "\n") {
		t.Errorf("the kernel was asked for\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// The sizes and places are those of the kernel's headers, where pointers have 64 bits and
// where they have 32.
func TestMemoryIsLaidOutAsTheKernelHasIt(t *testing.T) {
	wide := unsafe.Sizeof(uintptr(0)) == 8
	pick := func(on64, on32 uintptr) uintptr {
		if wide {
			return on64
		}
		return on32
	}
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"i2c_msg", unsafe.Sizeof(i2cMessage{}), pick(16, 12)},
		{"i2c_msg.flags", unsafe.Offsetof(i2cMessage{}.flags), 2},
		{"i2c_msg.len", unsafe.Offsetof(i2cMessage{}.length), 4},
		{"i2c_msg.buf", unsafe.Offsetof(i2cMessage{}.data), 8},
		{"i2c_rdwr_ioctl_data", unsafe.Sizeof(i2cTransfer{}), pick(16, 8)},
		{"i2c_rdwr_ioctl_data.nmsgs", unsafe.Offsetof(i2cTransfer{}.count), pick(8, 4)},
		{"spi_ioc_transfer", unsafe.Sizeof(spiTransfer{}), 32},
		{"spi_ioc_transfer.len", unsafe.Offsetof(spiTransfer{}.length), 16},
		{"spi_ioc_transfer.speed_hz", unsafe.Offsetof(spiTransfer{}.speed), 20},
		{"spi_ioc_transfer.delay_usecs", unsafe.Offsetof(spiTransfer{}.delay), 24},
		{"spi_ioc_transfer.bits_per_word", unsafe.Offsetof(spiTransfer{}.word), 26},
		{"spi_ioc_transfer.cs_change", unsafe.Offsetof(spiTransfer{}.change), 27},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, the kernel has %d", c.what, c.got, c.want)
		}
	}
}

// This is the kernel itself.
func TestAFileThatIsNoPortIsRefused(t *testing.T) {
	for kind, open := range openers(linux{}) {
		for path, want := range map[string]string{
			file(t):                              "no such port",
			filepath.Join(t.TempDir(), "absent"): "no such file",
			os.DevNull:                           "no such port",
		} {
			if p, err := open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), kind+": ") {
				t.Errorf("%s: %s: %v, %v", kind, path, p, err)
			}
		}
	}
}

// port is what both kinds have.
type port interface {
	String() string
	Count() Count
	Close() error
}

func openers(k kernel) map[string]func(path string) (port, error) {
	return map[string]func(string) (port, error){
		"i2c": func(path string) (port, error) { return openI2C(path, k) },
		"spi": func(path string) (port, error) { return openSPI(path, k, os.DevNull) },
	}
}

func TestAPortIsClosedOnce(t *testing.T) {
	for kind, open := range openers(&pretend{can: funcPlain}) {
		path := file(t)
		p, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		if p.String() != path {
			t.Errorf("%s: is %s, want %s", kind, p, path)
		}
		if err := errors.Join(p.Close(), p.Close()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
