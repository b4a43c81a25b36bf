package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/setup"
	"stolpe/display"
	"stolpe/display/term"
)

// previous is put behind the name of a configuration that gave way to another.
const previous = ".prev"

// place puts a simulated post beside its configuration, where whoever tries it out may
// write.
func (f *fitting) place() error {
	a := f.progress.Answers
	if !a.Yes("simulated") {
		return nil
	}
	path, err := filepath.Abs(f.file)
	if err != nil {
		return failed(err)
	}
	dir := filepath.Dir(path)
	if _, said := a["state_dir"]; !said {
		a["state_dir"] = filepath.Join(dir, "state")
	}
	const most = 80 // characters, as control.dir allows
	if _, said := a["control.dir"]; !said && os.Getenv("STOLPE_CONTROL_DIR") == "" && len(dir)+4 <= most {
		a["control.dir"] = filepath.Join(dir, "run")
	}
	return nil
}

// writeConfig writes the configuration that follows from the answers.
func (f *fitting) writeConfig(ctx context.Context) error {
	if err := f.place(); err != nil {
		return err
	}
	text := setup.File(f.progress.Answers, time.Now())
	_, err := config.Parse(f.file, bytes.NewReader(text), unseen)
	var wrong config.Errors
	if errors.As(err, &wrong) {
		return f.takeBack(wrong)
	}
	if err != nil {
		return err
	}
	said := f.file
	switch was, err := os.ReadFile(f.file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return failed(err)
	default:
		if err := f.mayReplace(ctx); err != nil {
			return err
		}
		if err := replace(f.file+previous, was, modeOf(f.file)); err != nil {
			return failed(err)
		}
		said += setup.Words{NB: "; den forrige er ", EN: "; the one before is "}.In(f.lang) + f.file + previous
	}
	if err := replace(f.file, text, modeOf(f.file)); err != nil {
		return failed(fmt.Errorf("%w; write elsewhere with --config, or run this as root", err))
	}
	f.found.files = append(f.found.files, f.file)
	if _, err := config.Load(f.file); errors.As(err, &wrong) { // it is right; a secret may not be there yet
		f.note(setup.Config, setup.Warned, said+"; "+wrong.Error())
		return nil
	}
	f.note(setup.Config, setup.Passed, said)
	return nil
}

// unseen passes for a secret of every kind.
func unseen(string, string) (string, error) { return strings.Repeat("0", 64), nil }

// modeOf is the mode of a file; that of a new configuration where it is not there.
func modeOf(file string) fs.FileMode {
	if info, err := os.Stat(file); err == nil {
		return info.Mode().Perm()
	}
	return 0o644 // there is no secret in it
}

// mayReplace asks whether a configuration that is there may give way.
func (f *fitting) mayReplace(ctx context.Context) error {
	if f.yes {
		return nil
	}
	if f.terminal == nil {
		return unconfirmed(f.file + " is there, and would give way to another")
	}
	ok, err := f.terminal.Confirm(ctx, setup.Words{NB: "Skrive over " + f.file + "?", EN: "Write over " + f.file + "?"}.In(f.lang),
		setup.Words{NB: "Den blir liggende som ", EN: "It stays as "}.In(f.lang)+f.file+previous, "")
	if err == nil && !ok {
		err = unconfirmed(f.file + " stays as it is")
	}
	return err
}

var evsePattern = regexp.MustCompile(`^evses\[(\d)\]\.(.*)$`)

// takeBack takes back the answers that led to what is wrong, if they can be asked for
// again.
func (f *fitting) takeBack(wrong config.Errors) error {
	again := false
	for _, e := range wrong {
		q, found := questionOf(e.Key)
		if f.terminal == nil || !found {
			continue
		}
		fmt.Fprintf(f.stderr, "  --%s: found %s; want %s\n", q.Flag(), e.Found, e.Allowed)
		delete(f.progress.Answers, q.Key)
		f.progress.Forget(q.Step)
		again = true
	}
	if again {
		return errAskAgain
	}
	for i, e := range wrong {
		wrong[i].File = setup.Words{NB: "svarene", EN: "the answers"}.In(f.lang)
		wrong[i].Line = 0
		if q, found := questionOf(e.Key); found {
			wrong[i].Key = "--" + q.Flag()
		}
	}
	return coded{wrong, exitConfig}
}

// questionOf is the question that a key of the configuration answers.
func questionOf(key string) (setup.Question, bool) {
	n := 0
	if m := evsePattern.FindStringSubmatch(key); m != nil {
		i, err := strconv.Atoi(m[1])
		if err != nil {
			return setup.Question{}, false
		}
		key, n = "evses[]."+m[2], i+1
	}
	base, _, _ := strings.Cut(strings.TrimPrefix(key, "evses"), "[") // reserve.choices[1] is of reserve.choices
	if n > 0 {
		base = key
	}
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		if q.Config == base && (q.EVSE == n || n == 0) {
			return q, true
		}
	}
	return setup.Question{}, false
}

// cfg is the configuration that was written, without its secrets.
func (f *fitting) cfg() (config.Config, error) { return withoutSecrets(f.file) }

// preview shows what a driver will see.
func (f *fitting) preview(context.Context) error {
	c, err := f.cfg()
	if err != nil {
		return err
	}
	for _, e := range c.EVSEs {
		v := display.View{Code: e.Code, State: display.Available, Price: c.Price, Choices: c.Reserve.Choices, Default: c.Reserve.Default, MaxPower: e.MaxPower}
		for _, lang := range []display.Lang{display.LangOf(c.Price.Currency), display.EN} {
			if err := term.Draw(f.stderr, lang, c.Post, v, f.terminal != nil && os.Getenv("NO_COLOR") == ""); err != nil {
				return failed(err)
			}
		}
	}
	f.note(setup.Display, setup.Passed, "")
	return nil
}
