package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/display"
	"stolpe/payment"
)

// defaultState is where the state of an installed post is, as the configuration has it
// that does not say.
const defaultState = "/var/lib/stolpe"

// unsettled is a charge whose reservation is not settled: it is under way, or over.
type unsettled struct {
	Ref      payment.Ref      `json:"ref"`
	EVSE     int              `json:"evse"`     // its number
	Phase    string           `json:"phase"`    // idle when it is over
	Due      payment.Amount   `json:"due"`      // to be taken of the reservation as far as is known, minor units
	Reserved payment.Amount   `json:"reserved"` // minor units
	Currency payment.Currency `json:"currency"`
	Trouble  string           `json:"trouble,omitempty"` // why a person should look at it: a payment.Reason's word
}

// balance is all that is not settled, and what stands in the way of saying so.
type balance struct {
	From    string      `json:"from"` // daemon, or the folder that was read
	Clear   bool        `json:"clear"`
	Owed    []unsettled `json:"owed"`
	Unknown []string    `json:"unknown"` // why there may be more
}

// owedCmd is the command owed.
type owedCmd struct {
	file string // --config
	dir  string // --state-dir
	json bool
	lang display.Lang

	machine computer // of which it is asked whether the state folder is where it belongs
}

func owedCommand() *cobra.Command {
	o := owedCmd{machine: computer{files: os.DirFS("/")}}
	c := &cobra.Command{
		Use:   "owed [--config FILE | --state-dir DIR]",
		Short: "tell whether the post may be taken away: charges under way, and what is not settled",
		Long: `Lists the charges whose reservation is not settled: those under way, and those that are over and wait for
the payment service. It asks the daemon. Without one it reads what the daemon left in its state folder,
and changes nothing there; without a configuration it looks into ` + defaultState + `.

Exit code 0 when nobody charges and nothing is owed, 11 when somebody does or something is. Any other code
means that it cannot be told, as when a journal is damaged: that is not the same as nothing.`,
		Example: `  stolpe owed
  stolpe owed --state-dir /mnt/card/var/lib/stolpe`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.file != "" && o.dir != "" {
				return errors.New("--config and --state-dir: want one of them")
			}
			o.lang = langOf(c)
			a, err := o.look(c)
			if err != nil {
				return err
			}
			return o.tell(c.OutOrStdout(), a)
		},
	}
	c.Flags().StringVar(&o.file, "config", "", "read the state of this configuration `file`, and ask no daemon")
	c.Flags().StringVar(&o.dir, "state-dir", "", "read the state in this `folder`, and ask no daemon")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return c
}

// look asks the daemon, or reads what it left.
func (o *owedCmd) look(c *cobra.Command) (a balance, err error) {
	if o.file == "" && o.dir == "" {
		err := daemonOf().Get(c.Context(), "owed", nil, &a)
		if !errors.Is(err, control.ErrNoDaemon) {
			return a, answered(err)
		}
	}
	dir := o.dir
	if _, missing := os.Stat(dir); dir != "" && errors.Is(missing, fs.ErrNotExist) {
		return a, coded{fmt.Errorf("--state-dir: %w; is what it lies on mounted?", missing), exitNotFound}
	}
	if dir == "" {
		if dir, err = o.stateDir(); err != nil {
			return a, err
		}
	}
	if o.file == "" && o.dir == "" {
		fmt.Fprintf(progressOf(c), "%s %s\n", pick(o.lang, "Tjenesten kjører ikke; leser det den etterlot i", "The daemon does not run; reading what it left in"), dir)
	}
	a, err = owedOnDisk(dir)
	if errors.Is(err, fs.ErrPermission) {
		return a, coded{fmt.Errorf("%w; run this as root, or as the user of the daemon", err), exitNotPermitted}
	}
	if err == nil && o.dir == "" {
		a = o.machine.doubted(a, dir)
	}
	return a, failed(err)
}

// doubted says of what was read in a folder that there may be more, where a partition that
// should lie over it is not there: what is left then is an empty folder.
func (c computer) doubted(a balance, dir string) balance {
	all := c.mounts()
	if len(all) == 0 { // no machine that runs: a folder with a system in it
		return a
	}
	for _, at := range c.away(all, dir) {
		a.Unknown = append(a.Unknown, fmt.Sprintf("fstab mounts %s, and nothing is mounted there", at))
	}
	return balanced(a)
}

// stateDir is the folder of the configuration; that of a post without one where there is
// none.
func (o *owedCmd) stateDir() (string, error) {
	cfg, err := readConfig(cmp.Or(o.file, defaultConfig))
	switch {
	case err == nil:
		return cfg.StateDir, nil
	case o.file == "" && errors.Is(err, fs.ErrNotExist):
		return defaultState, nil
	}
	return "", coded{fmt.Errorf("the configuration does not say where the state is: %w\nstolpe: name its folder with --state-dir", err), exitConfig}
}

// tell prints what is owed, and gives the exit code.
func (o *owedCmd) tell(w io.Writer, a balance) error {
	if err := o.print(w, a); err != nil {
		return failed(err)
	}
	switch n := len(a.Owed); {
	case n > 0:
		return coded{fmt.Errorf("charges that are not settled: %d; stolpe sessions settle --all-stuck tries again", n), exitDiffers}
	case len(a.Unknown) > 0:
		return coded{fmt.Errorf("it cannot be told whether anything is owed: %s", strings.Join(a.Unknown, "; ")), exitFailed}
	}
	return nil
}

func (o *owedCmd) print(w io.Writer, a balance) error {
	if o.json {
		return printJSON(w, a)
	}
	if a.Clear {
		_, err := fmt.Fprintln(w, pick(o.lang, "Ingen lader, og alt er gjort opp.", "Nobody charges, and all is settled."))
		return err
	}
	var b strings.Builder
	t := table(&b)
	for _, u := range a.Owed {
		fmt.Fprintf(t, "%s\tEVSE %d\t%s\t%s\t%s\n", u.Ref, u.EVSE, o.phase(u), o.money(u), u.Trouble)
	}
	for _, why := range a.Unknown {
		fmt.Fprintf(t, "?\t%s\n", why)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, trimmed(b.String()))
	return err
}

// phase says how far a charge has come.
func (o *owedCmd) phase(u unsettled) string {
	return cmp.Or(map[string]string{
		"idle": pick(o.lang, "over, ikke gjort opp", "over, not settled"), "approving": pick(o.lang, "venter på godkjenning", "waits for approval"),
		"waiting": pick(o.lang, "venter på bilen", "waits for the car"), "charging": pick(o.lang, "lader", "charging"), "stopping": pick(o.lang, "stopper", "stopping"),
	}[u.Phase], u.Phase)
}

func (o *owedCmd) money(u unsettled) string {
	return fmt.Sprintf(pick(o.lang, "%v av %v %s", "%v of %v %s"), u.Due, u.Reserved, u.Currency)
}
