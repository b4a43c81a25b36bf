package worlds

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
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

// Run is the command: worlds -n N -seed S. It returns 0 when every promise was
// kept and everything was reached, 1 otherwise, 2 for wrong usage.
func Run(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("worlds", flag.ContinueOnError)
	set.SetOutput(stderr)
	n := set.Int("n", 100_000, "how many worlds")
	seed := set.Uint64("seed", 1, "of the run")
	scale := set.Uint("rates", 100, "scale of all fault rates, in percent")
	bug := set.String("plant", "", "a mistake to plant: "+plantList())
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if set.NArg() > 0 {
		fmt.Fprintf(stderr, "worlds: %q is not a flag; there are -n, -seed, -rates and -plant\n", set.Arg(0))
		return 2
	}
	p := Plan{Scale: uint32(*scale)}
	if *bug != "" {
		found := false
		for k := plant(1); k < plants; k++ {
			if k.String() == *bug {
				p.plant, found = k, true
			}
		}
		if !found {
			fmt.Fprintf(stderr, "worlds: no mistake %q; there are %s\n", *bug, plantList())
			return 2
		}
	}
	debug.SetGCPercent(gcPercent)
	began, used := time.Now(), cpu()
	t := Play(*seed, *n, p)
	spent := cpu() - used
	t.Print(stdout)
	fmt.Fprintf(stderr, "%.1f s, %.1f s of CPU: %.0f charges per CPU-second\n", time.Since(began).Seconds(), spent.Seconds(),
		float64(t.Charges)/spent.Seconds())
	status := 0
	if len(t.complaints) > 0 {
		status = 1
	}
	if *n >= reachable && p.plant == plantNothing {
		for _, m := range t.unreached() {
			fmt.Fprintf(stdout, "never reached: %s\n", m)
			status = 1
		}
	}
	return status
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
