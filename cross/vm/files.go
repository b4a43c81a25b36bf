package vm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// stateSize is the size of the disk of the state. Chosen by us: many times what a post
// keeps in a year, and soon full when that is wanted.
const stateSize = 64 << 20

// copyFile copies a disk without its holes.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	chunk, nothing := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < info.Size(); at += int64(len(chunk)) {
		n, err := in.ReadAt(chunk, at)
		if err != nil && err != io.EOF {
			return err
		}
		if bytes.Equal(chunk[:n], nothing[:n]) {
			continue
		}
		if _, err := out.WriteAt(chunk[:n], at); err != nil {
			return err
		}
	}
	return out.Truncate(info.Size())
}

// newState makes an empty disk for the state.
func newState(file string) error {
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		return err
	}
	if err := os.Truncate(file, stateSize); err != nil {
		return err
	}
	if said, err := exec.Command("mkfs.ext4", "-q", "-F", "-L", "state", file).CombinedOutput(); err != nil {
		return fmt.Errorf("make the disk of the state: %w: %s", err, said)
	}
	return nil
}
