package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/plain"
	"stolpe/hal/gpio"
)

// defaultConfig is where the configuration of an installed post stands.
const defaultConfig = "/etc/stolpe/stolpe.yaml"

// linesName is the file beside the configuration that says which lines switch
// contactors, and nothing else.
const linesName = "contactors"

func failsafeCommand() *cobra.Command {
	var file, lines string
	var asJSON bool
	c := &cobra.Command{
		Use:   "failsafe [--config FILE] [--lines FILE]",
		Short: "open every contactor; for systemd after the daemon has ended, and for whoever stands at the post",
		Long: `Opens every contactor of the post, each for itself. It needs no daemon, no network and no valid
configuration: it reads the lines from a small file beside the configuration, which stolpe run
writes at each start. If that is damaged or names none, it reads the configuration as well.

Then the displays say that the post is out of order, as far as the configuration can be read: a price and a
code must not stay on a post that is dead. Beside a daemon that runs they are left alone.

As ExecStopPost= of the daemon's unit it opens the contactors however the daemon ended: first as root, who
may whatever has become of the daemon's rights, then once more as the daemon's own user. Only the second
draws: where displays are stands in a configuration that the daemon may write, and root does not go by that.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			outliveReaders()
			if lines == "" {
				lines = filepath.Join(filepath.Dir(file), linesName)
			}
			opened, err := failsafe(lines, file, gpio.Failsafe)
			if err == nil && !asJSON {
				fmt.Fprintln(c.OutOrStdout(), openedText(opened))
			}
			noted, _ := readLines(lines) // failsafe has told what is wrong with it
			drawn := outOfOrder(c.Context(), file, noted, c.ErrOrStderr())
			switch {
			case err != nil:
				return err
			case asJSON:
				return failed(printJSON(c.OutOrStdout(), openedJSON{append([]string{}, opened...), drawn}))
			case len(drawn) > 0:
				fmt.Fprintln(c.OutOrStdout(), "out of order, says display "+strings.Join(drawn, ", "))
			}
			return nil
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`, read if there is no file of lines")
	c.Flags().StringVar(&lines, "lines", "", "`file` of lines (default: "+linesName+" beside the configuration)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: the lines that are open now")
	return c
}

// noChip is all there is to say of a machine without lines (gpio.ErrNoChip).
const noChip = "this machine has no GPIO chip (no /dev/gpiochip*), so no contactor can be switched"

// failsafe opens the contactors that the file of lines names. When it is damaged or
// names none, those of the configuration are opened as well. Lines that can be read
// are opened even beside others that cannot.
func failsafe(lines, file string, open func(...string) error) (opened []string, err error) {
	specs, unread := readLines(lines)
	if unread != nil || len(specs) == 0 {
		c, err := withoutSecrets(file)
		switch {
		case err == nil:
			// Of a line that both name, the configuration says what it is for and whether it
			// closes on low: that is how the daemon drives it.
			specs, unread = append(slices.DeleteFunc(specs, c.Uses), specsOf(c)...), nil
		case unread != nil:
			unread = fmt.Errorf("%w; %w", unread, err)
		}
	}
	if len(specs) > 0 { // without lines there need be no chip
		err = open(specs...)
	}
	switch {
	case err != nil && unread != nil:
		return nil, coded{fmt.Errorf("%w; %w; switch the post off at its breaker", err, unread), exitDevice}
	case errors.Is(err, gpio.ErrNoChip):
		return nil, coded{errors.New(noChip + "; run this at the post, or switch the post off at its breaker"), exitDevice}
	case err != nil:
		return nil, coded{fmt.Errorf("%w; if the daemon still runs, stop it first (systemctl stop stolpe), else switch the post off at its breaker", err), exitDevice}
	case unread != nil:
		return nil, coded{fmt.Errorf("%w; name the right files with --lines or --config, or switch the post off at its breaker", unread), exitConfig}
	}
	return specs, nil
}

// openedJSON is what failsafe has done, as --json has it.
type openedJSON struct {
	Open     []string `json:"open"`               // lines
	Displays []string `json:"displays,omitempty"` // that say now that the post is out of order
}

// openedText says which lines are open.
func openedText(lines []string) string {
	if len(lines) == 0 {
		return "no contactor is configured, none was opened"
	}
	return "open: " + strings.Join(lines, ", ")
}

// openNoted opens the contactors that an earlier start has noted, but for lines of
// which the configuration makes use. One that was left closed must not stay so
// because the configuration has a mistake now, or names other lines.
func openNoted(file string, c config.Config, stderr io.Writer) {
	specs, _ := readLines(filepath.Join(filepath.Dir(file), linesName)) // what cannot be read was never noted
	if specs = slices.DeleteFunc(specs, c.Uses); len(specs) == 0 {
		return
	}
	if err := gpio.Failsafe(specs...); err != nil {
		fmt.Fprintf(stderr, "stolpe: %v; switch the post off at its breaker if a contactor may be closed\n", err)
	}
}

// readLines reads a file of lines. It gives what it could read beside an error.
func readLines(path string) ([]string, error) {
	text, err := readSmall(plain.Open(path, os.O_RDONLY)) // root reads what the daemon writes, and tells what is wrong with it
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		err = fmt.Errorf("%s: found an empty file; want at least the line that stolpe run begins it with", path)
	}
	var specs []string
	for n, line := range strings.Split(string(text), "\n") {
		spec, _, _ := strings.Cut(line, "#")
		switch spec = strings.TrimSpace(spec); {
		case spec == "":
		case config.Output(strings.TrimPrefix(spec, "!")):
			specs = append(specs, spec)
		default:
			err = errors.Join(err, fmt.Errorf("%s:%d: found %q; want a line such as GPIO17 or gpiochip0/17", path, n+1, spec))
		}
	}
	return specs, err
}

// readPlain reads a small file, and nothing that could keep the reader waiting.
func readPlain(path string) ([]byte, error) {
	return readSmall(os.OpenFile(filepath.Clean(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)) // of a pipe, too
}

func readSmall(f *os.File, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 64 << 10 // bytes
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s: want a plain file of at most %d KiB", f.Name(), most>>10)
	}
	return io.ReadAll(f)
}
