package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
)

func configShowCommand() *cobra.Command {
	var s settings
	var origin, defaults bool
	c := &cobra.Command{
		Use:   "show [KEY]",
		Short: "all keys and what they hold, or those below KEY; never a secret",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key := strings.Join(args, "")
			if key != "" {
				if _, err := config.Known(key); err != nil {
					return unknown(err)
				}
			}
			entries := config.Defaults()
			if !defaults {
				cfg, err := s.load()
				if err != nil {
					return err
				}
				entries = cfg.Keys()
			}
			return s.show(c.OutOrStdout(), under(key, entries), origin)
		},
		ValidArgsFunction: completeKeys,
	}
	c.Flags().BoolVar(&origin, "origin", false, "say where each comes from: line of the file, environment or default")
	c.Flags().BoolVar(&defaults, "defaults", false, "only what holds when nothing is said; reads no file")
	c.MarkFlagsMutuallyExclusive("origin", "defaults")
	return s.flags(c, "one JSON object a line for each key")
}

func configGetCommand() *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "get KEY",
		Short: "what one key holds, as in price.kwh or 'evses[0].meter.model'",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := config.Known(args[0]); err != nil {
				return unknown(err)
			}
			cfg, err := s.load()
			if err != nil {
				return err
			}
			all := under(args[0], cfg.Keys())
			switch {
			case len(all) == 0:
				return coded{fmt.Errorf("%s: is left out in %s, and nothing holds in its place; set it with stolpe config set", args[0], s.file), exitNotFound}
			case len(all) > 1 || all[0].Path != args[0]:
				return s.show(c.OutOrStdout(), all, false)
			case s.json:
				return failed(printJSON(c.OutOrStdout(), all[0]))
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), all[0].Text())
			return failed(err)
		},
		ValidArgsFunction: completeKeys,
	}
	return s.flags(c, "one JSON object for each key")
}

// unknown is for a key that there is not.
func unknown(err error) error { return coded{err, exitNotFound} }

// under gives the entries of a key, or of all below it.
func under(key string, entries []config.Entry) (all []config.Entry) {
	for _, e := range entries {
		if key == "" || below([]string{key}, e.Path) {
			all = append(all, e)
		}
	}
	return all
}

func (s *settings) show(w io.Writer, entries []config.Entry, origin bool) error {
	t := table(w)
	for _, e := range entries {
		switch {
		case s.json:
			if err := printJSON(w, e); err != nil {
				return failed(err)
			}
		case origin:
			fmt.Fprintf(t, "%s\t%s\t%s\n", e.Path, e.Text(), e.From)
		default:
			fmt.Fprintf(t, "%s\t%s\n", e.Path, e.Text())
		}
	}
	return failed(t.Flush())
}

// completeKeys offers the keys of the file that the line names, or all that there are.
func completeKeys(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var keys []string
	file, _ := c.Flags().GetString("config")
	cfg, _, err := config.Here(file)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, e := range cfg.Keys() {
		if strings.HasPrefix(e.Path, typed) {
			keys = append(keys, e.Path)
		}
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}
