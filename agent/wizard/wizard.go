// Command stolpe-wizard draws the questions of stolpe setup on a terminal. It is started
// by that, and by nobody else.
//
// # Why
//
// The library that draws brings some twenty modules along, asks the terminal for its
// colours whenever a program begins that has it, and waits five seconds for one that does
// not answer. A daemon that holds money, and the command that opens contactors in an
// emergency, shall have none of that. So it is a program of its own, which knows the
// words of the questions and nothing else: what is asked, and whether an answer will do,
// stolpe setup says, over two pipes, a line of JSON at a time. Where this program is not
// there, stolpe setup asks the same questions in plain lines.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"stolpe/agent/setup"
	"stolpe/display"
)

// version is that of the stolpe that it belongs to. A release sets it by -ldflags -X.
var version = "0.1.0-dev"

// The pipes, as stolpe setup hands them down: file descriptors.
const (
	fromSetup = 3
	toSetup   = 4
)

// Exit codes, as those of stolpe.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run serves a setup and gives the exit code.
func run(args []string, stderr io.Writer) int {
	in, out := os.NewFile(fromSetup, "requests"), os.NewFile(toSetup, "answers")
	if _, err := out.Stat(); err != nil || len(args) != 1 {
		fmt.Fprintf(stderr, "stolpe-wizard %s: draws the questions of stolpe setup; run that\n", version)
		return exitUsage
	}
	signal.Ignore(os.Interrupt) // between two pages, Ctrl-C is for stolpe setup
	lang := display.EN
	if args[0] == "nb" {
		lang = display.NB
	}
	t := &talk{Terminal{In: os.Stdin, Out: os.Stderr, Lang: lang}, json.NewDecoder(in), json.NewEncoder(out)}
	t.Check = t.check
	if err := t.serve(); err != nil {
		fmt.Fprintf(stderr, "stolpe-wizard: %v\n", err)
		return exitFailed
	}
	return 0
}

// talk is what is said between a setup and its wizard.
type talk struct {
	Terminal
	in  *json.Decoder
	out *json.Encoder
}

// serve does what is asked for, until the setup has ended.
func (t *talk) serve() error {
	if err := t.out.Encode(setup.Said{Version: version}); err != nil {
		return err
	}
	for {
		var r setup.Request
		if err := t.in.Decode(&r); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		said, err := t.do(context.Background(), r)
		switch {
		case errors.Is(err, ErrLeft):
			said = setup.Said{Left: true}
		case err != nil:
			said = setup.Said{Error: err.Error()}
		}
		if err := t.out.Encode(said); err != nil {
			return err
		}
	}
}

func (t *talk) do(ctx context.Context, r setup.Request) (said setup.Said, err error) {
	switch r.Do {
	case setup.DoAsk:
		said.Answers, err = t.Ask(ctx, r)
	case setup.DoConfirm:
		said.Yes, err = t.Confirm(ctx, r)
	case setup.DoSecret:
		said.Typed, err = t.Secret(ctx, r)
	default:
		err = fmt.Errorf("%q is not known here", r.Do)
	}
	return said, err
}

// check has the setup check an answer.
func (t *talk) check(key, value string) error {
	if err := t.out.Encode(setup.Said{Check: &setup.Given{Key: key, Value: value}}); err != nil {
		return err
	}
	var v setup.Verdict
	if err := t.in.Decode(&v); err != nil {
		return err
	}
	if v.Wrong != "" {
		return errors.New(v.Wrong)
	}
	return nil
}
