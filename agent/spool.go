package main

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Chosen by us: room for what a post logs in a day of trouble, and long enough to
// empty it into a log that takes it at all.
const (
	spoolLines = 256
	spoolFlush = time.Second
)

// spool passes lines on to a log that may hang, and never waits for it: whoever
// writes to it may be the loop that has a contactor to open. Lines for which there
// is no room are dropped, and counted in the log once it takes lines again.
type spool struct {
	lines   chan []byte
	dropped atomic.Int64 // lines since the last one passed on
	ending  chan struct{}
	empty   chan struct{}
}

// newSpool begins to pass lines on to w. The caller must Close it.
func newSpool(w io.Writer) *spool {
	s := &spool{lines: make(chan []byte, spoolLines), ending: make(chan struct{}), empty: make(chan struct{})}
	go s.pass(w)
	return s
}

// Write takes one line. It never fails.
func (s *spool) Write(line []byte) (int, error) {
	select {
	case s.lines <- bytes.Clone(line):
	default:
		s.dropped.Add(1)
	}
	return len(line), nil
}

func (s *spool) pass(w io.Writer) {
	defer close(s.empty)
	for {
		select {
		case line := <-s.lines:
			s.put(w, line)
		case <-s.ending:
			for len(s.lines) > 0 {
				s.put(w, <-s.lines)
			}
			return
		}
	}
}

func (s *spool) put(w io.Writer, line []byte) {
	w.Write(line) //nolint:errcheck // there is no other place to say so
	if n := s.dropped.Swap(0); n > 0 {
		fmt.Fprintf(w, "level=WARN msg=\"log lines lost\" lines=%d\n", n)
	}
}

// Close waits a moment until what was written has been passed on. What is written
// later is lost.
func (s *spool) Close() {
	close(s.ending)
	timer := time.NewTimer(spoolFlush)
	defer timer.Stop()
	select {
	case <-s.empty:
	case <-timer.C:
	}
}
