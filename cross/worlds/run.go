package worlds

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"
)

// seedOf is the seed of world i of a run.
func seedOf(run uint64, i int) uint64 { return mix(run, uint64(i), 0xfeed) }

// Play plays n worlds of a run on all processors and gives their sum.
func Play(run uint64, n int, p Plan) *Tally {
	workers := runtime.GOMAXPROCS(0)
	tallies := make([]Tally, workers)
	var group sync.WaitGroup
	for k := range workers {
		group.Go(func() {
			m := &maker{card: newCard()}
			for i := k; i < n; i += workers {
				c, broken := m.play(seedOf(run, i), p, &tallies[k])
				if broken && len(tallies[k].complaints) < maxComplaints {
					tallies[k].complaints = append(tallies[k].complaints, m.shrink(c, p))
				}
			}
		})
	}
	group.Wait()
	sum := &Tally{}
	for k := range tallies {
		sum.add(&tallies[k])
	}
	return sum
}

// Run is the command: worlds -n N -seed S, or worlds -exhaustive N. It returns 0 when every promise was
// kept and everything was reached, 1 otherwise, 2 for wrong usage.
func Run(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("worlds", flag.ContinueOnError)
	set.SetOutput(stderr)
	n := set.Int("n", 100_000, "how many worlds")
	seed := set.Uint64("seed", 1, "of the run")
	scale := set.Uint("rates", 100, "scale of all fault rates, in percent")
	bug := set.String("plant", "", "a mistake to plant: "+plantList())
	most := set.Int("exhaustive", 0, "play one reference charge with every set of so many faults and less, 1 to 3")
	test := set.Bool("test", false, "with -exhaustive, -full or -set: of a technician's test of the contactor instead of a charge")
	full := set.Bool("full", false, "the same as -exhaustive 3")
	only := set.String("set", "", "play the reference charge with these faults alone, as in capture#1:answer-lost,save#9:cut-in-save~1")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if set.NArg() > 0 {
		fmt.Fprintf(stderr, "worlds: %q is not a flag; there are -n, -seed, -rates, -plant, -exhaustive, -full, -set and -test\n", set.Arg(0))
		return 2
	}
	p := Plan{Scale: uint32(*scale), test: *test}
	if *bug != "" {
		k := slices.Index(plantNames[:], *bug)
		if k < 0 {
			fmt.Fprintf(stderr, "worlds: no mistake %q; there are %s\n", *bug, plantList())
			return 2
		}
		p.plant = plant(k)
	}
	debug.SetGCPercent(gcPercent)
	switch {
	case *only != "":
		return runSet(*only, p, stdout, stderr)
	case *full:
		return runSets(maxSet, p, stdout, stderr)
	case *most != 0:
		return runSets(*most, p, stdout, stderr)
	}
	return runWorlds(*seed, *n, p, stdout, stderr)
}

// runWorlds plays worlds drawn from seeds.
func runWorlds(seed uint64, n int, p Plan, stdout, stderr io.Writer) int {
	began, used := time.Now(), cpu()
	t := Play(seed, n, p)
	spent := cpu() - used
	t.Print(stdout)
	fmt.Fprintf(stderr, "%.1f s, %.1f s of CPU: %.0f charges per CPU-second\n", time.Since(began).Seconds(), spent.Seconds(),
		float64(t.Charges)/spent.Seconds())
	status := 0
	if len(t.complaints) > 0 {
		status = 1
	}
	if n >= reachable && p.plant == plantNothing {
		for _, m := range t.unreached() {
			fmt.Fprintf(stdout, "never reached: %s\n", m)
			status = 1
		}
	}
	return status
}

// runSets plays every set of at most that many faults.
func runSets(most int, p Plan, stdout, stderr io.Writer) int {
	if most < 1 || most > maxSet {
		fmt.Fprintf(stderr, "worlds: -exhaustive %d: want 1 to %d\n", most, maxSet)
		return 2
	}
	began, used := time.Now(), cpu()
	c := Exhaust(most, p)
	c.Print(stdout)
	fmt.Fprintf(stderr, "%.1f s, %.1f s of CPU\n", time.Since(began).Seconds(), (cpu() - used).Seconds())
	if len(c.violations) > 0 {
		return 1
	}
	return 0
}

// runSet plays one set of faults.
func runSet(text string, p Plan, stdout, stderr io.Writer) int {
	set, err := parseSet(text)
	if err == nil && len(set) > maxSet {
		err = fmt.Errorf("%d faults: want %d at most", len(set), maxSet)
	}
	if err != nil {
		fmt.Fprintln(stderr, "worlds:", err)
		return 2
	}
	c, left := playSet(set, p)
	c.Print(stdout)
	if left > 0 {
		fmt.Fprintf(stdout, "%d of the faults never came up\n", left)
	}
	if len(c.violations) > 0 {
		return 1
	}
	return 0
}

// gcPercent lets garbage grow: little lives long here, and memory is plenty.
const gcPercent = 2000

// reachable is the number of worlds in which everything that can come up does.
const reachable = 200_000

func plantList() string {
	s := ""
	for k := plant(1); k < plants; k++ {
		if k > 1 {
			s += ", "
		}
		s += k.String()
	}
	return s
}

// cpu is the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
