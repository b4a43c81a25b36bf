package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
)

// A gateway that connects to a broker with a large fleet is sent more than fits.
func TestWhatIsRetainedWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(slog.New(slog.DiscardHandler))
		const many = 2 * queueLength
		put := make(chan struct{})
		go func() {
			defer close(put)
			for n := range many {
				q.put(nil, Message{Topic: fmt.Sprint(n), Retained: true})
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		next := 0
		go q.hand(ctx, func(m Message) {
			if m.Topic != fmt.Sprint(next) {
				t.Errorf("message %d is %s", next, m.Topic)
			}
			if next++; next == many {
				cancel()
			}
		})
		<-put
		synctest.Wait()
		if next != many || q.dropped.Load() != 0 {
			t.Errorf("%d of %d handled, %d dropped", next, many, q.dropped.Load())
		}
	})
}

func TestNobodyWaitsForAConnectionThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(slog.New(slog.DiscardHandler))
		for range queueLength {
			q.put(nil, Message{Retained: true})
		}
		q.put(nil, Message{}) // not retained: does not wait at all
		over := make(chan struct{})
		close(over)
		q.put(over, Message{Retained: true})
		q.put(nil, Message{Retained: true}) // nobody handles anything: waits, but not for ever
		if n := q.dropped.Load(); n != 3 {
			t.Errorf("%d dropped, want 3", n)
		}
	})
}
