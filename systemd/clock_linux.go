package systemd

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the kernel's own clock, by which the manager tells an answer to its newest
// request from one to an older.
func monotonic() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0, fmt.Errorf("clock: %w", err)
	}
	return time.Duration(now.Nano()), nil
}
