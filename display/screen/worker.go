package screen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stolpe/display/panel"
)

// job is what the worker is to do: open the panel, if that is wanted or it is not open,
// and show a frame; or only have the frame that stands pulse.
type job struct {
	anew  bool
	frame panel.Frame
	asks  int  // whose, of those who have asked for another frame; 0 for nobody's
	again bool // what stands is shown once more
	pulse bool
	since time.Duration // that the frame stands, with pulse
	last  bool          // close the panel after it
}

// outcome is what came of a job.
type outcome struct {
	err    error
	opened bool
	took   time.Duration
	next   time.Duration // until the next pulse; 0 for none
}

// worker has the panel. Nobody else calls it.
type worker struct {
	o      *Options
	device Device // nil while it is not open
}

// run does one job after the other until there are no more.
func (w *worker) run(jobs <-chan job, done chan<- outcome) {
	defer w.close()
	for j := range jobs {
		done <- w.do(j) // there is room for one, and the next job comes after it was taken
		if j.last {
			return
		}
	}
}

// do does a job. A panic in it is a failure of the display: it must not end a charge.
func (w *worker) do(j job) (r outcome) {
	began := time.Now()
	r.err = guarded(func() (err error) {
		if j.anew {
			w.close()
		}
		if w.device == nil {
			r.opened = true
			d, err := w.o.Open()
			if err != nil {
				return err
			}
			w.device = d
		}
		if !j.pulse {
			if w.o.Draw != nil && j.frame.Image == nil && j.frame.Lines == nil {
				j.frame = w.o.Draw(j.frame)
			}
			if err := w.device.Show(j.frame); err != nil {
				return err
			}
		}
		if p, ok := w.device.(panel.Pulsing); ok {
			r.next, err = p.Pulse(j.since)
		}
		return err
	})
	r.took = time.Since(began)
	if r.err != nil && !errors.Is(r.err, panel.ErrCold) {
		w.close()
	}
	return r
}

// close closes the panel. What it says to that is not told: what matters has been shown, or
// has failed already.
func (w *worker) close() {
	if w.device == nil {
		return
	}
	d := w.device
	w.device = nil
	if err := guarded(d.Close); err != nil {
		w.o.Log.Debug("display does not close", "display", w.o.Name, "err", err)
	}
}

// guarded does something, and makes an error of a panic.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

// Last shows the last page on a panel that nobody runs, and closes it again: for whoever
// draws it after a program that was killed. The error is ctx's when the panel takes longer;
// then it is left to itself.
func Last(ctx context.Context, o Options) error {
	ended := make(chan error, 1)
	go func() {
		w := worker{o: &o}
		r := w.do(o.last())
		w.close()
		ended <- r.err
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
}

// last is the job for what stays. Without any words that still says out of order.
func (o *Options) last() job {
	f := panel.Frame{}
	if err := guarded(func() error { f = o.Frame(true); return nil }); err != nil {
		o.Log.Error("the last page of a display has no words", "display", o.Name, "err", err)
	}
	f.Whole = true
	return job{frame: f, last: true}
}
