package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/display"
	pdf "stolpe/display/paper"
	"stolpe/payment/vipps"
)

func qrCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "qr",
		Short: "the codes on stickers: draw, list, lead elsewhere, delete",
		Long: `Codes that the payment service draws, and that lead a driver's phone to the page of an EVSE. What is
printed stays the same for ever; where it leads can be changed.`,
	}
	c.AddCommand(qrStickerCommand(), qrListCommand(), qrShowCommand(), qrRetargetCommand(), qrDeleteCommand())
	return c
}

func qrStickerCommand() *cobra.Command {
	var d desk
	var evse int
	var out string
	c := &cobra.Command{
		Use:   "sticker --evse ID --out FILE",
		Short: "draw the sticker of an EVSE, with its code, to be printed",
		Long: `Draws a sheet of A4 with the sticker of an EVSE: the payment service's code, the code of the EVSE in
letters, the address and the help number. The code is made if it is not there yet, and leads to
web.public_url. Print it at 100 %.`,
		Example: `  stolpe qr sticker --evse 1 --out a12.pdf
  stolpe qr sticker --evse 1 --out a12.svg`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			draw, err := pictureFor(out)
			if err != nil {
				return err
			}
			if err := d.open(); err != nil {
				return err
			}
			which := asked{file: d.file, evse: evse}
			i, err := which.choose(d.cfg.EVSEs)
			if err != nil {
				return err
			}
			return d.sticker(c.Context(), d.cfg.EVSEs[i], out, draw, c.OutOrStdout())
		},
	}
	d.flags(c, "one JSON object")
	c.Flags().IntVar(&evse, "evse", 0, "`id` of the EVSE; may be left out if there is one")
	c.Flags().StringVar(&out, "out", "", "`file` to write, ending in .svg or .pdf")
	return c
}

// drawing is how a sticker becomes a file.
type drawing struct {
	picture vipps.Picture
	write   func(pdf.Sticker, io.Writer) error
}

// pictureFor says how the file is drawn, by the end of its name.
func pictureFor(out string) (drawing, error) {
	switch strings.ToLower(filepath.Ext(out)) {
	case ".svg":
		return drawing{vipps.SVG, pdf.Sticker.SVG}, nil
	case ".pdf":
		return drawing{vipps.PNG, pdf.Sticker.PDF}, nil
	}
	return drawing{}, fmt.Errorf("--out %q: want a file that ends in .svg or .pdf", out)
}

// codeJSON is a code as --json has it.
type codeJSON struct {
	ID      string `json:"id"`
	Target  string `json:"target"`
	Expires string `json:"expires,omitempty"`
	Text    string `json:"text,omitempty"` // what the picture says
	File    string `json:"file,omitempty"` // the sticker
}

func (d *desk) sticker(ctx context.Context, e config.EVSE, out string, draw drawing, stdout io.Writer) error {
	public, err := url.Parse(d.cfg.Web.PublicURL)
	if err != nil || public.Scheme != "https" {
		return coded{fmt.Errorf("web.public_url is %s, where no phone comes: a code leads to an https address", d.cfg.Web.PublicURL), exitConfig}
	}
	code, err := d.findOrMake(ctx, codeID(d.cfg, e), d.cfg.Web.PublicURL+"/"+e.Code, draw.picture)
	if err != nil {
		return err
	}
	picture, err := d.client.Draw(ctx, code)
	if err != nil {
		return unanswered(ctx, err)
	}
	sheet := pdf.Sticker{Lang: display.LangOf(d.cfg.Price.Currency), Code: e.Code, Domain: public.Host, Helpdesk: d.cfg.Post.Helpdesk, Picture: picture}
	var b bytes.Buffer
	if err := draw.write(sheet, &b); err != nil {
		return coded{fmt.Errorf("the service's picture of code %s: %w; try the other of .svg and .pdf", code.ID, err), exitRemote}
	}
	if err := replace(out, b.Bytes(), 0o644); err != nil {
		return failed(fmt.Errorf("%w; name another file with --out", err))
	}
	return d.say(stdout, codeJSON{ID: code.ID, Target: code.Target, File: out}, func(w io.Writer) error {
		return second(fmt.Fprintf(w, "%s: sticker of EVSE %d; code %s leads to %s\nPrint it at 100 %%, cut along the marks, and scan it once before it is stuck on.\n", out, e.ID, code.ID, code.Target))
	})
}

// codeID is the id of an EVSE's code: post and EVSE, as in the references.
func codeID(cfg config.Config, e config.EVSE) string { return fmt.Sprintf("%s-%d", cfg.Post.ID, e.ID) }

// findOrMake gets a code, or makes it. One that leads elsewhere is not changed:
// somebody may have printed it.
func (d *desk) findOrMake(ctx context.Context, id, target string, picture vipps.Picture) (vipps.Code, error) {
	code, err := d.client.Code(ctx, id, picture)
	if errors.Is(err, vipps.ErrNoCode) {
		code, err = d.client.AddCode(ctx, id, target, picture)
	}
	switch {
	case err != nil:
		return code, unanswered(ctx, err)
	case code.Target != target:
		return code, coded{fmt.Errorf("code %s leads to %s, and the page is %s; stolpe qr retarget %s %s --yes changes that, for all that is printed of it",
			id, code.Target, target, id, target), exitRefused}
	}
	return code, nil
}
