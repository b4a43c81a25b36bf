package bench

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// metric is one number of one Go benchmark.
type metric struct {
	bench string // as in BenchmarkAppend/ours, without the number of processors
	unit  string // as the benchmark prints it, as in ns/op
}

// benchRow is a row whose samples come from Go benchmarks. Ours and the floor may
// be two benchmarks, or two metrics of one; without a floor its metric is zero.
type benchRow struct {
	Row
	ours, floor metric
	per         float64 // of the benchmark's unit in one of the row's
}

// goBench measures rows with the Go benchmarks of one package that match pattern,
// as -bench takes it.
func goBench(pkg, pattern string, rows ...benchRow) func(*lab) ([]Row, error) {
	return func(l *lab) ([]Row, error) {
		return l.printed(pkg, rows, "-run=^$", "-bench="+pattern, fmt.Sprintf("-count=%d", l.runs))
	}
}

// goTest takes rows from what tests print in the form of benchmarks: they count what does
// not scatter, so once is enough.
func goTest(pkg, pattern string, rows ...benchRow) func(*lab) ([]Row, error) {
	return func(l *lab) ([]Row, error) { return l.printed(pkg, rows, "-run="+pattern, "-count=1", "-v") }
}

// printed fills rows from what `go test` prints of a package.
func (l *lab) printed(pkg string, rows []benchRow, args ...string) ([]Row, error) {
	cmd := exec.Command("go", append(append([]string{"test"}, args...), pkg)...)
	cmd.Dir = l.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	all, err := filled(rows, parseBench(string(out)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w:\n%s", pkg, err, out)
	}
	return all, nil
}

// filled gives the rows with their samples. The error names a metric without any.
func filled(rows []benchRow, samples map[metric][]float64) ([]Row, error) {
	var all []Row
	for _, r := range rows {
		r.Row.Ours, r.Row.Floor = scaled(samples[r.ours], r.per), scaled(samples[r.floor], r.per)
		if len(r.Row.Ours) == 0 || len(r.Row.Floor) == 0 && r.floor != (metric{}) {
			return nil, fmt.Errorf("no %v or no %v was printed", r.ours, r.floor)
		}
		all = append(all, r.Row)
	}
	return all, nil
}

func scaled(samples []float64, per float64) []float64 {
	var all []float64
	for _, x := range samples {
		all = append(all, x/per)
	}
	return all
}

// benchPattern is a line of results: name, processors, iterations, then pairs of
// number and unit (go.dev/design/14313-benchmark-format).
var benchPattern = regexp.MustCompile(`^(Benchmark\S*?)(?:-\d+)?\s+\d+\s+(.*)$`)

// parseBench collects the samples of every metric in what `go test -bench` prints.
func parseBench(out string) map[metric][]float64 {
	samples := make(map[metric][]float64)
	for line := range strings.Lines(out) {
		match := benchPattern.FindStringSubmatch(strings.TrimSpace(line))
		if match == nil {
			continue
		}
		fields := strings.Fields(match[2])
		for i := 0; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				m := metric{match[1], fields[i+1]}
				samples[m] = append(samples[m], value)
			}
		}
	}
	return samples
}
