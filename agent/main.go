// Command stolpe is the agent inside a charging post, and the tool of whoever
// looks after one.
//
// # Why
//
// Daemon and tools are one binary, so their versions cannot differ on a post.
// This package only wires: every decision stands in a package below it. There is
// one file for each subcommand, and one place (open.go) that turns a
// configuration into running parts, for the daemon and the demo alike.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // posts run on images without time zones

	"github.com/spf13/cobra"

	"stolpe/agent/config"
)

// Exit codes, as documented in the README.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitConfig   = 6
	exitDevice   = 7 // a meter or a line did not answer
	exitNotFound = 10
	exitStopped  = 130 // by Ctrl-C
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs one command and gives its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	root := &cobra.Command{
		Use:           "stolpe",
		Short:         "the agent inside an EV charging post",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(runCommand(), demoCommand(), failsafeCommand(), versionCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return explain(stderr, root.ExecuteContext(ctx))
}

// coded is an error that ends the program with a code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// explain prints what went wrong, and what to do next, and gives the exit code.
func explain(stderr io.Writer, err error) int {
	var wrong config.Errors
	var own coded
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "%v\n", wrong)
		fmt.Fprintln(stderr, "stolpe: nothing was started; put this right and start again")
		return exitConfig
	case errors.As(err, &own):
		fmt.Fprintf(stderr, "stolpe: %v\n", err)
		return own.code
	}
	fmt.Fprintf(stderr, "stolpe: %v\nstolpe: see stolpe --help\n", err)
	return exitUsage
}
