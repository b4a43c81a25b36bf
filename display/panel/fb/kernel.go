package fb

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a frame buffer is asked (Linux, include/uapi/linux/fb.h).
const (
	getVariable = 0x4600 // FBIOGET_VSCREENINFO
	getFixed    = 0x4602 // FBIOGET_FSCREENINFO
	blank       = 0x4611 // FBIOBLANK
)

// unblanked is FB_BLANK_UNBLANK: the screen is lit.
const unblanked = 0

// bitfield is struct fb_bitfield: where a colour stands in a dot.
type bitfield struct {
	Offset, Length, Right uint32 // bits; Right is whether the most significant bit is on the right
}

// variable is struct fb_var_screeninfo.
type variable struct {
	Width, Height                  uint32 // dots that are seen
	VirtualWidth, VirtualHeight    uint32 // dots in memory
	X, Y                           uint32 // of the seen part in memory, dots
	Bits                           uint32 // of a dot
	Grey                           uint32 // 0 for colours
	Red, Green, Blue, Transparency bitfield
	_                              [20]uint32 // timings of the signal, and reserved
}

// fixed is struct fb_fix_screeninfo. A uintptr is as long as the kernel's unsigned long.
type fixed struct {
	Name       [16]byte
	_          uintptr   // where the memory starts
	Length     uint32    // of the memory, bytes
	_          [3]uint32 // kind, its details, how colours are made
	_          [3]uint16 // steps of panning
	LineLength uint32    // bytes
	_          uintptr   // registers
	_          [2]uint32 // their length, accelerator
	_          [3]uint16 // capabilities, reserved
}

// ask asks the kernel how the screen is built, and lights it where it can be dark.
func ask(f *os.File) (screen, error) {
	var v variable
	var x fixed
	if err := ioctl(f, getVariable, unsafe.Pointer(&v)); err != nil {
		return screen{}, fmt.Errorf("ask %s for its size: %w", f.Name(), err)
	}
	if err := ioctl(f, getFixed, unsafe.Pointer(&x)); err != nil {
		return screen{}, fmt.Errorf("ask %s for its line length: %w", f.Name(), err)
	}
	// The kernel darkens a console that nobody types on. A driver that cannot do so
	// refuses, and there is nothing to light then.
	unix.IoctlSetInt(int(f.Fd()), blank, unblanked)
	return read(v, x)
}

func ioctl(f *os.File, request uintptr, into unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, uintptr(into)); errno != 0 {
		return errno
	}
	return nil
}

// read takes what the kernel says, and refuses what we do not draw on.
func read(v variable, x fixed) (screen, error) {
	s := screen{
		width: int(v.Width), height: int(v.Height), line: int(x.LineLength), dot: int(v.Bits / 8),
		red: v.Red.channel(), green: v.Green.channel(), blue: v.Blue.channel(),
	}
	if v.Bits != 16 && v.Bits != 32 {
		return s, fmt.Errorf("the screen has %d bits for each dot; 16 and 32 are known", v.Bits)
	}
	if v.Grey != 0 {
		return s, fmt.Errorf("the screen has no colours of the known kind (%#x)", v.Grey)
	}
	for _, b := range []bitfield{v.Red, v.Green, v.Blue} {
		if b.Length == 0 || b.Length > 8 || b.Offset+b.Length > v.Bits || b.Right != 0 {
			return s, fmt.Errorf("the screen has a colour of %d bits at bit %d of %d", b.Length, b.Offset, v.Bits)
		}
	}
	if t := v.Transparency; t.Length > 0 && t.Offset+t.Length <= v.Bits {
		s.opaque = (1<<t.Length - 1) << t.Offset
	}
	s.start = int64(v.Y)*int64(s.line) + int64(v.X)*int64(s.dot)
	if s.line < s.width*s.dot || s.start+int64(s.height)*int64(s.line) > int64(x.Length) && x.Length != 0 {
		return s, fmt.Errorf("the screen of %dx%d dots has lines of %d bytes and %d bytes in all", s.width, s.height, s.line, x.Length)
	}
	return s, nil
}

func (b bitfield) channel() channel {
	return channel{shift: uint(b.Offset), lost: 8 - uint(min(b.Length, 8))}
}
