package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/setup"
	"stolpe/display"
	pdf "stolpe/display/paper"
	"stolpe/display/qr"
)

// testPayment looks whether the payment service can be used, and tries it with a little
// money if a person is there who wants that.
func (f *fitting) testPayment(ctx context.Context) error {
	post, err := f.running(ctx)
	if err != nil {
		return err
	}
	var j pingJSON
	if err := post.Get(ctx, "payment/ping", nil, &j); err != nil {
		return answered(err)
	}
	status, said := setup.Passed, []string{}
	for _, p := range j.Looked {
		if p.State == pingOff {
			continue
		}
		line := p.What + " " + p.State
		if p.State != pingOK {
			line += " (" + p.Text + ")"
			status = setup.Warned
		}
		said = append(said, line)
		if p.Do != "" && p.State != pingOK {
			fmt.Fprintf(f.stderr, "  %s: %s\n    -> %s\n", p.What, p.Text, p.Do)
		}
	}
	if !j.sound() {
		return coded{fmt.Errorf("%w: %s", errPing, strings.Join(said, ", ")), exitRemote}
	}
	tried, err := f.tryPayment(ctx, post)
	if err != nil {
		return err
	}
	f.note(setup.Pay, status, strings.Join(append(said, tried...), ", "))
	return nil
}

// tryPayment has a person approve a small reservation, of which half is taken and given
// back: so it is known whether the sales unit may capture in part.
func (f *fitting) tryPayment(ctx context.Context, post *control.Client) ([]string, error) {
	c, err := f.cfg()
	if err != nil || f.terminal == nil || c.Payment.Through != config.ThroughVipps {
		return nil, err
	}
	sure, err := f.confirm(ctx, setup.Words{NB: "Prøve betalingen med 2 kroner av dine egne?", EN: "Try the payment with 2 kroner of your own?"}.In(f.lang),
		setup.Words{NB: "Du godkjenner i appen; halvparten trekkes, og alt kommer tilbake.", EN: "You approve in the app; half is taken, and all of it comes back."}.In(f.lang), "")
	if err != nil || !sure {
		return []string{setup.Words{NB: "ikke prøvd med penger", EN: "not tried with money"}.In(f.lang)}, err
	}
	o := checkOptions{amount: "2.00", yes: true, ask: func(ctx context.Context, a checkArgs) (j checkJSON, err error) {
		if a.Do == "look" {
			err = post.Get(ctx, "payment/look", a, &j)
		} else {
			err = post.Do(ctx, "payment/check", a, &j)
		}
		return j, answered(err)
	}}
	if err := o.run(ctx, false, f.stderr, f.stderr); err != nil {
		return nil, err
	}
	return []string{setup.Words{NB: "prøvd med penger, som er tilbake", EN: "tried with money, which is back"}.In(f.lang)}, nil
}

// drawStickers draws the sticker of each EVSE.
func (f *fitting) drawStickers(ctx context.Context) error {
	if f.sticker == "" {
		f.note(setup.Sticker, setup.Nothing, "")
		return nil
	}
	c, err := loadConfig(f.file)
	if err != nil {
		return withKeys(err)
	}
	for i, e := range c.EVSEs {
		out := f.sticker
		if i > 0 { // one file each
			out = strings.TrimSuffix(out, filepath.Ext(out)) + fmt.Sprintf("-%d", e.ID) + filepath.Ext(out)
		}
		draw, err := pictureFor(out)
		if err != nil {
			return coded{errors.New("--sticker: want a file that ends in .svg or .pdf"), exitUsage}
		}
		if c.Payment.Through == config.ThroughVipps {
			d := desk{file: f.file}
			if err = d.open(); err == nil {
				err = d.sticker(ctx, e, out, draw, io.Discard)
			}
		} else {
			err = f.plainSticker(c, e, out, draw)
		}
		if err != nil {
			return err
		}
		f.found.files = append(f.found.files, out)
	}
	f.note(setup.Sticker, setup.Passed, f.sticker)
	return nil
}

// plainSticker draws a sticker whose code leads straight to the page, for a post whose
// payment service draws none here.
func (f *fitting) plainSticker(c config.Config, e config.EVSE, out string, draw drawing) error {
	public := strings.TrimSuffix(f.progress.Answers["pages"], "/")
	if public == "" {
		public = c.Web.PublicURL
	}
	host, ok := strings.CutPrefix(public, "https://")
	if !ok {
		return coded{fmt.Errorf("--sticker: no phone comes to %q; say where the pages are with --pages, as in https://lad.example.no", public), exitUsage}
	}
	code, err := qr.Of(public + "/" + e.Code)
	if err != nil {
		return failed(err)
	}
	var picture, sheet bytes.Buffer
	if strings.EqualFold(filepath.Ext(out), ".svg") {
		err = code.SVG(&picture)
	} else {
		err = code.PNG(&picture)
	}
	if err != nil {
		return failed(err)
	}
	s := pdf.Sticker{Lang: display.LangOf(c.Price.Currency), Code: e.Code, Domain: host, Helpdesk: c.Post.Helpdesk, Picture: picture.Bytes()}
	if err := draw.write(s, &sheet); err != nil {
		return failed(err)
	}
	return failed(replace(out, sheet.Bytes(), 0o644))
}

// seal seals what the post was commissioned with, if somebody wants that.
func (f *fitting) seal(ctx context.Context) error {
	if f.pin == "" && f.terminal == nil || f.progress.Answers.Yes("simulated") && f.pin == "" {
		f.note(setup.Seal, setup.Nothing, "")
		return nil
	}
	if f.pin == "" {
		sure, err := f.confirm(ctx, setup.Words{NB: "Forsegle måler, kontaktor og innganger med en PIN-kode?", EN: "Seal meter, contactor and inputs with a PIN?"}.In(f.lang),
			setup.Words{NB: "De endres da bare av den som har koden.", EN: "Then only whoever has it changes them."}.In(f.lang), "")
		if err != nil {
			return err
		}
		if !sure {
			f.note(setup.Seal, setup.Nothing, "")
			return nil
		}
	}
	pin, err := f.newPIN(ctx)
	if err != nil {
		return err
	}
	by := f.by()
	a, err := config.Resealed(f.file, pin, by)
	if err == nil {
		err = (&settings{file: f.file}).replace(a.Old, a.New)
	}
	if err != nil {
		return failed(err)
	}
	f.note(setup.Seal, setup.Passed, by)
	return nil
}
