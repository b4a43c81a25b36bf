// Package man is `go run ./cross man`: a manual page for every command of stolpe, in
// English and in Norwegian, as packages for installation take them along.
//
// # Why
//
// The pages are made of the tree of commands, which only the program itself has. A hidden
// command would make every post carry the writer of pages; so a test of the program writes
// them, and this runs that test. There is no date on a page: the same commit makes the same
// pages.
package man

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Run writes the pages. It gives 1 when they cannot be made and 2 for wrong usage.
func Run(args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("man", flag.ContinueOnError)
	f.SetOutput(stderr)
	out := f.String("out", "build/man", "folder to write to: man1 and nb/man1 in it")
	switch err := f.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case f.NArg() > 0:
		fmt.Fprintf(stderr, "man: %q: want flags only\n", f.Arg(0))
		return 2
	}
	dir, err := filepath.Abs(*out)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(stderr, "man:", err)
		return 1
	}
	test := exec.Command("go", "test", "./agent", "-run", "^TestManPages$", "-count=1", "-man", dir)
	test.Stdout, test.Stderr = stderr, stderr
	if err := test.Run(); err != nil {
		fmt.Fprintf(stderr, "man: the pages cannot be made: %v; what is wrong stands above\n", err)
		return 1
	}
	pages, err := filepath.Glob(filepath.Join(dir, "man1", "*.1"))
	if err != nil || len(pages) == 0 {
		fmt.Fprintf(stderr, "man: no page in %s: %v\n", dir, err)
		return 1
	}
	fmt.Fprintf(stdout, "%d pages in %s; read one: man -l %s\n", len(pages), dir, pages[0])
	return 0
}
