package main

import (
	"io/fs"
	"os"
	"syscall"
)

// chownLike gives a file to the owner and the group of another.
func chownLike(path string, like fs.FileInfo) error {
	s, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(s.Uid), int(s.Gid))
}
