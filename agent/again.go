package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/agent/doctor"
)

// runAgain runs the post of a configuration file until ctx ends, anew each time that it
// is told to start anew: with the program that is on the disk then. A configuration on trial that does not run is taken back.
func runAgain(ctx context.Context, source *timeSource, file string, stderr io.Writer) error {
	outliveReaders()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // from the start on: it would end the program
	defer signal.Stop(hup)
	this := thisProgram()
	return (&runner{source: source, stderr: stderr, from: origin{file: file, told: hup, program: this, given: credentialsIn(decryptedDir)}}).run(ctx)
}

// run runs posts until ctx ends, or one ends by itself.
func (r *runner) run(ctx context.Context) error {
	file, this, stderr := r.from.file, r.from.program, r.stderr
	for ran := false; ; ran = true {
		if err := beginTrial(file, stderr); err != nil {
			fmt.Fprintf(stderr, "stolpe: %v\n", err) // and on with what there is: charges may have to be settled
		}
		err := r.once(ctx)
		switch t, _ := trial.Of(file); {
		case errors.Is(err, errRestart) && ctx.Err() == nil:
			if slices.ContainsFunc(r.lacks, r.from.given.came) {
				return errMoreSecrets
			}
			if this.giveWay(ctx, file, r.lacks, stderr); ctx.Err() != nil {
				return nil
			}
		case errors.Is(err, errRestart):
			return nil
		case err == nil || ctx.Err() != nil || !t.On() && !ran || errors.Is(err, errMoreSecrets) || errors.Is(err, errMoreChips):
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

// origin is where a configuration stands, and how a post hears that it is another.
type origin struct {
	file string
	told <-chan os.Signal // nil where nobody signals
	// program is what runs; zero where nobody puts another in its place.
	program executable

	missing []missingSecret     // what it names and the machine does not have
	given   credentials         // by systemd, when the program began
	another bool                // the post has run with one before this, and can again
	lacked  []doctor.Lack       // what it started without then
	without func([]doctor.Lack) // called with what it has started without; nil where nobody asks
	goes    func(config.Config) // called with what the post goes by when it has started, and whenever that is another; nil where nobody asks
}

// runner runs posts of one file, one after the other.
type runner struct {
	source *timeSource
	stderr io.Writer
	from   origin
	lacks  []string       // secrets that the newest of them started without
	good   *config.Config // what the newest of them that has started went by; nil for none

	poor []missingSecret // secrets that it started without
	bare []doctor.Lack   // all that it started without
}

// once runs a post until ctx ends, or it is told to start anew. If it does not start with
// what the file has now, and another has run before, it runs with what that had: whoever
// has changed the file is told, and drivers do not suffer for it. A configuration on
// trial is taken back instead.
func (r *runner) once(ctx context.Context) error {
	started, err := r.load(ctx)
	switch t, _ := trial.Of(r.from.file); {
	case started, err == nil, ctx.Err() != nil, r.good == nil, t.On():
		return err
	}
	fmt.Fprintf(r.stderr, "stolpe: %v\nstolpe: the post does not start with this, and runs with the configuration before; put the file right, then: stolpe config reload\n", err)
	from := r.from
	from.missing = r.poor
	from.without = func(all []doctor.Lack) { r.bare = all }
	return daemon(ctx, r.source, *r.good, from, r.stderr)
}

// load runs a post with what the file has, and says whether it has started.
func (r *runner) load(ctx context.Context) (started bool, err error) {
	cfg, missing, err := loadAnyway(r.from.file)
	if err != nil {
		openNoted(r.from.file, cfg, r.stderr)
		return false, err
	}
	from := r.from
	r.lacks = namesOf(missing)
	t, _ := trial.Of(r.from.file)
	from.missing, from.another = missing, t.On() || r.good != nil && r.good.Sum != cfg.Sum
	from.lacked, from.without = r.bare, func(all []doctor.Lack) { r.bare = all }
	from.goes = func(now config.Config) { started, r.good, r.poor = true, &now, missing }
	err = daemon(ctx, r.source, cfg, from, r.stderr)
	return started, err
}
