package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/session"
	"stolpe/display"
	pdf "stolpe/display/paper"
	"stolpe/payment"
)

func sessionsReceiptCommand() *cobra.Command {
	var a archive
	var file string
	c := &cobra.Command{
		Use:   "receipt ID",
		Short: "print the receipt of a charge, as its driver has it",
		Long: `Prints the sales document of a charge, with the same words and numbers as the driver's page. With --pdf
it is also written as a PDF; a file that is there already is not replaced.`,
		Example: `  stolpe sessions receipt A12-1-000042
  stolpe sessions receipt A12-1-000042 --pdf receipt.pdf`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			if err := a.open(c); err != nil {
				return err
			}
			d, err := a.document(ref)
			if err != nil {
				return err
			}
			if file != "" {
				if err := writePDF(file, d); err != nil {
					return err
				}
				fmt.Fprintf(a.notes, "%s %s\n", pick(a.lang, "Skrev", "Wrote"), file)
			}
			if a.json {
				return failed(printJSON(a.out, documentJSONOf(d, file)))
			}
			return failed(printDocument(a.out, d))
		},
	}
	a.flags(c, "one JSON object")
	c.Flags().StringVar(&file, "pdf", "", "also write it as a PDF into this `file`")
	return c
}

// document makes the receipt of a charge.
func (a *archive) document(ref payment.Ref) (d display.Document, err error) {
	if a.daemon != nil {
		return d, answered(a.daemon.Get(a.ctx, "sessions/receipt", map[string]any{"id": ref, "lang": a.lang.Tag()}, &d))
	}
	c, err := a.chapter(ref)
	if err != nil {
		return d, err
	}
	if c.sale == nil {
		return d, answered(c.noReceipt())
	}
	code, rules := "", &session.Rules{Post: a.cfg.Post.ID, EVSE: c.evse}
	for i, e := range a.cfg.EVSEs {
		if e.ID != c.evse {
			continue
		}
		maps := &parts{}
		if err := maps.loadMaps(a.cfg); err != nil {
			return d, failed(err)
		}
		m, err := maps.mapOf(a.cfg, i)
		if err != nil {
			return d, failed(err)
		}
		code, rules.Model, rules.Modulus = e.Code, m.ID, m.Modulus()
	}
	d, err = documentOf(a.lang, a.cfg.Post, code, c.charge(rules))
	return d, answered(err)
}

// writePDF writes a document into a new file.
func writePDF(file string, d display.Document) error {
	f, err := os.OpenFile(filepath.Clean(file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return coded{fmt.Errorf("--pdf %s: is there already, and is not replaced; name another file", file), exitFailed}
	}
	if err != nil {
		return coded{fmt.Errorf("--pdf: %w; name another file", err), exitFailed}
	}
	err = pdf.Receipt(f, d)
	if err = errors.Join(err, f.Close()); err != nil {
		return failed(errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// printDocument prints a sales document as text.
func printDocument(w io.Writer, d display.Document) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n\n", d.Title, d.Number)
	for _, line := range d.Seller {
		fmt.Fprintln(&b, line)
	}
	for _, rows := range [][]display.Row{d.Head, d.Lines, d.Sums, d.Charge, d.Paid, d.Prices} {
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintln(&b)
		t := table(&b)
		for _, r := range rows {
			fmt.Fprintf(t, "%s\t%s\t%s\n", r.Label, r.Value, r.Note)
		}
		t.Flush() //nolint:errcheck // a builder takes everything
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	_, err := io.WriteString(w, trimmed(b.String()))
	return err
}

// trimmed is a text without what nobody sees at the ends of its lines, and with spaces
// that terminals know.
func trimmed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(plainSpaces(text)) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

// documentJSON is a receipt as --json has it. Its texts are those of the language asked for.
type documentJSON struct {
	Number string    `json:"receipt"`
	Issued string    `json:"issued,omitempty"`
	Lang   string    `json:"lang"`
	Title  string    `json:"title"`
	Seller []string  `json:"seller"`
	Lines  []rowJSON `json:"lines"`
	Sums   []rowJSON `json:"sums"`
	Charge []rowJSON `json:"charge"`
	Paid   []rowJSON `json:"paid"`
	Prices []rowJSON `json:"prices"`
	Notes  []string  `json:"notes"`
	PDF    string    `json:"pdf,omitempty"` // the file written
}

type rowJSON struct {
	Label string `json:"label"`
	Value string `json:"value"`
	Note  string `json:"note,omitempty"`
}

func documentJSONOf(d display.Document, file string) documentJSON {
	rows := func(all []display.Row) []rowJSON {
		out := []rowJSON{}
		for _, r := range all {
			out = append(out, rowJSON{plainSpaces(r.Label), plainSpaces(r.Value), plainSpaces(r.Note)})
		}
		return out
	}
	j := documentJSON{
		Number: d.Number, Lang: d.Lang.Tag(), Title: d.Title, Seller: append([]string{}, d.Seller...), Lines: rows(d.Lines), Sums: rows(d.Sums),
		Charge: rows(d.Charge), Paid: rows(d.Paid), Prices: rows(d.Prices), Notes: append([]string{}, d.Notes...), PDF: file,
	}
	if d.Issued.Unix >= epoch {
		j.Issued = utc(d.Issued.Time())
	}
	return j
}
