package main

import (
	"fmt"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// qemu's own network gives these to its one guest.
const (
	ownAddress = "10.0.2.15"
	ownMask    = "255.255.255.0"
	gateway    = "10.0.2.2"
	card       = "eth0"
)

// network gives both interfaces their addresses, so that the machine needs no service for it.
// A machine without a network card is none the worse.
func network() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket for the network's settings: %w", err)
	}
	defer unix.Close(s)
	if err := raise(s, "lo", "127.0.0.1", "255.0.0.0"); err != nil {
		return err
	}
	for range 40 { // a fifth of a second
		if _, err := os.Stat("/sys/class/net/" + card); err == nil {
			if err := raise(s, card, ownAddress, ownMask); err != nil {
				return err
			}
			return route(s, gateway)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// raise gives an interface its address and switches it on.
func raise(s int, name, address, mask string) error {
	for _, set := range []struct {
		what    uint
		address string
	}{{unix.SIOCSIFADDR, address}, {unix.SIOCSIFNETMASK, mask}} {
		r, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		if err := r.SetInet4Addr(net.ParseIP(set.address).To4()); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(s, set.what, r); err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, set.address, err)
		}
	}
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("switch on %s: %w", name, err)
	}
	return nil
}

// entry is the kernel's struct rtentry on 64-bit machines (linux/route.h).
type entry struct {
	_                  uint64
	to, through, under unix.RawSockaddrInet4
	flags              uint16 // RTF_*
	_                  int16
	_                  [4]byte
	_                  [2]uint64
	_                  [5]uint64 // metric, device, sizes: the kernel's own choice
}

// route makes an address the way to everything else.
func route(s int, through string) error {
	e := entry{flags: unix.RTF_UP | unix.RTF_GATEWAY}
	for _, a := range []*unix.RawSockaddrInet4{&e.to, &e.through, &e.under} {
		a.Family = unix.AF_INET
	}
	copy(e.through.Addr[:], net.ParseIP(through).To4())
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCADDRT, uintptr(unsafe.Pointer(&e))); errno != 0 {
		return fmt.Errorf("route everything through %s: %w", through, errno)
	}
	return nil
}
