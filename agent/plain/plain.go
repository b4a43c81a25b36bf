// Package plain opens files in folders in which somebody else may put what he likes.
//
// # Why
//
// What a post knows lies in a folder that belongs to the daemon's own user. Root opens files
// there as well: setup makes them, and what is owed is read before a package is removed. A
// daemon in wrong hands must not lead root to another file by a link, nor keep it waiting at a
// pipe. A file that has been linked to under a second name is not found out: Linux lets nobody
// make such a name of what he may not write (fs.protected_hardlinks, on in Debian).
package plain

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrNot says that something is no file with bytes in it: a folder, a pipe, a device.
var ErrNot = errors.New("it is no plain file")

// Open opens a file, with the flags of os.OpenFile. One that is made is its owner's alone. The
// error is syscall.ELOOP for a link and ErrNot for whatever else is no file. Folders on the way
// to it are not looked at.
func Open(path string, flags int) (*os.File, error) {
	const nothingElse = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	f, err := os.OpenFile(filepath.Clean(path), flags|nothingElse, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNot}
	}
	if err != nil {
		_ = f.Close() // nothing was done with it
		return nil, err
	}
	return f, nil
}
