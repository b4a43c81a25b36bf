package wire

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
)

// Requests of the kernel's I2C device files (linux/i2c-dev.h, linux/i2c.h).
const (
	i2cSlave = 0x0703 // whom SMBus calls are for; here: is it free?
	i2cFuncs = 0x0705 // what the adapter can do
	i2cRdwr  = 0x0707 // messages, in one transfer

	funcPlain = 1 << 0 // of i2cFuncs: messages of any length
	msgRead   = 1 << 0 // flag of a message that the device sends

	// remoteIO is EREMOTEIO, which only Linux has.
	remoteIO = unix.Errno(121)

	// i2cMost is how long a message may be, in bytes: i2c-dev refuses longer ones.
	i2cMost = 8192
	// addressMost is the last address of 7 bits.
	addressMost = 0x7f
)

// i2cMessage is the kernel's struct i2c_msg.
type i2cMessage struct {
	address uint16 // of 7 bits
	flags   uint16 // msgRead
	length  uint16 // bytes
	data    unsafe.Pointer
}

// i2cTransfer is the kernel's struct i2c_rdwr_ioctl_data.
type i2cTransfer struct {
	messages unsafe.Pointer
	count    uint32 // messages
}

// I2C is a bus of the kernel's. It is periph's i2c.BusCloser, and may be used from
// several goroutines.
type I2C struct {
	*node
	mu   sync.Mutex
	free map[uint16]bool // addresses that no driver of the kernel has
}

var _ i2c.BusCloser = (*I2C)(nil)

// OpenI2C opens a bus, such as /dev/i2c-1. Nothing is sent.
func OpenI2C(path string) (*I2C, error) { return openI2C(path, linux{}) }

func openI2C(path string, k kernel) (*I2C, error) {
	n, err := openNode(path, k)
	if err != nil {
		return nil, fmt.Errorf("i2c: %w", err)
	}
	var can uintptr // an unsigned long
	if err := n.pointer(i2cFuncs, unsafe.Pointer(&can)); err != nil {
		return nil, fmt.Errorf("i2c: %s: what it can do: %w", path, errors.Join(explained(err), n.Close()))
	}
	if can&funcPlain == 0 {
		return nil, errors.Join(fmt.Errorf("i2c: %s: its adapter only knows SMBus (functions %#x), and a display wants plain I2C", path, can), n.Close())
	}
	return &I2C{node: n, free: map[uint16]bool{}}, nil
}

// Tx writes to a device, and then reads from it without letting go of the bus. Either may
// be empty, but not both. ErrSilent says that nobody has that address, and then who has
// others.
func (b *I2C) Tx(address uint16, w, r []byte) error {
	err := b.exchange(address, w, r)
	b.counted(len(w), len(r), err)
	if errors.Is(err, ErrSilent) {
		err = fmt.Errorf("%w, %s", err, b.elsewhere(address))
	}
	if err != nil {
		return fmt.Errorf("i2c: %s: device %#02x: %w", b, address, err)
	}
	return nil
}

func (b *I2C) exchange(address uint16, w, r []byte) error {
	switch {
	case address > addressMost:
		return fmt.Errorf("want an address of 7 bits, at most %#x", addressMost)
	case len(w)+len(r) == 0:
		return errors.New("nothing to write or read")
	case len(w) > i2cMost || len(r) > i2cMost:
		return fmt.Errorf("write %d bytes, read %d: the kernel takes %d at most", len(w), len(r), i2cMost)
	}
	if err := b.claim(address); err != nil {
		return err
	}
	var pins runtime.Pinner
	defer pins.Unpin()
	var messages []i2cMessage
	if len(w) > 0 {
		messages = append(messages, i2cMessage{address, 0, uint16(len(w)), pin(&pins, w)})
	}
	if len(r) > 0 {
		messages = append(messages, i2cMessage{address, msgRead, uint16(len(r)), pin(&pins, r)})
	}
	pins.Pin(&messages[0])
	transfer := &i2cTransfer{unsafe.Pointer(&messages[0]), uint32(len(messages))}
	err := b.pointer(i2cRdwr, unsafe.Pointer(transfer))
	if errors.Is(err, unix.ENXIO) || errors.Is(err, remoteIO) { // which of them depends on the adapter
		return fmt.Errorf("%w (%w)", ErrSilent, err)
	}
	return explained(err)
}

// claim asks, the first time that an address is used, whether a driver of the kernel has
// it.
func (b *I2C) claim(address uint16) error {
	b.mu.Lock()
	free := b.free[address]
	b.mu.Unlock()
	if free {
		return nil
	}
	if err := b.number(i2cSlave, uintptr(address)); err != nil {
		return explained(err)
	}
	b.mu.Lock()
	b.free[address] = true
	b.mu.Unlock()
	return nil
}

// elsewhere says which addresses of displays somebody has, when the one that was asked for
// has nobody: the two of a board differ by a bridge of solder, those of an LCD's backpack
// by three. One byte is read from each; of what has these addresses nothing minds that.
func (b *I2C) elsewhere(address uint16) string {
	var found []string
	for a := range uint16(addressMost) {
		if a == address || a&^0x07 != 0x20 && a&^0x07 != 0x38 { // PCF8574; PCF8574A and OLEDs
			continue
		}
		err := b.exchange(a, nil, make([]byte, 1))
		if err == nil {
			found = append(found, fmt.Sprintf("%#02x", a))
		} else if !errors.Is(err, ErrSilent) && !errors.Is(err, unix.EBUSY) {
			break // each would take as long
		}
	}
	if len(found) == 0 {
		return "nor at any other address of a display"
	}
	return "but at " + strings.Join(found, ", ")
}

// SetSpeed always gives an error: the speed is the kernel's, for all that use the bus.
func (b *I2C) SetSpeed(physic.Frequency) error {
	return fmt.Errorf("i2c: %s: its speed is set in the kernel's device tree, for all that use the bus", b)
}
