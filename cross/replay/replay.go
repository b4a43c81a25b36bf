// Package replay is `go run ./cross replay`: real charging sessions, out of a
// table, through the product's own core in virtual time. Session decides, the
// journal keeps it on a simulated card, a Bench is meter, contactor and car, a
// Book is the payment service; and the books are balanced to the øre at the end.
//
// # Why
//
// Drivers made up by a program come when its author thinks they come. These came
// by themselves: two in a minute, three days plugged in, 0.01 kWh.
//
// A garage is a post, and a car takes the first EVSE of it that is free. So an
// EVSE lives through its rows one after the other with one register, one journal
// and one counter, as in life, and references are unique because the product makes
// them so. EVSEs share nothing and are played side by side; what is printed
// depends on the arguments alone.
//
// Nothing happens in an idle post, so the time between two cars passes in one
// step. While a car charges, the post looks around every 45 s instead of every
// second, and more often the nearer the end of the reservation is.
//
// Faults are drawn by hash of the seed, the line of the table, the kind of fault
// and how often that was passed, so that one row more leaves the others as they
// were. What the drivers do hangs on the line alone: with and without faults the
// same people come.
//
// The judge does its own sums from the truth of the Bench, with none of the
// product's arithmetic, and the Book has the last word on what was moved.
package replay

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"
	_ "time/tzdata" // the table's times are local, and not every machine knows zones

	hardware "stolpe/hal/sim"
	"stolpe/payment"
)

// The exit codes, as those of the post's own command.
const (
	exitWell    = 0
	exitBroken  = 1 // a promise was broken
	exitUsage   = 2 // wrong flags, or no file
	exitNoTable = 6 // the file is not a table of sessions
)

// maxFileBytes is far above any real table: the real one has 0.7 MB for a year.
const maxFileBytes = 64 << 20

// options are what was asked for.
type options struct {
	file    string
	zone    *time.Location
	price   payment.Price
	reserve payment.Amount // minor units
	faults  bool
	seed    uint64
	json    bool
}

// Run is the command: replay --sessions FILE. It returns 0 when every promise was
// kept, 1 when one was broken, 2 for wrong usage or a file that cannot be read,
// and 6 for a file that is no table of sessions.
func Run(args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitWell
	case err != nil:
		fmt.Fprintf(stderr, "replay: %v\n", err)
		return exitUsage
	}
	return run(plan{options: o, next: payment.Order.Next, read: (*hardware.Bench).Read}, stdout, stderr)
}

// run plays the plan's file and gives the exit code.
func run(p plan, stdout, stderr io.Writer) int {
	text, err := readFile(p.file)
	if err != nil {
		fmt.Fprintf(stderr, "replay: %v\n", err)
		return exitUsage
	}
	rows, err := readTable(text, p.zone)
	if err != nil {
		fmt.Fprintf(stderr, "replay: %s: %v\n", p.file, err)
		return exitNoTable
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // little lives long here
	began := time.Now()
	report := playAll(rows, p)
	fmt.Fprintf(stderr, "%d rows in %.1f s\n", len(rows), time.Since(began).Seconds())
	if err := report.print(stdout, p.json); err != nil {
		fmt.Fprintf(stderr, "replay: print: %v\n", err)
		return exitBroken
	}
	if len(report.Broken) > 0 {
		return exitBroken
	}
	return exitWell
}

// parseFlags reads the arguments. The error says which one is wrong; after -h it is
// flag.ErrHelp.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	o := options{price: payment.Price{Currency: payment.NOK, VAT: 2500}}
	set := flag.NewFlagSet("replay", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&o.file, "sessions", "", "the table: `FILE` with columns Garage_ID, Start_plugin, End_plugout, El_kWh, split by ;")
	zone := set.String("zone", "Europe/Oslo", "time zone of the table")
	amount := func(name string, a *payment.Amount, usual payment.Amount, usage string) {
		*a = usual
		set.Func(name, fmt.Sprintf("%s, `øre` (default %d)", usage, usual), func(s string) error {
			n, err := strconv.ParseInt(s, 10, 64)
			*a = payment.Amount(n)
			return err
		})
	}
	amount("price", &o.price.KWh, 549, "price of a kWh")
	amount("minute", &o.price.Minute, 0, "price of a minute with the contactor closed")
	amount("reserve", &o.reserve, 35_000, "what every driver reserves")
	set.Func("faults", "break network, power and meter, drawn from `SEED`", func(s string) (err error) {
		o.faults = true
		o.seed, err = strconv.ParseUint(s, 10, 64)
		return err
	})
	set.BoolVar(&o.json, "json", false, "print one JSON object")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.zone, err = time.LoadLocation(*zone); err != nil {
		return o, fmt.Errorf("--zone: %w", err)
	}
	return o, o.check(set.Args())
}

// check says what is wrong with the options together, or nil.
func (o *options) check(more []string) error {
	switch {
	case len(more) > 0:
		return fmt.Errorf("%q is too much: there are only flags", more[0])
	case o.file == "":
		return errors.New("--sessions FILE is missing")
	case o.reserve < o.price.Currency.Minimum() || o.reserve > payment.MaxAmount:
		return fmt.Errorf("--reserve %d: want %d to %d øre", o.reserve, o.price.Currency.Minimum(), payment.MaxAmount)
	}
	if err := o.price.Check(); err != nil {
		return fmt.Errorf("--price and --minute: %w", err)
	}
	return nil
}

// readFile reads the whole file. It fails where the file is not there, cannot be
// read, or is larger than any table of sessions.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("%s: more than %d MiB", name, maxFileBytes>>20)
	}
	return text, nil
}
