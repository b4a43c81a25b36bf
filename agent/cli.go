package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/display"
)

// defaultControl is where the daemon's sockets are on an installed post.
const defaultControl = "/run/stolpe"

// surface are the flags of every command.
type surface struct {
	lang    string // nb or en; empty for that of the environment
	plain   bool   // no colours
	quiet   bool   // no progress
	timeout string // how long the command may take; empty for as long as it needs
	as      string // who is at work, where several share an account
}

// begin takes in the flags of every command before one runs.
func (s *surface) begin(c *cobra.Command, _ []string) error {
	if err := control.CheckAs(s.as); err != nil {
		return coded{fmt.Errorf("--%w", err), exitUsage}
	}
	c.SetContext(control.As(c.Context(), s.as))
	return nil
}

// langOf is the language that a command speaks: as it is told, else as the environment
// says, else English.
func langOf(c *cobra.Command) display.Lang {
	said, _ := c.Flags().GetString("lang")
	said = cmp.Or(said, os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
	for _, is := range []string{"nb", "nn", "no"} {
		if strings.HasPrefix(strings.ToLower(said), is) {
			return display.NB
		}
	}
	return display.EN
}

// daemonOf is the daemon of this machine, as a command talks to it.
func daemonOf() *control.Client {
	return control.Dial(cmp.Or(os.Getenv("STOLPE_CONTROL_DIR"), defaultControl))
}

// answered is an error of a daemon as a command ends with it.
func answered(err error) error {
	var no control.Refusal
	switch {
	case err == nil:
		return nil
	case errors.Is(err, control.ErrNoDaemon):
		return coded{fmt.Errorf("%w; start it (systemctl start stolpe), or set STOLPE_CONTROL_DIR to its control.dir", err), exitNoDaemon}
	case errors.Is(err, fs.ErrPermission):
		return coded{fmt.Errorf("%w; everybody may look if the folder lets them: chmod o+x it, or use sudo", err), exitNotPermitted}
	case errors.As(err, &no):
		return coded{err, codeOf(no.Code)}
	}
	return failed(err)
}

// codeOf is the exit code of a refusal.
func codeOf(c control.Code) int {
	switch c {
	case control.Invalid:
		return exitUsage
	case control.NotPermitted:
		return exitNotPermitted
	case control.NotFound:
		return exitNotFound
	case control.Unsafe, control.Busy:
		return exitRefused
	case control.Device:
		return exitDevice
	case control.Remote:
		return exitRemote
	}
	return exitFailed
}
