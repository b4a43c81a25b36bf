package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/payment"
)

// notify has the service tell the post that something has happened to a payment,
// with what goes wrong on the way. Late ones are overtaken by those after them.
func (w *world) notify(ref payment.Ref) {
	if !w.hooks {
		return
	}
	after := time.Second
	switch w.at(atHint); {
	case w.hit(hintLost):
		return
	case w.hit(hintLate):
		after = w.span(5*time.Second, time.Hour)
	case w.hit(hintTwice):
		w.in(w.span(time.Millisecond, time.Minute), evHint, int(ref.Number()))
	}
	w.in(after, evHint, int(ref.Number()))
}

// hint brings a hint to the post.
func (w *world) hint(n int) {
	if w.now < w.netDown || !w.post.up {
		return
	}
	w.step(session.Hinted{Ref: w.post.rules.Ref(uint64(n))})
	w.plantedHint(uint64(n))
}

// forge is somebody sending hints who must not: one, or a storm, about this
// payment and others.
func (w *world) forge() {
	if !w.hit(hintForged) {
		return
	}
	newest := w.post.state.Counter
	size := w.how(500)
	storm := 1 + size*size/400
	pause := w.span(10*time.Millisecond, 2*time.Second)
	for i := range storm {
		n := newest
		if i&1 == 1 {
			n = mix(w.seed, i, newest) % (newest + 3) // some there are, and some there are not
		}
		w.in(time.Duration(i)*pause, evHint, int(n))
	}
}
