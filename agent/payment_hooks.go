package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/payment/vipps"
)

func paymentHooksCommand() *cobra.Command {
	var d desk
	list := func(c *cobra.Command, _ []string) error {
		if err := d.open(); err != nil {
			return err
		}
		return d.listHooks(c.Context(), c.OutOrStdout())
	}
	c := &cobra.Command{
		Use:   "hooks [list | drop ID]",
		Short: "list where the payment service sends its webhooks, or end one",
		Long: `Lists the webhooks of the sales unit: where the service tells what happens to payments. Every post
of the sales unit that has payment.vipps.webhooks registers itself, and registers again if its own
is dropped. Posts do not need them: they ask by themselves.`,
		Args: cobra.NoArgs,
		RunE: list,
	}
	all := &cobra.Command{Use: "list", Short: "list them", Args: cobra.NoArgs, RunE: list}
	drop := &cobra.Command{
		Use:   "drop ID",
		Short: "end one: the service tells nothing there any more",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.open(); err != nil {
				return err
			}
			return d.dropHook(c.Context(), args[0], c.OutOrStdout())
		},
	}
	c.AddCommand(all, drop)
	for _, one := range []*cobra.Command{c, all} {
		d.flags(one, "one JSON object a line for each")
	}
	d.flags(drop, "one JSON object")
	return c
}

// hookJSON is a webhook as --json has it.
type hookJSON struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events,omitempty"`
}

func (d *desk) listHooks(ctx context.Context, stdout io.Writer) error {
	hooks, err := d.client.Hooks(ctx)
	if err != nil {
		return unanswered(ctx, err)
	}
	if d.json {
		for _, h := range hooks {
			if err := printJSON(stdout, hookJSON{h.ID, h.URL, h.Events}); err != nil {
				return failed(err)
			}
		}
		return nil
	}
	if len(hooks) == 0 {
		return failed(second(fmt.Fprintf(stdout, "sales unit %s has no webhooks\n", d.cfg.Payment.Vipps.MSN)))
	}
	t := table(stdout)
	fmt.Fprintln(t, "ID\tURL\tEVENTS")
	for _, h := range hooks {
		fmt.Fprintf(t, "%s\t%s\t%s\n", h.ID, h.URL, eventsOf(h))
	}
	return failed(t.Flush())
}

// eventsOf lists the events of a webhook without what all their names have.
func eventsOf(h vipps.Hook) string {
	var names []string
	for _, e := range h.Events {
		e = strings.TrimSuffix(strings.TrimPrefix(e, "epayments.payment."), ".v1")
		names = append(names, e)
	}
	return strings.Join(names, " ")
}

func (d *desk) dropHook(ctx context.Context, id string, stdout io.Writer) error {
	hooks, err := d.client.Hooks(ctx)
	if err != nil {
		return unanswered(ctx, err)
	}
	for _, h := range hooks {
		if h.ID != id {
			continue
		}
		if err := d.client.DropHook(ctx, id); err != nil {
			return unanswered(ctx, err)
		}
		return d.say(stdout, hookJSON{ID: h.ID, URL: h.URL}, func(w io.Writer) error {
			return second(fmt.Fprintf(w, "dropped: %s is told nothing any more\n", h.URL))
		})
	}
	return coded{fmt.Errorf("sales unit %s has no webhook %q; stolpe payment hooks lists them", d.cfg.Payment.Vipps.MSN, id), exitNotFound}
}
