package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

func simulateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate",
		Short: "play what can happen to a charge with the real post and everything around it simulated",
		Long: `Plays a scene: the real loop, the real client of the payment service and a real wire to the meter, with a
simulated car, contactor, meter and payment service, faster than life. No money moves, nothing is written,
and no post on this machine is touched. It tells the story as it goes, and at the end whether the promises
were held.`,
	}
	c.AddCommand(simulateRunCommand(), simulateListCommand())
	return c
}

// sceneJSON is a scene as --json has it.
type sceneJSON struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func simulateListCommand() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "list",
		Short: "list the scenes",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			t := table(c.OutOrStdout())
			for _, s := range scenes() {
				var err error
				if json {
					err = printJSON(c.OutOrStdout(), sceneJSON{s.name, s.about})
				} else {
					_, err = fmt.Fprintf(t, "%s\t%s\n", s.name, s.about)
				}
				if err != nil {
					return failed(err)
				}
			}
			return failed(t.Flush())
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print one JSON object a line for each")
	return c
}

func simulateRunCommand() *cobra.Command {
	var p player
	c := &cobra.Command{
		Use:       "run SCENE",
		Short:     "play a scene, and say whether the promises were held",
		Example:   `  stolpe simulate run power-cut`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: sceneNames(),
		RunE: func(c *cobra.Command, args []string) error {
			if p.speed < 1 || p.speed > maxSpeed {
				return fmt.Errorf("--speed %d: want 1 to %d times as fast as life", p.speed, maxSpeed)
			}
			p.out, p.log = c.OutOrStdout(), slog.New(slog.DiscardHandler)
			if p.verbose {
				p.log = slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{ReplaceAttr: withoutTime}))
			}
			for _, s := range scenes() {
				if s.name == args[0] {
					return p.run(c.Context(), s)
				}
			}
			return coded{fmt.Errorf("SCENE %q: want one of %s; stolpe simulate list says what they are", args[0], strings.Join(sceneNames(), ", ")), exitUsage}
		},
	}
	c.Flags().IntVar(&p.speed, "speed", maxSpeed, "`times` as fast as life, at most")
	c.Flags().BoolVar(&p.verbose, "log", false, "the post's own log, too, on standard error")
	c.Flags().BoolVar(&p.json, "json", false, "print one JSON object a line: what happens, and last the promises")
	return c
}

func sceneNames() (all []string) {
	for _, s := range scenes() {
		all = append(all, s.name)
	}
	return all
}

// player plays a scene to somebody.
type player struct {
	speed         int // times as fast as life
	json, verbose bool
	out           io.Writer
	log           *slog.Logger

	mu    sync.Mutex // guards the two below: the loop tells, and the scene
	wrong error      // of out
}

// happening is something that has happened, as --json has it.
type happening struct {
	At   int64  `json:"at_s"` // s since the beginning
	What string `json:"what"`
	Text string `json:"text"`
}

// tell prints something that has happened.
func (p *player) tell(at time.Duration, what, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at = max(0, at-time.Second) // the clock begins at one
	var err error
	if p.json {
		err = printJSON(p.out, happening{int64(at / time.Second), what, text})
	} else {
		_, err = fmt.Fprintf(p.out, "%02d:%02d:%02d  %-9s  %s\n", int(at.Hours()), int(at.Minutes())%60, int(at.Seconds())%60, what, text)
	}
	p.wrong = errors.Join(p.wrong, err)
}

// run plays a scene.
func (p *player) run(ctx context.Context, s scene) error {
	if !p.json {
		fmt.Fprintf(p.out, "%s: %s.\n\n", s.name, s.about)
	}
	r, err := rehearse(ctx, p.speed, p.log, p.tell)
	if err != nil {
		return failed(fmt.Errorf("simulation: %w", err))
	}
	defer r.Close() //nolint:errcheck // everything of it is simulated, and over
	err = s.play(ctx, r)
	if ctx.Err() != nil {
		return cutShort(" before the scene was over")
	}
	all := r.promises(s)
	held := err == nil
	for _, one := range all {
		held = held && one.OK
	}
	return errors.Join(p.verdict(all), p.wrong, sceneFailed(s, held, err))
}

func sceneFailed(s scene, held bool, err error) error {
	switch {
	case err != nil:
		return coded{fmt.Errorf("scene %s: %w; this is a fault of the program: please report it, with what was printed", s.name, err), exitFailed}
	case !held:
		return coded{fmt.Errorf("scene %s: a promise was not held; this is a fault of the program: please report it, with what was printed", s.name), exitFailed}
	}
	return nil
}

// verdict prints what became of the promises.
func (p *player) verdict(all []promise) error {
	if p.json {
		return failed(printJSON(p.out, struct {
			Promises []promise `json:"promises"`
		}{all}))
	}
	t := table(p.out)
	fmt.Fprintln(t)
	for _, one := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", map[bool]string{true: "HELD", false: "BROKEN"}[one.OK], one.What, one.Text)
	}
	return failed(t.Flush())
}
