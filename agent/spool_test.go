package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// stuck is a log that hangs until it is freed.
type stuck struct {
	free chan struct{}
	bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.Buffer.Write(p)
}

func TestALogThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &stuck{free: make(chan struct{})}
		s := newSpool(log)
		const lost = 44
		for i := range spoolLines + 1 + lost { // one is on its way into the log
			fmt.Fprintf(s, "line %d\n", i)
			if i == 0 {
				synctest.Wait()
			}
		}
		close(log.free)
		s.Close()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != spoolLines+2 || lines[0] != "line 0" || !strings.Contains(lines[1], fmt.Sprintf("lines=%d", lost)) {
			t.Errorf("%d lines, beginning %q", len(lines), lines[:min(3, len(lines))])
		}
		if last := lines[len(lines)-1]; last != fmt.Sprintf("line %d", spoolLines) {
			t.Errorf("the last is %q", last)
		}
	})
}

func TestALogThatNeverAnswersIsNotWaitedForAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &stuck{free: make(chan struct{})}
		s := newSpool(log)
		fmt.Fprintln(s, "one")
		s.Close()
		close(log.free)
	})
}
