// Package ports gives out TCP ports of the loopback to programs that must be told theirs,
// or that are started again on the same.
//
// # Why
//
// A port that the kernel has chosen and that is closed again is free for a moment only:
// the kernel soon gives it to somebody's connection or listener, and the program that was
// to have it does not start. So these are none that the kernel gives out, and each is kept
// from others who ask here, in any process, by the UDP port of the same number.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// What is given out lies below what Linux chooses from unless it is told otherwise (32768
// to 60999, net.ipv4.ip_local_port_range), and above where services live.
const (
	first = 10_000
	after = 32_768
)

// tries is how many numbers are tried. Chosen by us: with half of them in use, all would
// be in vain once in 2^100.
const tries = 100

// Take finds a port of 127.0.0.1 where nobody listens. Nobody else is given it before it is
// given back. It fails if there is no loopback, or hardly a free port.
func Take() (port string, give func() error, err error) {
	for range tries {
		port = strconv.Itoa(first + rand.IntN(after-first))
		address := net.JoinHostPort("127.0.0.1", port)
		kept, held := net.ListenPacket("udp", address)
		if held != nil {
			err = held
			continue
		}
		l, used := net.Listen("tcp", address)
		if used != nil {
			err = errors.Join(used, kept.Close())
			continue
		}
		if err := l.Close(); err != nil {
			return "", nil, errors.Join(err, kept.Close())
		}
		return port, kept.Close, nil
	}
	return "", nil, fmt.Errorf("find a free port of the loopback: none of %d: %w", tries, err)
}

// test is what a port is for: [testing.TB].
type test interface {
	Helper()
	Fatal(...any)
	Error(...any)
	Cleanup(func())
}

// Free is a port of 127.0.0.1 where nobody listens. It is the test's until the test has
// ended.
func Free(t test) (port string) {
	t.Helper()
	port, give, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := give(); err != nil {
			t.Error(err)
		}
	})
	return port
}
