package plain

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file, link, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	f, err := Open(file, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v: others have a part in it", info, err)
	}
	if err := errors.Join(f.Close(), os.Symlink(file, link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{file: nil, link: syscall.ELOOP, pipe: ErrNot, dir: ErrNot, filepath.Join(dir, "none"): os.ErrNotExist} {
		f, err := Open(path, os.O_RDONLY)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if err == nil {
			f.Close()
		}
	}
	// Nobody reads from it, so a writer would wait as well.
	if _, err := Open(pipe, os.O_WRONLY|os.O_TRUNC); err == nil {
		t.Error("a pipe is written to")
	}
}
