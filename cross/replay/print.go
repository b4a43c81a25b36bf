package replay

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxBroken is how many broken promises are told to people: one is too many.
const maxBroken = 20

// print writes the report for people, or as JSON. The error is the writer's.
func (r *report) print(to io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	w := bufio.NewWriter(to)
	r.printRows(w)
	r.printSums(w)
	printCounts(w, "\nended by", r.Ended)
	fmt.Fprintf(w, "\njournal %.1f records a charge\n", float64(r.Records)/float64(max(1, r.Played)))
	if r.SlowestLine > 0 {
		fmt.Fprintf(w, "slowest settlement %v after the end of the charge (line %d)\n", r.Slowest.Round(time.Millisecond), r.SlowestLine)
	}
	if r.Seed != nil {
		printCounts(w, fmt.Sprintf("\nfaults of seed %d", *r.Seed), r.Faults)
	}
	r.printDifferences(w)
	fmt.Fprintf(w, "\nbroken promises %d\n", len(r.Broken))
	for _, c := range r.Broken[:min(len(r.Broken), maxBroken)] {
		fmt.Fprintf(w, "  %v\n", c)
	}
	return w.Flush()
}

func (r *report) printRows(w io.Writer) {
	left := 0
	for _, s := range r.Skipped {
		left += s.Count
	}
	fmt.Fprintf(w, "%s\n", r.File)
	fmt.Fprintf(w, "rows     %6d\n  played %6d  at %d posts with %d EVSEs\n  skipped%6d\n", r.Rows, r.Played, r.Posts, r.EVSEs, left)
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "    %-42s %4d  %s\n", s.Reason, s.Count, s.where())
		for i, why := range s.Why {
			fmt.Fprintf(w, "      line %d: %s\n", s.Lines[i], why)
		}
	}
}

// where lists the first lines of a reason.
func (s skipped) where() string {
	word := "line"
	if s.Count > 1 {
		word = "lines"
	}
	for i, line := range s.Lines {
		if i > 0 {
			word += ","
		}
		word += " " + strconv.Itoa(line)
	}
	if s.Count > len(s.Lines) {
		word += ", ..."
	}
	return word
}

func (r *report) printSums(w io.Writer) {
	fmt.Fprintf(w, "\nenergy\n")
	fmt.Fprintf(w, "  in the file        %18v\n  of the rows played %18v\n", r.EnergyInFile, r.EnergyPlayed)
	fmt.Fprintf(w, "  metered            %18v\n  billed             %18v\n", r.EnergyMetered, r.EnergyBilled)
	fmt.Fprintf(w, "\nmoney\n")
	fmt.Fprintf(w, "  reserved %14v kr\n  captured %14v kr\n  released %14v kr\n", r.Reserved, r.Captured, r.Released)
	fmt.Fprintf(w, "  given away %12v kr in %d charges, each below the least payment\n", r.Given, r.GivenTo)
}

func printCounts(w io.Writer, head string, counts []count) {
	fmt.Fprintln(w, head)
	for _, c := range counts {
		fmt.Fprintf(w, "  %-20s %6d\n", c.What, c.Count)
	}
}

func (r *report) printDifferences(w io.Writer) {
	fmt.Fprintf(w, "\nlargest differences between the table and what was billed\n")
	if len(r.Differences) == 0 {
		fmt.Fprintf(w, "  none\n")
		return
	}
	fmt.Fprintf(w, "  %6s  %-10s %14s %14s %14s  %s\n", "line", "session", "in the table", "metered", "billed", "ended by")
	for _, d := range r.Differences {
		fmt.Fprintf(w, "  %6d  %-10s %14v %14v %14v  %s: %s\n", d.Line, clip(d.ID, 10), d.Table, d.Metered, d.Billed, d.Ended, d.Why)
	}
	if r.Others > 0 {
		fmt.Fprintf(w, "  and %d more\n", r.Others)
	}
}

// clip keeps a text from a table to n letters that a terminal can show.
func clip(s string, n int) string {
	s = strings.Trim(strconv.QuoteToGraphic(s), `"`)
	if letters := []rune(s); len(letters) > n {
		s = string(letters[:n])
	}
	return s
}
