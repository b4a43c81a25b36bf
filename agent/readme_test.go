package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/session"
)

var update = flag.Bool("update-readme", false, "write the generated parts of README.md")

const readme = "../README.md"

// part gives what stands between the marks of a name.
func part(t *testing.T, text, name string) (before, inside, after string) {
	t.Helper()
	before, rest, ok := strings.Cut(text, "<!-- "+name+" -->\n")
	inside, after, ok2 := strings.Cut(rest, "<!-- /"+name+" -->")
	if !ok || !ok2 {
		t.Fatalf("README.md has no part %q", name)
	}
	return before, inside, after
}

func TestReadmeHasTheConfigReference(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, inside, after := part(t, string(b), "config")
	want := config.Reference()
	if inside == want {
		return
	}
	if *update {
		text := before + "<!-- config -->\n" + want + "<!-- /config -->" + after
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the configuration table of README.md is out of date; go test ./agent -run Readme -update-readme writes it")
}

// Every command stands in the README as it says of itself.
func TestReadmeHasTheCommands(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, inside, after := part(t, string(b), "commands")
	want := "| command | what it does |\n|---|---|\n"
	root := &cobra.Command{Use: "stolpe"}
	root.AddCommand(commandTree()...)
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() && !c.Hidden && !c.HasSubCommands() {
			use := strings.ReplaceAll(strings.TrimSuffix(c.UseLine(), " [flags]"), "|", `\|`)
			want += fmt.Sprintf("| `%s` | %s |\n", use, strings.ReplaceAll(c.Short, "|", `\|`))
		}
		for _, below := range c.Commands() {
			walk(below)
		}
	}
	walk(root)
	if inside == want {
		return
	}
	if *update {
		text := before + "<!-- commands -->\n" + want + "<!-- /commands -->" + after
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the table of commands in README.md is out of date; go test ./agent -run Readme -update-readme writes it")
}

func TestReadmeTellsEveryPhaseAndFault(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for p := range session.Phases {
		if row := fmt.Sprintf("\n| %v |", session.Phase(p)); strings.Count(text, row) != 1 {
			t.Errorf("README.md has no row for phase %v", session.Phase(p))
		}
	}
	faults := 0
	session.EachFault(func(f session.Faults) {
		faults++
		if row := fmt.Sprintf("\n| %s | %v | %s |", f.Code(), f, map[bool]string{true: "yes", false: "no"}[f.Opens()]); !strings.Contains(text, row) {
			t.Errorf("README.md has no row %q", strings.TrimSpace(row))
		}
	})
	if rows := strings.Count(text, "-00"); rows < faults {
		t.Errorf("%d fault codes in README.md, want %d", rows, faults)
	}
}
