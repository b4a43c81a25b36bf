package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/spf13/cobra"

	"stolpe/payment"
)

func paymentApproveCommand() *cobra.Command {
	var d desk
	var phone string
	c := &cobra.Command{
		Use:   "approve REF --phone NUMBER",
		Short: "approve a payment in the payer's place; test environment only",
		Long: `Approves a payment as the test user with this phone number would in the app. The service does it in
its test environment only, and only for a user who has approved one payment there by hand before.`,
		Example: `  stolpe payment approve A12-1-000042 --phone 4712345678`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			if !phonePattern.MatchString(phone) { // and it is not said again: it is somebody's
				return errors.New("--phone: want country code and number, 9 to 15 digits and nothing else, as in 4712345678")
			}
			if err := d.open(); err != nil {
				return err
			}
			return d.approve(c.Context(), ref, payment.Phone(phone), c.OutOrStdout())
		},
	}
	d.flags(c, "one JSON object")
	c.Flags().StringVar(&phone, "phone", "", "`number` of the test user, with country code")
	return c
}

var phonePattern = regexp.MustCompile(`^[1-9][0-9]{8,14}$`) // ePayment API 1.8.1

// The environments of the service (ePayment API 1.8.1, servers). In the second, no
// money moves.
const (
	vippsLive = "https://api.vipps.no"
	vippsTest = "https://apitest.vipps.no"
)

func (d *desk) approve(ctx context.Context, ref payment.Ref, phone payment.Phone, stdout io.Writer) error {
	if d.cfg.Payment.Vipps.BaseURL == vippsLive {
		return coded{fmt.Errorf("payment.vipps.base_url is %s, where only the payer can approve, in the app; "+
			"this is for %s", vippsLive, vippsTest), exitRefused}
	}
	f, err := d.look(ctx, ref)
	if err != nil {
		return err
	}
	if f.State != payment.Created {
		return coded{fmt.Errorf("payment %s does not wait for an approval (%s); see stolpe payment show %s", ref, stateWord(f), ref), exitRefused}
	}
	if err := d.client.Approve(ctx, ref, phone); err != nil {
		return unanswered(ctx, err)
	}
	if f, err = d.look(ctx, ref); err != nil {
		return err
	}
	state := struct {
		Ref   payment.Ref    `json:"ref"`
		State string         `json:"state"`
		Held  payment.Amount `json:"reserved"` // minor units
	}{ref, stateName(f.State), f.Held}
	return d.say(stdout, state, func(w io.Writer) error {
		return second(fmt.Fprintf(w, "payment %s: %s, %v reserved\n", ref, stateWord(f), state.Held))
	})
}

// second is the error of what also tells how much it has printed.
func second(_ int, err error) error { return err }
