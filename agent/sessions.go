package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/display"
)

func sessionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sessions",
		Short: "list charges, show one, export them, settle what is stuck, print a receipt, replay a bundle",
		Long: `Commands about charges. They ask the daemon, which has the ledger and knows what is under way. Without
one they read the ledger's files, as it was left, if they may; --config says whose, and makes them do
that while a daemon runs.`,
	}
	c.AddCommand(sessionsListCommand(), sessionsShowCommand(), sessionsExportCommand(), sessionsSettleCommand(), sessionsReceiptCommand(), sessionsReplayCommand())
	return c
}

// archive is where the commands about charges look: the daemon, or the ledger as it is on
// disk. Make one with openArchive.
type archive struct {
	daemon *control.Client // nil where there is none
	cfg    config.Config   // of the ledger on disk; zero with a daemon
	zone   *time.Location
	now    time.Time
	lang   display.Lang
	json   bool
	file   string // --config
	out    io.Writer
	notes  io.Writer // progress
	errs   io.Writer
	ctx    context.Context
}

// flags are those of every command about charges.
func (a *archive) flags(c *cobra.Command, json string) {
	c.Flags().StringVar(&a.file, "config", "", "read the ledger of this configuration `file`, and ask no daemon")
	c.Flags().BoolVar(&a.json, "json", false, "print "+json)
}

// open finds out where to look, and says so.
func (a *archive) open(c *cobra.Command) error {
	a.lang, a.out, a.notes, a.errs, a.ctx, a.now = langOf(c), c.OutOrStdout(), progressOf(c), c.ErrOrStderr(), c.Context(), time.Now()
	if a.file == "" {
		a.daemon = daemonOf()
		var p postStatus
		err := a.daemon.Get(a.ctx, "status", nil, &p)
		if !errors.Is(err, control.ErrNoDaemon) {
			a.zone = zoneNamed(p.Zone)
			return answered(err)
		}
		a.daemon = nil
	}
	var err error
	if a.cfg, err = readConfig(cmp.Or(a.file, defaultConfig)); err != nil {
		return a.nowhere(err)
	}
	a.zone = a.cfg.Post.Zone
	if a.file == "" {
		fmt.Fprintf(a.notes, "%s %s\n", pick(a.lang, "Tjenesten kjører ikke; leser regnskapsloggen slik den ble forlatt:", "The daemon does not run; reading the ledger as it was left:"), ledgerPath(a.cfg.StateDir))
	}
	return nil
}

// nowhere is for a machine with neither a daemon nor a configuration.
func (a *archive) nowhere(err error) error {
	if a.file == "" && errors.Is(err, fs.ErrNotExist) {
		return coded{fmt.Errorf("no daemon listens, and there is no %s to say where the ledger is; start the daemon (systemctl start stolpe), or name a configuration with --config", defaultConfig), exitNoDaemon}
	}
	return err
}

// readConfig reads a configuration for whoever has no use for its secrets, and may not
// be allowed to read them.
func readConfig(file string) (config.Config, error) {
	f, err := strict.Open(file)
	if err != nil {
		return config.Config{}, coded{fmt.Errorf("%w; name another with --config", err), exitConfig}
	}
	defer f.Close()                                                                         //nolint:errcheck // it was only read
	nobodys := func(string, string) (string, error) { return strings.Repeat("0", 64), nil } // of the form of any of them
	return config.Parse(filepath.Clean(file), f, nobodys)
}

// browse reads the ledger on disk. What is damaged in it is told, and keeps nothing else
// from being read.
func (a *archive) browse(fn func(ledger.Entry) error) error {
	path := ledgerPath(a.cfg.StateDir)
	err := ledger.Browse(path, fn)
	var damage ledger.Damage
	switch {
	case err == nil:
		return nil
	case errors.As(err, &damage):
		a.tellDamage("damaged: " + strings.Join(damage, "; "))
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return coded{fmt.Errorf("there is no ledger %s; stolpe run begins it: check state_dir, or start the daemon once", path), exitNotFound}
	case errors.Is(err, fs.ErrPermission):
		return coded{fmt.Errorf("%w; run this as the user of the daemon, or as root, or start the daemon and ask it", err), exitNotPermitted}
	}
	return failed(err)
}

// tellDamage says what is wrong with the ledger.
func (a *archive) tellDamage(damage string) {
	if damage != "" {
		fmt.Fprintf(a.errs, "%s: %s\n", pick(a.lang, "Regnskapsloggen; det andre ble lest", "The ledger; the rest was read"), damage)
	}
}

// local is a time of a record as the clock at the post has it.
func (a *archive) local(text, form string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "-"
	}
	return t.In(a.zone).Format(form)
}
