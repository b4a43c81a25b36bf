package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
)

func paymentPingCommand() *cobra.Command {
	var d desk
	c := &cobra.Command{
		Use:   "ping",
		Short: "see whether the payment service can be used; moves no money",
		Long: `Asks for a token, compares the clock with the service's, reads the sales unit, and looks whether the
post's webhook is registered and can be reached. Through a gateway: reads the sales unit by way of broker
and gateway. The daemon does it, with the keys that it has; with --config this command does it itself.`,
		Example: `  stolpe payment ping
  stolpe payment ping --config /etc/stolpe/stolpe.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			j, err := d.pings(c.Context(), c.Flags().Changed("config"), progressOf(c))
			if err != nil {
				return err
			}
			return d.sayPing(c.OutOrStdout(), j)
		},
	}
	d.flags(c, "one JSON object")
	return c
}

// pings asks the daemon, or does it here: when a file was named, or no daemon runs.
func (d *desk) pings(ctx context.Context, here bool, stderr io.Writer) (j pingJSON, err error) {
	if !here {
		err = daemonOf().Get(ctx, "payment/ping", nil, &j)
		if !errors.Is(err, control.ErrNoDaemon) {
			return j, answered(err)
		}
		fmt.Fprintf(stderr, "No daemon runs; using the keys that %s names.\n", d.file)
	}
	if err := d.open(); err != nil {
		return j, err
	}
	p := pinger{cfg: d.cfg, client: d.client}
	if j = p.ping(ctx); ctx.Err() != nil {
		return j, unanswered(ctx, ctx.Err())
	}
	return j, nil
}

// sayPing prints what was looked at.
func (d *desk) sayPing(stdout io.Writer, j pingJSON) error {
	err := d.say(stdout, j, func(w io.Writer) error {
		for _, p := range j.Looked {
			took := ""
			if p.Took > 0 {
				took = fmt.Sprintf("%d ms", p.Took)
			}
			state := p.State
			if state == pingFail {
				state = "FAIL"
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", p.What, state, took, p.Text)
			if p.Do != "" {
				fmt.Fprintf(w, "  \t\t\t-> %s\n", p.Do)
			}
		}
		return second(fmt.Fprintln(w, "Money cannot move with this command."))
	})
	if err == nil && !j.sound() {
		err = coded{fmt.Errorf("%w; what to do stands with each FAIL above", errPing), exitRemote}
	}
	return err
}

// paymentRoutes are for whoever looks at the way to the money.
func (l *local) paymentRoutes() []control.Route {
	return []control.Route{
		{Name: "payment/ping", Least: control.Technician, Do: l.pingPayments},
		{Name: "payment/look", Least: control.Technician, Do: l.lookPayments},
		{Name: "payment/check", Least: control.Technician, Changes: true, Do: l.checkPayments},
	}
}

func (l *local) pingPayments(ctx context.Context, _ control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	pay := l.parts.purse
	p := pinger{cfg: l.cfg, client: pay.client, asks: pay.Payments}
	return p.ping(ctx), nil
}
