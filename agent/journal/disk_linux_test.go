package journal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// picky is a medium that refuses every read that touches one byte.
type picky struct {
	*bytes.Reader
	bad int64 // offset of the byte; below 0 if there is none
	err error
}

func (p picky) ReadAt(b []byte, off int64) (int, error) {
	if off <= p.bad && p.bad < off+int64(len(b)) {
		return 0, p.err
	}
	return p.Reader.ReadAt(b, off)
}

func TestUnreadableSlotCostsNoOtherSlot(t *testing.T) {
	const slots = 100
	data := make([]byte, slots*SlotSize)
	for i := range data {
		data[i] = byte(i / SlotSize)
	}
	for _, bad := range []int64{-1, 0, 1, 31, 32, 33, 98, 99} {
		m := &medium{f: picky{bytes.NewReader(data), bad * SlotSize, syscall.EIO}, page: make([]byte, readAhead)}
		var b [SlotSize]byte
		for slot := range int64(slots) {
			n, err := m.ReadAt(b[:], slot*SlotSize)
			switch {
			case slot == bad && !errors.Is(err, syscall.EIO):
				t.Errorf("slot %d, which cannot be read: %d bytes, %v", slot, n, err)
			case slot != bad && (n != SlotSize || err != nil || b[0] != byte(slot)):
				t.Errorf("slot %d, while %d cannot be read: %d bytes of %d, %v", slot, bad, n, b[0], err)
			}
		}
		if n, err := m.ReadAt(b[:], slots*SlotSize); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d bytes, %v", n, err)
		}
	}
}

func TestMediumThatCannotBeReadDirectlyIsReadThroughTheCache(t *testing.T) {
	data := bytes.Repeat([]byte{7}, SlotSize+100)
	m := &medium{
		f:      picky{bytes.NewReader(data), SlotSize, syscall.EINVAL},
		cached: bytes.NewReader(data),
		page:   make([]byte, readAhead),
	}
	var b [SlotSize]byte
	for slot, want := range []int{SlotSize, 100, 0} {
		if n, _ := m.ReadAt(b[:], int64(slot)*SlotSize); n != want {
			t.Errorf("slot %d: %d bytes, want %d", slot, n, want)
		}
	}
}

func TestOpeningReadsPastTheCache(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := &disk{File: f}
	r, done := d.uncached()
	defer done()
	m, ok := r.(*medium)
	if !ok {
		t.Skip("this file system cannot do that")
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, m.f.(*os.File).Fd(), syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_DIRECT == 0 {
		t.Errorf("flags %#x, %v", flags, errno)
	}
}
