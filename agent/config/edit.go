package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stolpe/agent/config/strict"
)

// afar are the keys, and sections, that may be set by whoever does not stand at the
// post. What switches or measures, whatever could let energy flow unpaid, and who may
// command the post, are not among them: a contactor that is said to close on low would
// close on an order to open. A key that is new is not among them either, until somebody
// has thought about it.
func afar() []string {
	return []string{
		"post.name", "post.timezone", "post.helpdesk", "seller", "price", "reserve", "payment.push_message", "payment.receipts",
		"mqtt", "telemetry", "web.brand.name", "web.brand.colour", "web.terms_url", "limits",
	}
}

// Afar says whether a key may be set by whoever does not stand at the post.
func Afar(path string) bool {
	return slices.ContainsFunc(afar(), func(may string) bool {
		return path == may || strings.HasPrefix(path, may+".")
	})
}

// Change is what becomes of one key. A value that is not there, or is not shown, is
// said to be so.
type Change struct {
	Key  string `json:"key"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Edit is another text for a configuration file. It is legal, but not yet written.
type Edit struct {
	ID      string // Sum of the new text
	Changes []Change
	Config  Config // what the new text says

	path     string // of the file itself, whatever links lead to it
	old, new []byte
}

// Sum names a text: the first 12 hexadecimal digits of its SHA-256.
func Sum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// ErrMoved says that a file is not any more what an Edit was made from.
var ErrMoved = errors.New("the file has been changed since")

// maxSet is how many keys one edit may set. Chosen by us: a page full.
const maxSet = 40

// Plan makes the text that a file has with other values for some keys, and checks it.
// Values are as strict.Edit takes them. What the new text gets wrong comes as Errors.
func Plan(file string, set map[string]any) (Edit, error) {
	switch {
	case len(set) == 0:
		return Edit{}, errors.New("nothing is to be set")
	case len(set) > maxSet:
		return Edit{}, fmt.Errorf("%d keys are to be set, at most %d at a time", len(set), maxSet)
	}
	path, old, err := read(file)
	if err != nil {
		return Edit{}, err
	}
	text, err := strict.Edit(old, set)
	if err != nil {
		return Edit{}, err
	}
	cfg, err := Parse(file, bytes.NewReader(text), System)
	if err != nil {
		return Edit{}, err
	}
	e := Edit{ID: Sum(text), Config: cfg, path: path, old: old, new: text}
	was, err := schema().Said(old)
	is, err2 := schema().Said(text)
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if bytes.Equal(old, text) {
			break
		}
		e.Changes = append(e.Changes, Change{key, orNothing(was, key), orNothing(is, key)})
	}
	return e, errors.Join(err, err2)
}

func orNothing(said map[string]string, key string) string {
	if v, ok := said[key]; ok {
		return v
	}
	return "(left out)"
}

// Said gives what stands in a configuration file by key, with secrets left out, and
// its Sum.
func Said(file string) (said map[string]string, sum string, err error) {
	_, text, err := read(file)
	if err != nil {
		return nil, "", err
	}
	if _, err := Parse(file, bytes.NewReader(text), System); err != nil {
		return nil, "", err // what is in no place that is known may be a secret
	}
	said, err = schema().Said(text)
	return said, Sum(text), err
}

// Write puts the new text in the place of the old, which is kept beside it, with .before
// at the end of its name. After a power cut one of the two is there, whole.
func (e Edit) Write() error {
	if err := e.keep(); err != nil {
		return err
	}
	return replace(e.path, e.path, e.new)
}

// keep keeps the old text beside the file.
func (e Edit) keep() error {
	if _, now, err := read(e.path); err != nil || !bytes.Equal(now, e.old) {
		return errors.Join(ErrMoved, err)
	}
	return replace(e.path, e.path+beforeEnd, e.old)
}

// beforeEnd is the end of the name of the version before.
const beforeEnd = ".before"

// read gives the text of a file, and where it is.
func read(file string) (path string, text []byte, err error) {
	path, err = filepath.EvalSymlinks(file)
	if err != nil {
		return "", nil, fmt.Errorf("config: %w", err)
	}
	f, err := strict.Open(path)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	text, err = io.ReadAll(io.LimitReader(f, mostText+1))
	if err == nil && len(text) > mostText {
		err = fmt.Errorf("config: %s: more than %d bytes", file, mostText)
	}
	return path, text, err
}

// mostText is the largest file that is edited, in bytes: the largest that is read.
const mostText = 256 << 10

// replace writes a file in one step, with the mode, and if that can be had the owner, of
// another.
func replace(like, path string, text []byte) error {
	info, err := os.Stat(like)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("config: the folder of the file cannot be written: %w", err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is gone once it has been renamed
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), own(f, info), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("config: write %s: %w", path, err)
	}
	return nil
}

// syncFolder makes a rename last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
