package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"stolpe/payment/gateway/broker"
)

func brokerCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "broker",
		Short: "make what a broker needs: certificates, rights, Mosquitto's configuration",
		Long: `Keep the folder of a fleet: its certificate authority, and below broker, gateways/NAME, people/NAME and posts/POST what goes to that
one machine and nowhere else. The folder holds keys: keep it on a machine that is neither broker nor gateway.`,
	}
	command := func(use, short string, args int, do func(args []string) (string, error)) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(args), RunE: func(c *cobra.Command, args []string) error {
			said, err := do(args)
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), said)
			return failed(err)
		}}
	}
	c.AddCommand(
		command("init DIR HOST", "begin a fleet whose broker is at HOST", 2, func(a []string) (string, error) {
			return fmt.Sprintf("made: %s/broker goes to %s, as /etc/mosquitto/stolpe", a[0], a[1]), broker.Init(a[0], a[1])
		}),
		command("gateway DIR NAME", "add a gateway; NAME begins with gateway-", 2, func(a []string) (string, error) {
			return fmt.Sprintf("made: %s/gateways/%s; the broker needs %[1]s/broker/acl, and SIGHUP", a[0], a[1]), broker.AddGateway(a[0], a[1])
		}),
		command("post DIR TENANT POST", "add a post, with its relay key", 3, func(a []string) (string, error) {
			return fmt.Sprintf("made: %s/posts/%s; the broker needs %[1]s/broker/acl, and SIGHUP", a[0], a[2]), broker.AddPost(a[0], a[1], a[2])
		}),
		command("person DIR TENANT NAME", "add somebody who looks after a tenant's posts; NAME begins with reader- or commander-", 3, func(a []string) (string, error) {
			return fmt.Sprintf("made: %s/people/%s; the broker needs %[1]s/broker/acl, and SIGHUP", a[0], a[2]), broker.AddPerson(a[0], a[1], a[2])
		}),
		command("remove DIR NAME", "end a post, a gateway or a person", 2, func(a []string) (string, error) {
			return fmt.Sprintf("ended: the broker needs %s/broker/acl and crl.pem, and SIGHUP", a[0]), broker.Remove(a[0], a[1])
		}),
	)
	return c
}
