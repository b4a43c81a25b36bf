package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/ledger"
	"stolpe/payment"
)

func paymentReconcileCommand() *cobra.Command {
	var r reconcile
	var since string
	c := &cobra.Command{
		Use:   "reconcile --since DATE",
		Short: "compare the ledger with the payment service, and print every difference",
		Long: `Reads every payment of this post since a day back from the payment service, one by one, and compares
it with the ledger: also the numbers that the ledger does not have, between those it has and above
them. A charge that may still be under way is counted, and is no difference. Nothing is changed.

Exit code 0 when all agree, 11 when there are differences.`,
		Example: `  stolpe payment reconcile --since 2026-11-01
  stolpe payment reconcile --since 2026-11-01 --report    # with the account's movements; production only`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if r.pause < 0 || r.pause > maxPause {
				return fmt.Errorf("--pause %v: want 0s to %v", r.pause, maxPause)
			}
			if err := r.open(); err != nil {
				return err
			}
			if r.since, err = time.ParseInLocation(time.DateOnly, since, r.cfg.Post.Zone); err != nil {
				return fmt.Errorf("--since %q: want a day, as in 2026-11-01", since)
			}
			r.now, r.stdout, r.stderr = time.Now(), c.OutOrStdout(), progressOf(c)
			if err := r.fit(); err != nil {
				return err
			}
			return r.run(c.Context())
		},
	}
	r.flags(c, "one JSON object a line for each difference, and one with the sums")
	c.Flags().StringVar(&since, "since", "", "`day` from which on, as in 2026-11-01")
	c.Flags().BoolVar(&r.report, "report", false, "also compare with the movements that the Report API tells of; it has them a day or two later")
	c.Flags().DurationVar(&r.pause, "pause", 200*time.Millisecond, "`time` between two questions to the service")
	return c
}

const maxPause = time.Minute

// fit says what cannot be compared.
func (r *reconcile) fit() error {
	const most = 99 // days; the client reads a hundred
	switch day := r.since.Format(time.DateOnly); {
	case r.since.After(r.now):
		return fmt.Errorf("--since %s: is not yet; the clock of this machine says %s", day, r.local(r.now))
	case r.report && r.now.Sub(r.since) > most*24*time.Hour:
		return fmt.Errorf("--since %s: with --report want a day of the last %d; leave one of them out", day, most)
	case r.report && r.cfg.Payment.Vipps.BaseURL == vippsTest:
		return fmt.Errorf("--report: %s has no reports; leave it out", vippsTest)
	}
	return nil
}

// reconcile compares the ledger with the service.
type reconcile struct {
	desk
	since, now time.Time
	report     bool
	pause      time.Duration
	stdout     io.Writer
	stderr     io.Writer

	charges map[payment.Ref]*ledger.Account // all since, by the ledger, and what was found beside it
	before  map[payment.Ref]bool            // those before
	sum     sumJSON
}

// sumJSON is what came of it in all. Amounts are in minor units.
type sumJSON struct {
	Since       string           `json:"since"`
	Charges     int              `json:"charges"`          // compared
	Agree       int              `json:"agree"`            // charges
	UnderWay    int              `json:"under_way"`        // charges
	Unreported  int              `json:"not_yet_reported"` // captures
	Differences int              `json:"differences"`      // those printed
	Currency    payment.Currency `json:"currency"`
	Captured    both             `json:"captured"`
	Refunded    both             `json:"refunded"`
	WrittenOff  payment.Amount   `json:"written_off"`
	Whole       bool             `json:"complete"`
}

// both is an amount by the ledger and by the service, in minor units.
type both struct {
	Book    payment.Amount `json:"ledger"`
	Service payment.Amount `json:"service"`
}

func (r *reconcile) run(ctx context.Context) error {
	r.sum = sumJSON{Since: r.since.Format(time.DateOnly), Currency: r.cfg.Price.Currency}
	book, err := r.book()
	if err != nil {
		return err
	}
	defer book.Close() //nolint:errcheck // nothing was written
	spans, err := r.readBook(book)
	for _, s := range spans {
		if err == nil {
			err = r.compare(ctx, s)
		}
	}
	if err == nil && r.report {
		err = r.compareReport(ctx)
	}
	r.sum.Whole = err == nil
	if printing := r.printSum(); printing != nil {
		return printing
	}
	switch {
	case err != nil:
		return err
	case r.sum.Differences > 0:
		return coded{fmt.Errorf("ledger and payment service do not agree on %d things; stolpe payment show REF has all of a payment", r.sum.Differences), exitDiffers}
	}
	return nil
}

// span is the numbers of an EVSE's charges that are to be compared.
type span struct {
	evse      int    // its number
	low, high uint64 // 0, 0 for none
	sure      bool   // the ledger has charges before low: there is no need to look below it
	series    *ledger.Series
}

// readBook reads what the ledger has, and prints what is wrong with the ledger alone.
func (r *reconcile) readBook(book *ledger.Ledger) ([]*span, error) {
	r.charges, r.before = map[payment.Ref]*ledger.Account{}, map[payment.Ref]bool{}
	spans := make([]*span, len(r.cfg.EVSEs))
	for i, e := range r.cfg.EVSEs {
		spans[i] = &span{evse: e.ID, series: &ledger.Series{EVSE: e.ID}}
	}
	err := book.Read(func(e ledger.Entry) error {
		for _, s := range spans {
			if s.evse == e.EVSE {
				s.series.Take(e)
			}
		}
		if e.Ref != "" {
			r.take(e)
		}
		return nil
	})
	var damage ledger.Damage
	if err != nil && !errors.As(err, &damage) {
		return nil, failed(err)
	}
	all := damage.Differences()
	for _, s := range spans {
		all = append(all, s.series.Gaps()...)
		r.measure(s)
	}
	for _, d := range all {
		if err := r.tell(d); err != nil {
			return nil, err
		}
	}
	return spans, nil
}

// take takes in an entry about a charge.
func (r *reconcile) take(e ledger.Entry) {
	a := r.charges[e.Ref]
	if a == nil {
		a = &ledger.Account{}
		r.charges[e.Ref] = a
	}
	a.Take(e)
}

// measure finds the numbers that are to be compared, and sorts out what is older.
func (r *reconcile) measure(s *span) {
	newest := uint64(0) // of those before
	for ref, a := range r.charges {
		if a.EVSE != s.evse {
			continue
		}
		if n := ref.Number(); a.At < r.since.Unix() {
			newest = max(newest, n)
			r.before[ref] = true
		} else {
			s.high = max(s.high, n)
			if s.low == 0 || n < s.low {
				s.low = n
			}
		}
	}
	if newest > 0 {
		s.sure = true
		if s.low == 0 || newest+1 < s.low {
			s.low = newest + 1
		}
		s.high = max(s.high, newest)
	}
}

// printSum prints the last line.
func (r *reconcile) printSum() error {
	s := r.sum
	if r.json {
		return failed(printJSON(r.stdout, struct {
			Sum sumJSON `json:"sum"`
		}{s}))
	}
	fmt.Fprintf(r.stdout, "Since %s: %d charges, %d agree, %d under way, %d differences.\n", s.Since, s.Charges, s.Agree, s.UnderWay, s.Differences)
	fmt.Fprintf(r.stdout, "Captured %v %s by the ledger and %v by the service; given back %v and %v; written off %v.\n",
		s.Captured.Book, s.Currency, s.Captured.Service, s.Refunded.Book, s.Refunded.Service, s.WrittenOff)
	if s.Unreported > 0 {
		fmt.Fprintf(r.stdout, "%d captures of the last two days are not in the report yet.\n", s.Unreported)
	}
	if !s.Whole {
		fmt.Fprintln(r.stdout, "This is not all: it was ended before everything was compared.")
	}
	return nil
}

// tell prints a difference.
func (r *reconcile) tell(d ledger.Difference) error {
	r.sum.Differences++
	if r.json {
		return failed(printJSON(r.stdout, d))
	}
	what := string(d.Ref)
	if what == "" && d.EVSE != 0 {
		what = fmt.Sprintf("EVSE %d", d.EVSE)
	}
	if what == "" {
		what = "ledger"
	}
	if d.Ref == "" || d.Book == d.Service {
		return failed(second(fmt.Fprintf(r.stdout, "%s\t%s: %s\n", what, d.Topic, d.Text)))
	}
	return failed(second(fmt.Fprintf(r.stdout, "%s\t%s: ledger %v, service %v: %s\n", what, d.Topic, d.Book, d.Service, d.Text)))
}
