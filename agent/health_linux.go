package main

import "syscall"

// unsynced is the bit of the kernel's clock status that says that nobody disciplines
// it; nano says that its offset is in nanoseconds and not in microseconds
// (adjtimex(2)).
const (
	unsynced = 0x0040
	nano     = 0x2000
)

// clockOffset is how far the clock is from its source, ms; nil when it has none.
func clockOffset() *int64 {
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil || t.Status&unsynced != 0 {
		return nil
	}
	ms := int64(t.Offset) / 1000
	if t.Status&nano != 0 {
		ms /= 1000
	}
	return &ms
}

// diskUsed is how much of the file system of a folder is in use, percent, as df(1)
// says it.
func diskUsed(dir string) *int {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Blocks == 0 {
		return nil
	}
	used, room := s.Blocks-s.Bfree, s.Bavail
	if used+room == 0 {
		return nil
	}
	percent := int((used*100 + used + room - 1) / (used + room))
	return &percent
}
