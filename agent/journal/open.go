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

// OpenFiles opens a journal kept in two files of any equal number of slots. The
// journal closes them. A journal that may not be written is opened all the same,
// for what it holds, and its Append returns ErrFailed. The only error is an owner
// of no or too many letters.
func OpenFiles(a, b File, owner string) (*Journal, Recovered, error) {
	if err := checkOwner(owner); err != nil {
		return nil, Recovered{}, fmt.Errorf("journal: open: %w", err)
	}
	j, r := open([2]File{a, b}, [2]io.ReaderAt{a, b}, [2]string{"file a", "file b"}, owner)
	return j, r, nil
}

// checkOwner checks that owner fits into a slot.
func checkOwner(owner string) error {
	if owner == "" || len(owner) > MaxOwner {
		return fmt.Errorf("owner %q has %d bytes, allowed are 1 to %d", owner, len(owner), MaxOwner)
	}
	return nil
}

// open recovers what is in files, reading it through from.
func open(files [2]File, from [2]io.ReaderAt, names [2]string, owner string) (*Journal, Recovered) {
	j := &Journal{files: files, names: names, owner: []byte(owner)}
	s := survey{owner: j.owner, names: names}
	for i, f := range files {
		if err := f.Sync(); err != nil {
			s.misfits("%s cannot be flushed: %v", names[i], err)
		}
	}
	for i := range from {
		s.look(i, from[i], j.buf[:])
	}
	v := s.verdict()
	if v.stop {
		j.failed = fmt.Errorf("journal: %s: %w", v.detail, ErrFailed)
	}
	j.slots, j.since = s.newest.slots, s.newest.since
	j.next = s.newest.sequence + v.damage + 1
	if v.doubt == Torn || v.doubt == Rotten {
		j.since = j.next
	}
	return j, Recovered{Payload: s.newest.payload, Doubt: v.doubt, Detail: v.detail}
}

// Open opens the journal name in dir and says what it held.
//
// If one file is gone, has another size or cannot be written, the journal is
// opened for what it still holds and Append returns ErrFailed: the charges in it
// can be settled, but it takes no new ones. It is an error if neither file is
// there (fs.ErrNotExist: a partition that is not mounted must not pass for a new
// post), if another process has it open (ErrInUse), or if a file cannot be read.
func Open(dir, name, owner string) (*Journal, Recovered, error) {
	j, r, err := openNamed(dir, name, owner)
	if err != nil {
		return nil, Recovered{}, fmt.Errorf("journal: open %s in %s: %w", name, dir, err)
	}
	return j, r, nil
}

// ErrInUse says that another process has the journal open.
var ErrInUse = errors.New("another process has it open")

func openNamed(dir, name, owner string) (*Journal, Recovered, error) {
	if err := checkOwner(owner); err != nil {
		return nil, Recovered{}, err
	}
	names := filenames(name)
	files, from := [2]File{absent{}, absent{}}, [2]io.ReaderAt{absent{}, absent{}}
	var missing [2]error
	for i := range names {
		f, d, err := openDisk(filepath.Join(dir, names[i]))
		if errors.Is(err, fs.ErrNotExist) {
			missing[i] = err
			continue
		}
		if err != nil {
			_ = files[0].Close() // nothing was written
			return nil, Recovered{}, err
		}
		reader, done := d.uncached()
		defer done()
		files[i], from[i] = f, reader
	}
	if missing[0] != nil && missing[1] != nil {
		return nil, Recovered{}, missing[0]
	}
	j, r := open(files, from, names, owner)
	return j, r, nil
}

// filenames gives the names of the two files of a journal.
func filenames(name string) [2]string { return [2]string{name + ".a", name + ".b"} }

// openDisk opens a file, and seals it where writing is refused: what it holds is
// needed even if the file system has been remounted read-only.
func openDisk(path string) (File, *disk, error) {
	f, err := plain.Open(path, os.O_RDWR)
	refused := err
	if err != nil {
		if f, err = plain.Open(path, os.O_RDONLY); err != nil {
			return nil, nil, refused
		}
	}
	d := &disk{File: f}
	if err := d.lock(); err != nil {
		_ = f.Close() // nothing was written
		return nil, nil, err
	}
	if refused != nil {
		return sealed{d, refused}, d, nil
	}
	return d, d, nil
}

// sealed is a file that can only be read.
type sealed struct {
	*disk
	refused error
}

// WriteAt says why nothing can be written.
func (s sealed) WriteAt([]byte, int64) (int, error) { return 0, s.refused }

// absent stands for a file that is not there.
type absent struct{}

func (absent) ReadAt([]byte, int64) (int, error)  { return 0, io.EOF }
func (absent) WriteAt([]byte, int64) (int, error) { return 0, fs.ErrNotExist }
func (absent) Sync() error                        { return nil }
func (absent) Close() error                       { return nil }
