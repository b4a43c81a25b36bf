package vm

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Marks around the figures in the README.
const (
	tableBegin = "<!-- vm -->\n"
	tableEnd   = "<!-- /vm -->\n"
)

// errNoMarks is a README without a place for figures.
var errNoMarks = errors.New("has no place for figures")

// table is what was measured and found, in Markdown.
func (l *lab) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %d processors of %s, under %s; times are the machine's own.\n\n", runtime.NumCPU(), runtime.GOARCH, said(l.accel))
	b.WriteString("| what | p50 | p99 | most | times |\n|---|---|---|---|---|\n")
	for _, f := range l.timed {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d |\n", f.what, short(f.took.at(50)), short(f.took.at(99)), short(f.took.at(100)), len(f.took))
	}
	for _, s := range l.sums {
		fmt.Fprintf(&b, "\n%s.\n", s)
	}
	return b.String()
}

// said is what somebody calls it who does not know qemu.
func said(accel string) string {
	if accel == "tcg" {
		return "emulation (qemu's tcg)"
	}
	return strings.ToUpper(accel)
}

// writeReadme puts the table between its marks.
func (l *lab) writeReadme(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), tableBegin)
	_, after, closed := strings.Cut(rest, tableEnd)
	if !found || !closed {
		return fmt.Errorf("%s %w: %q and %q", file, errNoMarks, tableBegin, tableEnd)
	}
	return os.WriteFile(file, []byte(before+tableBegin+l.table()+tableEnd+after), 0o644)
}
