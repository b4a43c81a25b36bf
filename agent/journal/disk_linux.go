package journal

import (
	"errors"
	"io"
	"os"
	"syscall"

	"stolpe/agent/plain"
)

// disk is a real file.
type disk struct{ *os.File }

// Sync makes what was written durable with fdatasync: the size never changes,
// so there is nothing else to flush.
func (d *disk) Sync() error {
	for {
		err := syscall.Fdatasync(int(d.Fd()))
		if err == nil {
			return nil
		}
		if err != syscall.EINTR { // interrupted is not failed: it has not been tried
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// lock keeps other processes out until the file is closed.
func (d *disk) lock() error {
	err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return ErrInUse
	}
	return os.NewSyscallError("flock", err)
}

// readAhead is how much is read at once, in bytes. Chosen by us: a card answers
// eight such reads nearly as fast as one long one.
const readAhead = 32 * SlotSize

// uncached gives a reader of what is on the medium itself, and a function to
// call when done with it. Where the file system cannot do that (a tmpfs of an
// older kernel), it reads as everybody does.
func (d *disk) uncached() (io.ReaderAt, func()) {
	f, err := plain.Open(d.Name(), os.O_RDONLY|syscall.O_DIRECT)
	if err != nil {
		return d, func() {}
	}
	// Such reads need memory that begins at a page.
	page, err := syscall.Mmap(-1, 0, readAhead, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		_ = f.Close() // only read
		return d, func() {}
	}
	return &medium{f: f, cached: d, page: page}, func() {
		_ = syscall.Munmap(page) // it was mapped above
		_ = f.Close()            // only read
	}
}

// medium reads a file past the page cache, in long strokes.
type medium struct {
	f      io.ReaderAt // past the cache
	cached io.ReaderAt
	page   []byte
	at     int64 // offset of the first byte held in page
	held   int   // bytes held in page
}

// ReadAt reads a slot.
func (m *medium) ReadAt(p []byte, off int64) (int, error) {
	if off < m.at || off+int64(len(p)) > m.at+int64(m.held) {
		n, err := m.f.ReadAt(m.page, off)
		if n < len(p) && err != io.EOF {
			// Something in this stroke cannot be read. This slot may be good.
			n, err = m.f.ReadAt(m.page[:len(p)], off)
		}
		if errors.Is(err, syscall.EINVAL) {
			return m.cached.ReadAt(p, off)
		}
		if m.at, m.held = off, n; n < len(p) {
			return copy(p, m.page[:n]), err
		}
	}
	return copy(p, m.page[off-m.at:]), nil
}
