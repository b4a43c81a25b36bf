// Package vm is `go run ./cross vm`: a post on a real kernel. It boots a Debian in a
// virtual machine, with GPIO lines and a serial line that the kernel has drivers for,
// installs the package there, and lets people charge while everything goes wrong that goes
// wrong with a machine: programs die, power is cut, adapters are pulled out, the clock is
// wrong, the disk is full.
//
// # Why
//
// What a test on a desk cannot show lies below the program: what systemd does with a
// program that hangs, what the kernel does with a line whose owner has died, what a disk
// has of a file that was written and not flushed. All of that is as on a post here, but the
// processor.
//
// Each scenario has machines of its own, so that none profits from another, all begin from
// the disk of the first, which installs the package, and what is random comes from the seed
// and the scenario's name: with the same seed a scenario draws the same, alone or among
// others. What happens in between is up to the machines' own timing, so a failure comes
// again often and not always.
//
// Money is judged at the end of each scenario, not after each misfortune, because the post
// must find its way by itself and with the next driver at the door.
package vm

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// How often misfortunes happen. Chosen by us: the long run for what a night or a release may
// take, the quick one for what a stage of a build may. Of fewer than a hundred times, p99 is
// the longest.
func longRun() counts  { return counts{cuts: 100, abreast: 2, kills: 30, stops: 5, stripes: 30} }
func quickRun() counts { return counts{cuts: 3, abreast: 1, kills: 3, stops: 1, stripes: 3} }

// counts is how often something is done.
type counts struct {
	cuts    int // of power
	abreast int // posts that share them
	kills   int // with SIGKILL
	stops   int // of each other way that a program dies
	stripes int // presses of the emergency stop
}

type options struct {
	counts
	quick  bool
	seed   uint64
	dir    string   // of the image and of what the run leaves
	keep   bool     // leave it
	from   string   // folder of an earlier run whose installed disks are taken; empty: install anew
	only   []string // names of scenarios; empty: all
	readme bool
}

// Run boots machines until all scenarios have been played, from the module in the current
// folder, and gives the exit code: 0 when all went well, 1 when something did not, 2 when
// the arguments are wrong.
func Run(args []string, stdout, stderr io.Writer) int {
	o, list, err := parse(args, stderr)
	switch {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2 // it has been said
	case list:
		for _, s := range scenarios() {
			fmt.Fprintf(stdout, "%-10s %-5s %s\n", s.name, map[bool]string{true: "quick"}[s.quick], s.what)
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := newLab(ctx, o, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "cross vm:", err)
		return 1
	}
	return l.runAll(ctx)
}

func parse(args []string, stderr io.Writer) (o options, list bool, err error) {
	flags := flag.NewFlagSet("cross vm", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "play these scenarios alone, as in charge,estop")
	cuts := flags.Int("cuts", -1, "how often the power is cut")
	flags.BoolVar(&o.quick, "quick", false, "only what shows most in little time")
	flags.Uint64Var(&o.seed, "seed", 0, "of everything random; 0 draws one")
	flags.StringVar(&o.dir, "dir", "", "folder for the image, which is built once, and for what the run leaves; without it one of the user's cache")
	flags.BoolVar(&o.keep, "keep", false, "leave disks and logs of the machines in the folder")
	flags.StringVar(&o.from, "from", "", "folder that an earlier run with -keep has left: begin with its disks, and do not install")
	flags.BoolVar(&list, "list", false, "say which scenarios there are, and which of them -quick plays")
	flags.BoolVar(&o.readme, "readme", false, "write the figures into README.md")
	if err := flags.Parse(args); err != nil {
		return o, list, err
	}
	wrong := func(format string, a ...any) error {
		err := fmt.Errorf(format, a...)
		fmt.Fprintln(stderr, "cross vm:", err)
		return err
	}
	if flags.NArg() > 0 {
		return o, list, wrong("does not understand %q", flags.Args())
	}
	if o.readme && (o.quick || *only != "" || *cuts >= 0) {
		return o, list, wrong("-readme: the table is of a whole run, without -quick, -only and -cuts")
	}
	o.counts = longRun()
	if o.quick {
		o.counts = quickRun()
	}
	if *cuts >= 0 {
		o.cuts = *cuts
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(scenarios(), func(s scenario) bool { return s.name == name }) {
			return o, list, wrong("-only: there is no scenario %q; see -list", name)
		}
	}
	return o, list, nil
}

// scenario is something that a post must live through.
type scenario struct {
	name  string
	what  string // in a line
	quick bool   // played with -quick
	play  func(ctx context.Context, s *stage) error
}

func scenarios() []scenario {
	return []scenario{
		{"install", "the package, from dpkg to a unit that is ready; a start of the machine", true, install},
		{"charge", "a charge on GPIO lines and a serial line, from cable to receipt", true, charge},
		{"deaths", "the program is killed, hangs, crashes and runs out of memory while cars charge", true, deaths},
		{"estop", "the emergency stop is pressed while cars charge", true, estop},
		{"powercuts", "the power is cut at any moment of a charge, on a disk that loses what was not flushed", true, powercuts},
		{"liar", "the same on a disk that only says that it has flushed: it must be found out", false, liar},
		{"adapter", "the meter's serial adapter is pulled out while a car charges, and put back", false, adapter},
		{"clock", "a clock that has run down, and one that is turned while a car charges", false, clock},
		{"diskfull", "the disk of the state is full while a car charges", false, diskfull},
		{"diskdead", "the disk of the state takes nothing any more while a car charges, and is there again after a start", false, diskdead},
		{"network", "the network goes while a car charges", false, network},
		{"missing", "a start without network and meter", false, missing},
		{"secrets", "a secret on the disk is damaged", false, secrets},
		{"hang", "the kernel stops for ever while a car charges", false, hang},
		{"upgrade", "a newer package while a car charges; no removal while money is owed; purge", false, upgrade},
	}
}

// wanted says whether a scenario is to be played. What all others begin with always is.
func (o options) wanted(s scenario) bool {
	switch {
	case s.name == "install":
		return o.from == ""
	case len(o.only) > 0:
		return slices.Contains(o.only, s.name)
	}
	return s.quick || !o.quick
}
