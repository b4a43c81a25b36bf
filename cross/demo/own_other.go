//go:build !linux

package demo

import (
	"os/exec"
	"syscall"
)

// own keeps a terminal's Ctrl-C from the program, which is told to end when it is its
// turn.
func own(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
