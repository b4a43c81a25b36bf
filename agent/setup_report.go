package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/ledger"
	"stolpe/agent/setup"
	pdf "stolpe/display/paper"
	"stolpe/hal"
)

// writeReport writes the report, and its name into the ledger of the post.
func (f *fitting) writeReport(context.Context) error {
	c, err := f.cfg()
	if err != nil {
		return err
	}
	if err := makeFolder(c.StateDir, filepath.Dir(f.file)); err != nil {
		return failed(fmt.Errorf("state_dir: %w", err))
	}
	book, _, err := ledger.Open(ledgerPath(c.StateDir))
	if err != nil {
		return failed(fmt.Errorf("%w; run this as the user of the daemon, or as root", err))
	}
	defer book.Close() //nolint:errcheck // what was appended is on disk
	if err := likeFolder(ledgerPath(c.StateDir)); err != nil {
		return failed(err)
	}
	now := clock{time.Now(), machineTime()}.now().Wall
	r := f.report(c, now)
	if r.Previous, err = lastReport(book); err != nil {
		return failed(err)
	}
	r.After = book.Newest()
	encoded, err := r.Encode()
	if err != nil {
		return failed(err)
	}
	f.found.name = setup.Name(encoded)
	if err := f.writeReports(r, encoded); err != nil {
		return failed(fmt.Errorf("%w; write it elsewhere with --report", err))
	}
	e := ledger.Entry{At: now.Unix, Clock: now.Clock.String(), Kind: ledger.PostCommissioned,
		Post: &ledger.Post{Version: version, Config: c.Sum, Report: f.found.name, Previous: r.Previous, By: r.By}}
	if err := book.Named(c.Post.ID).Append(e); err != nil {
		return failed(err)
	}
	f.note(setup.Report, setup.Passed, f.found.name)
	return nil
}

// lastReport is the name of the newest report that the ledger knows; empty for none.
func lastReport(book *ledger.Ledger) (name string, err error) {
	err = book.Read(func(e ledger.Entry) error {
		if e.Kind == ledger.PostCommissioned && e.Post != nil {
			name = e.Post.Report
		}
		return nil
	})
	if errors.As(err, new(ledger.Damage)) {
		err = nil // the rest was read; the doctor tells of it
	}
	return name, err
}

// report is what is said of the post.
func (f *fitting) report(c config.Config, now hal.Stamp) setup.Commissioning {
	a := f.progress.Answers
	r := setup.Commissioning{
		Version: setup.ReportVersion, Post: c.Post.ID, Place: c.Post.Name, Seller: c.Post.Seller.Name, OrgNo: c.Post.Seller.OrgNo,
		At: now.Time().UTC(), Clock: now.Clock.String(), By: f.by(),
		Program: version, System: runtime.GOOS + "/" + runtime.GOARCH, Config: c.Sum,
		Price: fmt.Sprintf("%v %s/kWh, %v/min, %v", c.Price.KWh, c.Price.Currency, c.Price.Minute, c.Price.Session),
		Paid:  string(c.Payment.Through),
	}
	for _, done := range f.progress.Done {
		if done.Text != "" || done.Status != setup.Nothing { // else it was only asked for
			r.Results = append(r.Results, done)
		}
	}
	for i, e := range c.EVSEs {
		u := setup.Unit{ID: e.ID, Code: e.Code, Meter: e.Meter.Model, Serial: e.Meter.Serial, At: e.Meter.URL, Shown: a[shownKey(i+1)],
			Register: f.progress.Registers[i+1], Contactor: e.Contactor.Line + " / " + e.Contactor.Sense, Inputs: inputsOf(e.Inputs), MaxPower: int64(e.MaxPower)}
		if e.Contactor.Sim {
			u.Contactor = "sim"
		}
		if u.At == "" {
			u.Meter, u.At = cmp.Or(u.Meter, simulatedModel), "sim"
		} else {
			u.At += fmt.Sprintf(" (%d)", e.Meter.Unit)
		}
		r.EVSEs = append(r.EVSEs, u)
	}
	return r
}

// by is who puts the post into service.
func (f *fitting) by() string {
	return cmp.Or(f.progress.Answers["by"], f.as, os.Getenv("SUDO_USER"), loginName())
}

func loginName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint("uid ", os.Getuid())
}

// inputsOf lists the inputs that there are.
func inputsOf(in config.Inputs) string {
	var all []string
	for _, l := range []struct{ name, line string }{{"plug", in.Plug}, {"stop", in.Stop}, {"estop", in.EStop}, {"rcd", in.RCD}, {"hot", in.Hot}, {"accept", in.Accept}} {
		if l.line != "" {
			all = append(all, l.name+" "+l.line)
		}
	}
	return strings.Join(all, ", ")
}

// writeReports writes the report as JSON, as text and as PDF.
func (f *fitting) writeReports(r setup.Commissioning, encoded []byte) error {
	base := f.setupOptions.report
	if base == "" {
		base = strings.TrimSuffix(f.file, filepath.Ext(f.file)) + ".commissioning"
	}
	c, err := f.cfg()
	if err != nil {
		return err
	}
	r = r.In(c.Post.Zone)
	sheet := pdf.Report{Lang: f.lang, Title: r.Title(f.lang), At: r.At, Foot: r.Sealed(f.lang, f.found.name)}
	for _, s := range r.Sections(f.lang) {
		sheet.Sections = append(sheet.Sections, pdf.Section(s))
	}
	var text, paper bytes.Buffer
	if err := errors.Join(r.Text(&text, f.lang, f.found.name), sheet.PDF(&paper)); err != nil {
		return err
	}
	for _, x := range []struct {
		ending string
		bytes  []byte
	}{{".json", encoded}, {".txt", text.Bytes()}, {".pdf", paper.Bytes()}} {
		if err := replace(base+x.ending, x.bytes, 0o644); err != nil {
			return err
		}
		if err := likeFolder(base + x.ending); err != nil {
			return err
		}
		f.found.files = append(f.found.files, base+x.ending)
	}
	return nil
}

// setupJSON is what --json prints.
type setupJSON struct {
	Post    string         `json:"post"`
	Config  string         `json:"config"`
	Files   []string       `json:"files"`
	Report  string         `json:"report"` // its name: SHA-256
	Results []setup.Result `json:"results"`
	Charge  *outcome       `json:"first_charge,omitempty"`
}

// done ends a setup, and says what comes next.
func (f *fitting) done() error {
	if err := os.Remove(f.progressFile()); err != nil {
		return failed(err)
	}
	full := f.progress.Answers.Filled()
	if f.json {
		return failed(printJSON(f.stdout, setupJSON{full["post.id"], f.file, f.found.files, f.found.name, f.progress.Done, f.found.charge}))
	}
	fmt.Fprintf(f.stdout, "%s\n", setup.Words{NB: "Post " + full["post.id"] + " er satt i drift.", EN: "Post " + full["post.id"] + " is in service."}.In(f.lang))
	for _, file := range f.found.files {
		fmt.Fprintf(f.stdout, "  %s\n", file)
	}
	next := "systemctl enable --now stolpe"
	if full.Yes("simulated") {
		next = "stolpe run --config " + f.file
		if dir := full["control.dir"]; dir != "" {
			next = "export STOLPE_CONTROL_DIR=" + dir + "; " + next
		}
	}
	_, err := fmt.Fprintf(f.stdout, "%s\n", setup.Words{NB: "Neste: " + next, EN: "Next: " + next}.In(f.lang))
	return failed(err)
}
