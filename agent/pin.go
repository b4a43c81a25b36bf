package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"stolpe/agent/config"
)

// pinFlag adds the flag with which a PIN is given where nobody can be asked.
func (s *settings) pinFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.pin, "pin-file", "", "read the PIN of the seal from the first line of `file`; without it, it is asked for, or read from standard input")
}

// askPIN gives what asks for a PIN: the file that was named, whoever sits at the terminal,
// or else standard input.
func (s *settings) askPIN(c *cobra.Command, prompt string) func() (string, error) {
	return func() (string, error) {
		var pin string
		var err error
		switch {
		case s.pin != "":
			pin, err = config.System("file", s.pin)
		case terminal(c.InOrStdin()):
			pin, err = unseen(c, prompt)
		default:
			pin, err = firstLine(c.InOrStdin())
		}
		pin, _, _ = strings.Cut(pin, "\n")
		pin = strings.TrimSuffix(pin, "\r")
		switch {
		case err != nil:
			return "", coded{fmt.Errorf("the PIN: %w", err), exitFailed}
		case pin == "":
			return "", coded{fmt.Errorf("%w; nobody can be asked here: give it with --pin-file FILE, or on standard input", config.ErrNoPIN), exitRefused}
		}
		return pin, nil
	}
}

// unseen asks whoever sits at the terminal for something that must not be seen.
func unseen(c *cobra.Command, prompt string) (string, error) {
	fmt.Fprint(c.ErrOrStderr(), prompt+": ")
	defer fmt.Fprintln(c.ErrOrStderr())
	said, err := term.ReadPassword(int(c.InOrStdin().(*os.File).Fd()))
	return string(said), err
}

// maxLine is how much of standard input is read for one line, in bytes. Chosen by us: many
// times what anybody types.
const maxLine = 4 << 10

// firstLine reads the first line of something.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxLine)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return line, err
}
