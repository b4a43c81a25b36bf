package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Trial is a configuration that runs until somebody says that it is good: it may be one
// with which the post is never heard of again. If nobody does, the one before it comes
// back; also when the program starts a second time with it, because then it has crashed,
// or nobody knows.
type Trial struct {
	ID     string        `json:"id"`     // of the Edit
	Within time.Duration `json:"within"` // of the start, ns: for somebody to say so
	Starts int           `json:"starts"` // how often the program has started with it

	path string // of the configuration file
}

// trialEnd is the end of the name of what is written of a trial, beside the file.
const trialEnd = ".trial"

// Try writes an edit that is to be confirmed.
func (e Edit) Try(within time.Duration) error {
	if err := e.keep(); err != nil {
		return err
	}
	t := Trial{ID: e.ID, Within: within, path: e.path}
	if err := t.write(); err != nil {
		return err
	}
	return replace(e.path, e.path, e.new) // last: what is tried has somebody to take it back
}

// OnTrial gives the trial of a file; nil when it has none.
func OnTrial(file string) (*Trial, error) {
	path, _, err := read(file)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path + trialEnd)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	t := Trial{path: path}
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return &t, fmt.Errorf("config: trial: %w", err)
	}
	return &t, nil
}

// Begin notes that the program starts with it. It says no if it has before: then it is
// time to go back.
func (t *Trial) Begin() (bool, error) {
	if t.Starts > 0 {
		return false, nil
	}
	t.Starts++
	return true, t.write()
}

// Confirm ends a trial well.
func (t *Trial) Confirm() error {
	if err := os.Remove(t.path + trialEnd); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("config: trial: %w", err)
	}
	return nil
}

// Back puts the version before into its place again.
func (t *Trial) Back() error {
	text, err := os.ReadFile(t.path + beforeEnd)
	if err != nil {
		return fmt.Errorf("config: the version before: %w", err)
	}
	if err := replace(t.path, t.path, text); err != nil {
		return err
	}
	return t.Confirm()
}

func (t *Trial) write() error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("config: trial: %w", err)
	}
	return replace(t.path, t.path+trialEnd, append(text, '\n'))
}
