package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/config/trial"
)

// settings is what the commands about the configuration share.
type settings struct {
	file string // the configuration
	pin  string // where the PIN of the seal is read
	json bool
}

func configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "look at the configuration of the post, and change it"}
	c.AddCommand(
		configShowCommand(), configGetCommand(),
		configSetCommand(), configUnsetCommand(), configEditCommand(),
		configValidateCommand(), configDiffCommand(), configReloadCommand(), configMigrateCommand(),
		configSealCommand(), configUnsealCommand(), configSecretCommand(),
	)
	return c
}

// flags are those of every command about the configuration.
func (s *settings) flags(c *cobra.Command, json string) *cobra.Command {
	c.Flags().StringVar(&s.file, "config", defaultConfig, "configuration `file`")
	c.Flags().BoolVar(&s.json, "json", false, "print "+json)
	return c
}

// load reads the configuration. Secrets that only the daemon gets are not looked at.
func (s *settings) load() (config.Config, error) {
	cfg, _, err := config.Here(s.file)
	if err != nil {
		return cfg, s.unread(err)
	}
	return cfg, nil
}

// unread is for a configuration that could not be read, or says what it may not.
func (s *settings) unread(err error) error {
	var wrong config.Errors
	switch {
	case errors.As(err, &wrong):
		return coded{fmt.Errorf("the configuration is not valid:\n%w\nstolpe: put this right (stolpe config edit), and see stolpe config validate", wrong), exitConfig}
	case errors.Is(err, fs.ErrPermission):
		return coded{fmt.Errorf("%w; run this as root, or as somebody who may read the file", err), exitNotPermitted}
	case errors.Is(err, fs.ErrNotExist):
		return coded{fmt.Errorf("%w; stolpe setup writes one, and --config names another", err), exitConfig}
	}
	return coded{err, exitConfig}
}

// wrote is what came of a change of the file.
type wrote struct {
	File    string          `json:"file"`
	Sum     string          `json:"cfg"` // of the new text
	Changes []config.Change `json:"changes"`
	Before  string          `json:"before,omitempty"` // where the version before is kept; empty where nothing was written
	Restart bool            `json:"restart"`          // some of them take effect with the next start only
}

// write puts a new text in the place of the old, which is kept, and tells what changed.
func (s *settings) write(c *cobra.Command, a config.Amended, dry bool) error {
	var left error
	w := wrote{File: s.file, Sum: a.After.Sum, Changes: a.Changes()}
	for _, one := range w.Changes {
		w.Restart = w.Restart || !one.AtOnce
	}
	if string(a.Old) != string(a.New) && !dry {
		if err := s.replace(a.Old, a.New); err != nil {
			return err
		}
		w.Before = trial.Before(s.file)
		left = forgetSeal(a)
	}
	if w.Changes == nil {
		w.Changes = []config.Change{}
	}
	if s.json {
		return errors.Join(failed(printJSON(c.OutOrStdout(), w)), left)
	}
	return errors.Join(s.tellWritten(c, w, dry), left)
}

// replace writes the file, unless it is on trial: the version before must stay what it is.
func (s *settings) replace(from, to []byte) error {
	if t, _ := trial.Of(s.file); t.On() {
		return coded{fmt.Errorf("configuration %s is on trial, and goes back to the one before by itself unless somebody confirms it (config.set from afar); try again when it is over", t.ID), exitRefused}
	}
	err := trial.Replace(s.file, from, to)
	switch {
	case errors.Is(err, trial.ErrMoved):
		return coded{fmt.Errorf("%s: %w; nothing was written: do it again", s.file, err), exitFailed}
	case errors.Is(err, fs.ErrPermission):
		return coded{fmt.Errorf("%w; nothing was written: run this as root", err), exitNotPermitted}
	}
	return failed(err)
}

// tellWritten tells people what changed, and what to do next.
func (s *settings) tellWritten(c *cobra.Command, w wrote, dry bool) error {
	if err := printChanges(c.OutOrStdout(), w.Changes); err != nil {
		return failed(err)
	}
	switch stderr := progressOf(c); {
	case dry:
		fmt.Fprintln(stderr, "Nothing was written.")
	case w.Before == "":
		fmt.Fprintln(stderr, "The file says so already; nothing was written.")
	default:
		fmt.Fprintf(stderr, "Written to %s; the version before is %s.\nThe post goes by it after: stolpe config reload\n", w.File, w.Before)
	}
	return nil
}

// printChanges prints one line for each change.
func printChanges(w io.Writer, changes []config.Change) error {
	t := table(w)
	for _, one := range changes {
		fmt.Fprintf(t, "%s\t%s -> %s\t%s\n", one.Key, one.From, one.To, map[bool]string{true: "at once", false: "with a restart"}[one.AtOnce])
	}
	return t.Flush()
}
