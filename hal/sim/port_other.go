//go:build !linux

package sim

import (
	"errors"
	"os"
)

// port is a pseudo terminal, which is made here on Linux only.
type port struct {
	path   string
	master *os.File
}

func openPort() (*port, error) {
	return nil, errors.New("a simulated serial line needs Linux")
}

func (p *port) free() error { return nil }

func (p *port) agrees(Serial) bool { return false }
