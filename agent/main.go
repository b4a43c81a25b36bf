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
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // posts run on images without time zones
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs one command and gives its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var all surface
	root := rootCommand(&all, stdout, stderr)
	root.SetArgs(args)
	speak(root, args)
	c, err := root.ExecuteContextC(ctx)
	return explain(stderr, c.CommandPath(), all.ended(c, err))
}
