package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/help"
	"stolpe/hal/modbus/meters"
)

// askedFor is how long a shell's completion waits for the daemon. Chosen by us: nobody
// notices it, and a daemon answers in a few milliseconds.
const askedFor = 300 * time.Millisecond

// completeFlags has a shell complete what flags take, on every command that has them. What
// cannot be known completes to nothing: a completion never fails and never prints.
func completeFlags(c *cobra.Command) {
	for name, words := range map[string]cobra.CompletionFunc{
		"evse":  completeEVSE,
		"model": completeModels,
		"lang":  cobra.FixedCompletions([]string{"nb", "en"}, cobra.ShellCompDirectiveNoFileComp),
	} {
		if c.LocalFlags().Lookup(name) == nil {
			continue
		}
		if _, there := c.GetFlagCompletionFunc(name); there {
			continue
		}
		if err := c.RegisterFlagCompletionFunc(name, words); err != nil {
			panic(err) // the flag is there
		}
	}
	for _, sub := range c.Commands() {
		completeFlags(sub)
	}
}

// completeEVSE lists the EVSEs of the post that runs, else of the configuration.
func completeEVSE(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), askedFor)
	defer cancel()
	var all []string
	var told struct {
		EVSEs []struct {
			ID    int    `json:"evse"`
			Phase string `json:"phase"`
		} `json:"evses"`
	}
	if !c.Flags().Changed("config") && daemonOf().Get(ctx, "status", nil, &told) == nil {
		for _, e := range told.EVSEs {
			all = append(all, fmt.Sprintf("%d\t%s", e.ID, e.Phase))
		}
		return begunWith(all, typed), cobra.ShellCompDirectiveNoFileComp
	}
	file, _ := c.Flags().GetString("config")
	if file == "" {
		file = defaultConfig
	}
	if cfg, err := withoutSecrets(file); err == nil {
		for _, e := range cfg.EVSEs {
			all = append(all, fmt.Sprintf("%d\t%s", e.ID, e.Code))
		}
	}
	return begunWith(all, typed), cobra.ShellCompDirectiveNoFileComp
}

// completeModels lists the meters that can be read.
func completeModels(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	names := meters.Names()
	if dir, err := c.Flags().GetString("meters"); err == nil && dir != "" {
		if library, err := meters.Load(dir); err == nil {
			names = library.Names()
		}
	}
	return begunWith(names, typed), cobra.ShellCompDirectiveNoFileComp
}

// completeModel lists them for a command that takes one.
func completeModel(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeModels(c, args, typed)
}

// completeHelp lists topics and commands.
func completeHelp(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	found, err := commandOf(c.Root(), args)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	lang := langOf(c)
	var all []string
	if len(args) == 0 {
		for _, topic := range help.Topics() {
			all = append(all, topic+"\t"+help.Title(topic, lang))
		}
	}
	for _, sub := range found.Commands() {
		if inHelp(sub) {
			all = append(all, sub.Name()+"\t"+shortOf(sub, lang))
		}
	}
	return begunWith(all, typed), cobra.ShellCompDirectiveNoFileComp
}

// begunWith are those that begin with what is typed.
func begunWith(all []string, typed string) (fit []string) {
	for _, one := range all {
		if strings.HasPrefix(one, typed) {
			fit = append(fit, one)
		}
	}
	return fit
}
