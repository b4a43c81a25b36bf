package main

import (
	"github.com/spf13/cobra"
)

func paymentCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "payment",
		Short: "look at payments, give money back, and compare the ledger with the payment service",
		Long: `Commands about money, for a post that calls the payment service itself (payment.through: vipps).
They read the post's configuration for its keys, and need no daemon. Only refund moves money, and
only with --yes.`,
	}
	c.AddCommand(paymentShowCommand(), paymentRefundCommand(), paymentApproveCommand(), paymentReconcileCommand(), paymentHooksCommand())
	return c
}
