package bench

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMedianIsTheMiddle(t *testing.T) {
	for _, c := range []struct {
		samples []float64
		want    float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 3, 100}, 3.5},
	} {
		if got := median(c.samples); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.samples, got, c.want)
		}
	}
}

func TestBenchmarkOutputIsRead(t *testing.T) {
	out := `goos: linux
BenchmarkAppend/ours-2         	     100	    123.5 ns/op	      16 B/op	       1 allocs/op
BenchmarkAppend/ours-2         	     100	    125 ns/op
BenchmarkOpen-10	1	2000 ns/op	1.5 p99.9-ms
BenchmarkNoNumber-2
PASS
ok  	stolpe/x	1.2s
`
	want := map[metric][]float64{
		{"BenchmarkAppend/ours", "ns/op"}:     {123.5, 125},
		{"BenchmarkAppend/ours", "B/op"}:      {16},
		{"BenchmarkAppend/ours", "allocs/op"}: {1},
		{"BenchmarkOpen", "ns/op"}:            {2000},
		{"BenchmarkOpen", "p99.9-ms"}:         {1.5},
	}
	if diff := cmp.Diff(want, parseBench(out), cmp.AllowUnexported(metric{})); diff != "" {
		t.Error(diff)
	}
}

// rows are samples whose medians and ratio are easy to see.
func rows() []Row {
	return []Row{
		{What: "memory", Unit: "MB", Budget: "<= 14 MB", FloorIs: "a bare program", Ours: []float64{13, 12, 12.5}, Floor: []float64{5}},
		{What: "worlds", Unit: "1/s", Ours: []float64{20123}},
	}
}

func TestTableShowsMediansAndRatios(t *testing.T) {
	var out strings.Builder
	if err := table(&out, rows()); err != nil {
		t.Fatal(err)
	}
	want := `what     ours        floor     ratio   budget     the floor is
memory   12.5 MB     5.00 MB   2.50    <= 14 MB   a bare program
worlds   20123 1/s
`
	var got strings.Builder
	for line := range strings.Lines(out.String()) {
		got.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentHoldsTheSameNumbers(t *testing.T) {
	var out strings.Builder
	if err := document(&out, rows()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rows []map[string]any
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"what": "memory", "unit": "MB", "ours": 12.5, "floor": 5.0, "ratio": 2.5, "runs": 3.0, "budget": "<= 14 MB", "floor_is": "a bare program"},
		{"what": "worlds", "unit": "1/s", "ours": 20123.0, "runs": 1.0},
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Error(diff)
	}
}

func TestReadmeGetsTheTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("above\n<!-- bench -->\nold\n<!-- /bench -->\nbelow\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time replaces the first
		if err := intoReadme(file, rows()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, inside, _ := strings.Cut(string(got), "CPUs, "+runtime.Version()+".\n\n")
	want := `| what | ours | floor | ratio | budget | the floor is |
|---|---|---|---|---|---|
| memory | 12.5 MB | 5.00 MB | 2.50 | <= 14 MB | a bare program |
| worlds | 20123 1/s |  |  |  |  |
<!-- /bench -->
below
`
	if diff := cmp.Diff(want, inside); diff != "" || !strings.HasPrefix(string(got), "above\n<!-- bench -->\nMedians on ") {
		t.Errorf("%s\nwhole:\n%s", diff, got)
	}
	if err := os.WriteFile(file, []byte("<!-- bench -->\nno end\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := intoReadme(file, rows()); !errors.Is(err, errNoMarks) {
		t.Errorf("without marks: %v, want %v", err, errNoMarks)
	}
}

func TestNumbersKeepThreeDigits(t *testing.T) {
	for x, want := range map[float64]string{0: "0.00", 0.0456: "0.0456", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 15234.5: "15234"} {
		if got := number(x); got != want {
			t.Errorf("number(%v) = %s, want %s", x, got, want)
		}
	}
}

func TestGoBenchmarksBecomeRows(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example\n\ngo 1.26\n",
		"a_test.go": `package a

import "testing"

func BenchmarkA(b *testing.B) {
	for b.Loop() {
	}
	b.ReportMetric(3000, "ours-ns")
	b.ReportMetric(2000, "floor-ns")
}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l := &lab{dir: dir, runs: 1}
	row := benchRow{Row: Row{What: "a", Unit: "µs"}, ours: metric{"BenchmarkA", "ours-ns"}, floor: metric{"BenchmarkA", "floor-ns"}, per: 1000}
	got, err := goBench(".", "^BenchmarkA$", row)(l)
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{{What: "a", Unit: "µs", Ours: []float64{3}, Floor: []float64{2}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMetricThatIsGoneIsNamed(t *testing.T) {
	row := benchRow{ours: metric{"BenchmarkA", "ns/op"}, floor: metric{"BenchmarkA", "gone"}, per: 1}
	samples := map[metric][]float64{row.ours: {1}}
	if all, err := filled([]benchRow{{ours: row.ours, per: 1}}, samples); err != nil || len(all) != 1 || all[0].Floor != nil {
		t.Errorf("without a floor: %v, %v, want one row", all, err)
	}
	if _, err := filled([]benchRow{row}, samples); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("error %v, want one that names it", err)
	}
}

// sh runs a shell script as the program to be measured.
func sh(t *testing.T, script string) *process {
	t.Helper()
	p, err := launch(nil, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func TestProcessIsAwaited(t *testing.T) {
	p := sh(t, "echo loading; echo it is ready >&2; exec sleep 1000")
	if took, err := p.await("ready"); err != nil || took <= 0 || took > patience {
		t.Errorf("await = %v, %v", took, err)
	}
}

// self is this test as a process to be measured.
func self(t *testing.T) *process {
	t.Helper()
	me, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return &process{cmd: &exec.Cmd{Process: me}}
}

func TestMemoryIsMeasured(t *testing.T) {
	before, err := self(t).memory()
	if err != nil {
		t.Fatal(err)
	}
	const size = 100_000_000 // bytes, which is 100 MB
	block := make([]byte, size)
	for i := range block {
		block[i] = byte(i)
	}
	after, err := self(t).memory()
	// The race detector keeps its own notes on every byte.
	if err != nil || after-before < 90 || after-before > 450 {
		t.Errorf("100 MB more take %v MB more, %v", after-before, err)
	}
	runtime.KeepAlive(block)
}

func TestProcessorTimeIsMeasured(t *testing.T) {
	before, err := self(t).cpu()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	for range 1000 { // each of the rounds takes some 100 µs
		for range 1000 {
			sum = sha256.Sum256(sum[:])
		}
		if after, err := self(t).cpu(); err != nil || after-before > 20*time.Millisecond {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Errorf("a million hashes take no time: %x", sum)
}

func TestProcessThatDiesSaysWhatItSaid(t *testing.T) {
	p := sh(t, "echo no such file; exit 1")
	if _, err := p.await("ready"); !errors.Is(err, errSilent) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("await = %v, want %v with what it said", err, errSilent)
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-no"}, {"more"}, {"-runs=0"}, {"-only=("}, {"-readme", "-only=idle"}} {
		var out, errs strings.Builder
		if code := Run(args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("Run(%q) = %d, prints %q: want 2 and an error", args, code, errs.String())
		}
	}
}
