//go:build gpiosim

package gpio

import (
	"errors"
	"syscall"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// pins are lines of a display: one that is driven, and one that is looked at.
func (s sim) pins() {
	for _, spec := range []string{label + "/11", "!" + label + "/11"} {
		low := spec[0] == '!'
		out, err := OpenOut(spec)
		if err != nil {
			s.Fatal(err)
		}
		if s.high(11) {
			s.Errorf("%s is high at first", spec)
		}
		for _, l := range []gpio.Level{gpio.High, gpio.Low, gpio.High} {
			if err := out.Out(l); err != nil || s.high(11) != (bool(l) != low) {
				s.Errorf("%s %v: high %v, %v", spec, l, s.high(11), err)
			}
		}
		if _, err := OpenIn(spec, true); !errors.Is(err, syscall.EBUSY) {
			s.Errorf("%s, held by ourselves: %v", spec, err)
		}
		if err := out.Close(); err != nil {
			s.Error(err)
		}
		s.Logf("%s, given back when it was high: %v", spec, s.high(11))
	}
	in, err := OpenIn(label+"/2", true)
	if err != nil {
		s.Fatal(err)
	}
	for _, to := range []string{"down", "up", "down"} {
		s.pull(2, to)
		if l, err := in.Look(); err != nil || bool(l) != (to == "up") || in.Read() != l {
			s.Errorf("pulled %s: %v, %v", to, l, err)
		}
	}
	for in.WaitForEdge(time.Millisecond) { // those of the above
	}
	s.pull(2, "up")
	if !in.WaitForEdge(patience) {
		s.Error("no edge")
	}
	if err := errors.Join(in.In(gpio.PullDown, gpio.NoEdge), in.Close()); err != nil {
		s.Error(err)
	}
	if out, err := OpenOut(label + "/2"); err != nil || out.Close() != nil {
		s.Errorf("not given back: %v", err)
	}
}
