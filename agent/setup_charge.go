package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/journal"
	"stolpe/agent/setup"
	"stolpe/display"
)

// The first charge of a simulated post, chosen by us: long enough for a receipt that
// says something, and over before a person wonders.
const (
	firstFor   = 5 * time.Minute // in the stage's time
	firstSpeed = 60              // times as fast as life: a slow card still has half a second for what counts as stuck after 30 s
	firstPast  = firstFor + 5*time.Minute
)

// firstCharge drives a charge through the pages, with the journal and the ledger of the
// post. Its time runs fast, and begins so long ago that it does not end in the future.
func (f *fitting) firstCharge(ctx context.Context) error {
	if !f.charge {
		f.note(setup.Charge, setup.Nothing, "")
		return nil
	}
	if err := f.leave(); err != nil { // the journals are for one at a time
		return err
	}
	c, err := loadConfig(f.file)
	if err != nil {
		return err
	}
	if c.Payment.Through != config.ThroughSim || !c.EVSEs[0].Contactor.Sim {
		return coded{errors.New("--first-charge is for a simulated post; pay for a real one with a phone, at " + c.Web.PublicURL), exitRefused}
	}
	if err := makeFolder(c.StateDir, filepath.Dir(f.file)); err != nil {
		return failed(fmt.Errorf("state_dir: %w", err))
	}
	s := &stage{demoOptions: demoOptions{speed: firstSpeed, once: true, json: true, listen: "127.0.0.1:0"}, cfg: c, lasts: firstFor, past: firstPast, keep: true}
	err = errors.Join(s.show(ctx, io.Discard, f.stderr), giveBack(c.StateDir))
	switch {
	case errors.Is(err, journal.ErrInUse):
		return coded{fmt.Errorf("the post runs already: %w", err), exitRefused}
	case err != nil:
		return failed(err)
	}
	f.found.charge = &s.came.outcome
	if !f.json {
		if err := printReceipt(f.stdout, f.lang, c.Post, s.code(), s.came.charge); err != nil {
			return failed(err)
		}
	}
	f.note(setup.Charge, setup.Passed, fmt.Sprintf("%s, %d Wh, %v %s, %s", s.came.Reference, s.came.EnergyWh, s.came.Captured, s.came.Bill.Currency, s.came.Document))
	return nil
}

// printReceipt prints the sales document of a charge.
func printReceipt(w io.Writer, lang display.Lang, post display.Post, code string, charge display.Charge) error {
	d, ok := lang.Document(post, code, charge)
	if !ok {
		return errors.New("nothing was sold, so there is no receipt")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", d.Title)
	for _, line := range d.Seller {
		fmt.Fprintf(&b, "%s\n", line)
	}
	for _, rows := range [][]display.Row{d.Head, d.Lines, d.Sums, d.Charge, d.Paid, d.Prices} {
		fmt.Fprintln(&b)
		for _, r := range rows {
			value := r.Value
			if r.Note != "" {
				value += "  (" + r.Note + ")"
			}
			fmt.Fprintf(&b, "  %-28s %s\n", r.Label, value)
		}
	}
	fmt.Fprintln(&b)
	_, err := io.WriteString(w, strings.ReplaceAll(b.String(), "\u00a0", " "))
	return err
}
