package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Chosen by us: how many askings are under way at a time when a gateway is to show
// what it can do, and when it is to show how long one takes.
const (
	busyAtOnce = 256
	calmAtOnce = 4
)

// burden is what is asked of gateways.
type burden struct {
	posts    int           // simulated
	replicas int           // gateways side by side
	span     time.Duration // of each measurement
	load     string        // of the machine before, as in /proc/loadavg
}

// figures are what was measured of gateways.
type figures struct {
	gateways  int     // how many
	perSecond float64 // askings answered, all gateways together
	perCPU    float64 // askings answered for each second of processor time of the gateways
	busy      quantiles
	calm      quantiles
	memory    []float64 // resident, MB, of each gateway at the end
	known     float64   // share of the posts whose pages a gateway had, each
}

// quantiles are of the time from asking to answer.
type quantiles struct{ half, most time.Duration } // p50 and p99

func quantilesOf(took []time.Duration) quantiles {
	if len(took) == 0 {
		return quantiles{}
	}
	slices.Sort(took)
	return quantiles{took[len(took)/2], took[len(took)*99/100]}
}

// runGateway measures one gateway, and then two side by side, and gives the exit
// code: 0, 1 when something could not be measured, 2 when the arguments are wrong.
func runGateway(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("cross bench gateway", flag.ContinueOnError)
	flags.SetOutput(stderr)
	b := burden{}
	flags.IntVar(&b.posts, "posts", 10_000, "simulated posts")
	flags.DurationVar(&b.span, "span", 20*time.Second, "how long each measurement takes")
	readme := flags.Bool("readme", false, "also put the table into README.md, where it has a place for it")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0 || b.posts < busyAtOnce || b.posts > 99_999 || b.span < time.Second:
		fmt.Fprintf(stderr, "cross bench gateway: takes flags only: %d to 99999 posts, a span of at least 1s\n", busyAtOnce)
		return 2
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		fmt.Fprintln(stderr, "cross bench gateway:", err)
		return 1
	}
	b.load, _, _ = strings.Cut(string(load), " ")
	columns, broker, err := oneAndTwo(b, stderr)
	if err == nil {
		err = gatewayTable(stdout, columns)
	}
	if *readme && err == nil {
		err = intoFile("README.md", gatewayBegin, gatewayEnd, gatewayMarkdown(b, broker, columns))
	}
	if err != nil {
		fmt.Fprintln(stderr, "cross bench gateway:", err)
		return 1
	}
	return 0
}

// oneAndTwo measures, and says which broker it was.
func oneAndTwo(b burden, stderr io.Writer) (columns []figures, broker string, err error) {
	tmp, err := os.MkdirTemp("", "cross-bench-")
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	l := &lab{dir: ".", tmp: tmp, made: make(map[string]string), say: func(text string) { fmt.Fprintln(stderr, "...", text) }}
	for b.replicas = 1; b.replicas <= 2; b.replicas++ {
		var f figures
		if f, broker, err = l.gateways(b); err != nil {
			return nil, "", fmt.Errorf("%d gateway(s): %w", b.replicas, err)
		}
		columns = append(columns, f)
	}
	return columns, broker, nil
}

// gatewayRows are the lines of the table: what, and then one cell for each column.
func gatewayRows(columns []figures) [][]string {
	row := func(what string, cell func(figures) string) []string {
		cells := []string{what}
		for _, f := range columns {
			cells = append(cells, cell(f))
		}
		return cells
	}
	both := func(q quantiles) string {
		return number(milliseconds(q.half)) + " / " + number(milliseconds(q.most)) + " ms"
	}
	return [][]string{
		row("gateways", func(f figures) string { return fmt.Sprint(f.gateways) }),
		row("askings answered a second", func(f figures) string { return number(f.perSecond) }),
		row("askings answered a second of the gateways' processor time (budget: at least 2000)", func(f figures) string { return number(f.perCPU) }),
		row(fmt.Sprintf("asking to answer, p50 / p99, %d at once", busyAtOnce), func(f figures) string { return both(f.busy) }),
		row(fmt.Sprintf("asking to answer, p50 / p99, %d at once", calmAtOnce), func(f figures) string { return both(f.calm) }),
		row("memory of a gateway, RSS (budget: at most 400 MB)", func(f figures) string {
			var all []string
			for _, mb := range f.memory {
				all = append(all, number(mb)+" MB")
			}
			return strings.Join(all, ", ")
		}),
		row("posts whose pages a gateway has", func(f figures) string { return number(100*f.known) + " %" }),
	}
}

// gatewayTable prints the figures for people.
func gatewayTable(w io.Writer, columns []figures) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, cells := range gatewayRows(columns) {
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// The marks between which the README has the table of gateways.
const (
	gatewayBegin = "<!-- bench gateway -->\n"
	gatewayEnd   = "<!-- /bench gateway -->"
)

// gatewayMarkdown writes the figures as a table, with what they are true of.
func gatewayMarkdown(b burden, broker string, columns []figures) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d simulated posts charge in turns (reserve, look, settle) over %d connections to %s. Posts, broker, gateways and the simulated\n"+
		"payment service share %d CPUs (%s, %s), with other programs of the machine (load average before: %s).\n\n",
		b.posts, lines, broker, runtime.NumCPU(), runtime.GOARCH, runtime.Version(), b.load)
	for i, cells := range gatewayRows(columns) {
		fmt.Fprintf(&s, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			s.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
		}
	}
	return s.String()
}
