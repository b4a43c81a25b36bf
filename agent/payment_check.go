package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/payment"
)

// checkOptions are the flags of stolpe payment check.
type checkOptions struct {
	desk
	amount string
	ref    string
	phone  string
	yes    bool
	ask    func(context.Context, checkArgs) (checkJSON, error) // does a step, here or at the daemon
}

// checkArgs ask for a step of a check.
type checkArgs struct {
	Do     string         `json:"do"` // reserve, look, go_on or end
	Amount payment.Amount `json:"amount,omitempty"`
	Ref    payment.Ref    `json:"ref,omitempty"`
	Phone  string         `json:"phone,omitempty"` // of the test user who approves
}

func paymentCheckCommand() *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check --yes",
		Short: "try the payment service with a little money of your own, and give it back",
		Long: `Reserves a small amount, which you approve in the app, takes half of it, releases the rest, and gives
back what it took. Finds out whether the sales unit may capture in part. THIS MOVES MONEY, and moves it back.
Its references are none that a charge can have. The daemon does it, with the keys that it has; with
--config this command does it itself. Without --yes it only says what would happen.`,
		Example: `  stolpe payment check --yes
  stolpe payment check --amount 2.00 --phone 4712345678 --yes   # in the test environment`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c.Context(), c.Flags().Changed("config"), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	o.flags(c, "one JSON object")
	f := c.Flags()
	f.StringVar(&o.amount, "amount", "2.00", "how much is reserved, in kroner or euro, as in `2.00`")
	f.StringVar(&o.ref, "ref", "", "go on with a check that was interrupted: its `reference`")
	f.StringVar(&o.phone, "phone", "", "`number` of a test user who approves; in the test environment only")
	f.BoolVar(&o.yes, "yes", false, "do it")
	return c
}

// Chosen by us.
const (
	checkEvery  = 2 * time.Second  // the payer is looked after
	checkWithin = 11 * time.Minute // the service gives the payer ten
	endWithin   = 30 * time.Second // for giving up
)

func (o *checkOptions) run(ctx context.Context, here bool, stdout, stderr io.Writer) error {
	amount, err := parseAmount(o.amount)
	if err != nil {
		return fmt.Errorf("--amount %w", err)
	}
	if o.phone != "" && !phonePattern.MatchString(o.phone) {
		return errors.New("--phone: want country code and number, 9 to 15 digits and nothing else, as in 4712345678")
	}
	if o.ref != "" && !(payment.Ref(o.ref).Valid() && strings.Contains(o.ref, "-check-k")) {
		return fmt.Errorf("--ref %q: want one of a check, such as A12-check-kABCD2345X; a charge is looked at with stolpe payment show", o.ref)
	}
	if !o.yes {
		return unconfirmed(fmt.Sprintf("nothing was done; %v would be reserved, half of it taken and given back, the rest released", amount))
	}
	if err := o.choose(ctx, here, stderr); err != nil {
		return err
	}
	ref := payment.Ref(o.ref)
	j := checkJSON{Ref: ref, State: checkWaits}
	if ref == "" {
		if j, err = o.ask(ctx, checkArgs{Do: "reserve", Amount: amount, Phone: o.phone}); err != nil {
			return err
		}
		if j.State == checkWaits {
			fmt.Fprintf(stderr, "Approve %v: %s\nWaiting for the payer; Ctrl-C gives up and releases.\n", amount, j.URL)
		}
	}
	steps := j.Steps
	if j.State == checkWaits {
		if j, err = o.await(ctx, j.Ref); err != nil {
			return err
		}
		j.Steps = append(steps, j.Steps...)
	}
	return o.report(j, stdout)
}

// await waits until the payer has decided, and then does the rest. Whoever is interrupted
// leaves nothing behind.
func (o *checkOptions) await(ctx context.Context, ref payment.Ref) (checkJSON, error) {
	within, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	for {
		j, err := o.ask(within, checkArgs{Do: "look", Ref: ref})
		if err == nil && j.State == "" {
			return o.ask(context.WithoutCancel(ctx), checkArgs{Do: "go_on", Ref: ref})
		}
		if err == nil && j.State == checkFailed {
			return j, nil
		}
		if err == nil || within.Err() != nil {
			err = pause(within, checkEvery)
		}
		if err != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
			defer cancel()
			j, wrong := o.ask(last, checkArgs{Do: "end", Ref: ref})
			if wrong != nil || j.State == checkFailed {
				return j, coded{fmt.Errorf("given up, and %s may still be held: stolpe payment check --ref %s --yes", ref, ref), exitFailed}
			}
			if ctx.Err() != nil {
				return j, coded{errors.New("interrupted; nothing is held"), exitStopped}
			}
			if within.Err() != nil {
				return j, coded{fmt.Errorf("nobody has approved within %v; nothing is held", checkWithin), exitTimeout}
			}
			return j, err
		}
	}
}

// choose says who does it: the daemon, or this command.
func (o *checkOptions) choose(ctx context.Context, here bool, stderr io.Writer) error {
	if o.ask != nil {
		return nil // somebody has
	}
	if !here {
		err := daemonOf().Get(ctx, "payment/ping", nil, nil)
		if err == nil {
			o.ask = atDaemon
			return nil
		}
		if !errors.Is(err, control.ErrNoDaemon) {
			return answered(err)
		}
		fmt.Fprintf(stderr, "No daemon runs; using the keys that %s names.\n", o.file)
	}
	if err := o.open(); err != nil {
		return err
	}
	c := checker{o.cfg, o.client}
	o.ask = func(ctx context.Context, a checkArgs) (checkJSON, error) {
		j, err := c.step(ctx, a)
		var no control.Refusal
		if errors.As(err, &no) {
			err = coded{err, codeOf(no.Code)}
		}
		return j, err
	}
	return nil
}

// atDaemon has the daemon do a step. Looking is not written down each time.
func atDaemon(ctx context.Context, a checkArgs) (j checkJSON, err error) {
	if a.Do == "look" {
		err = daemonOf().Get(ctx, "payment/look", a, &j)
	} else {
		err = daemonOf().Do(ctx, "payment/check", a, &j)
	}
	return j, answered(err)
}

// step does one step of a check.
func (c *checker) step(ctx context.Context, a checkArgs) (checkJSON, error) {
	if a.Do != "reserve" {
		if err := c.ours(a.Ref); err != nil {
			return checkJSON{}, control.Refuse(control.Invalid, "%v", err)
		}
	}
	switch a.Do {
	case "reserve":
		if err := c.fits(a.Amount); err != nil {
			return checkJSON{}, control.Refuse(control.Invalid, "%v", err)
		}
		j := c.reserve(ctx, a.Amount)
		if a.Phone != "" && j.State == checkWaits {
			if err := c.client.Approve(ctx, j.Ref, payment.Phone(a.Phone)); err != nil {
				j.fail("approve", err)
				ended := c.end(ctx, j.Ref)
				j.Steps = append(j.Steps, ended.Steps...)
			}
		}
		return j, nil
	case "look":
		j, _ := c.look(ctx, a.Ref)
		return j, nil
	case "go_on":
		return c.goOn(ctx, a.Ref), nil
	case "end":
		return c.end(ctx, a.Ref), nil
	}
	return checkJSON{}, control.Refuse(control.Invalid, "do: want reserve, look, go_on or end")
}

// checkPayments does one step of a check at the daemon.
func (l *local) checkPayments(ctx context.Context, _ control.Caller, args json.RawMessage) (any, error) {
	var a checkArgs
	if err := control.Read(args, &a); err != nil {
		return nil, err
	}
	client := l.parts.purse.client
	if client == nil {
		return nil, control.Refuse(control.Unsafe, "payment.through is gateway, so the keys of the sales unit are not here: "+
			"copy the configuration to where the keys may be, with payment.through: vipps, and run stolpe payment check --config with the copy")
	}
	c := checker{l.cfg, client}
	j, err := c.step(ctx, a)
	return control.Reply{Data: j, Text: strings.TrimSpace(fmt.Sprintf("%s %s: %s", a.Do, j.Ref, j.State))}, err
}

// lookPayments says how a check stands.
func (l *local) lookPayments(ctx context.Context, who control.Caller, args json.RawMessage) (any, error) {
	var a checkArgs
	if err := control.Read(args, &a); err != nil {
		return nil, err
	}
	if a.Do != "look" {
		return nil, control.Refuse(control.Invalid, "do: want look")
	}
	return l.checkPayments(ctx, who, args)
}

// report prints how it went.
func (o *checkOptions) report(j checkJSON, stdout io.Writer) error {
	err := o.say(stdout, j, func(w io.Writer) error {
		for _, s := range j.Steps {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", s.What, map[bool]string{true: "ok", false: "FAIL"}[s.OK], s.Text)
		}
		last := "The payer has everything back."
		if j.State != checkDone {
			last = "Not all was done: see FAIL above."
			if slices.ContainsFunc(j.Steps, func(s checkStep) bool { return s.OK && s.What == "approve" }) {
				last += fmt.Sprintf("\nTo have the rest tried again: stolpe payment check --ref %s --yes", j.Ref)
			}
		}
		return second(fmt.Fprintln(w, last))
	})
	if err == nil && j.State != checkDone {
		err = coded{errors.New("the check has failed; what to do stands with each FAIL above"), exitRemote}
	}
	return err
}
