package trial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// write writes a file in one step, with the mode and, where that can be had, the owner
// of another.
func write(like, path string, text []byte) error {
	ready, err := prepare(like, path, text)
	if err != nil {
		return err
	}
	defer os.Remove(ready) //nolint:errcheck // it is gone once it is in its place
	return place(ready, path)
}

// prepare is the part of write that can run out of room, and gives the name of what was
// written.
func prepare(like, path string, text []byte) (ready string, err error) {
	info, err := os.Stat(like)
	if err != nil {
		return "", fmt.Errorf("trial: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", fmt.Errorf("trial: nothing can be written beside the file: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), own(f, info), f.Sync(), f.Close())
	if err != nil {
		return "", errors.Join(fmt.Errorf("trial: write %s: %w", path, err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// place puts what was prepared where it belongs.
func place(ready, path string) error {
	err := os.Rename(ready, path)
	if err == nil {
		err = syncFolder(path)
	}
	if err != nil {
		return fmt.Errorf("trial: write %s: %w", path, err)
	}
	return nil
}

// own gives a file to the owner and the group of another. Only root can, and nobody
// else needs to.
func own(f *os.File, like fs.FileInfo) error {
	s, ok := like.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return f.Chown(int(s.Uid), int(s.Gid))
}

// syncFolder makes what was done to the name of a file last.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
