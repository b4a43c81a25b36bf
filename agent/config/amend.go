package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"stolpe/agent/config/strict"
)

// ErrNoPIN says that somebody has to have a PIN, and has none.
var ErrNoPIN = errors.New("this is sealed, and changes only with the PIN")

// Amended is a file as it stands, and a text to take its place: it is legal.
type Amended struct {
	Old, New []byte
	Before   Config   // what the old text means; zero where it is not legal
	After    Config   // what the new one does
	Unseen   []string // secrets that only the daemon can look up, as they are written
}

// Changes says what becomes another.
func (a Amended) Changes() []Change { return Compare(a.Before, a.After) }

// Amend makes the text that a file has with other values for some keys, and checks it.
// Values are as strict.Edit takes them. A file of an earlier version becomes one of the
// newest. Where something sealed becomes another, pin is asked for the PIN. What the new
// text gets wrong comes as Errors.
func Amend(file string, set map[string]any, pin func() (string, error)) (Amended, error) {
	old, err := readFile(file)
	if err != nil {
		return Amended{}, err
	}
	text, _, err := schema().Migrate(file, old)
	if err == nil {
		text, err = strict.Edit(text, set)
	}
	if err != nil {
		return Amended{}, err
	}
	return Replaced(file, old, text, pin)
}

// Replaced checks a text that is to take the place of another in a file, as Amend does.
func Replaced(file string, old, text []byte, pin func() (string, error)) (Amended, error) {
	a := Amended{Old: old, New: text}
	find := a.elsewhere()
	before, err := parse(file, bytes.NewReader(old), find, nil)
	if err == nil {
		a.Before = before
	}
	if a.After, err = parse(file, bytes.NewReader(text), find, nil); err != nil {
		return Amended{}, err
	}
	was, is := sealOn(old), a.After.Commissioning
	if was != (Commissioning{}) && (was != is || !holds(is, text)) {
		if a.New, err = reseal(was, is, old, text, pin); err != nil {
			return Amended{}, err
		}
	}
	a.Unseen = nil // it has been found twice
	a.After, err = parse(file, bytes.NewReader(a.New), find, (*reader).checkSeal)
	return a, err
}

// reseal gives the text its new seal, unless the seal has been taken out.
func reseal(was, is Commissioning, old, text []byte, pin func() (string, error)) ([]byte, error) {
	if !holds(was, old) {
		return nil, errors.New("commissioning: the seal on the file does not hold as it is; put back what was sealed (the version before may have it), or look at the post and seal it anew: stolpe config seal")
	}
	said, err := pin()
	if err != nil {
		return nil, err
	}
	if err := was.Opens(said); err != nil {
		return nil, fmt.Errorf("commissioning: %w", err)
	}
	if is == (Commissioning{}) {
		return text, nil
	}
	return was.resealed(text, said, time.Now())
}

// sealOn is the seal that a text has, whatever else is wrong with the text.
func sealOn(text []byte) Commissioning {
	var f file
	if _, err := schema().Read("", bytes.NewReader(text), &f); err != nil {
		return Commissioning{}
	}
	return f.Commissioning
}

// holds says whether a seal is that of a text; no seal holds for any.
func holds(c Commissioning, text []byte) bool {
	said, err := schema().Said(text)
	return err == nil && (c == (Commissioning{}) || c.on().Holds(sealedText(said)))
}

// Resealed is a file with a new seal, of a new PIN, whatever seal it had.
func Resealed(file, pin, by string) (Amended, error) {
	old, err := readFile(file)
	if err != nil {
		return Amended{}, err
	}
	a := Amended{Old: old}
	find := a.elsewhere()
	if a.Before, err = parse(file, bytes.NewReader(old), find, nil); err != nil {
		return Amended{}, err
	}
	if a.New, _, err = schema().Migrate(file, old); err == nil {
		a.New, err = Seal(a.New, pin, by, time.Now())
	}
	if err == nil {
		a.Unseen = nil
		a.After, err = parse(file, bytes.NewReader(a.New), find, (*reader).checkSeal)
	}
	return a, err
}

// Here loads a file for a program that is not the daemon. Secrets that only the daemon
// can look up count as being there, and are named.
func Here(file string) (Config, []string, error) {
	text, err := readFile(file)
	if err != nil {
		return Config{}, nil, err
	}
	var a Amended
	c, err := parse(file, bytes.NewReader(text), a.elsewhere(), (*reader).checkSeal)
	return c, a.Unseen, err
}

// elsewhere is a Lookup for programs that are not the daemon: what systemd gives to
// nobody else counts as being there, and is noted.
func (a *Amended) elsewhere() Lookup {
	return func(kind, name string) (string, error) {
		_, set := os.LookupEnv(name)
		if kind == "credential" && os.Getenv("CREDENTIALS_DIRECTORY") == "" || kind == "env" && !set {
			a.Unseen = append(a.Unseen, kind+":"+name)
			return strings.Repeat("0", keyDigits), nil // long enough for any of them
		}
		return strict.System(kind, name)
	}
}

// Typed reads keys and what somebody typed as their values, for Amend; nothing typed
// takes a key out. Its error says which keys there are, and wraps ErrKey where there is
// none of that name.
func Typed(keys, values []string) (map[string]any, error) {
	set := map[string]any{}
	for i, key := range keys {
		k, err := Known(key)
		if err != nil {
			return nil, err
		}
		if _, twice := set[key]; twice {
			return nil, fmt.Errorf("%s: is there twice", key)
		}
		set[key] = nil
		if len(values) == 0 {
			continue
		}
		if set[key], err = k.Value(values[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return set, nil
}

// ErrKey says that there is no such key.
var ErrKey = errors.New("no such key")

// noKey says which keys there are instead.
type noKey struct{ error }

func (noKey) Is(target error) bool { return target == ErrKey }

// Known finds what is known of a key. Its error wraps ErrKey.
func Known(key string) (strict.Key, error) {
	k, err := schema().Find(key)
	if err != nil {
		return strict.Key{}, noKey{err}
	}
	return k, nil
}
