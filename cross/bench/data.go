package bench

import (
	"flag"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"text/tabwriter"
)

// What the test of the post's data use prints of each profile.
const (
	dataTest    = "TestDataUse"
	dataPrefix  = "BenchmarkData/"
	dataMonth   = "bytes/month"
	dataPayload = "payload-bytes/month"
	dataSecured = "tls-bytes/month"
	dataConnect = "bytes/connection"
)

// profile is a profile of telemetry, with what it may cost.
type profile struct {
	name   string
	budget string // empty without one
}

func profiles() []profile {
	return []profile{{"minimal", "4 MB"}, {"frugal", "11 MB"}, {"standard", ""}}
}

// runData measures what each profile of telemetry costs a month, and gives the exit
// code: 0, 1 when it could not be measured or is over its budget, 2 when the arguments
// are wrong. It is bytes that are counted, in a time that does not wait: what else the
// machine does changes nothing.
func runData(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("cross bench data", flag.ContinueOnError)
	flags.SetOutput(stderr)
	readme := flags.Bool("readme", false, "also put the table into README.md, where it has a place for it")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintln(stderr, "cross bench data: takes flags only")
		return 2
	}
	fmt.Fprintln(stderr, "... a day of each profile")
	out, err := exec.Command("go", "test", "./agent", "-run=^"+dataTest+"$", "-count=1", "-v").CombinedOutput()
	if err != nil {
		fmt.Fprintf(stderr, "cross bench data: %v\n%s", err, out)
		return 1
	}
	rows, err := dataRows(parseBench(string(out)))
	if err == nil {
		t := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
		for _, cells := range rows {
			fmt.Fprintln(t, strings.Join(cells, "\t"))
		}
		err = t.Flush()
	}
	if *readme && err == nil {
		err = intoFile("README.md", dataBegin, dataEnd, dataMarkdown(rows))
	}
	if err != nil {
		fmt.Fprintln(stderr, "cross bench data:", err)
		return 1
	}
	return 0
}

// dataRows are the lines of the table: what, and then one cell for each profile.
func dataRows(samples map[metric][]float64) ([][]string, error) {
	heads, months, shares, decades, connections := []string{"profile"}, []string{"a month of 30 days"},
		[]string{"of that payloads / MQTT and TLS / TCP and IP"}, []string{"ten years"}, []string{"one more connection"}
	for _, p := range profiles() {
		of := func(unit string) float64 { return median(samples[metric{dataPrefix + p.name, unit}]) }
		month, secured, payload := of(dataMonth), of(dataSecured), of(dataPayload)
		if month == 0 || secured == 0 || payload == 0 {
			return nil, fmt.Errorf("nothing was printed of the profile %s", p.name)
		}
		budget := ""
		if p.budget != "" {
			budget = " (budget: at most " + p.budget + ")"
		}
		percent := func(x float64) string { return fmt.Sprintf("%.0f", 100*x/month) }
		heads = append(heads, p.name)
		months = append(months, number(month/1e6)+" MB"+budget)
		shares = append(shares, percent(payload)+" / "+percent(secured-payload)+" / "+percent(month-secured)+" %")
		decades = append(decades, number(month*12/1e9*10)+" GB")
		connections = append(connections, number(of(dataConnect)/1e3)+" kB")
	}
	return [][]string{heads, months, shares, decades, connections}, nil
}

// The marks between which the README has the table of data use.
const (
	dataBegin = "<!-- bench data -->\n"
	dataEnd   = "<!-- /bench data -->"
)

// dataMarkdown writes the table with what it is true of.
func dataMarkdown(rows [][]string) string {
	var s strings.Builder
	s.WriteString("One EVSE, four charges of an hour and a half a day, in a simulated day. Counted are the bytes between the post and its broker both\n" +
		"ways, over TLS with the certificates of both; each write is a segment with 52 bytes of IPv4, TCP and time stamps, and what nothing\n" +
		"goes back for within 40 ms costs an empty one. A test holds that sum against a network interface's own. Orders of money, and\n" +
		"pages that drivers look at, come on top.\n\n")
	for i, cells := range rows {
		fmt.Fprintf(&s, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			s.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
		}
	}
	return s.String()
}
