package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"stolpe/agent/config/trial"
)

// runAgain runs the post of a configuration file until ctx ends, anew each time that it
// is told to start anew. A configuration on trial that does not run is taken back.
func runAgain(ctx context.Context, source *timeSource, file string, stderr io.Writer) error {
	for ran := false; ; ran = true {
		if err := beginTrial(file, stderr); err != nil {
			fmt.Fprintf(stderr, "stolpe: %v\n", err) // and on with what there is: charges may have to be settled
		}
		err := runOnce(ctx, source, file, stderr)
		switch t, _ := trial.Of(file); {
		case errors.Is(err, errRestart) && ctx.Err() == nil:
		case errors.Is(err, errRestart):
			return nil
		case err == nil || ctx.Err() != nil || !t.On() && !ran:
			return err
		case !t.On(): // after exitConfig nobody would start it again, and it has run before
			return coded{err, exitFailed}
		default:
			fmt.Fprintf(stderr, "stolpe: %v\nstolpe: this configuration was on trial\n", err)
			if back := takeBack(t, stderr); back != nil {
				return coded{errors.Join(err, back), exitFailed}
			}
		}
	}
}

// beginTrial notes the start of a configuration on trial, or puts the one before back if
// it has been started already.
func beginTrial(file string, stderr io.Writer) error {
	t, err := trial.Of(file)
	if !t.On() {
		return err
	}
	if err != nil {
		fmt.Fprintf(stderr, "stolpe: %v\n", err)
	}
	if first, err := t.Begin(); first || err != nil {
		return err
	}
	fmt.Fprintf(stderr, "stolpe: configuration %s was on trial, and nobody has confirmed it before this start\n", t.ID)
	return takeBack(t, stderr)
}

// takeBack ends a trial badly, and says what runs now.
func takeBack(t trial.Trial, stderr io.Writer) error {
	switch back, err := t.Back(); {
	case err != nil:
		return err
	case back:
		fmt.Fprintln(stderr, "stolpe: the one before is put back")
	default:
		fmt.Fprintln(stderr, "stolpe: somebody has changed the file since, and it stays as it is")
	}
	return nil
}

// runOnce runs the post until ctx ends, or it is told to start anew.
func runOnce(ctx context.Context, source *timeSource, file string, stderr io.Writer) error {
	cfg, err := loadConfig(file)
	if err != nil {
		openNoted(file, cfg, stderr)
		return err
	}
	return daemon(ctx, source, cfg, file, stderr)
}
