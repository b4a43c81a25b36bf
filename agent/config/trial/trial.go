// Package trial puts a new text in the place of a file, and the old one back unless
// somebody says in time that the new one is good.
//
// # Why
//
// A post gets a new configuration over the network, and with it may never be heard of
// again: another broker, a certificate that is not there. Nobody is near to put that
// right. So what was changed from afar is on trial: it counts once somebody who can
// still reach the post has said so, and else the file is what it was. The same holds if
// the program starts a second time with it, because then it has crashed, or nobody knows.
//
// What is known of a trial lies beside the file, and every step is one rename, so that a
// power cut anywhere leaves a whole file, and either a trial or none.
package trial

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Trial is a text on trial. The zero Trial is none.
type Trial struct {
	ID     string        `json:"id"`     // of the text: the first 12 hexadecimal digits of its SHA-256
	Within time.Duration `json:"within"` // of the start, ns: for somebody to say that it is good
	Starts int           `json:"starts"` // how often the program has started with it

	path string // of the file itself, whatever links lead to it
}

// What is added to the name of a file.
const (
	beforeEnd = ".before" // the version before
	trialEnd  = ".trial"  // what is known of the trial
)

// unknown is the ID of a trial of which nothing is known.
const unknown = "unknown"

// ErrMoved says that a file is not any more what it was.
var ErrMoved = errors.New("the file has been changed since")

// Replace puts a text in the place of another, which is kept beside it. Where the new one
// does not fit on the disk, the version before stays what it was, too.
func Replace(file string, from, to []byte) error {
	path, err := filepath.EvalSymlinks(file)
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	ready, err := prepare(path, path, to)
	if err != nil {
		return err
	}
	defer os.Remove(ready) //nolint:errcheck // it is gone once it is in its place
	if _, err := keep(file, from); err != nil {
		return err
	}
	return place(ready, path)
}

// Try is Replace with a text that is on trial from the next start on.
func Try(file string, from, to []byte, within time.Duration) error {
	path, err := keep(file, from)
	if err != nil {
		return err
	}
	t := Trial{ID: idOf(to), Within: within, path: path}
	if err := t.note(); err != nil {
		return err
	}
	err = write(path, path, to) // last: what is tried has somebody to take it back
	if err != nil && t.moved() {
		err = errors.Join(err, t.Confirm())
	}
	return err
}

func idOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// Of gives the trial of a file; the zero Trial if there is none. With an error there is
// one of which nothing is known but that.
func Of(file string) (Trial, error) {
	path, err := filepath.EvalSymlinks(file)
	if err != nil {
		return Trial{}, nil //nolint:nilerr // a file that is not there is not on trial
	}
	text, err := os.ReadFile(path + trialEnd)
	if errors.Is(err, fs.ErrNotExist) {
		return Trial{}, nil
	}
	t := Trial{path: path}
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return Trial{ID: unknown, Starts: 1, path: path}, fmt.Errorf("trial: %w", err)
	}
	return t, nil
}

// On says whether there is a trial.
func (t Trial) On() bool { return t.path != "" }

// Begin notes that the program starts. It says no if it has done so before with this
// text, or if the file has another by now: then it is time to go back.
func (t *Trial) Begin() (bool, error) {
	if t.Starts > 0 || t.moved() {
		return false, nil
	}
	t.Starts++
	return true, t.note()
}

// Confirm ends a trial well.
func (t Trial) Confirm() error {
	if err := os.Remove(t.path + trialEnd); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("trial: %w", err)
	}
	return syncFolder(t.path)
}

// Back ends it badly: the version before is in its place again. It says no if the file
// was not any more what had been on trial: then it is left as somebody has made it.
func (t Trial) Back() (bool, error) {
	if t.moved() {
		return false, t.Confirm()
	}
	err := os.Rename(t.path+beforeEnd, t.path) // which a full disk allows, too
	if t.ID == unknown && errors.Is(err, fs.ErrNotExist) {
		return false, t.Confirm() // it has been taken back before
	}
	if err == nil {
		err = syncFolder(t.path)
	}
	if err != nil {
		return false, fmt.Errorf("trial: the version before: %w", err)
	}
	return true, t.Confirm()
}

// moved says whether the file has another text by now than the one on trial.
func (t Trial) moved() bool {
	text, err := os.ReadFile(t.path)
	return err == nil && t.ID != unknown && idOf(text) != t.ID
}

func (t Trial) note() error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	return write(t.path, t.path+trialEnd, append(text, '\n'))
}

// keep keeps the text of a file beside it, and gives the file's own path.
func keep(file string, text []byte) (string, error) {
	path, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", fmt.Errorf("trial: %w", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, text) {
		return "", errors.Join(ErrMoved, err)
	}
	return path, write(path, path+beforeEnd, text)
}

// Before is where the version before a file is kept.
func Before(file string) string {
	if path, err := filepath.EvalSymlinks(file); err == nil {
		file = path
	}
	return file + beforeEnd
}
