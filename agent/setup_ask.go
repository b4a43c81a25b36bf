package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
	"stolpe/agent/setup"
)

// answersFormat is the table of a file with answers: the questions.
func answersFormat() strict.Format {
	var f strict.Format
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		f.Keys = withKey(f.Keys, strings.Split(q.Key, "."), q)
	}
	return f
}

// withKey adds the key of a question to a section, with the sections between the two.
func withKey(keys []strict.Key, path []string, q setup.Question) []strict.Key {
	if len(path) > 1 {
		for i := range keys {
			if keys[i].Name == path[0] && keys[i].Kind == strict.Section {
				keys[i].Keys = withKey(keys[i].Keys, path[1:], q)
				return keys
			}
		}
		return append(keys, strict.Key{Name: path[0], Kind: strict.Section, Doc: "Questions.", Keys: withKey(nil, path[1:], q)})
	}
	k := strict.Key{Name: path[0], Doc: q.Ask.EN, Unset: "asked for"}
	switch q.Kind {
	case setup.YesNo:
		k.Kind, k.Want = strict.Flag, "true or false"
	case setup.Number:
		k.Kind, k.Max = strict.Number, 1_000_000 // whatever the question allows is below
	case setup.Text, setup.Money, setup.Sums:
		k.Kind, k.Want, k.Legal = strict.Text, "a text in quotes", legal.Visible
	}
	return append(keys, k)
}

// readAnswers reads a file with answers.
func readAnswers(file string) (setup.Answers, error) {
	in, err := strict.Open(file)
	if err != nil {
		return nil, fmt.Errorf("--answers: %w", err)
	}
	defer in.Close()
	var into map[string]any
	r, err := answersFormat().Read(file, in, &into)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, coded{err, exitConfig}
	}
	answers := setup.Answers{}
	flatten(answers, "", into)
	return answers, nil
}

func flatten(to setup.Answers, path string, from map[string]any) {
	for name, v := range from {
		key := strings.TrimPrefix(path+"."+name, ".")
		if below, is := v.(map[string]any); is {
			flatten(to, key, below)
			continue
		}
		to[key] = fmt.Sprint(v)
	}
}

// wrongKey says what the configuration finds wrong with an answer, with the flag that
// gives another.
func wrongKey(q setup.Question, answer string) error {
	err := config.CheckKey(q.Config, q.Value(answer))
	var wrong config.Errors
	if errors.As(err, &wrong) {
		return fmt.Errorf("--%s: found %s; want %s", q.Flag(), wrong[0].Found, wrong[0].Allowed)
	}
	return err
}

// progressFile is where a setup notes how far it has come.
func (f *fitting) progressFile() string { return f.file + ".setup" }

// load reads how far a setup has come, if somebody wants that.
func (f *fitting) load() error {
	f.progress = setup.NewProgress()
	b, err := os.ReadFile(f.progressFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.resume {
			return coded{fmt.Errorf("--resume: there is no %s, so no setup was broken off here; leave it out", f.progressFile()), exitNotFound}
		}
		return nil
	case err != nil:
		return failed(err)
	case f.restart:
		return nil
	}
	p, err := setup.ParseProgress(b)
	if err != nil {
		return coded{fmt.Errorf("%s: %w; --restart begins anew", f.progressFile(), err), exitFailed}
	}
	if !f.resume && f.terminal == nil {
		return fmt.Errorf("a setup was broken off here, after %d of %d steps; add --resume to go on, or --restart to begin anew", len(p.Done), len(setup.Steps()))
	}
	f.progress = p
	return nil
}

// save notes how far the setup has come.
func (f *fitting) save() error {
	b, err := f.progress.Encode()
	if err == nil {
		err = replace(f.progressFile(), b, 0o600)
	}
	if err != nil {
		return coded{fmt.Errorf("how far the setup has come cannot be noted: %w; is %s there, and may you write there?", err, f.progressFile()), exitFailed}
	}
	return nil
}

// note notes what came of a step.
func (f *fitting) note(s setup.Step, status setup.Status, text string) {
	f.progress.Note(setup.Result{Step: s, Status: status, Text: text, At: time.Now().Unix()})
	switch {
	case status == setup.Skipped:
		fmt.Fprintf(f.stderr, "%s: %s\n", s.Title().In(f.lang), status.Word(f.lang))
	case text != "":
		fmt.Fprintf(f.stderr, "  %s: %s\n", status.Word(f.lang), text)
	}
}

// ready says, before anything is touched, what is missing and what goes for nothing.
func (f *fitting) ready() error {
	a := f.progress.Answers
	var wrong []string
	for _, q := range a.Useless() {
		wrong = append(wrong, fmt.Sprintf("  --%s  would go for nothing: %s", q.Flag(), f.useless(q)))
	}
	if f.terminal == nil {
		for _, q := range a.Missing() {
			line := fmt.Sprintf("  --%-32s %s", q.Flag(), q.Ask.In(f.lang))
			if len(q.One) > 0 {
				line += " (" + strings.Join(q.One, ", ") + ")"
			}
			wrong = append(wrong, line)
		}
		wrong = append(wrong, f.unsaid()...)
	}
	if f.charge && f.terminal == nil && a.Filled()["payment.through"] != "sim" {
		wrong = append(wrong, "  --first-charge  is for a simulated post: add --simulated, or pay for a real one with a phone")
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%s\n%s", setup.Words{
		NB: "dette mangler eller går ikke sammen; gi det som flagg, eller i en fil med --answers:",
		EN: "this is missing or does not go together; give it as flags, or in a file with --answers:",
	}.In(f.lang), strings.Join(wrong, "\n"))
}

// useless says why an answer goes for nothing.
func (f *fitting) useless(q setup.Question) string {
	if q.EVSE > f.progress.Answers.EVSEs() {
		return "the post has one EVSE; add --evses 2"
	}
	if f.progress.Answers.Yes("simulated") {
		return "of a simulated post that is simulated too"
	}
	return "other answers say that there is no such thing"
}

// unsaid lists what must be said of tests where nobody can be asked.
func (f *fitting) unsaid() []string {
	var all []string
	a := f.progress.Answers.Filled()
	skips := func(s setup.Step) bool {
		return f.progress.Has(s) || strings.Contains(","+strings.Join(f.skip, ",")+",", ","+string(s)+",")
	}
	if !f.yes && !skips(setup.Close) {
		all = append(all, fmt.Sprintf("  --%-32s %s", "yes", setup.Words{
			NB: "kontaktoren slås inn et øyeblikk; er ingenting plugget i? (eller --skip close)",
			EN: "the contactor closes for a moment; is nothing plugged in? (or --skip close)"}.In(f.lang)))
	}
	for n := 1; n <= a.EVSEs() && !a.Yes("simulated") && !skips(setup.Meter); n++ {
		if q, _ := setup.Find(shownKey(n)); a[q.Key] == "" {
			all = append(all, fmt.Sprintf("  --%-32s %s", q.Flag(), q.Ask.In(f.lang)+" (--skip meter)"))
		}
	}
	return all
}

// shownKey is the question of what the display of a meter shows.
func shownKey(evse int) string {
	return strings.TrimSuffix(setup.Confirmed(evse), "confirmed") + "shown"
}

// ask asks what is not known for a step, page by page, as an answer may lead to more
// questions.
func (f *fitting) ask(ctx context.Context, s setup.Step) error {
	if f.terminal == nil {
		return nil
	}
	for {
		full := f.progress.Answers.Filled()
		var page []setup.Question
		for _, q := range f.progress.Answers.Open(s) {
			if q.Asked(full) {
				page = append(page, q)
			}
		}
		if len(page) == 0 {
			return nil
		}
		r := setup.Request{Do: setup.DoAsk, Title: s.Title().In(f.lang), Known: full}
		for _, q := range page {
			r.Keys = append(r.Keys, q.Key)
			if q.Needs(full) {
				r.Must = append(r.Must, q.Key)
			}
		}
		said, err := f.terminal.ask(ctx, r, f.checkKey)
		if err != nil {
			return err
		}
		for _, q := range page {
			if said.Answers[q.Key], err = q.Clean(said.Answers[q.Key]); err != nil {
				return err
			}
		}
		f.take(said.Answers)
		if err := f.save(); err != nil {
			return err
		}
	}
}

// checkKey says what is wrong with an answer to the question of that key.
func (f *fitting) checkKey(key, answer string) error {
	q, _ := setup.Find(key)
	clean, err := q.Clean(answer)
	if err != nil || clean == "" {
		return err
	}
	return f.check(q, clean)
}

// confirm asks the person for a word, or for a yes or a no where that is empty.
func (f *fitting) confirm(ctx context.Context, title, help, word string) (bool, error) {
	said, err := f.terminal.ask(ctx, setup.Request{Do: setup.DoConfirm, Title: title, Help: help, Word: word}, f.checkKey)
	return said.Yes, err
}

// secret asks the person for something that is not shown.
func (f *fitting) secret(ctx context.Context, title, help string) (string, error) {
	said, err := f.terminal.ask(ctx, setup.Request{Do: setup.DoSecret, Title: title, Help: help}, f.checkKey)
	return said.Typed, err
}
