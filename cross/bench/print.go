package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
)

// table prints the rows for people.
func table(w io.Writer, rows []Row) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, strings.Join(heading(), "\t"))
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r.cells(), "\t"))
	}
	return t.Flush()
}

func heading() []string {
	return []string{"what", "ours", "floor", "ratio", "budget", "the floor is"}
}

// cells are what a line of a table says of the row, in the order of its heading.
func (r Row) cells() []string {
	floor, ratio := "", ""
	if len(r.Floor) > 0 {
		floor = number(median(r.Floor)) + " " + r.Unit
	}
	if x := r.ratio(); x > 0 {
		ratio = fmt.Sprintf("%.2f", x)
	}
	return []string{r.What, number(median(r.Ours)) + " " + r.Unit, floor, ratio, r.Budget, r.FloorIs}
}

// number writes three digits that matter, without an exponent.
func number(x float64) string {
	places := 2
	for limit := 10.0; x >= limit && places > 0; limit *= 10 {
		places--
	}
	if x > 0 && x < 0.1 {
		places = 4
	}
	return strconv.FormatFloat(x, 'f', places, 64)
}

// document prints the rows for programs.
func document(w io.Writer, rows []Row) error {
	type row struct {
		What    string  `json:"what"`
		Unit    string  `json:"unit"`
		Ours    float64 `json:"ours"`               // median, in the unit
		Floor   float64 `json:"floor,omitempty"`    // median, in the unit
		Ratio   float64 `json:"ratio,omitempty"`    // ours to floor
		Runs    int     `json:"runs"`               // samples of ours
		Budget  string  `json:"budget,omitempty"`   // as text
		FloorIs string  `json:"floor_is,omitempty"` // as text
	}
	all := struct {
		Go   string `json:"go"`
		CPUs int    `json:"cpus"` // that programs may use here
		Arch string `json:"arch"`
		Rows []row  `json:"rows"`
	}{runtime.Version(), runtime.NumCPU(), runtime.GOARCH, []row{}}
	for _, r := range rows {
		all.Rows = append(all.Rows, row{r.What, r.Unit, median(r.Ours), median(r.Floor), r.ratio(), len(r.Ours), r.Budget, r.FloorIs})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

// The marks between which the README has its table.
const (
	readmeBegin = "<!-- bench -->\n"
	readmeEnd   = "<!-- /bench -->"
)

// errNoMarks is what intoReadme wraps when the file has no place for a table.
var errNoMarks = errors.New("no marks of a place for the measurements")

// intoReadme puts the rows into a Markdown file, in place of those it has.
func intoReadme(file string, rows []Row) error {
	return intoFile(file, readmeBegin, readmeEnd, markdown(rows))
}

// intoFile puts a text between two marks of a file, in place of what is there.
func intoFile(file, begin, end, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(old), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s: %w", file, errNoMarks)
	}
	return os.WriteFile(file, []byte(before+begin+text+end+after), 0o644)
}

// markdown writes the rows as a table, with the machine they are true of.
func markdown(rows []Row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians on a %s machine with %d CPUs, %s.\n\n", runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(heading())
	b.WriteString(strings.Repeat("|---", len(heading())) + "|\n")
	for _, r := range rows {
		line(r.cells())
	}
	return b.String()
}
