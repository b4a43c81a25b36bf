// Command guest is what runs in the virtual machine: first as process 1, until the real
// root file system is there and systemd takes its place, then beside systemd, where it
// does what the host asks for over a serial line: it runs commands, writes files, and moves
// and watches the simulated GPIO lines.
//
// # Why
//
// One static program is both, so that the root file system of a machine holds nothing that
// a post would not have, and the host reaches a machine before systemd runs, while it
// starts and when it hangs.
//
// A line is watched by waiting for the kernel's word that it changed, on a thread that goes
// before all others. The time is read right after that. So nothing polls, and what is
// measured is the product and not the watcher.
package main

import (
	"fmt"
	"os"
	"syscall"
)

func main() {
	if os.Getpid() == 1 {
		err := start()
		// Process 1 must not end. Without power the host sees an end, and the words
		// are the last in its log.
		say("guest: %v", err)
		syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	}
	if err := serve(); err != nil {
		say("guest: %v", err)
		os.Exit(1)
	}
}

// say writes to the kernel's log, which goes to the console.
func say(format string, args ...any) {
	if log, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0); err == nil {
		defer log.Close()
		fmt.Fprintf(log, "<2>"+format+"\n", args...)
	}
}
