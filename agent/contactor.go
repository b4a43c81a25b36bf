package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/agent/session"
	"stolpe/hal/gpio"
)

func contactorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "contactor",
		Short: "contactors: where they stand, test one, open them",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(contactorStatusCommand(), contactorTestCommand(), contactorOpenCommand(), contactorInputsCommand())
	return c
}

func contactorStatusCommand() *cobra.Command {
	var at atPost
	c := &cobra.Command{
		Use:   "status [--evse N]",
		Short: "where the contactors stand, and how worn they are",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var all struct {
				EVSEs []contactorNow `json:"evses"`
			}
			if err := daemonOf().Get(c.Context(), "contactor", map[string]any{"evse": at.evse}, &all); err != nil {
				return answered(err)
			}
			if at.json {
				return failed(printJSON(c.OutOrStdout(), all))
			}
			return failed(printContactors(c.OutOrStdout(), all.EVSEs))
		},
	}
	at.flags(c)
	return c
}

func printContactors(w io.Writer, all []contactorNow) error {
	t := table(w)
	fmt.Fprintln(t, "EVSE\tWANTED\tSTANDS\tCLOSINGS\tUNDER LOAD\tOPENED IN\tSLOWEST\tFAULTS")
	for _, c := range all {
		faults := "none"
		if len(c.Faults) > 0 {
			faults = strings.Join(c.Faults, " ")
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%d\t%d ms\t%d ms\t%s\n", c.EVSE, c.Wanted, c.Stands, c.Closings, c.UnderLoad, c.OpenedMS, c.SlowestMS, faults)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range all {
		text := "may be tested: stolpe contactor test"
		if c.Against != "" {
			text = "cannot be tested now: " + c.Against
		}
		if _, err := fmt.Fprintf(w, "EVSE %d %s\n", c.EVSE, text); err != nil {
			return err
		}
	}
	return nil
}

// trying is what the test of a contactor is told.
type trying struct {
	evse int // its number; 0 for the only one
	yes  bool
	json bool
}

func contactorTestCommand() *cobra.Command {
	var o trying
	c := &cobra.Command{
		Use:   "test [--evse N] [--yes]",
		Short: "close a contactor for two seconds, and see that it opens again",
		Long: fmt.Sprintf(`Closes the contactor of an EVSE for %v at most and watches it close and open again, with the sense wire and
the meter. THERE IS POWER AT THE SOCKET MEANWHILE: nothing may be plugged in and nobody may touch it.

The EVSE must be out of service (stolpe service out --now), with nobody charging and no cable plugged in,
where the post can tell. Whatever speaks against it meanwhile, an emergency stop or a car, opens at once; so
does Ctrl-C. It counts as a closing, and a contactor rests before the next one.`, session.TestFor),
		Example: `  stolpe service out --evse 1 --now && stolpe contactor test --evse 1
  stolpe contactor test --yes --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c)
		},
	}
	c.Flags().IntVar(&o.evse, "evse", 0, "`number` of the EVSE; may be left out if there is one")
	c.Flags().BoolVar(&o.yes, "yes", false, "nothing is plugged in and nobody touches it: do not ask")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return c
}

func (o trying) run(c *cobra.Command) error {
	danger := fmt.Sprintf(pick(langOf(c),
		"Dette slutter kontaktoren i %v: det blir spenning på uttaket. Ingenting må være plugget inn, og ingen må røre det.",
		"This closes the contactor for %v: there is power at the socket. Nothing may be plugged in, and nobody may touch it."), session.TestFor)
	if err := confirmed(c, o.yes, danger, testWord); err != nil {
		return err
	}
	var t tried
	if err := daemonOf().Do(c.Context(), "contactor/test", map[string]any{"evse": o.evse, "confirm": testWord}, &t); err != nil {
		if c.Context().Err() != nil {
			return coded{errors.New("interrupted: the contactor is opened"), exitStopped}
		}
		return answered(err)
	}
	if err := o.print(c.OutOrStdout(), paintOf(c, c.OutOrStdout()), t); err != nil {
		return failed(err)
	}
	if t.Passed {
		return nil
	}
	return coded{fmt.Errorf("the contactor of EVSE %d has not passed; it stays out of service: see stolpe why and stolpe help faults", t.EVSE), exitDevice}
}

func (o trying) print(w io.Writer, p painter, t tried) error {
	if o.json {
		return printJSON(w, t)
	}
	lines := table(w)
	for _, s := range t.Steps {
		verdict := p.bad("FAIL")
		if s.OK {
			verdict = p.good("PASS")
		}
		fmt.Fprintf(lines, "%s\t-> %s\t%s\n", s.Name, s.Text, verdict)
	}
	return lines.Flush()
}

// openWithin is how long the daemon may take to open contactors. Chosen by us: it waits for
// nothing itself, and whoever wants a contactor open must not wait for one that hangs.
const openWithin = 5 * time.Second

// opening is what the opening of contactors is told.
type opening struct {
	atPost
	file, lines string
}

func contactorOpenCommand() *cobra.Command {
	var o opening
	c := &cobra.Command{
		Use:   "open [--evse N]",
		Short: "open contactors at once",
		Long: `Opens the contactor of one EVSE, or of all, at once, and ends the charge under way. The EVSE stays in service:
to keep drivers away, stolpe service out as well. Without a daemon it opens every contactor that the
configuration names, as stolpe failsafe does.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c.Context(), c.OutOrStdout(), progressOf(c))
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.file, "config", defaultConfig, "configuration `file`, read if there is no daemon")
	c.Flags().StringVar(&o.lines, "lines", "", "`file` of lines, as of stolpe failsafe (default: "+linesName+" beside the configuration)")
	return c
}

func (o opening) run(ctx context.Context, stdout, stderr io.Writer) error {
	var all struct {
		EVSEs []openedNow `json:"evses"`
	}
	soon, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	err := daemonOf().Do(soon, "contactor/open", map[string]any{"evse": o.evse}, &all)
	switch {
	case errors.Is(err, control.ErrNoDaemon):
		return o.withoutDaemon(stdout, stderr)
	case err != nil && soon.Err() != nil && ctx.Err() == nil:
		return coded{fmt.Errorf("the daemon does not answer within %v, so nobody knows whether the contactor is open: switch the post off at its breaker", openWithin), exitTimeout}
	case err != nil:
		return answered(err)
	}
	if o.json {
		err = printJSON(stdout, all)
	}
	var stuck error
	for _, one := range all.EVSEs {
		if !o.json {
			_, lost := fmt.Fprintf(stdout, "EVSE %d: %s\n", one.EVSE, one.Text)
			err = errors.Join(err, lost)
		}
		if !one.OK {
			stuck = errors.Join(stuck, fmt.Errorf("EVSE %d: %s", one.EVSE, one.Text))
		}
	}
	if stuck != nil {
		return coded{stuck, exitDevice}
	}
	return failed(err)
}

// withoutDaemon opens all contactors: which EVSE has which, the small file of lines does
// not say.
func (o opening) withoutDaemon(stdout, stderr io.Writer) error {
	fmt.Fprintln(stderr, "no daemon listens; opening every contactor of the post")
	opened, err := failsafe(cmp.Or(o.lines, filepath.Join(filepath.Dir(o.file), linesName)), o.file, gpio.Failsafe)
	if err != nil {
		return err
	}
	text := openedText(opened)
	if o.json {
		return failed(printJSON(stdout, map[string]any{"without_daemon": true, "text": text}))
	}
	return failed(second(fmt.Fprintln(stdout, text)))
}
