package mqtt

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Chosen by us: a gateway gets the pages of a whole fleet at once when it
// connects, some of 1 kB for each EVSE. The bytes bound what a broker gone wild
// can make a Raspberry Pi keep.
const (
	queueLength = 4096     // messages
	queueBytes  = 16 << 20 // bytes of their payloads
)

// queue is between the connection, which must not wait, and the one who handles
// the messages. What does not fit is dropped: at QoS 1 who asked asks again. Nobody
// says again what the broker has retained, and of that there is more than fits when
// a gateway connects: for it the connection does wait, and so does the broker.
type queue struct {
	messages chan Message
	bytes    atomic.Int64 // of the payloads in messages
	dropped  atomic.Uint64
	log      *slog.Logger
}

func newQueue(log *slog.Logger) *queue {
	return &queue{messages: make(chan Message, queueLength), log: log}
}

// put is called by one goroutine at a time, in order of arrival. It gives up waiting
// when the connection is over.
func (q *queue) put(over <-chan struct{}, m Message) {
	size := int64(len(m.Payload))
	if size > largest {
		q.drop(m, "too large")
		return
	}
	if q.bytes.Add(size) > queueBytes {
		q.bytes.Add(-size)
		q.drop(m, "too many bytes wait")
		return
	}
	select {
	case q.messages <- m:
		return
	default:
	}
	if m.Retained && q.wait(over, m) {
		return
	}
	q.bytes.Add(-size)
	q.drop(m, "too many wait")
}

// wait waits for room, though not for whoever handles nothing any more: a line on
// which nothing is read is given up after so long, too.
func (q *queue) wait(over <-chan struct{}, m Message) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case q.messages <- m:
		return true
	case <-over:
	case <-late.C:
	}
	return false
}

// drop counts, and says so at the first, second, fourth, eighth.
func (q *queue) drop(m Message, why string) {
	if n := q.dropped.Add(1); n&(n-1) == 0 {
		q.log.Warn("mqtt: messages dropped", "topic", m.Topic, "bytes", len(m.Payload), "why", why, "dropped", n)
	}
}

// hand hands messages on until ctx ends.
func (q *queue) hand(ctx context.Context, handle func(Message)) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-q.messages:
			q.bytes.Add(-int64(len(m.Payload)))
			if ctx.Err() == nil {
				handle(m)
			}
		}
	}
}
