// Command stolpe-gateway stands between posts and the payment service: it holds the
// keys that posts should not have, takes the payment service's webhooks, and serves
// the driver's pages of all posts.
//
// # Why
//
// It keeps nothing. What it knows of posts it has from messages that the broker
// retains, what it knows of money it asks the payment service for, and every order
// comes from a post, under a reference and a key that follow from that post's own
// journal. So any number of gateways share the work, a gateway may be killed at any
// instant, and there is no database to back up, to repair or to steal. One that also
// watches the fleet keeps statistics of it, whose loss costs statistics.
//
// What a post may ask is decided in payment/relay, what its pages may show in
// display/remote, what is done at the payment service in payment/vipps. This package
// only wires, and settles for posts that have vanished.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // gateways run in containers without time zones

	"github.com/spf13/cobra"
)

// Exit codes, the same as those of a post.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitConfig  = 6
	exitRefused = 9 // not confirmed, or not allowed as things stand
)

// defaultConfig is where an installation has its configuration.
const defaultConfig = "/etc/stolpe-gateway/gateway.yaml"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs one command and gives its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	return explain(stderr, c.CommandPath(), err)
}

// rootCommand is the program: every command.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "stolpe-gateway",
		Short:         "payments and the driver's pages for any number of charging posts",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(runCommand(), checkCommand(), keyCommand(), openCommand(), settleCommand(), hooksCommand(), brokerCommand(), versionCommand())
	return root
}

// coded is an error that ends the program with a code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// failed marks an error of a running program, so that no usage is printed for it.
func failed(err error) error {
	var own coded
	if err == nil || errors.As(err, &own) {
		return err
	}
	return coded{err, exitFailed}
}

// explain prints what went wrong with a command, and what to do next, and gives the
// exit code.
func explain(stderr io.Writer, command string, err error) int {
	var own coded
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &own):
		fmt.Fprintf(stderr, "stolpe-gateway: %v\n", err)
		return own.code
	}
	fmt.Fprintf(stderr, "stolpe-gateway: %v\nstolpe-gateway: see %s --help\n", err, command)
	return exitUsage
}

// version is what this build calls itself. A release sets it by -ldflags -X.
var version = "0.1.0-dev"

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version of this build",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "stolpe-gateway %s\n", version)
			return err
		},
	}
}
