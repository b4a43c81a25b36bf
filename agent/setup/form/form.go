// Package form asks a person questions on a terminal.
//
// # Why
//
// The library that draws the questions is reached through here alone, so that what it
// costs in memory and in time at the start of every command is in one place. It asks
// the terminal nothing about its colours: some answer late or never, and a person would
// wait for it. Where lines are wanted and no drawing (a screen reader, a serial console,
// TERM=dumb), the same questions come as plain lines.
package form

import (
	"context"
	"errors"
	"io"
	"os"

	_ "ahead" // before what it is ahead of

	"github.com/charmbracelet/huh"

	"stolpe/agent/setup"
	"stolpe/display"
)

// ErrLeft says that the person has left (Ctrl-C).
var ErrLeft = errors.New("left by the person at the terminal")

// Terminal is where a person sits.
type Terminal struct {
	In    io.Reader
	Out   io.Writer
	Lang  display.Lang
	Plain bool // lines only
	// Check says what is wrong with an answer that is whole as such; the text of its
	// error is shown below the question.
	Check func(q setup.Question, answer string) error
}

// Ask asks questions on one page. What holds without an answer is in the field already.
// Answers come cleaned.
func (t Terminal) Ask(ctx context.Context, title string, all []setup.Question, known setup.Answers) (setup.Answers, error) {
	values := make([]string, len(all))
	flags := make([]bool, len(all))
	fields := []huh.Field{}
	for i, q := range all {
		values[i] = known[q.Key]
		flags[i] = known.Yes(q.Key)
		fields = append(fields, t.field(q, &values[i], &flags[i], known))
	}
	if err := t.run(ctx, huh.NewGroup(fields...).Title(title)); err != nil {
		return nil, err
	}
	answers := setup.Answers{}
	for i, q := range all {
		if q.Kind == setup.YesNo {
			values[i] = map[bool]string{true: "true", false: "false"}[flags[i]]
		}
		v, err := q.Clean(values[i])
		if err != nil {
			return nil, err
		}
		answers[q.Key] = v
	}
	return answers, nil
}

func (t Terminal) field(q setup.Question, value *string, flag *bool, known setup.Answers) huh.Field {
	title, help := q.Ask.In(t.Lang), q.Help.In(t.Lang)
	if t.plain() { // which shows neither help nor what holds without an answer
		if help != "" {
			title += " (" + help + ")"
		}
		if preset := known[q.Key]; preset != "" && q.Kind != setup.YesNo {
			title += " [" + preset + "]"
		}
	}
	switch {
	case q.Kind == setup.YesNo:
		return huh.NewConfirm().Title(title).Description(help).Value(flag).
			Affirmative(setup.Words{NB: "Ja", EN: "Yes"}.In(t.Lang)).Negative(setup.Words{NB: "Nei", EN: "No"}.In(t.Lang))
	case len(q.One) > 0:
		return huh.NewSelect[string]().Title(title).Description(help).Options(huh.NewOptions(q.One...)...).Value(value)
	}
	return huh.NewInput().Title(title).Description(help).Value(value).Validate(func(s string) error {
		return t.wrong(q, s, known)
	})
}

// wrong says what is wrong with what was typed.
func (t Terminal) wrong(q setup.Question, s string, known setup.Answers) error {
	v, err := q.Clean(s)
	switch {
	case err != nil:
		return err
	case v == "" && t.plain() && known[q.Key] != "":
		return nil // that is what is taken
	case v == "" && q.Needs(known):
		return errors.New(setup.Words{NB: "her trengs et svar", EN: "an answer is needed here"}.In(t.Lang))
	case v == "" || t.Check == nil:
		return nil
	}
	return t.Check(q, v)
}

// Confirm asks whether something is to be done. What is typed must be the word, unless
// that is empty: then it is a yes or a no.
func (t Terminal) Confirm(ctx context.Context, title, help, word string) (bool, error) {
	if word == "" {
		var sure bool
		err := t.run(ctx, huh.NewGroup(huh.NewConfirm().Title(title).Description(help).Value(&sure).
			Affirmative(setup.Words{NB: "Ja", EN: "Yes"}.In(t.Lang)).Negative(setup.Words{NB: "Nei", EN: "No"}.In(t.Lang))))
		return sure, err
	}
	var typed string
	err := t.run(ctx, huh.NewGroup(huh.NewInput().Title(title).Description(help).Value(&typed)))
	return typed == word, err
}

// Secret asks for something that is not shown.
func (t Terminal) Secret(ctx context.Context, title, help string) (string, error) {
	var typed string
	err := t.run(ctx, huh.NewGroup(huh.NewInput().Title(title).Description(help).Value(&typed).EchoMode(huh.EchoModePassword)))
	return typed, err
}

// plain says whether questions come as lines.
func (t Terminal) plain() bool {
	return t.Plain || os.Getenv("ACCESSIBLE") != "" || os.Getenv("TERM") == "dumb"
}

func (t Terminal) run(ctx context.Context, g *huh.Group) error {
	in := &lines{from: t.In}
	f := huh.NewForm(g).WithOutput(t.Out).WithShowHelp(true).WithTheme(huh.ThemeBase()).WithAccessible(t.plain())
	if !t.plain() {
		return ended(ctx, f.WithInput(t.In).RunWithContext(ctx))
	}
	done := make(chan error, 1)
	go func() { done <- f.WithInput(in).RunWithContext(ctx) }() // which hears of no context
	select {
	case err := <-done:
		if in.over {
			return ErrLeft
		}
		return ended(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ended says how a page has ended.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, huh.ErrUserAborted):
		return ErrLeft
	}
	return err
}

// lines passes on what is typed, and knows when there is no more.
type lines struct {
	from io.Reader
	over bool
}

// Read reads.
func (l *lines) Read(b []byte) (int, error) {
	n, err := l.from.Read(b)
	l.over = l.over || err != nil
	return n, err
}

// Fd is the terminal, for what is typed unseen.
func (l *lines) Fd() uintptr {
	if f, ok := l.from.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0) // no file at all
}
