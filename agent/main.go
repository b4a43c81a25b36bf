// Command stolpe is the agent inside a charging post, and the tool of whoever
// looks after one.
//
// # Why
//
// Daemon and tools are one binary, so their versions cannot differ on a post.
// This package only wires: every decision stands in a package below it. There is
// one file for each subcommand, and one place (open.go) that turns a
// configuration into running parts, for the daemon and the demo alike.
//
// A package puts another program in the place of the one that runs. When the post starts
// anew, for whatever reason, its process goes on with that one (execve), so that to the
// service manager it is the same process. To end and be started again would be less: nobody
// does that where there is no manager, it uses up the manager's limit of starts and takes
// its pause between two, and once this program has ended there is no way back. An execve
// that fails comes back, and this program goes on. The kernel closes what was open, the
// lines of the contactors too, which are ordered open by then. What the unit gives, such as
// a sandbox and credentials, stays as it was until the manager starts the post: a version
// that needs more of it takes systemctl restart. Whether the other program is one for this
// machine, and whole, and reads the configuration, is tried before anything ends: it runs
// as a child that only looks.
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
