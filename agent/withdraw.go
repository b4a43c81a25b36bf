package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

func serviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "service",
		Short: "take the post out of service, and put it back",
		Long: `A post out of service takes no driver, and says so on its page. That outlives a restart. Whoever opens the
post takes it out of service first.`,
	}
	c.AddCommand(serviceOutCommand(), serviceInCommand())
	return c
}

// atPost are the flags of commands for one EVSE or all.
type atPost struct {
	evse int // its number; 0 for all
	json bool
}

func (a *atPost) flags(c *cobra.Command) {
	c.Flags().IntVar(&a.evse, "evse", 0, "`number` of the EVSE; left out, all of them")
	c.Flags().BoolVar(&a.json, "json", false, "print one JSON object")
}

func serviceOutCommand() *cobra.Command {
	var at atPost
	var now bool
	var reason string
	c := &cobra.Command{
		Use:   "out [--evse N] [--now] [--reason TEXT]",
		Short: "take the post out of service",
		Long: `Takes the post, or one EVSE, out of service. A charge under way goes on, and is the last one; with --now
it ends. The contactor is open then, and stays so, until somebody puts the post back into service.`,
		Example: `  stolpe service out --reason "new meter"
  stolpe service out --evse 2 --now`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return at.stand(c, "service/out", map[string]any{"evse": at.evse, "now": now, "reason": reason})
		},
	}
	at.flags(c)
	c.Flags().BoolVar(&now, "now", false, "end the charge under way")
	c.Flags().StringVar(&reason, "reason", "", "why, for the ledger: a few `words`")
	return c
}

func serviceInCommand() *cobra.Command {
	var at atPost
	var repaired bool
	c := &cobra.Command{
		Use:   "in [--evse N] [--repaired]",
		Short: "put the post back into service",
		Long: `Puts the post, or one EVSE, back into service, also if the fleet has taken it out. Faults that only a
person can lift, such as a welded contactor or another meter, are lifted with --repaired: whoever says so
answers for it. What is still wrong comes back by itself.`,
		Example: `  stolpe service in
  stolpe service in --evse 1 --repaired --as kari`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return at.stand(c, "service/in", map[string]any{"evse": at.evse, "repaired": repaired})
		},
	}
	at.flags(c)
	c.Flags().BoolVar(&repaired, "repaired", false, "what was wrong has been put right")
	return c
}

// stand has something done to EVSEs, and prints how they stand then.
func (a *atPost) stand(c *cobra.Command, route string, args map[string]any) error {
	var all struct {
		EVSEs []standing `json:"evses"`
	}
	if err := daemonOf().Do(c.Context(), route, args, &all); err != nil {
		return answered(err)
	}
	if a.json {
		return failed(printJSON(c.OutOrStdout(), all))
	}
	for _, one := range all.EVSEs {
		if _, err := fmt.Fprintf(c.OutOrStdout(), "EVSE %d: %s\n", one.EVSE, one.Text); err != nil {
			return failed(err)
		}
	}
	return nil
}

func identifyCommand() *cobra.Command {
	var at atPost
	var long time.Duration
	c := &cobra.Command{
		Use:   "identify [--evse N] [--for TIME]",
		Short: "have the post say that it is the one",
		Long:  "Has the pages and the display of the post, or of one EVSE, say for a while that this is the one somebody looks for.",
		Example: `  stolpe identify
  stolpe identify --evse 2 --for 5m
  stolpe identify --for 0s`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if long < 0 || long%time.Second != 0 {
				return fmt.Errorf("--for %v: want whole seconds, at most %v", long, longestCall)
			}
			return at.ask(c, "identify", map[string]any{"evse": at.evse, "for_s": int64(long / time.Second)})
		},
	}
	at.flags(c)
	c.Flags().DurationVar(&long, "for", callFor, "how long, at most 15m; 0s for no longer")
	return c
}

// ask has something done that is answered with a sentence.
func (a *atPost) ask(c *cobra.Command, route string, args map[string]any) error {
	var s sentence
	if err := daemonOf().Do(c.Context(), route, args, &s); err != nil {
		return answered(err)
	}
	return sayDone(c.OutOrStdout(), a.json, s)
}

// sayDone prints what a deed has answered.
func sayDone(w io.Writer, json bool, s sentence) error {
	if json {
		return failed(printJSON(w, s))
	}
	_, err := fmt.Fprintln(w, s.Text)
	return failed(err)
}
