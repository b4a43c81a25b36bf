package main

import (
	"github.com/spf13/cobra"
)

func paymentCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "payment",
		Short: "look at payments, give money back, and compare the ledger with the payment service",
		Long: `Commands about money, for a post that calls the payment service itself (payment.through: vipps).
They read the post's configuration for its keys, and need no daemon; ping and check ask the daemon if one
runs, and work through a gateway, too. Only refund and check move money, and only with --yes.`,
	}
	c.AddCommand(paymentPingCommand(), paymentCheckCommand(), paymentShowCommand(), paymentRefundCommand(), paymentApproveCommand(), paymentReconcileCommand(), paymentHooksCommand())
	return c
}
