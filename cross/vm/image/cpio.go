package image

import (
	"fmt"
	"io"
)

// Kinds of files, as in a file's mode (inode(7)).
const (
	folder    = 0o040000
	character = 0o020000
	regular   = 0o100000
)

// entry is a file of the first file system.
type entry struct {
	name         string // without a slash at its front
	mode         uint32 // with the kind
	major, minor uint32 // of a device
	data         []byte
}

// writeCPIO writes an archive in the form "newc", which the kernel unpacks into memory
// before it starts process 1 (the kernel's driver-api/early-userspace/buffer-format.rst).
// Everything belongs to root. A folder comes before what is in it.
func writeCPIO(w io.Writer, entries []entry) error {
	for i, e := range append(entries, entry{name: "TRAILER!!!"}) {
		links := 1
		if e.mode&folder != 0 {
			links = 2
		}
		head := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
			i+1, e.mode, 0, 0, links, 0, len(e.data), 0, 0, e.major, e.minor, len(e.name)+1, 0, e.name)
		for _, part := range [][]byte{padded([]byte(head)), padded(e.data)} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// padded fills up to a multiple of four bytes.
func padded(b []byte) []byte {
	return append(b[:len(b):len(b)], make([]byte, -len(b)&3)...)
}
