package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/display"
)

// maxRestartWait is the most of --wait. Chosen by us: longer than any charge.
const maxRestartWait = 7 * 24 * time.Hour

// restartCmd is the command restart.
type restartCmd struct {
	now    bool
	wait   time.Duration // 0 for no waiting
	json   bool
	lang   display.Lang
	out    io.Writer
	daemon *control.Client
}

func restartCommand() *cobra.Command {
	var r restartCmd
	c := &cobra.Command{
		Use:   "restart [--now] [--wait TIME]",
		Short: "start the post anew, with the program that is on the disk now, as soon as nobody charges",
		Long: `Has the daemon start anew as soon as nobody charges at any EVSE, with the program that is on the disk then:
after an upgrade that is the new one. It is tried before; if it is not fit to run, the daemon goes on as it
is. If somebody has charged for four hours on end at one EVSE or another, none takes a new driver until the
post has started anew. stolpe status shows an order that waits; a daemon that ends has carried it out.

Without --wait it ends when the order is taken, and with it when the post has started anew.`,
		Example: `  stolpe restart
  stolpe restart --wait 2h
  stolpe restart --now --wait 1m`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if r.wait < 0 || r.wait > maxRestartWait || c.Flags().Changed("wait") && r.wait < time.Second {
				return fmt.Errorf("--wait %v: want 1s to %v", r.wait, maxRestartWait)
			}
			r.lang, r.out, r.daemon = langOf(c), c.OutOrStdout(), daemonOf()
			return r.run(c.Context())
		},
	}
	c.Flags().BoolVar(&r.now, "now", false, "do not wait for the charges under way: end them, settle, start anew")
	c.Flags().DurationVar(&r.wait, "wait", 0, "wait so `long` until it has started anew, as in 30s or 2h")
	c.Flags().BoolVar(&r.json, "json", false, "print one JSON object")
	return c
}

func (r *restartCmd) run(ctx context.Context) error {
	var was postStatus
	var a restarting
	err := r.daemon.Get(ctx, "status", nil, &was)
	if err == nil {
		err = r.daemon.Do(ctx, "restart", map[string]bool{"now": r.now}, &a)
	}
	if err != nil {
		return answered(err)
	}
	if r.wait > 0 {
		if err := r.await(ctx, was.Boot, a); err != nil {
			return err
		}
		a.Text, a.For = fmt.Sprintf(pick(r.lang, "har startet på nytt: versjon %s, den før var %s", "has started anew: version %s, the one before was %s"), a.To, a.From), []string{}
	}
	if r.json {
		return failed(printJSON(r.out, a))
	}
	_, err = fmt.Fprintln(r.out, a.Text)
	return failed(err)
}

// await waits until another daemon answers than the one of that start.
func (r *restartCmd) await(ctx context.Context, boot string, a restarting) error {
	late := time.After(r.wait)
	for {
		var p postStatus
		err := r.daemon.Get(ctx, "status", nil, &p)
		var no control.Refusal
		gone := errors.Is(err, control.ErrNoDaemon) || errors.As(err, &no) && no.Code == control.Busy // for a moment
		switch {
		case err != nil && ctx.Err() == nil && !gone:
			return answered(err)
		case err == nil && p.Boot != boot && p.Version != a.To:
			return coded{fmt.Errorf("it has started anew, but as version %s and not %s; stolpe logs tells why", p.Version, a.To), exitFailed}
		case err == nil && p.Boot != boot:
			return nil
		case err == nil && p.Restart != nil && p.Restart.Failed != "":
			return coded{fmt.Errorf("the post goes on as it was: %s", p.Restart.Failed), exitFailed}
		}
		select {
		case <-time.After(askPause):
		case <-late:
			why := "the daemon does not answer; systemctl status stolpe"
			if p.Restart != nil {
				why = strings.Join(p.Restart.For, ", ") + "; the post goes on waiting"
			}
			return coded{fmt.Errorf("not started anew within %v: %s", r.wait, why), exitTimeout}
		case <-ctx.Done():
			return cutShort("; the post starts anew all the same")
		}
	}
}
