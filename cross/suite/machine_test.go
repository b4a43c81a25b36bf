package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAMachineThatFailsFailsTheRun(t *testing.T) {
	dir := t.TempDir() // programs that only stand there
	for _, p := range machines() {
		if err := os.WriteFile(filepath.Join(dir, p.programs[0]), []byte("#!/bin/false\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", os.Getenv("PATH")+":"+dir)
	for said, want := range map[string]int{"os.Exit(0)": exitWell, "os.Exit(1)": exitBad} {
		r, out := module(t, map[string]string{
			"cross/main.go": "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() {\n\tfmt.Println(os.Args[1:])\n\t" + said + "\n}\n",
		})
		r.machine = true
		r.step(step{name: "machines", do: (*run).boot})
		if code := r.sum(); code != want {
			t.Errorf("%s: exit code %d, want %d", said, code, want)
		}
		has(t, out.String(), "[vm -quick]", machineName)
	}
}

func TestMachinesAreSkippedInTheOpen(t *testing.T) {
	r, out := module(t, nil)
	r.machine = true
	lacking(t)
	if own := r.own(); len(own) <= len(machines()) {
		t.Errorf("the run needs %v", own)
	}
	r.step(step{name: "machines", do: (*run).boot})
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d where no skip is allowed, want %d", code, exitBad)
	}
	has(t, out.String(), "skipped: part qemu-system: no qemu-system-x86_64 in PATH")
	if strings.Contains(out.String(), "FAIL ") {
		t.Errorf("a machine was booted:\n%s", out)
	}
}
