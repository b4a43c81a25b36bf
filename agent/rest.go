package main

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// restAfter is how long after its start a post has come to rest. Chosen by us: displays
// have had their first picture by then, and the meter its first readings.
const restAfter = 5 * time.Second

// rest gives back, once, what only the start has needed: a start draws on code all over the
// program, where one who waits for a driver goes round in a small part of it, and it leaves
// garbage that would lie about for minutes.
func rest(ctx context.Context, log *slog.Logger) {
	select {
	case <-time.After(restAfter):
	case <-ctx.Done():
		return
	}
	debug.FreeOSMemory()
	if err := letGoOfCode(); err != nil {
		log.Debug("what the start has used of the program stays in memory", "err", err)
	}
}
