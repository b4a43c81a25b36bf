package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/hal/gpio"
)

// defaultConfig is where the configuration of an installed post stands.
const defaultConfig = "/etc/stolpe/stolpe.yaml"

// linesName is the file beside the configuration that says which lines switch
// contactors, and nothing else.
const linesName = "contactors"

func failsafeCommand() *cobra.Command {
	var file, lines string
	c := &cobra.Command{
		Use:   "failsafe [--config FILE] [--lines FILE]",
		Short: "open every contactor; for systemd after the daemon has ended, and for whoever stands at the post",
		Long: `Opens every contactor of the post, each for itself. It needs no daemon, no network and no valid
configuration: it reads the lines from a small file beside the configuration, which stolpe run
writes at each start. If there is none, it reads the configuration.

As ExecStopPost= of the daemon's unit it opens the contactors however the daemon ended.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if lines == "" {
				lines = filepath.Join(filepath.Dir(file), linesName)
			}
			return failsafe(lines, file, gpio.Failsafe, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`, read if there is no file of lines")
	c.Flags().StringVar(&lines, "lines", "", "`file` of lines (default: "+linesName+" beside the configuration)")
	return c
}

// failsafe opens the contactors that the file of lines names, or those of the
// configuration. Lines that can be read are opened even beside others that
// cannot.
func failsafe(lines, file string, open func(...string) error, stdout io.Writer) error {
	specs, unread := readLines(lines)
	if unread != nil {
		if said, err := configuredLines(file); err == nil {
			specs, unread = said, nil
		} else {
			unread = fmt.Errorf("%w; %w", unread, err)
		}
	}
	var err error
	if len(specs) > 0 { // without lines there need be no chip
		err = open(specs...)
	}
	if err != nil {
		return coded{fmt.Errorf("%w; if the daemon still runs, stop it first (systemctl stop stolpe), else switch the post off at its breaker", err), exitDevice}
	}
	if unread != nil {
		return coded{fmt.Errorf("%w; name the right files with --lines or --config, or switch the post off at its breaker", unread), exitConfig}
	}
	said := "no contactor is configured, none was opened"
	if len(specs) > 0 {
		said = "open: " + strings.Join(specs, ", ")
	}
	_, err = fmt.Fprintln(stdout, said)
	return failed(err)
}

// openNoted opens the contactors that an earlier start has noted. One that was left
// closed must not stay so because the configuration has a mistake now.
func openNoted(file string, stderr io.Writer) {
	specs, _ := readLines(filepath.Join(filepath.Dir(file), linesName)) // what cannot be read was never noted
	if len(specs) == 0 {
		return
	}
	if err := gpio.Failsafe(specs...); err != nil {
		fmt.Fprintf(stderr, "stolpe: %v; switch the post off at its breaker if a contactor may be closed\n", err)
	}
}

// readLines reads a file of lines. It gives what it could read beside an error.
func readLines(path string) ([]string, error) {
	text, err := readPlain(path)
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
	const most = 64 << 10 // bytes
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s: want a plain file of at most %d KiB", path, most>>10)
	}
	return os.ReadFile(filepath.Clean(path))
}
