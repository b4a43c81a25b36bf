//go:build !linux

package modbus

import "errors"

// openSerial says that there is nothing to open: a post runs Linux, and other
// systems, for developing on, can read meters over TCP.
func openSerial(string, setting) (wire, error) {
	return nil, errors.New("serial ports are supported on Linux only")
}
