// Package file keeps the newest picture of a display in a PNG file, for whatever shows
// pictures: a sign's own player, a camera wall, a person who looks from afar.
//
// # Why
//
// Whoever reads the file reads a whole picture, old or new: each is written beside it and
// renamed. It is not flushed to a disk: a picture of a post that has lost its power is worth
// nothing, so the file belongs into /run. An equal picture is not written again, since
// whoever watches the file would take it for a new one.
package file

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"

	"stolpe/display/panel"
)

// Device is a file. Make one with Open.
type Device struct {
	path  string
	last  []byte // what the file holds; nil before the first picture
	wrote int64  // bytes
}

// Open takes the file at a path, which need not exist. Its folder must.
func Open(path string) (*Device, error) {
	dir := filepath.Dir(path)
	switch at, err := os.Stat(dir); {
	case err != nil:
		return nil, fmt.Errorf("folder of the display's picture: %w", err)
	case !at.IsDir():
		return nil, fmt.Errorf("folder of the display's picture: %s is none", dir)
	}
	return &Device{path: path}, nil
}

// Show puts the picture of the frame into the file.
func (d *Device) Show(f panel.Frame) error {
	if f.Image == nil {
		return fmt.Errorf("the display's picture %s: a frame without dots", d.path)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, f.Image); err != nil {
		return fmt.Errorf("encode the display's picture: %w", err)
	}
	if bytes.Equal(b.Bytes(), d.last) {
		return nil
	}
	if err := d.replace(b.Bytes()); err != nil {
		return fmt.Errorf("write the display's picture: %w", err)
	}
	d.last = b.Bytes()
	d.wrote += int64(b.Len())
	return nil
}

// replace puts a whole new file in the place of the old one.
func (d *Device) replace(picture []byte) error {
	// The name is chosen anew each time: the program and `stolpe failsafe` may both
	// write, and half a picture of each would be none.
	f, err := os.CreateTemp(filepath.Dir(d.path), "."+filepath.Base(d.path)+".")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // which fails once it has its name
	_, err = f.Write(picture)
	if err == nil {
		err = f.Chmod(0o644) // whoever shows it is another user
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), d.path)
}

// Wrote says how many bytes have gone into the file since Open.
func (d *Device) Wrote() int64 { return d.wrote }

// Close leaves the last picture where it is.
func (d *Device) Close() error { return nil }
