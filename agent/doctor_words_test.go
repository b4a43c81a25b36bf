package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"stolpe/agent/doctor"
)

// Whatever a remedy tells a technician to type is a command of this program, and so are
// its flags.
func TestRemediesNameCommandsThatExist(t *testing.T) {
	root := &cobra.Command{Use: "stolpe"}
	root.AddCommand(commandTree()...)
	files, err := filepath.Glob("doctor/*.go")
	if err != nil {
		t.Fatal(err)
	}
	typed := regexp.MustCompile(`stolpe((?: [a-z][a-z-]*| --[a-z-]+| %d)+)`)
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range typed.FindAllStringSubmatch(string(text), -1) {
			seen[m[1]] = true
		}
	}
	for line := range seen {
		words := strings.Fields(line)
		if words[0] == "doctor" && len(words) > 1 && !slices.Contains(doctor.Names(), words[1]) {
			t.Errorf("stolpe%s: there is no such check", line)
		}
		if slices.Contains([]string{"doctor", "help", "still"}, words[0]) || strings.HasSuffix(line, "stolpe") {
			continue // checks and topics are not commands
		}
		var flags, rest []string
		for _, w := range words {
			switch flag, is := strings.CutPrefix(w, "--"); {
			case is:
				flags = append(flags, flag)
			case len(flags) == 0 && w != "%d":
				rest = append(rest, w)
			}
		}
		words = rest
		found, _, err := root.Find(words)
		if err != nil || found == root || found.HasSubCommands() {
			t.Errorf("stolpe%s: %v", line, err)
			continue
		}
		for _, f := range flags {
			if found.Flags().Lookup(f) == nil {
				t.Errorf("stolpe%s: it has no flag --%s", line, f)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("found only %d", len(seen))
	}
}
