package screen

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"stolpe/display/panel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errCable = errors.New("remote I/O error")

// bench is a pretend panel with what is to be shown on it, in the time of the test.
type bench struct {
	mu    sync.Mutex
	page  panel.Page
	night bool

	takes time.Duration // for showing
	stuck chan struct{} // calls hang until this is closed; nil for not at all
	fails error         // of Show
	gone  error         // of Open
	panic bool          // of Show

	shown   []panel.Frame
	at      []time.Time // when each was shown
	began   []time.Time // when showing that began
	tries   int         // to show
	tried   []time.Time // to open
	closed  int
	calling bool
	overlap bool
	pulses  []time.Duration
	blinks  time.Duration // how often it wants to be called again; 0 for never

	changed, switched chan struct{}
}

func newPanel() *bench {
	return &bench{page: free("5,49"), changed: make(chan struct{}, 1), switched: make(chan struct{}, 1)}
}

// free is the page of a post that can be used, at that price, with a live code.
func free(price string) panel.Page {
	return panel.Page{Face: panel.Free, Price: price, Fees: []panel.Said{{"inkl. mva.", "incl. VAT"}},
		Code: &panel.Code{Text: "HTTPS://LAD.EXAMPLE.NO/A12"}}
}

func charging(cost string) panel.Page { return panel.Page{Face: panel.Charging, Cost: cost} }

func (b *bench) options() Options {
	return Options{
		Name: "oled", Changed: b.changed, Switched: b.switched, Log: slog.New(slog.DiscardHandler),
		Open: b.open,
		Frame: func(end bool) panel.Frame {
			b.mu.Lock()
			defer b.mu.Unlock()
			if end {
				return panel.Frame{Page: panel.Page{Face: panel.OutOfOrder}}
			}
			f := panel.Frame{Page: b.page, Night: b.night}
			if f.Page.Code != nil { // each page has a code of its own
				code := *f.Page.Code
				f.Page.Code = &code
			}
			return f
		},
	}
}

// call is what every call of the panel does. The lock is not held on the way back.
func (b *bench) call() {
	b.mu.Lock()
	b.overlap = b.overlap || b.calling
	b.calling = true
	stuck, takes := b.stuck, b.takes
	b.mu.Unlock()
	<-time.After(takes) // of the test
	if stuck != nil {
		<-stuck
	}
	b.mu.Lock()
	b.calling = false
	b.mu.Unlock()
}

func (b *bench) open() (Device, error) {
	b.call()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried = append(b.tried, time.Now())
	if b.gone != nil {
		return nil, b.gone
	}
	return b, nil
}

func (b *bench) Show(f panel.Frame) error {
	began := time.Now()
	b.call()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.panic {
		panic("no such letter")
	}
	if b.fails != nil {
		return b.fails
	}
	b.shown, b.at, b.began = append(b.shown, f), append(b.at, time.Now()), append(b.began, began)
	return nil
}

func (b *bench) Pulse(since time.Duration) (time.Duration, error) {
	b.call()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pulses = append(b.pulses, since)
	return b.blinks, nil
}

func (b *bench) Close() error {
	b.call()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

// set changes the panel or what is to be shown, and says so.
func (b *bench) set(change func(*bench)) {
	b.mu.Lock()
	change(b)
	b.mu.Unlock()
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// faces are those shown, in order.
func (b *bench) faces() (all []panel.Face) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.shown {
		all = append(all, f.Page.Face)
	}
	return all
}

// opened is how often it was tried to open it.
func (b *bench) opened() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.tried)
}

// last is what is on it.
func (b *bench) last() panel.Frame {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.shown) == 0 {
		return panel.Frame{}
	}
	return b.shown[len(b.shown)-1]
}

// play runs a display in time that passes when nobody has anything to do, and what is
// done to it; then it ends.
func play(t *testing.T, o func(*bench) Options, scene func(b *bench, s *Screen)) (*bench, *Screen) {
	t.Helper()
	var b *bench
	var s *Screen
	synctest.Test(t, func(t *testing.T) {
		b = newPanel() // here: time passes only where nobody waits for a channel from outside
		s = New(o(b))
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Run(ctx)
		}()
		synctest.Wait()
		scene(b, s)
		end()
		<-ended
	})
	if b.overlap {
		t.Error("the panel was called while it was being called")
	}
	return b, s
}

// pass lets time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// equal fails the test where two lists differ.
func equal[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
