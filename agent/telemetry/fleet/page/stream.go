package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// The pace of a live page. Chosen by us: a fleet of thousands changes all the time, and
// nobody reads faster.
const (
	pace  = 3 * time.Second  // the least time between two drawings
	beat  = 15 * time.Second // the longest silence
	write = 10 * time.Second // for one event to a phone that reads slowly
)

// event is what is sent: the texts that have changed, and which page they are of.
type event struct {
	Shape string            `json:"shape"` // another one has other texts, and is loaded anew
	Texts map[string]string `json:"texts,omitempty"`
	Tones map[string]string `json:"tones,omitempty"`
}

// stream sends what changes on a page, until somebody goes away, or may see it no more.
func (p *Pages) stream(w http.ResponseWriter, r *http.Request, draw func(*http.Request, Login) *sheet) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		http.Error(w, "too many live pages", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	out := http.NewResponseController(w)
	last := event{Texts: map[string]string{}, Tones: map[string]string{}}
	for {
		l, ok := p.login(p.who(r))
		if !ok {
			return
		}
		s := draw(r, l)
		if s == nil {
			return
		}
		p.render(s)
		out.SetWriteDeadline(time.Now().Add(write)) // not every ResponseWriter has one; then the server's holds
		if _, err := fmt.Fprintf(w, "data: %s\n\n", last.next(s)); err != nil || out.Flush() != nil {
			return
		}
		if !p.rest(r, p.pace, nil) || !p.rest(r, beat-pace, s.changed) {
			return
		}
	}
}

// next gives what is different from what was sent last, as JSON, and remembers it.
func (e *event) next(s *sheet) []byte {
	now := event{Shape: s.Shape(), Texts: map[string]string{}, Tones: map[string]string{}}
	for _, x := range []struct{ from, was, out map[string]string }{{s.texts, e.Texts, now.Texts}, {s.tones, e.Tones, now.Tones}} {
		for k, v := range x.from {
			if x.was[k] != v {
				x.was[k], x.out[k] = v, v
			}
		}
	}
	text, err := json.Marshal(now)
	if err != nil {
		panic(err) // texts have no reason to fail
	}
	return text
}

// rest lets d pass, or less if it is woken, and says no if the stream is to end.
func (p *Pages) rest(r *http.Request, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-wake:
		return true
	case <-r.Context().Done():
	case <-p.o.Ends:
	}
	return false
}
