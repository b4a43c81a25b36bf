// Package wire opens the kernel's I2C and SPI ports for displays, in the form that
// periph's drivers take, and counts what goes over them.
//
// # Why
//
// periph has ports of its own, but they come as drivers that look for everything a
// machine has, and with them come drivers of the processor's registers, which must stay
// out of a program that holds a contactor (see hal/gpio). What a display needs of the
// kernel is three calls for I2C and three for SPI, so they are here.
//
// A port belongs to whoever opened it, and the kernel puts the calls of several programs
// in a row: two displays on one bus open it twice, and a clock or a thermometer on it
// goes on working. Settings that would be felt by those others are left alone: the speed
// of an I2C bus is the kernel's (on a Raspberry Pi dtparam=i2c_arm_baudrate), and so is
// its time limit, 1 s for a transfer as a rule. Whoever wants a limit for the whole of
// an update asks for the time between transfers. A transfer is never repeated here: a
// display that may have lost one is opened anew.
//
// An address that a driver of the kernel has taken is refused, as two who draw on one
// display would take turns.
//
// A bus that is stuck, because a display was unplugged in the middle of a byte and holds
// the line low, can only be freed by the kernel or by switching the display off.
package wire

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrSilent says that no device answers.
var ErrSilent = errors.New("no device answers")

// Count is what has gone over a port.
type Count struct {
	Transfers uint64 // that went through
	Sent      uint64 // bytes, without those that say whom they are for
	Received  uint64 // bytes
	Failed    uint64 // transfers that did not
}

// kernel is what the ports ask of the kernel: the ioctl call, with its two kinds of
// argument.
type kernel interface {
	pointer(fd, request uintptr, arg unsafe.Pointer) error
	number(fd, request, arg uintptr) error
}

// linux is the kernel itself.
type linux struct{}

func (linux) pointer(fd, request uintptr, arg unsafe.Pointer) error {
	return known(unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg)))
}

func (linux) number(fd, request, arg uintptr) error {
	return known(unix.Syscall(unix.SYS_IOCTL, fd, request, arg))
}

func known(_, _ uintptr, errno unix.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// node is a device file that is spoken to by ioctl. Its methods may be called from
// several goroutines; a call that hangs hinders neither the others nor Close, and the
// file's number is not given to another file while one is under way.
type node struct {
	file   *os.File
	kernel kernel
	closed atomic.Bool

	transfers, sent, received, failed atomic.Uint64
}

func openNode(path string, k kernel) (*node, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &node{file: f, kernel: k}, nil
}

// String gives the path of the device file.
func (n *node) String() string { return n.file.Name() }

// Close gives the port back. A transfer under way goes on to its end.
func (n *node) Close() error {
	if n.closed.Swap(true) {
		return nil
	}
	return n.file.Close()
}

// Count gives what has gone over the port since it was opened.
func (n *node) Count() Count {
	return Count{n.transfers.Load(), n.sent.Load(), n.received.Load(), n.failed.Load()}
}

// counted notes the outcome of a transfer.
func (n *node) counted(sent, received int, err error) {
	if err != nil {
		n.failed.Add(1)
		return
	}
	n.transfers.Add(1)
	n.sent.Add(uint64(sent))
	n.received.Add(uint64(received))
}

// pointer asks the kernel for something that has its argument in memory.
func (n *node) pointer(request uintptr, arg unsafe.Pointer) error {
	return n.control(func(fd uintptr) error { return n.kernel.pointer(fd, request, arg) })
}

// number asks the kernel for something that has a number for an argument.
func (n *node) number(request, arg uintptr) error {
	return n.control(func(fd uintptr) error { return n.kernel.number(fd, request, arg) })
}

func (n *node) control(call func(fd uintptr) error) error {
	raw, err := n.file.SyscallConn()
	if err == nil {
		var failed error
		if err = raw.Control(func(fd uintptr) { failed = call(fd) }); err == nil {
			return failed
		}
	}
	if n.closed.Load() {
		return os.ErrClosed
	}
	return err
}

// pin keeps the memory of a transfer where it is, and gives its address.
func pin(p *runtime.Pinner, b []byte) unsafe.Pointer {
	if len(b) == 0 {
		return nil
	}
	p.Pin(&b[0])
	return unsafe.Pointer(&b[0])
}

// explained says of an error of the kernel what it means on a bus.
func explained(err error) error {
	for _, known := range []struct {
		errno unix.Errno
		what  string
	}{
		{unix.ETIMEDOUT, "a line of the bus is held low, or the device is too slow"},
		{unix.EAGAIN, "the bus was lost to somebody else on it, or to interference"},
		{unix.EBUSY, "a driver of the kernel has the device"},
		{unix.ENOTTY, "it is no such port"},
	} {
		if errors.Is(err, known.errno) {
			return fmt.Errorf("%s: %w", known.what, err)
		}
	}
	return err
}
