package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"stolpe/agent/setup"
	"stolpe/display"
)

// asker asks a person at a terminal.
type asker interface {
	// ask does what is asked for. While it asks questions it has answers checked.
	ask(ctx context.Context, r setup.Request, check func(key, answer string) error) (setup.Said, error)
	// close ends it.
	close() error
}

// errLeft says that the person has left.
var errLeft = errors.New("left by the person at the terminal")

// teletype asks in plain lines: for screen readers, serial consoles, and where the wizard is
// not there.
type teletype struct {
	in   io.Reader
	out  io.Writer
	lang display.Lang
	read *bufio.Reader
}

func newTeletype(in io.Reader, out io.Writer, lang display.Lang) *teletype {
	return &teletype{in, out, lang, bufio.NewReader(in)}
}

func (l *teletype) close() error { return nil }

func (l *teletype) ask(ctx context.Context, r setup.Request, check func(key, answer string) error) (said setup.Said, err error) {
	switch r.Do {
	case setup.DoAsk:
		fmt.Fprintf(l.out, "\n%s\n", r.Title)
		said.Answers = setup.Answers{}
		for _, key := range r.Keys {
			if said.Answers[key], err = l.question(ctx, r, key, check); err != nil {
				return said, err
			}
		}
		return said, nil
	case setup.DoConfirm:
		prompt := r.Title
		if r.Help != "" {
			prompt += " " + r.Help
		}
		if r.Word == "" {
			prompt += pick(l.lang, " [j/N]", " [y/N]")
		}
		line, err := l.line(ctx, prompt+": ")
		said.Yes = line == r.Word
		if r.Word == "" {
			said.Yes = slices.Contains([]string{"y", "yes", "j", "ja"}, strings.ToLower(line))
		}
		return said, err
	}
	said.Typed, err = l.unseen(ctx, r.Title+" ")
	return said, err
}

// question asks one question until there is an answer that will do.
func (l *teletype) question(ctx context.Context, r setup.Request, key string, check func(key, answer string) error) (string, error) {
	q, _ := setup.Find(key)
	prompt := q.Ask.In(l.lang)
	if help := q.Help.In(l.lang); help != "" {
		prompt += " (" + help + ")"
	}
	if len(q.One) > 0 {
		prompt += " (" + strings.Join(q.One, ", ") + ")"
	}
	preset := r.Known[key]
	if shown := preset; shown != "" {
		if q.Kind == setup.YesNo {
			shown = map[string]string{"true": pick(l.lang, "ja", "yes"), "false": pick(l.lang, "nei", "no")}[preset]
		}
		prompt += " [" + shown + "]"
	}
	for {
		line, err := l.line(ctx, prompt+" ")
		if err != nil {
			return "", err
		}
		if line == "" {
			line = preset
		}
		clean, err := q.Clean(line)
		switch {
		case err == nil && clean == "" && slices.Contains(r.Must, key):
			err = errors.New(pick(l.lang, "her trengs et svar", "an answer is needed here"))
		case err == nil && clean != "":
			err = check(key, clean)
		}
		if err == nil {
			return clean, nil
		}
		fmt.Fprintf(l.out, "  %v\n", err)
	}
}

// line reads a line. The end of what can be read is a person who has left; so is Ctrl-C,
// which ends ctx.
func (l *teletype) line(ctx context.Context, prompt string) (string, error) {
	if _, err := io.WriteString(l.out, prompt); err != nil {
		return "", err
	}
	return unless(ctx, func() (string, error) {
		line, err := l.read.ReadString('\n')
		if err != nil {
			return "", errLeft
		}
		return strings.TrimSpace(line), nil
	})
}

// unseen reads a line that is not shown.
func (l *teletype) unseen(ctx context.Context, prompt string) (string, error) {
	f, ok := l.in.(*os.File)
	if !ok {
		return "", errors.New("a secret is typed at a terminal only")
	}
	was, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(l.out, prompt); err != nil {
		return "", err
	}
	typed, err := unless(ctx, func() (string, error) {
		b, err := term.ReadPassword(int(f.Fd()))
		return string(b), err
	})
	fmt.Fprintln(l.out)
	return typed, errors.Join(err, term.Restore(int(f.Fd()), was)) // whoever leaves wants to see what is typed next
}

// unless gives what read gives, unless ctx ends first: then read is left to the end of
// the program.
func unless(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
