package machine

import (
	"context"
	"fmt"
	"time"

	"stolpe/cross/vm/frame"
)

// Edge is a change of a line, or its level when it began to be watched.
type Edge struct {
	Line string
	High bool
	At   time.Duration // since the machine's kernel started, by its own CLOCK_MONOTONIC
}

// waiting is how many edges wait for a reader of Lines. Chosen by us: more than any
// scenario makes.
const waiting = 4096

// edge keeps an edge for Lines. When too many wait the oldest is lost.
func (m *Machine) edge(e Edge) {
	for {
		select {
		case m.edges <- e:
			return
		default:
		}
		select {
		case <-m.edges:
		default:
		}
	}
}

// Lines tells of every change of the lines in Options.Watch. Those of one line come in their
// order; between lines At tells which was first. There is one such channel; it is not closed
// when the machine ends.
func (m *Machine) Lines() <-chan Edge { return m.edges }

// Pull gives a line the level it has where no program drives it: an input's.
func (m *Machine) Pull(ctx context.Context, line string, high bool) error {
	return m.about(ctx, "pull", line, frame.Frame{Do: frame.Pull, Line: line, High: high})
}

// Persist says whether an output that its program has let go keeps its level from now on.
func (m *Machine) Persist(ctx context.Context, yes bool) error {
	return m.about(ctx, "persist", "all lines", frame.Frame{Do: frame.Persist, High: yes})
}

// Latency does what must open the contactor and measures, inside the machine, how long
// after it the line was low. A Shot without Most waits a minute.
func (m *Machine) Latency(ctx context.Context, shot frame.Shot) (time.Duration, error) {
	if shot.Most == 0 {
		shot.Most = time.Minute
	}
	got, err := m.want(ctx, frame.Frame{Do: frame.Measure, Shot: &shot})
	if err != nil {
		return 0, fmt.Errorf("measure in the machine: %w", err)
	}
	return got.At, nil
}

func (m *Machine) about(ctx context.Context, verb, line string, f frame.Frame) error {
	if _, err := m.want(ctx, f); err != nil {
		return fmt.Errorf("%s %s in the machine: %w", verb, line, err)
	}
	return nil
}
