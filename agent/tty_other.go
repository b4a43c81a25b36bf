//go:build !linux

package main

import "os"

// isTTY says whether somebody may sit at the other end of f.
func isTTY(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
