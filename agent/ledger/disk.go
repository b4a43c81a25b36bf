package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// takeBack cuts off a line that failed. As long as that cannot be done it stands there
// as a good one would, and may not be on disk.
func (l *Ledger) takeBack() error {
	info, err := l.file.Stat()
	if err == nil && info.Size() > l.failed { // another process has gone on after it: it stays, and is given to the disk again
		l.failed, l.doubt = 0, true
		return nil
	}
	if err == nil && info.Size() > l.end {
		if err = l.may("take back"); err == nil {
			err = l.file.Truncate(l.end)
		}
	}
	if err != nil {
		return unwritable{err}
	}
	l.failed = 0
	return nil
}

// sync makes the file durable up to an offset. A disk that has failed to do so may
// have forgotten what it was given and say yes the next time: so it is given again.
func (l *Ledger) sync(to int64) error {
	if l.doubt {
		again := make([]byte, to-l.sure)
		if _, err := l.file.ReadAt(again, l.sure); err != nil {
			return err
		}
		if err := l.may("write again"); err != nil {
			return err
		}
		if _, err := l.file.WriteAt(again, l.sure); err != nil {
			return err
		}
	}
	err := l.may("sync")
	if err == nil {
		err = l.file.Sync()
	}
	l.doubt = err != nil
	if err == nil {
		l.sure = to
	}
	return err
}

// may says whether the disk may be changed.
func (l *Ledger) may(op string) error {
	if l.before == nil {
		return nil
	}
	return l.before(op)
}

// locked does something while no other process writes.
func (l *Ledger) locked(do func() error) (err error) {
	if l.folder == nil {
		if l.folder, err = os.Open(filepath.Dir(l.path)); err != nil {
			l.folder = nil
			return err
		}
	}
	fd := int(l.folder.Fd())
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return errors.Join(do(), syscall.Flock(fd, syscall.LOCK_UN))
}

// Ready says whether the book is open, which it is made if that can be done: what it does
// not Have, and its newest Receipts, mean nothing before.
func (l *Ledger) Ready() error {
	if l.begun.Load() {
		return nil
	}
	if err := l.refresh(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// refresh takes in what others have written.
func (l *Ledger) refresh() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.locked(func() error { _, err := l.catchUp(); return readable(err) })
}

// durable makes everything durable that has been written.
func (l *Ledger) durable() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.secure()
}

// secure makes everything durable that has been read.
func (l *Ledger) secure() error {
	if l.file == nil || l.sure == l.end {
		return nil
	}
	return l.sync(l.end)
}
