package replay

import (
	"encoding/json"
	cli "flag"
	"os"
	"runtime"
	"strings"
	"testing"
)

var update = cli.Bool("update", false, "rewrite the expected output in testdata/sessions")

const madeUp = "../../testdata/sessions/made-up.csv"

// faulted breaks the made-up file in as many ways as a small file can be broken.
func faulted() []string {
	return []string{"--sessions", madeUp, "--faults", "11", "--minute", "15", "--reserve", "20000"}
}

func TestMadeUpSessions(t *testing.T) {
	for name, args := range map[string][]string{
		"made-up.txt":        {"--sessions", madeUp},
		"made-up-faults.txt": faulted(),
	} {
		t.Run(name, func(t *testing.T) {
			file := "../../testdata/sessions/" + name
			got, code := output(t, args...)
			if code != exitWell {
				t.Errorf("exit %d, want %d", code, exitWell)
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs (go test ./cross/replay -update rewrites it); got:\n%s", file, got)
			}
		})
	}
}

// output runs the command and gives what it prints, and its exit code.
func output(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out, errs strings.Builder
	code := Run(args, &out, &errs)
	if code != exitWell {
		t.Log(errs.String())
	}
	return out.String(), code
}

func TestOutputHangsOnNothingButTheArguments(t *testing.T) {
	one, _ := output(t, faulted()...)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if two, _ := output(t, faulted()...); one != two {
		t.Errorf("on one processor:\n%s\non more:\n%s", two, one)
	}
	other := append(faulted(), "--faults", "12")
	if three, _ := output(t, other...); one == three {
		t.Error("another seed gives the same output")
	}
}

func TestMadeUpSessionsHaveEveryOddCase(t *testing.T) {
	r := decoded(t, "--sessions", madeUp, "--json")
	have := map[string]bool{}
	for _, s := range r.Skipped {
		have[s.Reason] = true
	}
	for k := played + 1; k < turnedAway; k++ { // nobody is turned away without faults
		if !have[k.String()] {
			t.Errorf("no row is skipped for: %v", k)
		}
	}
}

// decoded runs the command, which must print JSON, and reads that back.
func decoded(t *testing.T, args ...string) report {
	t.Helper()
	text, code := output(t, args...)
	if code != exitWell {
		t.Errorf("exit %d, want %d", code, exitWell)
	}
	var r report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

func TestExitCodes(t *testing.T) {
	noTable, noRows := t.TempDir()+"/a.txt", t.TempDir()+"/b.csv"
	for file, text := range map[string]string{noTable: "Dear all,\n", noRows: "Garage_ID;Start_plugin;End_plugout;El_kWh\n\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"-h", exitWell, "-sessions"},
		{"", exitUsage, "--sessions FILE is missing"},
		{"--nothing", exitUsage, "nothing"},
		{"--sessions x.csv more", exitUsage, `"more" is too much`},
		{"--sessions no/such/file.csv", exitUsage, "no/such/file.csv"},
		{"--sessions " + madeUp + " --price x", exitUsage, "price"},
		{"--sessions " + madeUp + " --price -1", exitUsage, "--price"},
		{"--sessions " + madeUp + " --price 0", exitUsage, "nothing would ever be charged"},
		{"--sessions " + madeUp + " --minute -1", exitUsage, "minute"},
		{"--sessions " + madeUp + " --reserve 99", exitUsage, "--reserve 99: want 100"},
		{"--sessions " + madeUp + " --reserve 65000001", exitUsage, "--reserve"},
		{"--sessions " + madeUp + " --faults -1", exitUsage, "faults"},
		{"--sessions " + madeUp + " --zone Nowhere/At_all", exitUsage, "--zone"},
		{"--sessions " + noTable, exitNoTable, "no column Garage_ID"},
		{"--sessions " + noRows, exitNoTable, "without any row"},
	} {
		var out, errs strings.Builder
		code := Run(strings.Fields(c.args), &out, &errs)
		if code != c.code || out.Len() > 0 || !strings.Contains(errs.String(), c.says) {
			t.Errorf("replay %s: exit %d, want %d; stdout %q; stderr %q must say %q", c.args, code, c.code, out.String(), errs.String(), c.says)
		}
	}
}

// The real table is not ours to copy; where it lies beside the repository, it is
// played whole.
const (
	realTable = "../../../shared/sessions/trondheim.csv"
	noTable   = "part sessions: ../shared/sessions/trondheim.csv is not here"
)

func TestRealSessionsAreAccountedFor(t *testing.T) {
	if _, err := os.Stat(realTable); err != nil {
		t.Skip(noTable)
	}
	if testing.Short() {
		t.Skip("13,000 charges take a while under the race detector; the made-up ones run the same goroutines")
	}
	for _, more := range [][]string{nil, {"--faults", "1", "--minute", "10"}} {
		r := decoded(t, append([]string{"--json", "--sessions", realTable}, more...)...)
		left, ends := map[string]int{}, 0
		all := r.Played
		for _, s := range r.Skipped {
			all += s.Count
			left[s.Reason] = s.Count
		}
		for _, e := range r.Ended {
			ends += e.Count
		}
		switch {
		case r.Rows != 6878 || all != r.Rows || ends != r.Played:
			t.Errorf("%v: %d rows, %d accounted for, %d played, %d ended", more, r.Rows, all, r.Played, ends)
		case left[noEnd.String()] != 34 || left[instantly.String()] != 17 || more == nil && len(left) != 2:
			t.Errorf("%v: skipped %v", more, left)
		case r.EnergyInFile != 87_493_280 || r.EnergyPlayed < 87_000_000 || r.EnergyBilled > r.EnergyMetered:
			t.Errorf("%v: %v in the file, %v played, %v metered, %v billed", more, r.EnergyInFile, r.EnergyPlayed, r.EnergyMetered, r.EnergyBilled)
		case r.Reserved == 0 || r.Captured+r.Released != r.Reserved:
			t.Errorf("%v: %v captured and %v released of %v", more, r.Captured, r.Released, r.Reserved)
		}
		for _, f := range r.Faults {
			if f.Count == 0 {
				t.Errorf("%s never came up", f.What)
			}
		}
		if (more != nil) != (len(r.Faults) == int(sites)) {
			t.Errorf("%v: faults %v", more, r.Faults)
		}
	}
}
