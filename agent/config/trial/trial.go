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

// ErrMoved says that a file is not any more what it was.
var ErrMoved = errors.New("the file has been changed since")

// Replace puts a text in the place of another, which is kept beside it.
func Replace(file string, from, to []byte) error {
	path, err := keep(file, from)
	if err != nil {
		return err
	}
	return write(path, path, to)
}

// Try is Replace with a text that is on trial from the next start on.
func Try(file string, from, to []byte, within time.Duration) error {
	path, err := keep(file, from)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(to)
	t := Trial{ID: hex.EncodeToString(sum[:6]), Within: within, path: path}
	if err := t.note(); err != nil {
		return err
	}
	return write(path, path, to) // last: what is tried has somebody to take it back
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
		return Trial{ID: "unknown", Starts: 1, path: path}, fmt.Errorf("trial: %w", err)
	}
	return t, nil
}

// On says whether there is a trial.
func (t Trial) On() bool { return t.path != "" }

// Begin notes that the program starts. It says no if it has done so before with this
// text: then it is time to go back.
func (t *Trial) Begin() (bool, error) {
	if t.Starts > 0 {
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

// Back ends it badly: the version before is in its place again.
func (t Trial) Back() error {
	text, err := os.ReadFile(t.path + beforeEnd)
	if err != nil {
		return fmt.Errorf("trial: the version before: %w", err)
	}
	if err := write(t.path, t.path, text); err != nil {
		return err
	}
	return t.Confirm()
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
