package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// file is one to be written.
type file struct {
	name string
	text []byte
}

// place makes a folder with files in it, all at once. The error wraps ErrTaken if
// there is one.
func place(dir string, files map[string][]byte) error {
	parent, name := filepath.Split(dir)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s: %w", dir, ErrTaken), err)
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(parent, unfinishedMark+name+"-")
	if err != nil {
		return err
	}
	var all []file
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, file{name, files[name]})
	}
	err = writeNew(unfinished, all)
	if err == nil {
		err = os.Rename(unfinished, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(unfinished))
	}
	return nil
}

// writeNew writes files that do not exist, for nobody else to read.
func writeNew(dir string, files []file) error {
	for _, one := range files {
		f, err := os.OpenFile(filepath.Join(dir, one.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(one.text)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// replace puts a new text in the place of a file that says what is so now. Whoever
// reads it meanwhile has all of the old one or all of the new one.
func replace(name string, text []byte) error {
	dir, last := filepath.Split(name)
	unfinished := unfinishedMark + last
	if err := os.Remove(dir + unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(dir, []file{{unfinished, text}}); err != nil {
		return err
	}
	return os.Rename(dir+unfinished, name)
}

// membersIn lists who has a folder with a certificate in dir, by name.
func membersIn(dir string) ([]member, error) {
	entries, err := readDir(dir)
	if err != nil {
		return nil, err
	}
	var all []member
	for _, e := range entries {
		m, err := readMember(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// readDir lists a folder, which need not be there, without what a command that was
// cut short has left in it.
func readDir(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), unfinishedMark) }), nil
}
