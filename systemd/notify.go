// Package systemd tells the service manager how the program is doing.
//
// # Why
//
// Three words over a datagram socket are all that is needed, so there is no
// library. Alive is meant to be called by the loop that owns a contactor, after
// a pass in which all was as wanted, and by nobody else: a ping from a goroutine
// of its own would only prove that the scheduler runs.
package systemd

import (
	"fmt"
	"net"
	"os"
	"time"
)

// Ready says that start-up is over.
func Ready() error { return notify("READY=1") }

// Alive restarts the watchdog's clock.
func Alive() error { return notify("WATCHDOG=1") }

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
