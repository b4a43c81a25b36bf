package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// The daemon of an installed post is a user of its own, and who sets the post up is root.
// What root makes for the daemon must be the daemon's, or it can neither read nor write it:
// whoever has the folder has what is in it. For anybody else all of this is nothing.

// chownLike gives a file to the owner and the group of another.
func chownLike(lchown func(path string, uid, gid int) error, path string, like fs.FileInfo) error {
	s, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return lchown(path, int(s.Uid), int(s.Gid))
}

// likeFolder gives a file that root has made to whoever has its folder.
func likeFolder(path string) error {
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	return chownLike(os.Lchown, path, dir)
}

// errNotTheirs is that a folder is to be given to somebody in whose folders it is not.
var errNotTheirs = errors.New("root gives nobody a folder where it is not theirs")

// makeFolder makes a folder, and those above it, where they are not there. If root makes
// them, they belong to whoever has another folder; without a name that is the one above.
// The path is the daemon's word, in a file that it may write: root does not give it folders
// where it has none (errNotTheirs), as whoever has got hold of it could name /etc/cron.d.
func makeFolder(path, like string) error {
	above := filepath.Clean(path)
	for _, err := os.Stat(above); errors.Is(err, fs.ErrNotExist); _, err = os.Stat(above) {
		above = filepath.Dir(above)
	}
	rest, err := filepath.Rel(above, path)
	if err != nil || os.Geteuid() != 0 || rest == "." {
		return errors.Join(err, os.MkdirAll(path, 0o700))
	}
	root, err := os.OpenRoot(above) // the one that is looked at, whatever is put in its place meanwhile
	if err != nil {
		return err
	}
	defer root.Close()
	whose, err := root.Stat(".")
	if err == nil && like != "" {
		var to fs.FileInfo
		if to, err = os.Stat(like); err == nil && !sameOwner(whose, to) {
			err = fmt.Errorf("make %s by hand, and give it to whoever has %s: %w", path, like, errNotTheirs)
		}
	}
	if err == nil {
		err = root.MkdirAll(rest, 0o700)
	}
	for ; err == nil && rest != "."; rest = filepath.Dir(rest) {
		err = chownLike(root.Lchown, rest, whose)
	}
	return err
}

// sameOwner says whether two files belong to the same user.
func sameOwner(a, b fs.FileInfo) bool {
	x, known := a.Sys().(*syscall.Stat_t)
	y, too := b.Sys().(*syscall.Stat_t)
	return known && too && x.Uid == y.Uid
}

// giveBack gives the files that root has made in a folder to whoever has the folder. What
// has another name as well is left alone: it may be somebody else's.
func giveBack(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	root, err := os.OpenRoot(dir) // all of it in the one folder, whatever is put in its place meanwhile
	if err != nil {
		return err
	}
	defer root.Close()
	whose, err := root.Stat(".")
	if err != nil {
		return err
	}
	owner, known := whose.Sys().(*syscall.Stat_t)
	files, err := fs.ReadDir(root.FS(), ".")
	for _, f := range files {
		info, gone := f.Info()
		if gone != nil || !known {
			continue
		}
		s, ok := info.Sys().(*syscall.Stat_t)
		if ok && s.Uid == 0 && (info.IsDir() || info.Mode().IsRegular() && s.Nlink == 1) {
			err = errors.Join(err, root.Lchown(f.Name(), int(owner.Uid), int(owner.Gid)))
		}
	}
	return err
}
