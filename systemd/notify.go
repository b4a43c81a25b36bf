// Package systemd tells the service manager how the program is doing.
//
// # Why
//
// A few words over a datagram socket are all that is needed, so there is no
// library. Alive is meant to be called by the loop that owns a contactor, after
// each of its passes, and by nobody else: a ping from a goroutine of its own would
// only prove that the scheduler runs.
//
// The units stand here as well, and what else systemd, udev and journald are told of
// the programs at installation. Each line says why it is there. Tests hold them
// against the code: a path, a time or an exit code that stands in both must be the same.
package systemd

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// Ready says that start-up is over.
func Ready() error { return notify("READY=1") }

// Alive restarts the watchdog's clock.
func Alive() error { return notify("WATCHDOG=1") }

// Reloading says that the program reads its configuration again. The manager takes it as
// the answer to its own request (Type=notify-reload) by the time that stands in it, and
// waits for Ready or Unchanged.
func Reloading() error {
	now, err := monotonic()
	if err != nil {
		return fmt.Errorf("systemd: notify RELOADING=1: %w", err)
	}
	return notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Microseconds()))
}

// Unchanged ends a reload without a start anew, and says in one line what came of it;
// systemctl status shows that.
func Unchanged(status string) error { return notify("STATUS=" + status + "\nREADY=1") }

// Status shows one line about the program in systemctl status.
func Status(line string) error { return notify("STATUS=" + strings.ReplaceAll(line, "\n", " ")) }

// Stopping says that the program is on its way out.
func Stopping() error { return notify("STOPPING=1") }

// patience is how long a manager that does not read is waited for: the loop that
// owns the contactor is waiting too. Chosen by us.
const patience = 50 * time.Millisecond

// notify sends one state to the socket that the manager names in the
// environment (sd_notify(3)). Without one it does nothing and returns nil.
func notify(state string) error {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("systemd: notify %s: %w", state, err)
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("systemd: notify %s: %w", state, err)
	}
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("systemd: notify %s: %w", state, err)
	}
	return nil
}
