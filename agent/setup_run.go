package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"stolpe/agent/setup"
	"stolpe/display"
)

// fitting is a post that is being put into service.
type fitting struct {
	setupOptions
	lang     display.Lang
	terminal asker // nil where nobody is to be asked
	progress setup.Progress
	told     setup.Answers // by flags and file
	found    fitted        // what is learned of it
	as       string        // who says they are at it
	post     *onPost       // as it runs; nil before somebody needs it
	stdout   io.Writer
	stderr   *headed // progress
	colour   bool    // there
}

// headed writes a heading before the first thing that is said below it.
type headed struct {
	io.Writer
	heading string // not written yet
}

// Write writes.
func (h *headed) Write(b []byte) (int, error) {
	if h.heading != "" {
		heading := h.heading
		h.heading = ""
		if _, err := fmt.Fprintf(h.Writer, "%s\n", heading); err != nil {
			return 0, err
		}
	}
	return h.Writer.Write(b)
}

// newFitting begins a setup, or goes on with one.
func newFitting(c *cobra.Command, o setupOptions) (*fitting, error) {
	f := &fitting{setupOptions: o, lang: langOf(c), stdout: c.OutOrStdout(), stderr: &headed{Writer: progressOf(c)}, colour: paintOf(c, progressOf(c)).on}
	f.as, _ = c.Flags().GetString("as")
	for _, s := range o.skip {
		if !slices.Contains(setup.MaySkip(), setup.Step(s)) {
			return nil, fmt.Errorf("--skip %s: want some of %s", s, stepNames(setup.MaySkip()))
		}
	}
	if o.resume && o.restart {
		return nil, errors.New("--resume and --restart: want one of them")
	}
	if terminal(c.InOrStdin()) && terminal(c.ErrOrStderr()) {
		f.terminal = askerOf(c)
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	given, err := f.given(c)
	if err != nil {
		return nil, err
	}
	f.told = given
	f.take(given)
	return f, nil
}

// goOn asks, where somebody can be asked, whether what was broken off goes on.
func (f *fitting) goOn(ctx context.Context) error {
	if f.terminal == nil {
		return nil
	}
	if n := len(f.progress.Done); n > 0 && !f.resume {
		on, err := f.confirm(ctx, setup.Words{NB: "Fortsette der det ble avbrutt?", EN: "Go on where it was broken off?"}.In(f.lang),
			fmt.Sprintf(setup.Words{NB: "%d av %d trinn er gjort.", EN: "%d of %d steps are done."}.In(f.lang), n, len(setup.Steps())), "")
		if err != nil {
			return err
		}
		if !on {
			f.progress = setup.NewProgress()
			f.take(f.told)
		}
	}
	fmt.Fprintln(f.stderr, setup.Words{NB: "Ctrl-C avbryter når som helst; stolpe setup fortsetter der du var.", EN: "Ctrl-C leaves at any time; stolpe setup goes on where you were."}.In(f.lang))
	return nil
}

// given are the answers of the flags and, before these, of the file.
func (f *fitting) given(c *cobra.Command) (setup.Answers, error) {
	answers := setup.Answers{}
	if f.answers != "" {
		var err error
		if answers, err = readAnswers(f.answers); err != nil {
			return nil, err
		}
	}
	var wrong []error
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		if c.Flags().Changed(q.Flag()) {
			answers[q.Key] = *f.said[q.Key]
		}
	}
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		v, is := answers[q.Key]
		if !is {
			continue
		}
		clean, err := q.Clean(v)
		if err == nil && clean != "" {
			err = f.check(q, clean)
		}
		if err != nil {
			wrong = append(wrong, err)
		}
		answers[q.Key] = clean
	}
	return answers, errors.Join(wrong...)
}

// take takes in answers. Where one is another than before, or than what held without
// one, what rests on it is done again.
func (f *fitting) take(given setup.Answers) {
	before := f.progress.Answers.Filled()
	maps.Copy(f.progress.Answers, given)
	after := f.progress.Answers.Filled()
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		if before[q.Key] == after[q.Key] {
			continue
		}
		for _, s := range q.Again() {
			f.progress.Forget(s)
		}
		if q.Names() { // of another meter nothing is known
			delete(f.progress.Answers, setup.Confirmed(q.EVSE))
			if _, anew := given[shownKey(q.EVSE)]; !anew {
				delete(f.progress.Answers, shownKey(q.EVSE))
			}
		}
	}
}

// check says what the configuration finds wrong with an answer.
func (f *fitting) check(q setup.Question, answer string) error {
	if q.Config == "" {
		return nil
	}
	return wrongKey(q, answer)
}

// run does what is not done yet.
func (f *fitting) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, f.leave()) }()
	if f.terminal != nil {
		defer func() { err = errors.Join(err, f.terminal.close()) }()
	}
	if err := f.goOn(ctx); err != nil {
		return err
	}
	if err := f.ready(); err != nil {
		return err
	}
	for again := true; again; {
		again = false
		for _, s := range setup.Steps() {
			if f.progress.Has(s) {
				continue
			}
			err := f.step(ctx, s)
			if errors.Is(err, errAskAgain) {
				again = true
				break
			}
			if err != nil {
				return f.broken(ctx, s, err)
			}
			if err := f.save(); err != nil {
				return err
			}
		}
	}
	return f.done()
}

// errAskAgain says that answers have been taken back, which are to be asked for again.
var errAskAgain = errors.New("to be asked again")

// step does one step, or leaves it out.
func (f *fitting) step(ctx context.Context, s setup.Step) error {
	if slices.Contains(f.skip, string(s)) {
		f.note(s, setup.Skipped, "")
		return nil
	}
	if err := f.ask(ctx, s); err != nil {
		return err
	}
	do := map[setup.Step]func(context.Context) error{
		setup.Meter: f.readMeters, setup.Config: f.writeConfig, setup.Display: f.preview,
		setup.Close: f.testContactors, setup.Press: f.testInputs, setup.Pay: f.testPayment,
		setup.Charge: f.firstCharge, setup.Sticker: f.drawStickers, setup.Selftest: f.selfTest, setup.Seal: f.seal, setup.Report: f.writeReport,
	}[s]
	if do == nil { // it was all in the answers
		f.note(s, setup.Nothing, "")
		return nil
	}
	f.stderr.heading = s.Title().In(f.lang)
	defer func() { f.stderr.heading = "" }()
	return do(ctx)
}

// broken says how a setup that stops goes on.
func (f *fitting) broken(ctx context.Context, s setup.Step, err error) error {
	saved := f.save()
	next := "put this right, then: stolpe setup --resume --config " + f.file
	if slices.Contains(setup.MaySkip(), s) {
		next += "; or leave it out with --skip " + string(s)
	}
	code := exitFailed
	var own coded
	if errors.As(err, &own) {
		code = own.code
	}
	switch {
	case ctx.Err() != nil || errors.Is(err, errLeft):
		return coded{errors.Join(errors.New("broken off; stolpe setup --resume --config "+f.file+" goes on"), saved), exitStopped}
	case code == exitUsage:
		return errors.Join(err, saved)
	}
	return coded{errors.Join(fmt.Errorf("%s: %w; %s", s, err, next), saved), code}
}
