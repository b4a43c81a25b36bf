package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/payment"
)

// settleCmd is the command sessions settle.
type settleCmd struct {
	archive
	stuck bool // all of them
	dry   bool
	wait  time.Duration
}

// Bounds of --wait.
const (
	settleWait = 30 * time.Second
	settleMost = 10 * time.Minute
)

func sessionsSettleCommand() *cobra.Command {
	var s settleCmd
	c := &cobra.Command{
		Use:   "settle [ID...] [--all-stuck]",
		Short: "have settlements tried again at once that wait for a person, or for too long",
		Long: `The post settles by itself, and goes on trying; this has it tried at once, after somebody has put right
what was wrong. Nobody is charged more, and nothing twice: the amount was fixed when the charge ended.
It waits for what comes of it. One that was asked about in the last five minutes is left to the post.

Exit code 0 when all are settled, 12 when some are, 8 when none is. It needs the daemon.`,
		Example: `  stolpe sessions settle --all-stuck --dry-run
  stolpe sessions settle A12-1-000042`,
		RunE: func(c *cobra.Command, args []string) error {
			refs, err := s.check(args)
			if err != nil {
				return err
			}
			s.lang, s.out, s.notes, s.errs, s.ctx = langOf(c), c.OutOrStdout(), progressOf(c), c.ErrOrStderr(), c.Context()
			s.daemon = daemonOf()
			return s.run(refs)
		},
	}
	c.Flags().BoolVar(&s.json, "json", false, "print one JSON object")
	c.Flags().BoolVar(&s.stuck, "all-stuck", false, "all that wait for a person, or for more than five minutes")
	c.Flags().BoolVar(&s.dry, "dry-run", false, "only show which, and how they stand")
	c.Flags().DurationVar(&s.wait, "wait", settleWait, "wait so `long` for what comes of it")
	return c
}

func (s *settleCmd) check(args []string) (refs []payment.Ref, err error) {
	switch {
	case s.stuck && len(args) > 0:
		return nil, errors.New("--all-stuck and a reference: want one of them")
	case !s.stuck && len(args) == 0:
		return nil, errors.New("want the reference of a charge, or --all-stuck")
	case s.wait < 0 || s.wait > settleMost:
		return nil, fmt.Errorf("--wait %v: want 0s to %v", s.wait, settleMost)
	case len(args) > maxSettle:
		return nil, fmt.Errorf("%d references: want at most %d", len(args), maxSettle)
	}
	for _, arg := range args {
		ref, err := parseRef(arg)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// Objects of --json.
type (
	settleJSON struct {
		Dry      bool         `json:"dry_run"`
		Settled  int          `json:"settled"`     // how many
		Left     int          `json:"not_settled"` // how many
		Sessions []settleLine `json:"sessions"`
	}
	settleLine struct {
		Ref    payment.Ref `json:"ref"`
		Result string      `json:"result"` // settled, asking, tried, or rests: asked about a short time ago
		Text   string      `json:"text"`
		Owed   *owing      `json:"owed,omitempty"`    // while it is not settled
		Charge *record     `json:"session,omitempty"` // when it is
	}
)

func (s *settleCmd) run(refs []payment.Ref) error {
	owed, err := s.owed()
	if err != nil {
		return err
	}
	var chosen []owing
	for _, o := range owed {
		if s.stuck && o.Stuck {
			chosen = append(chosen, o)
		}
	}
	for _, ref := range refs {
		o := ofRef(owed, ref)
		if o == nil {
			return s.notOwed(ref)
		}
		chosen = append(chosen, *o)
	}
	out := settleJSON{Dry: s.dry, Sessions: []settleLine{}}
	if s.dry || len(chosen) == 0 {
		for _, o := range chosen {
			out.Sessions = append(out.Sessions, s.line(o, o.Retry > 0 || o.Out))
		}
		out.Left = len(chosen)
		return failed(s.print(out))
	}
	if out.Sessions, err = s.settle(chosen); err != nil {
		return err
	}
	for _, l := range out.Sessions {
		if l.Charge != nil {
			out.Settled++
		} else {
			out.Left++
		}
	}
	if err := s.print(out); err != nil {
		return failed(err)
	}
	switch {
	case out.Left > 0 && out.Settled > 0:
		return coded{fmt.Errorf("%d of %d are settled; the post goes on trying the rest", out.Settled, len(chosen)), exitPartly}
	case out.Left > 0:
		return coded{errors.New("none is settled; the post goes on trying: stolpe payment show REF tells what the service says of one"), exitRemote}
	}
	return nil
}

func (s *settleCmd) owed() ([]owing, error) {
	var l owedList
	return l.Owed, answered(s.get("sessions/owed", nil, &l))
}

func (s *settleCmd) get(name string, args, into any) error {
	return s.daemon.Get(s.ctx, name, args, into)
}

// ofRef is the one with that reference; nil if it is not there.
func ofRef(all []owing, ref payment.Ref) *owing {
	for i := range all {
		if all[i].Ref == ref {
			return &all[i]
		}
	}
	return nil
}

// notOwed is for a charge that does not wait to be settled: it tells why not.
func (s *settleCmd) notOwed(ref payment.Ref) error {
	found, err := s.find(ref)
	if err != nil {
		return err
	}
	state := found.Session.State
	return coded{fmt.Errorf("charge %s does not wait to be settled: it is %s; stolpe sessions show %s tells all of it", ref, state, ref), exitRefused}
}

// settle has charges settled, and waits for what comes of it.
func (s *settleCmd) settle(chosen []owing) ([]settleLine, error) {
	var refs []payment.Ref
	for _, o := range chosen {
		refs = append(refs, o.Ref)
	}
	var told owedList
	if err := s.daemon.Do(s.ctx, "sessions/settle", map[string]any{"sessions": refs}, &told); err != nil {
		return nil, answered(err)
	}
	rests := map[payment.Ref]bool{}
	for _, o := range told.Owed {
		rests[o.Ref] = o.Retry > 0 && !o.Out
	}
	late := time.After(s.wait)
	for over := false; ; {
		owed, err := s.owed()
		if err != nil {
			return nil, err
		}
		lines, waits := s.lines(refs, owed, rests)
		if waits == 0 || over {
			return s.finish(lines)
		}
		select {
		case <-time.After(askPause):
		case <-late:
			over = true
		case <-s.ctx.Done():
			return nil, cutShort("; the post goes on settling")
		}
	}
}

// Chosen by us.
const (
	askPause  = 500 * time.Millisecond // between two looks
	soonAgain = 2                      // s: what is asked later than that has been asked
)

// lines tells how the charges stand, and how many of them are still being asked about.
func (s *settleCmd) lines(refs []payment.Ref, owed []owing, rests map[payment.Ref]bool) (all []settleLine, waits int) {
	for _, ref := range refs {
		o := ofRef(owed, ref)
		if o == nil {
			all = append(all, settleLine{Ref: ref, Result: "settled"})
			continue
		}
		l := s.line(*o, rests[ref])
		if l.Result == "asking" {
			waits++
		}
		all = append(all, l)
	}
	return all, waits
}

// line tells how one charge stands that is not settled.
func (s *settleCmd) line(o owing, rests bool) settleLine {
	l := settleLine{Ref: o.Ref, Result: "tried", Owed: &o}
	switch {
	case rests:
		l.Result = "rests"
		l.Text = fmt.Sprintf(pick(s.lang, "ble spurt om nylig; kan prøves igjen om %d s, og stolpen prøver selv om %d s", "was asked about a short time ago; may be tried again in %d s, and the post does by itself in %d s"), o.Retry, o.Next)
	case s.dry:
		l.Result = "waits"
		l.Text = s.owedWords(&o)
	case o.Out || o.Next <= soonAgain:
		l.Result = "asking"
		l.Text = s.owedWords(&o)
	default:
		l.Text = fmt.Sprintf(pick(s.lang, "ikke gjort opp; stolpen prøver igjen om %d s", "not settled; the post tries again in %d s"), o.Next)
	}
	if o.Trouble != "" {
		l.Text += ": " + s.troubleWords(o.Ref, o.Trouble)
	}
	return l
}

// finish adds what became of those that are settled.
func (s *settleCmd) finish(lines []settleLine) ([]settleLine, error) {
	for i := range lines {
		l := &lines[i]
		if l.Result != "settled" {
			continue
		}
		found, err := s.find(l.Ref)
		if err != nil {
			return nil, err
		}
		r := found.Session
		l.Charge = &r
		l.Text = fmt.Sprintf(pick(s.lang, "gjort opp: %s %s trukket, %s frigitt", "settled: %s %s captured, %s released"), sumOf(r.Captured), r.Currency, sumOf(r.Released))
	}
	return lines, nil
}

func (s *settleCmd) print(out settleJSON) error {
	if s.json {
		return printJSON(s.out, out)
	}
	if len(out.Sessions) == 0 {
		_, err := fmt.Fprintln(s.out, pick(s.lang, "Ingenting sitter fast.", "Nothing is stuck."))
		return err
	}
	var b strings.Builder
	t := table(&b)
	for _, l := range out.Sessions {
		fmt.Fprintf(t, "%s\t%s\n", l.Ref, l.Text)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(s.out, b.String())
	return err
}
