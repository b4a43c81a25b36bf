package main

import (
	"os"
	"syscall"
	"unsafe"
)

// isTTY says whether somebody may sit at the other end of f: not so for /dev/null, which
// is a character device as well.
func isTTY(f *os.File) bool {
	var settings syscall.Termios
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TCGETS, uintptr(unsafe.Pointer(&settings)))
	return errno == 0
}
