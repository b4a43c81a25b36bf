package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// The daemon of an installed post is a user of its own, and who sets the post up is root.
// What root makes for the daemon must be the daemon's, or it can neither read nor write it:
// whoever has the folder has what is in it. For anybody else all of this is nothing.

// chownLike gives a file to the owner and the group of another.
func chownLike(path string, like fs.FileInfo) error {
	s, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(path, int(s.Uid), int(s.Gid))
}

// likeFolder gives a file that root has made to whoever has its folder.
func likeFolder(path string) error {
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	return chownLike(path, dir)
}

// makeFolder makes a folder, and those above it, where they are not there. If root makes
// them, they belong to whoever has another folder; without a name that is the one above.
func makeFolder(path, like string) error {
	var made []string
	above := filepath.Clean(path)
	for {
		_, err := os.Stat(above)
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, above)
		above = filepath.Dir(above)
	}
	if err := os.MkdirAll(path, 0o700); err != nil || os.Geteuid() != 0 || len(made) == 0 {
		return err
	}
	if like == "" {
		like = above
	}
	whose, err := os.Stat(like)
	for _, dir := range made {
		if err == nil {
			err = chownLike(dir, whose)
		}
	}
	return err
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
