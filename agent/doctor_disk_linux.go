package main

import (
	"errors"
	"io/fs"
	"syscall"

	"stolpe/agent/doctor"
)

// readOnly is the bit of a file system that takes nothing (statfs(2), ST_RDONLY).
const readOnly = 1

// diskOf is the file system of a folder, whether anything can be written there if we may,
// and nil for a folder that is not there.
func diskOf(dir string) *doctor.Disk {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return nil
	}
	d := &doctor.Disk{Dir: dir, Free: int64(s.Bavail) * int64(s.Bsize), ReadOnly: s.Flags&readOnly != 0}
	if used := diskUsed(dir); used != nil {
		d.Used = *used
	}
	if err := writable(dir); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) { // who looks need not be who writes
		d.Wrong, d.ReadOnly = err.Error(), d.ReadOnly || errors.Is(err, syscall.EROFS)
	}
	return d
}
