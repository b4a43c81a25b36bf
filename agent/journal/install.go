package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"stolpe/agent/plain"
)

// Install makes the journal name in dir, for owner: both files, full size,
// durable together with their names in the directory.
//
// It touches no file in which anything is written, and then returns
// fs.ErrExist. An installation that was cut short leaves files of nothing but
// zeros, or none; installing again completes it.
func Install(dir, name, owner string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("journal: install %s in %s: %w", name, dir, err)
		}
	}()
	var files [2]File
	for i, n := range filenames(name) {
		f, err := plain.Open(filepath.Join(dir, n), os.O_RDWR|os.O_CREATE)
		if err != nil {
			return err
		}
		defer f.Close()
		files[i] = f
	}
	if err := format(files, filenames(name), Slots, owner); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// InstallFiles makes a journal of two empty or zero files, of so many slots
// each. It returns fs.ErrExist, and has written nothing, if there is anything
// but zeros in them.
func InstallFiles(a, b File, slots int, owner string) error {
	if err := format([2]File{a, b}, [2]string{"file a", "file b"}, slots, owner); err != nil {
		return fmt.Errorf("journal: install: %w", err)
	}
	return nil
}

// format writes zeros and then record 0, which says whose journal this is and
// that it is complete. Without it, a card that reads as zeros would pass for a
// new journal.
func format(files [2]File, names [2]string, slots int, owner string) error {
	if err := checkOwner(owner); err != nil {
		return err
	}
	if slots < minSlots || slots > maxSlots {
		return fmt.Errorf("%d slots a file, allowed are %d to %d", slots, minSlots, maxSlots)
	}
	for i, f := range files {
		if err := checkEmpty(f, slots); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	var j Journal
	for i, f := range files {
		for slot := range slots {
			if _, err := f.WriteAt(j.buf[:], int64(slot)*SlotSize); err != nil {
				return fmt.Errorf("%s: %w", names[i], err)
			}
		}
		if err := f.Sync(); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return j.write(record{slots: uint32(slots), owner: []byte(owner)}, files[0], 0)
}

// checkEmpty checks that f holds only zeros and is not too long.
func checkEmpty(f File, slots int) error {
	var b [SlotSize]byte
	for slot := 0; ; slot++ {
		n, err := f.ReadAt(b[:], int64(slot)*SlotSize)
		if err != nil && err != io.EOF {
			return err
		}
		if !blank(b[:n]) || slot == slots && n > 0 {
			return fmt.Errorf("something is in it: %w", fs.ErrExist)
		}
		if n < SlotSize {
			return nil
		}
	}
}
