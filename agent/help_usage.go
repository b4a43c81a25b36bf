package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stolpe/agent/help"
	"stolpe/display"
)

// pathOf is a command's path without the program's own name.
func pathOf(c *cobra.Command) string {
	_, path, _ := strings.Cut(c.CommandPath(), " ")
	return path
}

// shortOf is what a command does, in a line.
func shortOf(c *cobra.Command, l display.Lang) string {
	if l == display.NB {
		if short, _ := help.Command(pathOf(c)); short != "" {
			return short
		}
	}
	return c.Short
}

// longOf is what a command does, at length.
func longOf(c *cobra.Command, l display.Lang) string {
	if l == display.NB {
		if short, long := help.Command(pathOf(c)); short != "" {
			return cmp.Or(long, short)
		}
	}
	return cmp.Or(c.Long, c.Short)
}

// speakOf prints the help of a command.
func speakOf(w io.Writer, c *cobra.Command, l display.Lang) {
	c.InitDefaultHelpFlag()
	fmt.Fprintf(w, "%s\n\n", strings.TrimSpace(longOf(c, l)))
	usageOf(w, c, l)
}

// usageOf prints how a command is used, as cobra does, in the language of who reads.
func usageOf(w io.Writer, c *cobra.Command, l display.Lang) {
	say := func(nb, en string) string { return pick(l, nb, en) }
	fmt.Fprint(w, say("Bruk:\n", "Usage:\n"))
	switch subs := c.HasAvailableSubCommands(); {
	case !subs || c.Use != c.Name(): // a group that does something by itself says so in Use
		fmt.Fprintf(w, "  %s\n", c.UseLine())
		if !subs {
			break
		}
		fallthrough
	default:
		fmt.Fprintf(w, "  %s %s\n", c.CommandPath(), say("[kommando]", "[command]"))
	}
	if len(c.Aliases) > 0 {
		fmt.Fprintf(w, "\n%s\n  %s\n", say("Andre navn:", "Aliases:"), strings.Join(c.Aliases, ", "))
	}
	if c.HasExample() {
		fmt.Fprintf(w, "\n%s\n%s\n", say("Eksempler:", "Examples:"), strings.TrimRight(c.Example, "\n"))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s\n", say("Kommandoer:", "Available Commands:"))
		for _, sub := range c.Commands() {
			if inHelp(sub) {
				fmt.Fprintf(w, "  %-*s %s\n", sub.NamePadding(), sub.Name(), shortOf(sub, l))
			}
		}
	}
	if !c.HasParent() {
		fmt.Fprintf(w, "\n%s\n", say("Emner (stolpe help EMNE):", "Topics (stolpe help TOPIC):"))
		for _, topic := range help.Topics() {
			fmt.Fprintf(w, "  %-11s %s\n", topic, help.Title(topic, l))
		}
	}
	flagsOf(w, c.LocalFlags(), say("Flagg:", "Flags:"), l)
	flagsOf(w, c.InheritedFlags(), say("Flagg for alle kommandoer:", "Flags of every command:"), l)
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s\n", fmt.Sprintf(say("\"%s [kommando] --help\" sier mer om en kommando.", "Use \"%s [command] --help\" for more about a command."), c.CommandPath()))
	}
}

// flagsOf prints flags below a heading, if there are any.
func flagsOf(w io.Writer, all *pflag.FlagSet, heading string, l display.Lang) {
	if !all.HasAvailableFlags() {
		return
	}
	if l == display.NB {
		all = norwegian(all)
	}
	fmt.Fprintf(w, "\n%s\n%s\n", heading, strings.TrimRight(all.FlagUsages(), " \n"))
}

// norwegian is flags with what they do in Norwegian, where that is known.
func norwegian(all *pflag.FlagSet) *pflag.FlagSet {
	told := pflag.NewFlagSet("", pflag.ContinueOnError)
	told.SortFlags = all.SortFlags
	all.VisitAll(func(f *pflag.Flag) {
		one := *f
		if f.Name == "help" {
			one.Usage = "hjelp"
		} else if text := help.Flag(f.Usage); text != "" {
			one.Usage = text
		}
		told.AddFlag(&one)
	})
	return told
}
