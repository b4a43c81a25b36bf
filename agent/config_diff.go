package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/control"
)

func configDiffCommand() *cobra.Command {
	var s settings
	var running bool
	c := &cobra.Command{
		Use:   "diff [--running | FILE]",
		Short: "what would change with FILE; or for the post that runs, and whether it must start anew for that",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 0 && running:
				return errors.New("--running and FILE: want one of them")
			case len(args) > 0:
				return s.diff(c, args[0])
			}
			return s.diffRunning(c)
		},
	}
	c.Flags().BoolVar(&running, "running", false, "compare the file with what the post goes by, which is what it does without FILE")
	return s.flags(c, "one JSON object")
}

// difference is what is another in a file than in the one before it.
type difference struct {
	From    string          `json:"from"`
	To      string          `json:"to"`
	Changes []config.Change `json:"changes"`
	Restart bool            `json:"restart"` // some take effect with a restart only
}

func (s *settings) diff(c *cobra.Command, file string) error {
	from, err := s.load()
	if err != nil {
		return err
	}
	other := settings{file: file}
	to, err := other.load()
	if err != nil {
		return err
	}
	d := difference{s.file, file, append([]config.Change{}, config.Compare(from, to)...), false}
	for _, one := range d.Changes {
		d.Restart = d.Restart || !one.AtOnce
	}
	if s.json {
		return failed(printJSON(c.OutOrStdout(), d))
	}
	return failed(s.tellDiff(c.OutOrStdout(), d.Changes, d.Restart, nil))
}

func (s *settings) diffRunning(c *cobra.Command) error {
	var p pending
	var all json.RawMessage
	err := daemonOf().Get(c.Context(), "config", nil, &all)
	if err == nil {
		err = json.Unmarshal(all, &p)
	}
	if err != nil {
		return answered(err)
	}
	fmt.Fprintf(progressOf(c), "The post that runs goes by %s, its file is %s.\n", p.Running, p.File)
	if p.Wrong != "" {
		return coded{fmt.Errorf("the file is not valid, so the post goes on as before:\n%s\nstolpe: put this right (stolpe config edit)", p.Wrong), exitConfig}
	}
	if s.json {
		return failed(printJSON(c.OutOrStdout(), p))
	}
	return failed(s.tellDiff(c.OutOrStdout(), p.Changes, p.Restart, p.Busy))
}

// tellDiff prints what differs, and what that takes.
func (s *settings) tellDiff(w io.Writer, changes []config.Change, restart bool, busy []string) error {
	if err := printChanges(w, changes); err != nil {
		return err
	}
	end := "The post takes this over at once: stolpe config reload"
	switch {
	case len(changes) == 0:
		end = "Nothing differs."
	case restart && len(busy) > 0:
		end = "The post must start anew for this, and cannot now, as " + strings.Join(busy, ", ") + ": stolpe config reload --wait"
	case restart:
		end = "The post must start anew for this, which takes a moment: stolpe config reload"
	}
	_, err := fmt.Fprintln(w, end)
	return err
}

func configReloadCommand() *cobra.Command {
	var s settings
	var how reloading
	c := &cobra.Command{
		Use:   "reload",
		Short: "have the post that runs go by its file as it is now: all of it, or nothing",
		Long: "A price holds for the charges to come, at once. All else takes a start of the post anew, within the same process,\n" +
			"and not while somebody charges: then nothing is changed, and --wait does it as soon as nobody does.\n" +
			"The same happens with systemctl reload stolpe (SIGHUP).",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var a sentence
			err := daemonOf().Do(c.Context(), "reload", how, &a)
			var no control.Refusal
			if errors.As(err, &no) && no.Code == control.Invalid && strings.HasPrefix(no.Text, notValid) {
				return coded{err, exitConfig}
			}
			if err != nil {
				return answered(err)
			}
			if s.json {
				return failed(printJSON(c.OutOrStdout(), a))
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), a.Text)
			return failed(err)
		},
	}
	c.Flags().BoolVar(&how.Restart, "restart", false, "start anew even if no key has changed: a certificate or a register map that one names has")
	c.Flags().BoolVar(&how.Wait, "wait", false, "where it takes a start anew, leave that until nobody charges")
	c.Flags().BoolVar(&s.json, "json", false, "print one JSON object")
	return c
}
