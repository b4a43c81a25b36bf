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

	"github.com/spf13/cobra"
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
	var all surface
	f := root.PersistentFlags()
	f.StringVar(&all.lang, "lang", "", "language of what is printed: nb or `en`; else that of the environment")
	f.BoolVar(&all.plain, "no-color", false, "no colours, as with the environment variable NO_COLOR")
	f.BoolVarP(&all.quiet, "quiet", "q", false, "no progress on standard error")
	f.StringVar(&all.timeout, "timeout", "", "how long the command may take, as in `30s`")
	f.StringVar(&all.as, "as", "", "`name` of who is at work, for the ledger, where several share an account")
	root.PersistentPreRunE = all.begin
	root.AddCommand(commandTree()...)
	root.SetArgs(args)
	speak(root, args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	return explain(stderr, c.CommandPath(), all.ended(err))
}
