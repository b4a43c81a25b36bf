package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/payment/vipps"
)

func hooksCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "hooks",
		Short: "list, add and drop the payment service's webhooks",
		Long: `All gateways share the webhooks of a sales unit: each delivery goes to one of them, by whatever stands in front of
public_url. So they are registered once, by hand, and their secrets are credentials of all gateways:

  1. stolpe-gateway hooks add MSN         prints the secret: the service tells it once only
  2. put it into a credential, and that into the unit's webhook_secrets, at every gateway; reload (SIGHUP)
  3. stolpe-gateway hooks drop MSN ID     when another has taken its place

Without any, posts find out by asking, a little later.`,
	}
	c.PersistentFlags().StringVar(&file, "config", defaultConfig, "configuration `file`")
	unit := func(msn string) (salesUnit, error) {
		o, err := openFile(file)
		if err != nil {
			return salesUnit{}, err
		}
		for _, u := range o.units.all() {
			if u.MSN == msn {
				return u, nil
			}
		}
		return salesUnit{}, coded{fmt.Errorf("unit %q: not in %s", msn, file), exitRefused}
	}
	with := func(do func(ctx context.Context, c *cobra.Command, u salesUnit, args []string) error) func(*cobra.Command, []string) error {
		return func(c *cobra.Command, args []string) error {
			u, err := unit(args[0])
			if err != nil {
				return err
			}
			return failed(do(c.Context(), c, u, args[1:]))
		}
	}
	c.AddCommand(
		&cobra.Command{Use: "list MSN", Short: "list those of a sales unit", Args: cobra.ExactArgs(1), RunE: with(listHooks)},
		&cobra.Command{Use: "add MSN", Short: "register this gateway's address, and print the secret", Args: cobra.ExactArgs(1), RunE: with(addHook)},
		&cobra.Command{Use: "drop MSN ID", Short: "end one", Args: cobra.ExactArgs(2), RunE: with(dropHook)},
	)
	return c
}

func listHooks(ctx context.Context, c *cobra.Command, u salesUnit, _ []string) error {
	all, err := u.client.Hooks(ctx)
	if err != nil {
		return err
	}
	for _, h := range all {
		mine := ""
		if h.URL == u.hookURL() {
			mine = "  (these gateways)"
		}
		fmt.Fprintf(c.OutOrStdout(), "%s  %s%s\n", h.ID, h.URL, mine)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%d webhooks of unit %s\n", len(all), u.MSN)
	return err
}

func addHook(ctx context.Context, c *cobra.Command, u salesUnit, _ []string) error {
	var made vipps.Hook
	made, err := u.client.AddHook(ctx, u.hookURL())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "id      %s\nurl     %s\nsecret  %s\n", made.ID, made.URL, made.Secret)
	return err
}

func dropHook(ctx context.Context, c *cobra.Command, u salesUnit, args []string) error {
	if err := u.client.DropHook(ctx, args[0]); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "dropped %s\n", args[0])
	return err
}

// hookURL is where the payment service tells of the unit's payments.
func (u salesUnit) hookURL() string { return strings.TrimSuffix(u.pages, "/") + hooksPath + u.MSN }
