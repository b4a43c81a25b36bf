package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/support"
)

// Chosen by us: what is read of the log of the system.
const (
	logLines  = 5000
	logWithin = 20 * time.Second
	logUnit   = "stolpe.service"
	// logSpace is where the unit logs (LogNamespace=), and with + what the service manager
	// says of it elsewhere as well. Where a unit of somebody's own does not say so, it is
	// the log of the system alone.
	logSpace = "--namespace=+stolpe"
)

// addLog puts in what the system's journal has of the post. The daemon cannot read it,
// but whoever makes a bundle may be able to.
func (c *collected) addLog(ctx context.Context) {
	const name = "log.txt"
	program, err := exec.LookPath(journalctl)
	if err != nil {
		c.Lacks(name, "this machine has no "+journalctl+": the log is wherever standard error of the daemon goes")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, logWithin)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, logSpace, "--unit", logUnit, "--since", c.Since.UTC().Format("2006-01-02 15:04:05 UTC"),
		"--lines", strconv.Itoa(logLines), "--no-pager", "--utc", "--output", "short-iso").Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		err = fmt.Errorf("%s: %w: %s", journalctl, err, strings.TrimSpace(string(ended.Stderr)))
	}
	if err != nil {
		c.Lacks(name, c.veil.Text(err.Error()))
		return
	}
	c.Add(support.Piece{Name: name, About: fmt.Sprintf("log of %s, at most its newest %d lines", logUnit, logLines), Body: []byte(c.veil.Text(string(out)))})
}
