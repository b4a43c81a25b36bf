package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/display"
)

// statusing is the command status.
type statusing struct {
	watch bool
	evse  int // its number; 0 for all
	every time.Duration
	json  bool
	lang  display.Lang
	out   io.Writer
	err   io.Writer
	wide  bool // somebody looks at a terminal
	paint painter
}

func statusCommand() *cobra.Command {
	var s statusing
	c := &cobra.Command{
		Use:   "status",
		Short: "show how the post is: charge, faults, meter, contactor, payment service, broker",
		Long: `Asks the daemon how the post is. On a terminal it prints a block for each EVSE, else one line.
What a charge costs, and its reference, are shown to technicians only.

With --watch it goes on: on a terminal it draws over what it has drawn, also over a restart of the
daemon; else it prints whenever something has changed, and every now and then.

Exit code 0 when the daemon answers, however the post is; 5 when there is none. See stolpe why.`,
		Example: `  stolpe status
  stolpe status --watch --evse 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.check(c.Flags().Changed("every")); err != nil {
				return err
			}
			s.lang, s.out, s.err = langOf(c), c.OutOrStdout(), c.ErrOrStderr()
			s.wide, s.paint = terminal(s.out) && !s.json, paintOf(c, s.out)
			if s.watch {
				return s.follow(c.Context(), daemonOf())
			}
			return s.once(c.Context(), daemonOf())
		},
	}
	c.Flags().BoolVarP(&s.watch, "watch", "w", false, "go on until Ctrl-C")
	c.Flags().IntVar(&s.evse, "evse", 0, "only the EVSE with this `number`")
	c.Flags().DurationVar(&s.every, "every", watchEvery, "with --watch: at most so `long` without a word")
	c.Flags().BoolVar(&s.json, "json", false, "print one JSON object; with --watch one a line")
	return c
}

func (s *statusing) check(every bool) error {
	switch {
	case every && !s.watch:
		return errors.New("--every: only with --watch")
	case s.every < watchEvery || s.every > watchMost:
		return fmt.Errorf("--every %v: want %v to %v", s.every, watchEvery, watchMost)
	case s.evse < 0:
		return fmt.Errorf("--evse %d: want the number of an EVSE, from 1", s.evse)
	}
	return nil
}

func (s *statusing) once(ctx context.Context, daemon *control.Client) error {
	var p postStatus
	if err := daemon.Get(ctx, "status", nil, &p); err != nil {
		return answered(err)
	}
	if err := p.only(s.evse); err != nil {
		return err
	}
	return failed(s.print(p))
}

// only leaves out the other EVSEs.
func (p *postStatus) only(evse int) error {
	if evse == 0 {
		return nil
	}
	for _, e := range p.EVSEs {
		if e.EVSE == evse {
			p.EVSEs = []evseStatus{e}
			return nil
		}
	}
	return coded{fmt.Errorf("post %s has no EVSE %d; stolpe status shows all of them", p.Post, evse), exitNotFound}
}

func (s *statusing) print(p postStatus) error {
	var b bytes.Buffer
	switch {
	case s.json:
		if err := printJSON(&b, p); err != nil {
			return err
		}
	case s.wide:
		s.block(&b, p)
	default:
		s.lines(&b, p)
	}
	_, err := s.out.Write(b.Bytes())
	return err
}

// errShown ends a watch whose reader has gone.
var errShown = errors.New("what is printed cannot be written")

// follow prints until Ctrl-C. A terminal waits for a daemon that starts anew.
func (s *statusing) follow(ctx context.Context, daemon *control.Client) error {
	drawn := 0
	for {
		err := daemon.Follow(ctx, "watch", map[string]int64{"every_s": int64(s.every / time.Second)}, func(text json.RawMessage) error {
			var p postStatus
			if err := json.Unmarshal(text, &p); err != nil {
				return err
			}
			if err := p.only(s.evse); err != nil {
				return err
			}
			if err := s.draw(p, &drawn); err != nil {
				return fmt.Errorf("%w: %w", errShown, err)
			}
			return nil
		})
		var own coded
		gone := err == nil || errors.Is(err, control.ErrNoDaemon) || errors.Is(err, io.ErrUnexpectedEOF)
		switch {
		case ctx.Err() != nil:
			return cutShort("")
		case errors.As(err, &own), errors.Is(err, errShown):
			return failed(err)
		case gone && s.wide && drawn > 0:
			drawn = s.wait(ctx, drawn)
		case err == nil, errors.Is(err, io.ErrUnexpectedEOF):
			return coded{errors.New("the daemon has ended; stolpe logs tells why, and systemctl start stolpe starts it"), exitNoDaemon}
		default:
			return answered(err)
		}
	}
}

// Private modes of terminals since the VT100 (DECAWM).
const (
	noWrap = "\x1b[?7l"
	wrap   = "\x1b[?7h"
)

// draw prints over what was drawn before.
func (s *statusing) draw(p postStatus, drawn *int) error {
	if !s.wide {
		return s.print(p)
	}
	var b bytes.Buffer
	if *drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", *drawn)
	}
	from := b.Len()
	b.WriteString(noWrap) // a line that is too long must stay one line
	s.block(&b, p)
	b.WriteString(wrap)
	*drawn = bytes.Count(b.Bytes()[from:], []byte("\n"))
	_, err := s.out.Write(b.Bytes())
	return err
}

// wait says that there is no daemon for now, below what was drawn, and waits a little.
func (s *statusing) wait(ctx context.Context, drawn int) int {
	text := pick(s.lang, "Tjenesten svarer ikke; venter på at den starter igjen.", "The daemon does not answer; waiting until it is there again.")
	fmt.Fprintf(s.out, "%s\x1b[K\r", text)
	select {
	case <-time.After(watchEvery):
	case <-ctx.Done():
	}
	return drawn
}

// cutShort is for a command that has not come to its end, and what goes on without it.
func cutShort(then string) error {
	return coded{errors.New("interrupted" + then), exitStopped}
}
