package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/setup"
	"stolpe/display"
	"stolpe/display/term"
)

// previous is put behind the name of a configuration that gave way to another.
const previous = ".before"

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
	was, err := os.ReadFile(f.file)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return failed(err)
	}
	a, err := config.Replaced(f.file, was, setup.File(f.progress.Answers, time.Now()), func() (string, error) { return f.askPIN(ctx) })
	var wrong config.Errors
	switch {
	case errors.As(err, &wrong):
		return f.takeBack(wrong)
	case errors.Is(err, config.ErrNoPIN):
		return coded{fmt.Errorf("%s: %w; give it with --pin-file", f.file, err), exitRefused}
	case err != nil:
		return failed(err)
	}
	said := f.file
	if fresh {
		if err = replace(f.file, a.New, newConfig); err == nil {
			err = likeFolder(f.file)
		}
	} else if err = f.mayReplace(ctx); err == nil {
		err = (&settings{file: f.file}).replace(was, a.New)
		said += setup.Words{NB: "; den forrige er ", EN: "; the one before is "}.In(f.lang) + f.file + previous
	}
	if err != nil {
		return failed(fmt.Errorf("%w; write elsewhere with --config, or run this as root", err))
	}
	if err := forgetSeal(a); err != nil {
		return err
	}
	f.found.files = append(f.found.files, f.file)
	status := setup.Passed
	if len(a.Unseen) > 0 {
		status = setup.Warned
		said += setup.Words{NB: "; bare tjenesten kan se om disse finnes: ", EN: "; only the daemon can see whether these are there: "}.In(f.lang) + strings.Join(a.Unseen, ", ")
	}
	f.note(setup.Config, status, said)
	return nil
}

// newConfig is the mode of a configuration where there was none: for the daemon, and for the
// group of the folder. Everybody else has no use for the salt of a seal, with which PINs can
// be tried.
const newConfig fs.FileMode = 0o640

// askPIN gives the PIN of the seal that is on a configuration, or is to be.
func (f *fitting) askPIN(ctx context.Context) (string, error) {
	if f.pin != "" {
		b, err := os.ReadFile(f.pin)
		return strings.TrimSpace(string(b)), err
	}
	if f.terminal == nil {
		return "", config.ErrNoPIN
	}
	return f.secret(ctx, setup.Words{NB: "PIN-koden til forseglingen?", EN: "The PIN of the seal?"}.In(f.lang), "")
}

// newPIN is askPIN for a seal that is to be made: what is typed unseen is typed twice.
func (f *fitting) newPIN(ctx context.Context) (string, error) {
	pin, err := f.askPIN(ctx)
	if err != nil || f.pin != "" {
		return pin, err
	}
	again, err := f.secret(ctx, setup.Words{NB: "Den samme PIN-koden en gang til?", EN: "The same PIN again?"}.In(f.lang), "")
	if err == nil && again != pin {
		err = coded{errors.New("the two PINs differ; nothing was sealed"), exitUsage}
	}
	return pin, err
}

// mayReplace asks whether a configuration that is there may give way.
func (f *fitting) mayReplace(ctx context.Context) error {
	if f.yes {
		return nil
	}
	if f.terminal == nil {
		return unconfirmed(f.file + " is there, and would give way to another")
	}
	ok, err := f.confirm(ctx, setup.Words{NB: "Skrive over " + f.file + "?", EN: "Write over " + f.file + "?"}.In(f.lang),
		setup.Words{NB: "Den blir liggende som ", EN: "It stays as "}.In(f.lang)+f.file+previous, "")
	if err == nil && !ok {
		err = unconfirmed(f.file + " stays as it is")
	}
	return err
}

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
	entry, of := strings.CutPrefix(key, "evses[")
	if number, rest, inside := strings.Cut(entry, "]."); of && inside {
		i, err := strconv.Atoi(number)
		if err != nil {
			return setup.Question{}, false
		}
		key, n = "evses[]."+rest, i+1
	}
	if n == 0 {
		key = strings.Replace(key, "display[0].", "display[].", 1) // of the one that is asked for
		if at := strings.LastIndex(key, "["); at >= 0 && !strings.Contains(key[at:], "].") {
			key = key[:at] // reserve.choices[1] is of reserve.choices
		}
	}
	all := setup.Questions(setup.MaxEVSEs)
	for _, fits := range []func(q setup.Question) bool{
		func(q setup.Question) bool { return q.Config == key },
		func(q setup.Question) bool { return strings.HasPrefix(q.Config, key+".") }, // the first of a section that is wrong as a whole
	} {
		if i := slices.IndexFunc(all, func(q setup.Question) bool { return fits(q) && (q.EVSE == n || n == 0) }); i >= 0 {
			return all[i], true
		}
	}
	return setup.Question{}, false
}

// cfg is the configuration that was written, without its secrets.
func (f *fitting) cfg() (config.Config, error) { return withoutSecrets(f.file) }

// preview shows what a driver will see: here, and on the post's own display.
func (f *fitting) preview(ctx context.Context) error {
	c, err := f.cfg()
	if err != nil {
		return err
	}
	for _, e := range c.EVSEs {
		v := display.View{Code: e.Code, State: display.Available, Price: c.Price, Choices: c.Reserve.Choices, Default: c.Reserve.Default, MaxPower: e.MaxPower}
		for _, lang := range []display.Lang{display.LangOf(c.Price.Currency), display.EN} {
			if err := term.Draw(f.stderr, lang, c.Post, v, f.colour); err != nil {
				return failed(err)
			}
		}
	}
	status, said := setup.Passed, ""
	if len(c.Displays) > 0 {
		if status, said, err = f.onDisplays(ctx); err != nil {
			return err
		}
	}
	f.note(setup.Display, status, said)
	return nil
}
