package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"stolpe/payment/envelope"
)

// opened is a configuration whose units can be asked.
type opened struct {
	settings settings
	units    *units
	key      envelope.Key
}

// openFile reads a configuration for a command.
func openFile(file string) (opened, error) {
	s, err := loadSettings(file)
	if err != nil {
		return opened{}, coded{err, exitConfig}
	}
	key, err := envelope.ParseKey(s.RelayKey.Reveal())
	if err != nil {
		return opened{}, coded{fmt.Errorf("relay_key: %w", err), exitConfig}
	}
	o := opened{s, new(units), key}
	if err := o.units.open(s, func(string, string) string { return "" }); err != nil {
		return opened{}, coded{err, exitConfig}
	}
	return o, nil
}

func checkCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "check --config FILE",
		Short: "say whether a configuration is fine, without using it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := openFile(file)
			if err != nil {
				return err
			}
			for _, u := range o.units.all() {
				fmt.Fprintf(c.OutOrStdout(), "unit %s of %s: posts %v, at most %v %s each, at %s\n", u.MSN, u.Tenant, u.Posts, u.Max, u.Currency, u.BaseURL)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is fine\n", file)
			return failed(err)
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`")
	return c
}

func keyCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "key TENANT POST",
		Short: "print the key of a post, for its payment.gateway.key: a secret",
		Long: `Print the key with which a post seals its messages. It follows from relay_key, the tenant and the post's id, so it
is the same every time. It is a secret: write it into a credential of the post and nowhere else.`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := openFile(file)
			if err != nil {
				return err
			}
			if _, ok := o.units.of(args[0], args[1]); !ok {
				return coded{fmt.Errorf("post %s/%s: no unit of %s has it, so it could not sell", args[0], args[1], file), exitRefused}
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), o.key.Of(args[0], args[1]).Hex())
			return failed(err)
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`")
	return c
}
