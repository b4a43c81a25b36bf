package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/payment"
)

// Bounds of --limit.
const (
	listLimit = 20
	listMost  = 1000
)

func sessionsListCommand() *cobra.Command {
	var a archive
	var w wanted
	var since string
	c := &cobra.Command{
		Use:   "list",
		Short: "list charges, the newest first",
		Long: `Lists charges, the newest first, with what became of their money:

  asked      the payer has not decided          captured   settled: something was sold
  under_way  approved, and not over             released   settled: all of the reservation was let go
  due        over, and about to be settled      nothing    settled: there was never any money
  STUCK      not settled, and should be         refunded   sold, and given back or some of it
  LOST       the ledger has no end of it: see stolpe payment show

References and money are shown to technicians only.`,
		Example: `  stolpe sessions list --since today
  stolpe sessions list --state open`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := parseState(w.State); err != nil {
				return err
			}
			if w.Limit < 1 || w.Limit > listMost {
				return fmt.Errorf("--limit %d: want 1 to %d; stolpe sessions export gives all", w.Limit, listMost)
			}
			if err := a.open(c); err != nil {
				return err
			}
			if err := a.since(&w, since, ""); err != nil {
				return err
			}
			found, err := a.list(w)
			if err != nil {
				return err
			}
			return failed(a.printList(found))
		},
	}
	a.flags(c, "one JSON object a line for each charge")
	c.Flags().StringVar(&since, "since", "", "only those requested since then: `when`, as in today, 7d or 2026-11-20")
	c.Flags().StringVar(&w.State, "state", "", "only those in this `state`; open stands for all that are not settled")
	c.Flags().IntVar(&w.EVSE, "evse", 0, "only those at the EVSE with this `number`")
	c.Flags().IntVar(&w.Limit, "limit", listLimit, "at most so `many`")
	return c
}

// since reads --since and --until.
func (a *archive) since(w *wanted, since, until string) error {
	for _, x := range []struct {
		flag, text string
		to         *int64
	}{{"since", since, &w.Since}, {"until", until, &w.Until}} {
		if x.text == "" {
			continue
		}
		t, err := parseSince(x.flag, x.text, a.now, a.zone)
		if err != nil {
			return err
		}
		*x.to = t.Unix()
	}
	if w.Until > 0 && w.Until <= w.Since {
		return fmt.Errorf("--until %s: is not after --since", until)
	}
	return nil
}

// chargeList is what the route sessions gives.
type chargeList struct {
	Sessions []record `json:"sessions"`
	Redacted bool     `json:"redacted"` // for somebody who may not see references and money
	Damage   string   `json:"damage,omitempty"`
}

// list finds charges.
func (a *archive) list(w wanted) (chargeList, error) {
	if a.daemon != nil {
		var l chargeList
		return l, answered(a.daemon.Get(a.ctx, "sessions", w, &l))
	}
	p := newPast(w)
	err := a.browse(func(e ledger.Entry) error { p.take(e); return nil })
	if err == nil && p.full {
		err = tooMany()
	}
	return chargeList{Sessions: p.records(nil, false)}, err
}

// tooMany is for more charges than can be held.
func tooMany() error {
	return fmt.Errorf("there are more than %d charges; ask for a shorter time with --since", maxRecords)
}

func (a *archive) printList(l chargeList) error {
	a.tellDamage(l.Damage)
	if l.Redacted {
		fmt.Fprintln(a.notes, pick(a.lang, "Referanser og beløp vises bare for teknikere (sudo, eller control.group).", "References and money are for technicians (sudo, or the members of control.group)."))
	}
	if a.json {
		for i := range l.Sessions {
			if err := printJSON(a.out, &l.Sessions[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(l.Sessions) == 0 {
		_, err := fmt.Fprintln(a.out, pick(a.lang, "Ingen slike ladinger.", "No such charges."))
		return err
	}
	return a.table(l)
}

// table prints charges as people read them.
func (a *archive) table(l chargeList) error {
	var b strings.Builder
	t := table(&b)
	head := pick(a.lang, "START\tSLUTT\tkWh\tRESERVERT\tBELØP\tPENGER\tHVORFOR", "START\tEND\tkWh\tRESERVED\tAMOUNT\tMONEY\tWHY")
	if l.Redacted {
		head = pick(a.lang, "EVSE\tSTART\tSLUTT\tkWh\tTILSTAND\tHVORFOR", "EVSE\tSTART\tEND\tkWh\tSTATE\tWHY")
	} else {
		head = "ID\t" + head
	}
	fmt.Fprintln(t, head)
	for i := range l.Sessions {
		a.row(t, &l.Sessions[i], l.Redacted)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(a.out, trimmed(b.String()))
	return err
}

func (a *archive) row(w io.Writer, r *record, redacted bool) {
	start := a.local(r.Start, "2006-01-02 15:04")
	if r.Start == "" && r.at > 0 {
		start = "?"
	}
	end := a.local(r.End, "15:04")
	kWh := fmt.Sprintf("%d.%02d", r.Energy/hal.KWh, r.Energy%hal.KWh/10)
	state, why := string(r.State), r.Why
	if r.State == recordStuck || r.State == recordLost {
		state = strings.ToUpper(state)
	}
	if r.Trouble != "" {
		why = strings.TrimPrefix(why+": "+r.Trouble, ": ")
	}
	if redacted {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", r.EVSE, start, end, kWh, state, why)
		return
	}
	amount := r.Captured
	if amount == nil {
		amount = r.Gross
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Ref, start, end, kWh, sumOf(r.Reserved), sumOf(amount), state, why)
}

// sumOf is an amount that may not be known.
func sumOf(a *payment.Amount) string {
	if a == nil {
		return "-"
	}
	return a.String()
}
