package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Names of the sockets in their folder.
const (
	statusSocket  = "status.sock"  // for everybody; looking only
	controlSocket = "control.sock" // for the group
)

// socket is one that is listened on.
type socket struct {
	*net.UnixListener
	path string
	file os.FileInfo // as it was made: another one under the path is not ours
}

// openSocket listens on a path. The file has its mode and its group before anybody finds
// it: it is made in a folder that nobody else can enter, and then moved. It takes the
// place of a file behind which nobody listens.
func openSocket(path string, mode fs.FileMode, gid int) (s *socket, err error) {
	if err := vacant(path); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(private)) }()
	made := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it would take away what is at the old path
	s = &socket{UnixListener: l, path: path}
	err = os.Chmod(made, mode)
	if err == nil && gid >= 0 {
		err = os.Chown(made, -1, gid)
	}
	if err == nil {
		s.file, err = os.Lstat(made)
	}
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return s, nil
}

// dialWithin is how long whoever may listen behind an old file has to take a call. Chosen
// by us: the kernel answers for them.
const dialWithin = time.Second

// vacant says what stands in the way of a new socket at a path.
func vacant(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is no socket, and is left alone: remove it", path)
	}
	conn, err := net.DialTimeout("unix", path, dialWithin)
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = conn.Close()
	}
	return errors.Join(fmt.Errorf("another program listens on %s: stop it, or give one of the two another control.dir", path), err)
}

// remove ends the listening, and takes the file away if it is still ours.
func (s *socket) remove() error {
	err := s.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if now, gone := os.Lstat(s.path); gone == nil && os.SameFile(now, s.file) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// folder makes the folder of the sockets. One in which everybody may put other files
// under their names is no place for them.
func folder(dir string) error {
	_, missing := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if missing != nil { // whatever the umask: everybody may look
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
	}
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		err = fmt.Errorf("%s can be written by everybody: chmod o-w it", dir)
	}
	return err
}

// gidOf is the number of a group; -1 where the machine has none of that name.
func gidOf(group string) int {
	if group == "" {
		return -1
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return -1
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return -1
	}
	return gid
}
