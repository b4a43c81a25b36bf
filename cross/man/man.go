// Package man is `go run ./cross man`: a manual page for every command of stolpe, in
// English and in Norwegian, one of stolpe-gateway, and what shells need to complete their
// commands, as packages for installation take them along.
//
// # Why
//
// The pages are made of the tree of commands, which only the program itself has. A hidden
// command would make every post carry the writer of pages; so tests of the programs write
// them, and this runs those tests. There is no date on a page: the same commit makes the
// same pages.
package man

import (
	"errors"
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
	out := f.String("out", "build", "folder to write to: man/man1, man/man8, man/nb/man1 and completions in it")
	switch err := f.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case f.NArg() > 0:
		fmt.Fprintf(stderr, "man: %q: want flags only\n", f.Arg(0))
		return 2
	}
	if err := Write(".", *out, stderr); err != nil {
		fmt.Fprintln(stderr, "man:", err)
		return 1
	}
	pages, err := filepath.Glob(filepath.Join(*out, "man", "man1", "*.1"))
	if err != nil || len(pages) == 0 {
		fmt.Fprintf(stderr, "man: no page in %s: %v\n", *out, err)
		return 1
	}
	fmt.Fprintf(stdout, "%d pages in %s; read one: man -l %s\n", len(pages), *out, pages[0])
	return 0
}

// Write writes pages and completions of the module in folder tree into man and completions
// in folder dir. What is wrong with them goes to log.
func Write(tree, dir string, log io.Writer) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	test := exec.Command("go", "test", "./agent", "./payment/gateway", "-run", "^(TestManPages|TestCompletions)$", "-count=1", "-docs", dir)
	test.Dir, test.Stdout, test.Stderr = tree, log, log
	if err := test.Run(); err != nil {
		return errors.Join(errors.New("the pages cannot be made; what is wrong stands above"), err)
	}
	return nil
}
