package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"

	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/payment"
)

// exported is a line of the route sessions/export: a charge, or at the end how many there
// were. Without an end something was cut off.
type exported struct {
	Session *record `json:"session,omitempty"`
	Count   *int    `json:"count,omitempty"`
	Damage  string  `json:"damage,omitempty"` // of the ledger
}

// exporting is the command sessions export.
type exporting struct {
	archive
	wanted
	redact bool
}

func sessionsExportCommand() *cobra.Command {
	var x exporting
	var since, until string
	c := &cobra.Command{
		Use:   "export csv|json",
		Short: "give out charges for other programs",
		Long: `Prints charges, the oldest first: csv for spreadsheets, with amounts such as 62.28 and times with their
offset; json for programs, an object a line, with amounts in minor units and times in UTC.

With --redact there is nothing that leads to a driver or to a payment: no references, no receipts, no
serial numbers, and days instead of times. Without it, an export is for an admin.`,
		Example: `  stolpe sessions export csv --since 2026-11-01 --until 2026-12-01 > november.csv
  stolpe sessions export json --redact`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"csv", "json"},
		RunE: func(c *cobra.Command, args []string) error {
			if err := parseState(x.State); err != nil {
				return err
			}
			if err := x.open(c); err != nil {
				return err
			}
			if err := x.since(&x.wanted, since, until); err != nil {
				return err
			}
			return x.run(args[0] == "csv" && !x.json)
		},
	}
	x.flags(c, "JSON, an object a line, whatever form was named")
	c.Flags().StringVar(&since, "since", "", "only those requested since then: `when`, as in today, 7d or 2026-11-20")
	c.Flags().StringVar(&until, "until", "", "only those requested before: `when`")
	c.Flags().StringVar(&x.State, "state", "", "only those in this `state`; open stands for all that are not settled")
	c.Flags().BoolVar(&x.redact, "redact", false, "nothing that leads to a driver or to a payment")
	return c
}

func (x *exporting) run(asCSV bool) error {
	print, flush := x.jsonLines()
	if asCSV {
		print, flush = x.csvLines()
	}
	each := func(r *record) error {
		if x.redact {
			r.blacken(x.zone)
		}
		return print(r)
	}
	err := x.read(each)
	if flushing := flush(err == nil); err == nil {
		err = failed(flushing)
	}
	return err
}

// read gives each charge to fn, the oldest first.
func (x *exporting) read(fn func(*record) error) error {
	if x.daemon == nil {
		p := newPast(x.wanted)
		if err := x.browse(func(e ledger.Entry) error { p.take(e); return nil }); err != nil {
			return err
		}
		if p.full {
			return failed(tooMany())
		}
		all := p.records(nil, false)
		for i := len(all) - 1; i >= 0; i-- {
			if err := fn(&all[i]); err != nil {
				return failed(err)
			}
		}
		return nil
	}
	args := struct {
		wanted
		Redact bool `json:"redact,omitempty"`
	}{x.wanted, x.redact}
	whole, n := false, 0
	err := x.daemon.Follow(x.ctx, "sessions/export", args, func(text json.RawMessage) error {
		var e exported
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		if e.Count != nil {
			whole = *e.Count == n
			x.tellDamage(e.Damage)
			return nil
		}
		if e.Session == nil {
			return errors.New("the daemon sent something else than a charge")
		}
		n++
		return fn(e.Session)
	})
	if err != nil {
		return answered(err)
	}
	if !whole {
		return coded{fmt.Errorf("the daemon broke off after %d charges; what was printed is not all: run it again", n), exitPartly}
	}
	return nil
}

func (x *exporting) jsonLines() (print func(*record) error, flush func(whole bool) error) {
	return func(r *record) error { return printJSON(x.out, r) }, func(bool) error { return nil }
}

// csvLines are those of RFC 4180, with a head: also where there are no charges, and not
// where it is not known whether there are any.
func (x *exporting) csvLines() (print func(*record) error, flush func(whole bool) error) {
	w := csv.NewWriter(x.out)
	head := sync.OnceValue(func() error { return w.Write(csvHead()) })
	print = func(r *record) error {
		if err := head(); err != nil {
			return err
		}
		return w.Write([]string{
			string(r.Ref), strconv.Itoa(r.EVSE), string(r.State), x.offset(r.Start), x.offset(r.End), strconv.FormatInt(r.Seconds, 10),
			kWhOf(&r.Energy), kWhOf(r.StartWh), kWhOf(r.EndWh), string(r.Currency), amountOf(r.Reserved),
			amountOf(r.Gross), amountOf(r.VAT), amountOf(r.Captured), amountOf(r.Released), amountOf(r.Refunded), amountOf(r.WrittenOff),
			r.Receipt, r.Why, r.Trouble,
		})
	}
	return print, func(whole bool) error {
		var err error
		if whole {
			err = head()
		}
		w.Flush()
		return errors.Join(err, w.Error())
	}
}

// csvHead names the columns.
func csvHead() []string {
	return []string{
		"ref", "evse", "state", "start", "end", "duration_s", "energy_kwh", "meter_start_kwh", "meter_end_kwh", "currency", "reserved",
		"gross", "vat", "captured", "released", "refunded", "written_off", "receipt", "why", "trouble",
	}
}

// offset is a time as the clock at the post has it, with its distance from UTC; what is no
// time stays as it is.
func (x *exporting) offset(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.In(x.zone).Format(time.RFC3339)
}

// kWhOf is an energy in kWh that may not be known.
func kWhOf(e *hal.Energy) string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf("%d.%03d", *e/hal.KWh, *e%hal.KWh)
}

// amountOf is an amount that may not be known.
func amountOf(a *payment.Amount) string {
	if a == nil {
		return ""
	}
	return a.String()
}
