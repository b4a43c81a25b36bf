package main

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// advice says what to try next when a meter did not answer.
func advice(url string, err error) string {
	serial := strings.HasPrefix(url, "rtu:")
	switch {
	case errors.Is(err, errNotThis):
		return "look at the model and the serial on its plate, then at --model, --unit and --serial; stolpe meter list has the models"
	case serial && errors.Is(err, fs.ErrNotExist):
		return "the adapter is not plugged in, or has another name: ls -l /dev/serial/by-id"
	case serial && errors.Is(err, fs.ErrPermission):
		return "run this as a member of the group that owns the line (often dialout), or with sudo"
	case serial && errors.Is(err, syscall.EBUSY):
		return "another program holds the line; if it is the daemon: systemctl stop stolpe"
	case serial:
		return "is the meter on, are A and B the right way round, is its unit id right? stolpe meter scan --url " + quoted(url) + " tries all settings"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the machine is there and nobody listens at that port: Modbus TCP is usually at 502, and may have to be switched on"
	case strings.HasPrefix(url, "rtuovertcp:"):
		return "does the converter pass bytes on (if it translates, it is tcp://), and is it set to the speed and parity of the meter?"
	}
	return "is the meter on, and is the address right? If a gateway stands before it, look at --unit, and at the gateway's speed and parity"
}

// quoted is an address as a shell takes it.
func quoted(url string) string {
	if strings.ContainsAny(url, "&?") {
		return "'" + url + "'"
	}
	return url
}
