package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update-readme", false, "write the generated part of README.md")

func TestReadmeHasTheReference(t *testing.T) {
	const readme, begin, end = "../../README.md", "<!-- gateway config -->\n", "<!-- /gateway config -->"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	inside, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("README.md has no part %s", begin)
	}
	want := format().Reference()
	if inside == want {
		return
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the configuration table of README.md is out of date; go test ./payment/gateway -run Readme -update-readme writes it")
}
