package main

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/charmbracelet/huh"

	"stolpe/agent/setup"
	"stolpe/display"
)

// ErrLeft says that the person has left (Ctrl-C).
var ErrLeft = errors.New("left by the person at the terminal")

// Terminal is where a person sits.
type Terminal struct {
	In   io.Reader
	Out  io.Writer
	Lang display.Lang
	// Check says what is wrong with an answer to a question; the text of its error is
	// shown below it.
	Check func(key, answer string) error
}

// say gives a text in the language of the person.
func (t Terminal) say(nb, en string) string { return setup.Words{NB: nb, EN: en}.In(t.Lang) }

// Ask asks questions on one page. What holds without an answer is in the field already.
func (t Terminal) Ask(ctx context.Context, r setup.Request) (setup.Answers, error) {
	values, flags := make([]string, len(r.Keys)), make([]bool, len(r.Keys))
	var fields []huh.Field
	for i, key := range r.Keys {
		q, ok := setup.Find(key)
		if !ok {
			return nil, errors.New("there is no question " + key)
		}
		values[i], flags[i] = r.Known[key], r.Known.Yes(key)
		fields = append(fields, t.field(q, slices.Contains(r.Must, key), &values[i], &flags[i]))
	}
	if err := t.run(ctx, huh.NewGroup(fields...).Title(r.Title)); err != nil {
		return nil, err
	}
	answers := setup.Answers{}
	for i, key := range r.Keys {
		if q, _ := setup.Find(key); q.Kind == setup.YesNo {
			values[i] = map[bool]string{true: "true", false: "false"}[flags[i]]
		}
		answers[key] = values[i]
	}
	return answers, nil
}

func (t Terminal) field(q setup.Question, must bool, value *string, flag *bool) huh.Field {
	title, help := q.Ask.In(t.Lang), q.Help.In(t.Lang)
	switch {
	case q.Kind == setup.YesNo:
		return huh.NewConfirm().Title(title).Description(help).Value(flag).Affirmative(t.say("Ja", "Yes")).Negative(t.say("Nei", "No"))
	case len(q.One) > 0:
		return huh.NewSelect[string]().Title(title).Description(help).Options(huh.NewOptions(q.One...)...).Value(value)
	}
	return huh.NewInput().Title(title).Description(help).Value(value).Validate(func(s string) error {
		if v, err := q.Clean(s); err != nil || v == "" {
			if err == nil && must {
				err = errors.New(t.say("her trengs et svar", "an answer is needed here"))
			}
			return err
		}
		return t.Check(q.Key, s)
	})
}

// Confirm asks whether something is to be done. What is typed must be the word, unless
// that is empty: then it is a yes or a no.
func (t Terminal) Confirm(ctx context.Context, r setup.Request) (bool, error) {
	if r.Word == "" {
		var sure bool
		err := t.run(ctx, huh.NewGroup(huh.NewConfirm().Title(r.Title).Description(r.Help).Value(&sure).Affirmative(t.say("Ja", "Yes")).Negative(t.say("Nei", "No"))))
		return sure, err
	}
	var typed string
	err := t.run(ctx, huh.NewGroup(huh.NewInput().Title(r.Title).Description(r.Help).Value(&typed)))
	return typed == r.Word, err
}

// Secret asks for something that is not shown.
func (t Terminal) Secret(ctx context.Context, r setup.Request) (string, error) {
	var typed string
	err := t.run(ctx, huh.NewGroup(huh.NewInput().Title(r.Title).Description(r.Help).Value(&typed).EchoMode(huh.EchoModePassword)))
	return typed, err
}

func (t Terminal) run(ctx context.Context, g *huh.Group) error {
	err := huh.NewForm(g).WithInput(t.In).WithOutput(t.Out).WithShowHelp(true).WithTheme(huh.ThemeBase()).RunWithContext(ctx)
	if errors.Is(err, huh.ErrUserAborted) {
		return ErrLeft
	}
	return err
}
