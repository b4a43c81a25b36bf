package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

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

	within context.Context // of the command, with its time-out; nil without one
	over   func()          // ends it
}

// begin takes in the flags of every command before one runs.
func (s *surface) begin(c *cobra.Command, _ []string) error {
	if err := control.CheckAs(s.as); err != nil {
		return coded{fmt.Errorf("--%w", err), exitUsage}
	}
	if s.lang != "" && s.lang != "nb" && s.lang != "en" {
		return fmt.Errorf("--lang %q: want nb or en", s.lang)
	}
	ctx := control.As(c.Context(), s.as)
	if s.timeout != "" {
		long, err := time.ParseDuration(s.timeout)
		if err != nil || long <= 0 {
			return fmt.Errorf("--timeout %q: want a time, as in 30s or 2m", s.timeout)
		}
		ctx, s.over = context.WithTimeout(ctx, long)
		s.within = ctx
	}
	c.SetContext(ctx)
	return nil
}

// flags are what every command takes besides its own. A command's own --timeout, as that
// of meter read, is for one step of it and stands before this one.
func (s *surface) flags(c *cobra.Command) {
	f := c.PersistentFlags()
	f.StringVar(&s.lang, "lang", "", "language of what is printed: nb or `en`; else that of the environment")
	f.BoolVar(&s.plain, "no-color", false, "no colours, as with the environment variable NO_COLOR")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "no progress on standard error")
	f.StringVar(&s.timeout, "timeout", "", "how long the command may take, as in `30s`")
	f.StringVar(&s.as, "as", "", "`name` of who is at work, for the ledger, where several share an account")
}

// ended is how a command has ended. What a time-out has cut short says that it was
// interrupted, and nobody has: that becomes what took too long.
func (s *surface) ended(c *cobra.Command, err error) error {
	if s.within == nil {
		return err
	}
	defer s.over()
	if err == nil || !errors.Is(s.within.Err(), context.DeadlineExceeded) {
		return err
	}
	why := strings.TrimSuffix(err.Error(), context.DeadlineExceeded.Error())
	var own coded
	if errors.As(err, &own) && own.code == exitStopped {
		why = strings.TrimPrefix(why, "interrupted")
	}
	if why = strings.Trim(why, " :;"); why != "" {
		why = " (" + why + ")"
	}
	return coded{fmt.Errorf("%s: not done within --timeout %s%s; give it longer, or see whether the post answers: stolpe status", c.CommandPath(), s.timeout, why), exitTimeout}
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
