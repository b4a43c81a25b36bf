package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// rootCommand is the program: every command, and the flags that all of them have.
func rootCommand(all *surface, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "stolpe",
		Short:         "the agent inside an EV charging post",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	all.flags(root)
	root.PersistentPreRunE = all.begin
	root.AddCommand(commandTree()...)
	root.SetOut(stdout) // before completion is made, which takes the stream as it is then
	root.SetErr(stderr)
	root.InitDefaultHelpCmd() // before the groups are looked at: completion is one
	root.InitDefaultCompletionCmd()
	knowTheirOwn(root)
	return root
}

// knowTheirOwn has every group of commands say which word is none of its commands. A group
// by itself prints its help, unless it does something of its own. One that takes whatever
// word comes would print its help and end well, and a script would go on.
func knowTheirOwn(c *cobra.Command) {
	for _, sub := range c.Commands() {
		knowTheirOwn(sub)
	}
	if !c.HasSubCommands() {
		return
	}
	c.Args = noneOfThese
	if !c.Runnable() {
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if c.HasSubCommands() && c.Flags().NArg() > 0 { // the flag is one of the command that was meant
			return noneOfThese(c, c.Flags().Args())
		}
		return err
	})
}

// noneOfThese is the error of a group for a word that is none of its commands.
func noneOfThese(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	const alike = 2 // letters that differ at most, as cobra has it
	c.SuggestionsMinimumDistance = alike
	near := c.SuggestionsFor(args[0])
	if len(near) == 0 {
		return fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
	}
	slices.Sort(near)
	return fmt.Errorf("unknown command %q for %q; did you mean %s?", args[0], c.CommandPath(), strings.Join(slices.Compact(near), " or "))
}
