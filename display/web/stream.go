package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// The pace of a stream. Chosen by us: faster than once a second nobody reads,
// and a phone that has heard nothing for three beats says so to its owner.
const (
	pace  = time.Second      // the least time between two drawings
	beat  = 10 * time.Second // the longest silence
	write = 10 * time.Second // for one event to a phone that reads slowly
)

// stream sends the numbers of a charge as they change, until it is settled, the
// phone goes away, or the server closes.
func (p *pages) stream(w http.ResponseWriter, r *http.Request, at place, post display.Post, h payment.Holder) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		http.Error(w, "too many streams", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 3000\n\n") // ms until the phone connects again
	ctx := r.Context()
	var last numbers
	var sent time.Time
	for {
		changed := p.posts.Changed(at.code) // before looking, so that nothing is missed
		n, over := p.look(ctx, at, post, h)
		if n != last || time.Since(sent) >= beat {
			out.SetWriteDeadline(time.Now().Add(write)) // not every ResponseWriter has one; then the server's holds
			if err := send(w, out, n); err != nil {
				return
			}
			last, sent = n, time.Now()
		}
		if over || !rest(ctx, pace, nil) {
			return
		}
		if n.Left == "" && !rest(ctx, beat-pace, changed) { // a countdown changes by itself
			return
		}
	}
}

// look draws the numbers of the moment, and says whether they are the last.
func (p *pages) look(ctx context.Context, at place, post display.Post, h payment.Holder) (numbers, bool) {
	v, ok := p.posts.Session(ctx, at.code, h)
	if !ok {
		return numbers{Scene: string(gone)}, true
	}
	s := p.drive(at, post, v)
	return *s.Live, !s.Moving
}

// send writes one event.
func send(w http.ResponseWriter, out *http.ResponseController, n numbers) error {
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("web: encode numbers: %w", err)
	}
	if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
		return fmt.Errorf("web: write an event: %w", err)
	}
	return out.Flush()
}

// rest lets d pass, or less if it is woken, and says false if the stream is to
// end.
func rest(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-wake:
		return true
	case <-ctx.Done():
	case <-closing(ctx):
	}
	return false
}
