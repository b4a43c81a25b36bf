package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func contactorInputsCommand() *cobra.Command {
	var at atPost
	var watch bool
	c := &cobra.Command{
		Use:   "inputs [--evse N] [--watch]",
		Short: "what the wires of the post say: sense, plug, stop, emergency stop, RCD, thermostat, accept button",
		Long: `Shows what each wire says now; with --watch again at every change, until Ctrl-C. Press each button and pull
each wire, and see it: a wire that is broken says what it is there to say.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w := c.OutOrStdout()
			err := daemonOf().Follow(c.Context(), "inputs", map[string]any{"evse": at.evse, "once": !watch}, func(text json.RawMessage) error {
				if at.json {
					_, err := fmt.Fprintf(w, "%s\n", text)
					return err
				}
				var all struct {
					EVSEs []wiresNow `json:"evses"`
				}
				if err := json.Unmarshal(text, &all); err != nil {
					return err
				}
				return printWires(w, all.EVSEs)
			})
			if watch && c.Context().Err() != nil {
				return nil // that is how it ends
			}
			return answered(err)
		},
	}
	at.flags(c)
	c.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and tell of every change")
	return c
}

func printWires(w io.Writer, all []wiresNow) error {
	t := table(w)
	fmt.Fprintln(t, "EVSE\tWIRE\tLINE\tSAYS")
	for _, e := range all {
		for _, x := range e.Wires {
			line, mark := x.Line, ""
			if line == "" {
				line = "-"
			}
			if !x.Fine {
				mark = "  <- keeps the contactor open"
			}
			fmt.Fprintf(t, "%d\t%s\t%s\t%s%s\n", e.EVSE, x.Name, line, x.Says, mark)
		}
	}
	return t.Flush()
}
