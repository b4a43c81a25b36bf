package main

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"stolpe/display"
)

// pick is the text in the language of who reads it.
func pick(lang display.Lang, nb, en string) string {
	if lang == display.NB {
		return nb
	}
	return en
}

// painter colours words where somebody looks at them. What it gives is longer than it
// looks: fill words up to the width of a column before they are painted.
type painter struct{ on bool }

// paintOf paints what a command prints on w: on a terminal, and unless somebody asked for
// no colours.
func paintOf(c *cobra.Command, w io.Writer) painter {
	plain, _ := c.Flags().GetBool("no-color")
	return painter{!plain && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && terminal(w)}
}

func (p painter) good(s string) string  { return p.paint("32", s) } // green
func (p painter) warn(s string) string  { return p.paint("33", s) } // yellow
func (p painter) bad(s string) string   { return p.paint("31", s) } // red
func (p painter) head(s string) string  { return p.paint("1", s) }  // bold
func (p painter) faint(s string) string { return p.paint("2", s) }

// paint puts a rendition of ECMA-48 (SGR) around words.
func (p painter) paint(sgr, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// terminal says whether somebody sits at a stream: os.Stdin, or what a command prints on.
// /dev/null is a character device and no terminal.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// isTerminal says whether somebody looks at w on what can draw over what it has drawn.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// progressOf is where a command says how far it is: nowhere if it is to be quiet. Errors
// are no progress: a command returns them.
func progressOf(c *cobra.Command) io.Writer {
	if quiet, _ := c.Flags().GetBool("quiet"); quiet {
		return io.Discard
	}
	return c.ErrOrStderr()
}
