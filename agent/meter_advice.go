package main

import (
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"stolpe/hal/modbus"
)

// advice says what to try next when a meter did not answer.
func advice(url string, err error) string {
	serial := strings.HasPrefix(url, "rtu:")
	port, _, _ := strings.Cut(url, "?") // what is said of its setting may be what is wrong
	var unnamed *net.DNSError
	switch {
	case errors.Is(err, errNotThis):
		return "look at the model and the serial on its plate, then at --model, --unit and --serial; stolpe meter list has the models"
	case serial && errors.Is(err, fs.ErrNotExist):
		return "the adapter is not plugged in, or has another name: ls -l /dev/serial/by-id"
	case serial && noPort(err):
		return "that is no serial port: ls -l /dev/serial/by-id"
	case serial && errors.Is(err, fs.ErrPermission):
		return "run this as a member of the group that owns the line (often dialout), or with sudo"
	case serial && errors.Is(err, syscall.EBUSY):
		return "another program holds the line; if it is the daemon, read through it (stolpe meter read), or systemctl stop stolpe"
	case serial:
		return "is the meter on, are A and B the right way round, is its unit id right? stolpe meter scan --url " + quoted(port) + " tries all settings"
	case errors.As(err, &unnamed):
		return "that name is not known; use the IP address"
	case modbus.Unanswered(err):
		return "look at --unit, and whether the meter is on; then at the gateway's speed and parity"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the machine is there and nobody listens at that port: Modbus TCP is usually at 502, and may have to be switched on"
	case strings.HasPrefix(url, "rtuovertcp:"):
		return "does the converter pass bytes on (if it translates, it is tcp://), and is it set to the speed and parity of the meter?"
	}
	return "is the meter on, and is the address right? If a gateway stands before it, look at --unit, and at the gateway's speed and parity"
}

// noPort says whether a path leads to something else than a serial port.
func noPort(err error) bool {
	return errors.Is(err, modbus.ErrNotSerial) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENXIO)
}

// quoted is an address as a shell takes it.
func quoted(url string) string {
	if strings.ContainsAny(url, "&?") {
		return "'" + url + "'"
	}
	return url
}
