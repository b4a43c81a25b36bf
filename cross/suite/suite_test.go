package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"stolpe/cross/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// module writes a small module and gives a run of it, and what the run prints.
func module(t *testing.T, files map[string]string) (*run, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example\n\ngo 1.26\n")
	for name, text := range files {
		write(t, dir, name, text)
	}
	tree, err := rules.Load(dir, "example")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	return &run{out: &out, dir: dir, module: "example", tree: tree}, &out
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(out, text) {
			t.Errorf("%q is not in:\n%s", text, out)
		}
	}
}

func TestTestsAreRunAndCounted(t *testing.T) {
	r, out := module(t, map[string]string{
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) {}\n\nfunc TestBad(t *testing.T) { t.Error(\"one is not two\") }\n",
		"b/b_test.go": "package b\n\nimport \"testing\"\n\nfunc TestLacks(t *testing.T) { t.Skip(\"part chromium: none\") }\n",
	})
	r.step(step{name: "tests", do: (*run).tests})
	r.step(step{name: "the same again", do: (*run).tests})
	r.allowSkips = true
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d, want %d", code, exitBad)
	}
	if n := strings.Count(out.String(), "   FAILED, "); n != 2 {
		t.Errorf("%d steps failed, want 2", n)
	}
	has(t, out.String(), "== tests\n", "FAIL a ", "1 passed, 1 failed", "one is not two", "ok   b ",
		"part chromium: none (b TestLacks)", "== failed\n   a TestBad\n", "\n1 passed, 1 failed, 1 skipped\n")
}

func TestCheckThatFailsIsCounted(t *testing.T) {
	r, out := module(t, map[string]string{"a/a.go": "package a\n\nimport \"fmt\"\n\nfunc f() { fmt.Printf(\"%d\", \"x\") }\n"})
	r.step(step{name: "go vet", do: (*run).vet})
	r.step(step{name: "gofmt", do: (*run).gofmt})
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d, want %d", code, exitBad)
	}
	has(t, out.String(), "a/a.go:5", "wrong type string", "== gofmt\n   ok, ", "\n1 passed, 1 failed, 0 skipped\n")
}

func TestWhatOverflowsOnTheSmallestPostIsFound(t *testing.T) {
	r, out := module(t, map[string]string{"a/a.go": "package a\n\nvar n int = 1 << 40\n"})
	r.step(step{name: "go vet", do: (*run).vet})
	r.step(step{name: "smallest", do: (*run).vetSmallest})
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d, want %d", code, exitBad)
	}
	has(t, out.String(), "overflows", "== failed\n   smallest\n", "\n1 passed, 1 failed, 0 skipped\n")
}

func TestTreeThatCannotBeReadFails(t *testing.T) {
	r, out := module(t, nil)
	write(t, r.dir, "a/a.go", "package\n")
	if code := r.all(); code != exitBad {
		t.Errorf("exit code %d, want %d", code, exitBad)
	}
	has(t, out.String(), "a/a.go", "\n0 passed, 1 failed, 0 skipped\n")
}

func TestSkipsAreFailuresWhereTheyAreNotAllowed(t *testing.T) {
	outside := result{name: "a TestOutside", skip: "../shared/sessions is not there"}
	for _, c := range []struct {
		name    string
		results []result
		allow   bool
		code    int
		want    string
	}{
		{"allowed", []result{{name: "a TestX", skip: "part x: none"}, outside}, true, exitWell, "\n0 passed, 0 failed, 2 skipped\n"},
		{"not allowed", []result{{name: "a TestX", skip: "part x: none"}, outside}, false, exitBad, "\n0 passed, 1 failed, 1 skipped\n"},
		{"only material outside", []result{outside}, false, exitWell, "\n0 passed, 0 failed, 1 skipped\n"},
		{"ran at least once", []result{{name: "a TestX"}, {name: "a TestX", skip: "part x: none"}}, false, exitWell, "\n1 passed, 0 failed, 0 skipped\n"},
		{"ran after all", []result{{name: "a TestX", skip: "part x: none"}, {name: "a TestX"}}, false, exitWell, "\n1 passed, 0 failed, 0 skipped\n"},
		{"failed once", []result{{name: "a TestX", failed: true}, {name: "a TestX"}}, true, exitBad, "\n0 passed, 1 failed, 0 skipped\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tally tally
			for _, r := range c.results {
				tally.add(r)
			}
			var out strings.Builder
			if code := tally.sum(&out, c.allow); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			has(t, out.String(), c.want)
		})
	}
}

func TestPartsThatTestsNameAreNeeded(t *testing.T) {
	r, _ := module(t, map[string]string{
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {\n\tt.Skip(\"part chromium: none\")\n\tt.Skipf(\"part chromium: %d\", 0)\n\tt.Skip(\"because\")\n}\n",
	})
	needed, err := needs(r.tree)
	if err != nil || len(needed) != 1 || needed[0].name != "chromium" {
		t.Errorf("needs = %v, %v, want chromium alone", needed, err)
	}
	r, _ = module(t, map[string]string{
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Skip(\"part moon: too far\") }\n",
	})
	if _, err := needs(r.tree); err == nil || !strings.Contains(err.Error(), "part moon") {
		t.Errorf("needs = %v, want an error about part moon", err)
	}
}

func TestMissingPartSaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	p := part{name: "x", programs: []string{"first", "second"}}
	if got := p.missing(); got != "part x: no first, second in PATH" {
		t.Errorf("missing = %q", got)
	}
	program := filepath.Join(os.Getenv("PATH"), "second")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := p.missing(); got != "" {
		t.Errorf("missing = %q with the second program there, want nothing", got)
	}
}

// lacking puts nothing in PATH but an apt-get that writes down its arguments.
func lacking(t *testing.T) (notes string) {
	t.Helper()
	dir := t.TempDir()
	notes = filepath.Join(dir, "notes")
	write(t, dir, "notes", "")
	if err := os.WriteFile(filepath.Join(dir, "apt-get"), []byte("#!/bin/sh\necho \"$@\" >> "+notes+"\necho fetched\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	return notes
}

func TestPartsAreInstalledByRootOnly(t *testing.T) {
	files := map[string]string{"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Skip(\"part chromium: none\") }\n"}
	for _, c := range []struct {
		root       bool
		said, done string
	}{
		{true, "fetched", "update -q\ninstall -qy --no-install-recommends chromium gcc libc6-dev qemu-user-static\n"},
		{false, "the Debian packages are chromium gcc libc6-dev qemu-user-static", ""},
	} {
		r, out := module(t, files)
		r.root = c.root
		notes := lacking(t)
		if err := r.parts(); err != nil {
			t.Errorf("root %v: %v", c.root, err)
		}
		done, err := os.ReadFile(notes)
		if err != nil || string(done) != c.done {
			t.Errorf("root %v: apt-get was called with %q, %v, want %q", c.root, done, err, c.done)
		}
		has(t, out.String(), "part chromium: no chromium", "part race: no gcc in PATH", "part qemu-user: no qemu-arm-static in PATH", c.said)
	}
}

func TestShortRaceIsNoSkip(t *testing.T) {
	if missing := raceDetector().missing(); missing != "" {
		t.Skip(missing)
	}
	r, out := module(t, map[string]string{"a/a_test.go": `package a

import (
	"sync"
	"testing"
)

func TestLong(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	t.Run("row", func(t *testing.T) { new(sync.Mutex).Lock() })
}
`})
	for _, do := range []func(*run) error{(*run).tests, (*run).race} {
		if err := do(r); err != nil {
			t.Error(err)
		}
	}
	if code := r.sum(); code != exitWell {
		t.Errorf("exit code %d, want %d", code, exitWell)
	}
	has(t, out.String(), "1 skipped, ", "\n1 passed, 0 failed, 0 skipped\n")
}

// A fuzzer below the folder of what comes over wires is let search, and what it
// finds fails the run; one elsewhere is left alone.
func TestFuzzersSearch(t *testing.T) {
	fuzzer := func(pkg, body string) string {
		return "package " + pkg + "\n\nimport \"testing\"\n\nfunc FuzzIt(f *testing.F) {\n\tf.Add([]byte(\"ab\"))\n" +
			"\tf.Fuzz(func(t *testing.T, b []byte) {\n\t\t" + body + "\n\t})\n}\n"
	}
	r, out := module(t, map[string]string{
		"hal/modbus" + "/deep/a_test.go": fuzzer("deep", "if len(b) > 2 {\n\t\t\tt.Fatal(\"too long\")\n\t\t}"),
		"elsewhere/b_test.go":            fuzzer("elsewhere", "t.Fatal(\"never run\")"),
	})
	r.step(step{name: "fuzzers", do: (*run).fuzz})
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d, want %d", code, exitBad)
	}
	has(t, out.String(), "too long", "== failed\n   "+"hal/modbus"+"/deep FuzzIt")
	if strings.Contains(out.String(), "never run") {
		t.Errorf("fuzzed elsewhere too:\n%s", out)
	}
}

func TestRaceDetectorIsSkippedInTheOpen(t *testing.T) {
	r, out := module(t, nil)
	lacking(t)
	r.step(step{name: "race", do: (*run).race})
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d where no skip is allowed, want %d", code, exitBad)
	}
	has(t, out.String(), "skipped: part race: no gcc in PATH", "== skipped\n   part race: no gcc in PATH")
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-no"}, {"more"}, {"-short", "-allow-skips=false"}, {"-only=("}, {"-fuzz=5"}, {"-fuzz=-1m"}, {"-fuzz=10ms"}, {"-fuzz=5m", "-short"}} {
		var out, errs strings.Builder
		if code := Run(args, &out, &errs); code != exitUsage || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("Run(%q) = %d, prints %q and %q: want %d and an error", args, code, out.String(), errs.String(), exitUsage)
		}
	}
}
