package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config/strict/legal"
	"stolpe/payment/vipps"
)

func qrListCommand() *cobra.Command {
	var d desk
	c := &cobra.Command{
		Use:   "list",
		Short: "list the codes of the sales unit, and where they lead",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := d.open(); err != nil {
				return err
			}
			return d.listCodes(c.Context(), c.OutOrStdout())
		},
	}
	d.flags(c, "one JSON object a line for each")
	return c
}

func qrShowCommand() *cobra.Command {
	var d desk
	c := &cobra.Command{
		Use:   "show ID",
		Short: "show a code: where it leads, and what its picture says",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.openFor(args[0]); err != nil {
				return err
			}
			code, err := d.code(c.Context(), args[0])
			if err != nil {
				return err
			}
			return d.printCode(c.OutOrStdout(), code)
		},
	}
	d.flags(c, "one JSON object")
	return c
}

func qrRetargetCommand() *cobra.Command {
	var d desk
	var yes bool
	c := &cobra.Command{
		Use:     "retarget ID URL --yes",
		Short:   "have a code lead elsewhere, with all that is printed of it",
		Example: `  stolpe qr retarget A12-1 https://lad.example.no/A12 --yes`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if u, err := url.Parse(args[1]); err != nil || u.Scheme != "https" || u.Host == "" {
				return fmt.Errorf("URL %q: want an address such as https://lad.example.no/A12", args[1])
			}
			if err := d.openFor(args[0]); err != nil {
				return err
			}
			code, err := d.code(c.Context(), args[0])
			if err != nil {
				return err
			}
			if !yes {
				return unconfirmed(fmt.Sprintf("code %s leads to %s as before; every print of it would lead to %s at once", code.ID, code.Target, args[1]))
			}
			if code, err = d.client.Retarget(c.Context(), code.ID, args[1]); err != nil {
				return unanswered(c.Context(), err)
			}
			return d.printCode(c.OutOrStdout(), code)
		},
	}
	d.flags(c, "one JSON object")
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}

func qrDeleteCommand() *cobra.Command {
	var d desk
	var yes bool
	c := &cobra.Command{
		Use:   "delete ID --yes",
		Short: "delete a code: all that is printed of it leads nowhere, for ever",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.openFor(args[0]); err != nil {
				return err
			}
			code, err := d.code(c.Context(), args[0])
			if err != nil {
				return err
			}
			if !yes {
				return unconfirmed(fmt.Sprintf("code %s still leads to %s; every print of it would lead nowhere, and nothing brings it back", code.ID, code.Target))
			}
			if err := d.client.DropCode(c.Context(), code.ID); err != nil {
				return unanswered(c.Context(), err)
			}
			return d.say(c.OutOrStdout(), codeJSON{ID: code.ID, Target: code.Target}, func(w io.Writer) error {
				return second(fmt.Fprintf(w, "deleted: code %s, which led to %s\n", code.ID, code.Target))
			})
		},
	}
	d.flags(c, "one JSON object")
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}

// maxCode is the longest id of a code, in characters (QR API 1.0).
const maxCode = 128

// openFor opens the desk for a code that somebody named.
func (d *desk) openFor(id string) error {
	if id == "" || len(id) > maxCode || !legal.Only(id, "-_+%") { // letters of the Nordic alphabets and spaces no id of ours has
		return fmt.Errorf("ID %q: want the id of a code, such as A12-1; stolpe qr list has them", id)
	}
	return d.open()
}

// code gets a code, with what its picture says.
func (d *desk) code(ctx context.Context, id string) (vipps.Code, error) {
	code, err := d.client.Code(ctx, id, vipps.Text)
	switch {
	case errors.Is(err, vipps.ErrNoCode):
		return code, coded{fmt.Errorf("sales unit %s has no code %q; stolpe qr list has them", d.cfg.Payment.Vipps.MSN, id), exitNotFound}
	case err != nil:
		return code, unanswered(ctx, err)
	}
	return code, nil
}

func (d *desk) listCodes(ctx context.Context, stdout io.Writer) error {
	codes, err := d.client.Codes(ctx)
	if err != nil {
		return unanswered(ctx, err)
	}
	if d.json {
		for _, code := range codes {
			if err := printJSON(stdout, codeJSON{ID: code.ID, Target: code.Target, Expires: expiry(code, utc)}); err != nil {
				return failed(err)
			}
		}
		return nil
	}
	if len(codes) == 0 {
		return failed(second(fmt.Fprintf(stdout, "sales unit %s has no codes; stolpe qr sticker makes one\n", d.cfg.Payment.Vipps.MSN)))
	}
	t := table(stdout)
	fmt.Fprintln(t, "ID\tLEADS TO\tUNTIL")
	for _, code := range codes {
		fmt.Fprintf(t, "%s\t%s\t%s\n", code.ID, code.Target, cmp.Or(expiry(code, d.local), "for ever"))
	}
	return failed(t.Flush())
}

// expiry is until when a code works; empty for ever.
func expiry(code vipps.Code, written func(time.Time) string) string {
	if code.Expires < 0 {
		return ""
	}
	return written(time.Now().Add(code.Expires))
}

func (d *desk) printCode(stdout io.Writer, code vipps.Code) error {
	j := codeJSON{ID: code.ID, Target: code.Target, Expires: expiry(code, utc), Text: code.URL}
	return d.say(stdout, j, func(w io.Writer) error {
		fmt.Fprintf(w, "code\t%s\n", code.ID)
		fmt.Fprintf(w, "leads to\t%s\n", code.Target)
		fmt.Fprintf(w, "until\t%s\n", cmp.Or(expiry(code, d.local), "for ever"))
		return second(fmt.Fprintf(w, "picture says\t%s\n", code.URL))
	})
}
