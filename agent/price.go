package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/payment"
)

func priceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "price",
		Short: "what a charge costs: show it, set it, and what it was before",
		Long: `The price of charges to come. Whoever has begun to charge pays the price that they were shown, whatever
becomes of it.`,
	}
	c.AddCommand(priceShowCommand(), priceSetCommand(), priceCancelCommand(), priceHistoryCommand())
	return c
}

func priceShowCommand() *cobra.Command {
	var a archive
	c := &cobra.Command{
		Use:   "show",
		Short: "show what a charge costs that begins now",
		Long: `Asks the daemon what a charge costs that begins now. Without one, the configuration says what it will
cost.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var p shownPrice
			err := error(control.ErrNoDaemon)
			if a.file == "" {
				err = daemonOf().Get(c.Context(), "price", nil, &p)
			}
			if errors.Is(err, control.ErrNoDaemon) {
				p.priceJSON, err = a.written(c)
			}
			if err != nil {
				return answered(err)
			}
			if a.json {
				return failed(printJSON(c.OutOrStdout(), p))
			}
			lines := priceLines(p.priceJSON)
			if n := p.Next; n != nil {
				at := clockAt(n.Since, "2006-01-02 15:04", zoneOfPost(c.Context()))
				lines = append(lines, "from "+at+" on: "+strings.Join(priceLines(n.Price), "; "))
			}
			return failed(printLines(c.OutOrStdout(), lines))
		},
	}
	c.Flags().StringVar(&a.file, "config", "", "read this configuration `file`, and ask no daemon")
	c.Flags().BoolVar(&a.json, "json", false, "print one JSON object, amounts in øre or cent")
	return c
}

// written is the price as it stands in a configuration.
func (a *archive) written(c *cobra.Command) (priceJSON, error) {
	file := a.file
	if file == "" {
		file = defaultConfig
	}
	cfg, err := readConfig(file)
	if err != nil {
		return priceJSON{}, a.nowhere(err)
	}
	fmt.Fprintln(progressOf(c), pick(langOf(c), "Lest fra", "Read from"), file)
	return priceToJSON(cfg.Price), nil
}

func printLines(w io.Writer, lines []string) error {
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// priceFlags are the parts of a price that may be set beside that of a kWh. What is left
// out stays as it is.
type priceFlags struct {
	minute, session, idle, idleCap string // amounts
	idleAfter                      time.Duration
	vat                            float64 // per cent
}

func priceSetCommand() *cobra.Command {
	var f priceFlags
	var json bool
	var at string
	c := &cobra.Command{
		Use:   "set KWH [--minute AMOUNT] [--session AMOUNT] [--idle-minute AMOUNT] [--idle-after TIME] [--idle-cap AMOUNT] [--vat PERCENT] [--at TIME]",
		Short: "set the price, for charges to come",
		Long: `Sets what a kWh costs, VAT included, and whatever else is named; the rest stays as it is. It holds for
charges that begin from now on, is written into the configuration, and needs the role of an admin. Amounts
are in kroner or euro with two decimals.

With --at it holds from that time on, by the clock at the post. One such price can wait; the next one
takes its place.`,
		Example: `  sudo stolpe price set 5.49
  sudo stolpe price set 4.90 --session 10.00 --idle-minute 1.00 --idle-after 15m --idle-cap 200.00 --as kari
  sudo stolpe price set 5.90 --at '2027-01-01 00:00'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			set, err := f.args(c, args[0])
			if err == nil && c.Flags().Changed("at") {
				set["at"], err = parseAt(at, zoneOfPost(c.Context()))
			}
			if err != nil {
				return err
			}
			var s sentence
			if err := daemonOf().Do(c.Context(), "price/set", set, &s); err != nil {
				return answered(err)
			}
			return sayDone(c.OutOrStdout(), json, s)
		},
	}
	c.Flags().StringVar(&f.minute, "minute", "", "`amount` for each minute of charging")
	c.Flags().StringVar(&f.session, "session", "", "`amount` for each charge that has delivered anything")
	c.Flags().StringVar(&f.idle, "idle-minute", "", "`amount` for each minute at the post without charging")
	c.Flags().DurationVar(&f.idleAfter, "idle-after", 0, "how long that is free, whole minutes")
	c.Flags().StringVar(&f.idleCap, "idle-cap", "", "the largest `amount` that can come to; 0.00 for none")
	c.Flags().Float64Var(&f.vat, "vat", 0, "VAT in `percent` of the net price, as in 25")
	c.Flags().StringVar(&at, "at", "", "`time` from which on it holds, as in '2027-01-01 00:00'")
	c.Flags().BoolVar(&json, "json", false, "print one JSON object")
	return c
}

// parseAt reads a time by the clock at the post.
func parseAt(text string, zone *time.Location) (time.Time, error) {
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("--at %q: want a day or a time, as in 2027-01-01, '2027-01-01 06:00' or 2027-01-01T05:00:00Z", text)
}

func priceCancelCommand() *cobra.Command {
	var at atPost
	c := &cobra.Command{
		Use:   "cancel",
		Short: "forget the price that is to hold later",
		Long:  "Forgets what price set --at has said. The price that holds now stays.",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return at.ask(c, "price/cancel", nil) },
	}
	c.Flags().BoolVar(&at.json, "json", false, "print one JSON object")
	return c
}

// args are the arguments of price/set.
func (f *priceFlags) args(c *cobra.Command, kwh string) (map[string]any, error) {
	set, idle := map[string]any{}, map[string]any{}
	for _, x := range []struct {
		in         map[string]any
		name, flag string
		text       string
	}{{set, "kwh", "", kwh}, {set, "minute", "minute", f.minute}, {set, "session", "session", f.session}, {idle, "minute", "idle-minute", f.idle}, {idle, "cap", "idle-cap", f.idleCap}} {
		what := "KWH"
		if x.flag != "" {
			what = "--" + x.flag
		}
		if x.flag != "" && !c.Flags().Changed(x.flag) {
			continue
		}
		a, err := priceAmount(x.text)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", what, x.text, err)
		}
		x.in[x.name] = a
	}
	if c.Flags().Changed("idle-after") {
		if f.idleAfter < 0 || f.idleAfter%time.Minute != 0 {
			return nil, fmt.Errorf("--idle-after %v: want whole minutes", f.idleAfter)
		}
		idle["after_minutes"] = int(f.idleAfter / time.Minute)
	}
	if c.Flags().Changed("vat") {
		points := int(f.vat*100 + 0.5)
		if f.vat < 0 || f.vat > 100 || float64(points)/100 != f.vat {
			return nil, fmt.Errorf("--vat %v: want per cent, with at most two decimals", f.vat)
		}
		set["vat_bp"] = points
	}
	if len(idle) > 0 {
		set["idle"] = idle
	}
	return set, nil
}

// priceAmount reads an amount, which may be nothing.
func priceAmount(text string) (payment.Amount, error) {
	if text == "0.00" || text == "0,00" || text == "0" {
		return 0, nil
	}
	if amountPattern.FindStringSubmatch(text) == nil {
		return 0, errors.New("want kroner or euro with two decimals, as in 5.49")
	}
	return parseAmount(text)
}

func priceHistoryCommand() *cobra.Command {
	var a archive
	c := &cobra.Command{
		Use:   "history",
		Short: "list the prices so far, the newest first",
		Long: `Lists what charges have cost since when, and who has set that, as far as the ledger tells. Charges that
are over tell of times of which nothing else is kept.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.open(c); err != nil {
				return err
			}
			all, err := a.prices()
			if err != nil {
				return err
			}
			return a.printPrices(all)
		},
	}
	a.flags(c, "one JSON object for each price")
	return c
}

func (a *archive) prices() ([]priceSince, error) {
	if a.daemon != nil {
		var told struct {
			Prices []priceSince `json:"prices"`
		}
		err := a.daemon.Get(a.ctx, "price/history", nil, &told)
		return told.Prices, answered(err)
	}
	var past pricesPast
	err := a.browse(func(e ledger.Entry) error { past.take(e); return nil })
	return past.prices(), err
}

func (a *archive) printPrices(all []priceSince) error {
	if a.json {
		for i := range all {
			if err := printJSON(a.out, &all[i]); err != nil {
				return failed(err)
			}
		}
		return nil
	}
	if len(all) == 0 {
		return failed(printLines(a.out, []string{pick(a.lang, "Loggen kjenner ingen priser.", "The ledger knows of no price.")}))
	}
	for _, one := range all {
		since, by := a.local(one.Since, "2006-01-02 15:04"), ""
		if one.By != "" {
			by = ", by " + one.By
		}
		if _, err := fmt.Fprintf(a.out, "%s  %s%s\n", since, strings.Join(priceLines(one.Price), "; "), by); err != nil {
			return failed(err)
		}
	}
	return nil
}
