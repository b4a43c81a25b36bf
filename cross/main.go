// Command cross is the builder's tool. It turns the source into what runs on a
// post, and proves that it does: `go run ./cross test`, and more. It works on
// the module it is called in, from any folder of it.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"stolpe/cross/bench"
	"stolpe/cross/build"
	"stolpe/cross/card"
	"stolpe/cross/deb"
	"stolpe/cross/demo"
	"stolpe/cross/man"
	"stolpe/cross/replay"
	"stolpe/cross/suite"
	"stolpe/cross/vm"
	"stolpe/cross/worlds"
)

// command is one subcommand. It gets the arguments after its name, works in the
// folder of go.mod, and gives the exit code.
type command struct {
	name string
	what string // in a line of the usage
	run  func(args []string, stdout, stderr io.Writer) int
}

func commands() []command {
	return []command{
		{"test", "run every check there is", suite.Run},
		{"build", "build the programs for every processor a post may have", build.Run},
		{"deb", "make the Debian packages of post and gateway", deb.Run},
		{"card", "make the card of a post out of an image of Raspberry Pi OS", card.Run},
		{"man", "write the manual pages, and what shells need to complete commands", man.Run},
		{"bench", "measure what the product costs, beside its floors", bench.Run},
		{"demo", "show a whole fleet on this machine, and kill parts of it", demo.Run},
		{"worlds", "break simulated charges by the million", worlds.Run},
		{"vm", "try a post on a real kernel: charges, deaths, power cuts", vm.Run},
		{"replay", "play real charging sessions and balance the books", replay.Run},
	}
}

func main() {
	if err := enterModule(); err != nil {
		fmt.Fprintln(os.Stderr, "cross:", err)
		os.Exit(2)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		for _, c := range commands() {
			if c.name == args[0] {
				return c.run(args[1:], stdout, stderr)
			}
		}
	}
	fmt.Fprintln(stderr, "usage: go run ./cross <command> [flags]; -h after a command tells its flags")
	for _, c := range commands() {
		fmt.Fprintf(stderr, "  %-7s %s\n", c.name, c.what)
	}
	return 2
}

// enterModule goes up to the folder of go.mod. The error wraps os.ErrNotExist
// when no folder above has one.
func enterModule() error {
	for {
		if _, err := os.Stat("go.mod"); err == nil {
			return nil
		}
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		if filepath.Dir(dir) == dir {
			return fmt.Errorf("look for go.mod: %w", os.ErrNotExist)
		}
		if err := os.Chdir(".."); err != nil {
			return err
		}
	}
}
