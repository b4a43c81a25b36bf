package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"stolpe/agent/plain"
)

// Browse gives every entry of the book at path to fn, in order, and changes nothing on
// disk: a torn end is left out and stays, and no file is begun. Errors are those of Read.
func Browse(path string, fn func(Entry) error) error {
	l := &Ledger{path: path}
	all, open, end, err := l.asItIs()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if open != nil {
		defer open.Close() //nolint:errcheck // it was only read
	}
	var c chain
	var damage Damage
	told := func(e Entry, _ []byte, _ place, wrong string) error {
		damage.add(wrong)
		if e.Kind == "" || e.Kind == pageKind {
			return nil
		}
		return fn(e)
	}
	for _, o := range all {
		if err := c.walkOlder(o, place{}, told); err != nil {
			return err
		}
	}
	if open != nil {
		if err := c.walk(open, end, older{path: path}, place{}, told); err != nil {
			return err
		}
	}
	if len(damage) > 0 {
		return damage
	}
	return nil
}

// asItIs gives the files that are on disk, while nobody begins another: the older ones,
// and the one that is written to, open and up to its last whole line; nil if it is not
// there, and there are older ones.
func (l *Ledger) asItIs() (all []older, open *os.File, end int64, err error) {
	err = l.locked(func() (err error) {
		if all, err = l.olders(); err != nil {
			return err
		}
		open, err = plain.Open(l.path, os.O_RDONLY)
		if errors.Is(err, fs.ErrNotExist) && len(all) > 0 {
			open, err = nil, nil
		}
		if err != nil || open == nil {
			return err
		}
		info, err := open.Stat()
		if err == nil {
			end, err = whole(open, 0, info.Size(), 0)
		}
		if err != nil {
			return errors.Join(err, open.Close())
		}
		return nil
	})
	if l.folder != nil {
		err = errors.Join(err, l.folder.Close())
	}
	return all, open, end, err
}
