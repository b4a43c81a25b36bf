package main

import (
	"errors"
	"fmt"
	"io"

	"stolpe/agent/config"
)

// Exit codes, as documented in the README.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitTimeout      = 3
	exitNotPermitted = 4
	exitNoDaemon     = 5
	exitConfig       = 6
	exitDevice       = 7 // a meter, a line or a post did not answer
	exitRemote       = 8 // the payment service did not do as it was asked
	exitRefused      = 9 // not confirmed, or not allowed as things stand
	exitNotFound     = 10
	exitDiffers      = 11  // ledger and payment service do not agree, or a check found a fault
	exitPartly       = 12  // some of several are done
	exitStopped      = 130 // by Ctrl-C
)

// coded is an error that ends the program with a code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// explain prints what went wrong with a command, and what to do next, and gives the
// exit code.
func explain(stderr io.Writer, command string, err error) int {
	var wrong config.Errors
	var own coded
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &own):
		fmt.Fprintf(stderr, "stolpe: %v\n", err)
		return own.code
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "%v\n", wrong)
		fmt.Fprintln(stderr, "stolpe: nothing was started; put this right and start again")
		return exitConfig
	}
	fmt.Fprintf(stderr, "stolpe: %v\nstolpe: see %s --help\n", err, command)
	return exitUsage
}

// perhapsDaemon is what to do when something is in use.
const perhapsDaemon = "if it is the daemon: systemctl stop stolpe"

// failed marks an error of a running program, so that no usage is printed for it.
func failed(err error) error {
	var wrong config.Errors
	var one config.Error
	var own coded
	switch {
	case err == nil, errors.As(err, &wrong), errors.As(err, &own):
		return err
	case errors.As(err, &one):
		return config.Errors{one}
	}
	return coded{err, exitFailed}
}
