package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"stolpe/payment"
)

// ClientOptions say how a post asks.
type ClientOptions struct {
	Publish Publish              // below the post's own place
	Within  time.Duration        // for one asking, answer included
	Mono    func() time.Duration // time that never jumps
}

// Client is the post's end: it asks a payment service through whatever gateway takes
// the asking. Any number of goroutines may use it.
type Client struct {
	ClientOptions
	life string // of this program: no id of another life is taken for one of ours

	mu    sync.Mutex               // guards what follows
	asked uint64                   // askings so far
	waits map[string]chan<- answer // by id; each takes one answer without waiting
	gate  gateClock
}

// NewClient makes one.
func NewClient(o ClientOptions) *Client {
	return &Client{ClientOptions: o, life: rand.Text(), waits: map[string]chan<- answer{}}
}

// errLate is an asking that was not acted upon, because it carried no time or one
// that was over. It may be made again at once: the gateways' time is known by now.
var errLate = errors.New("the gateway says that it came too late")

// Ask asks. No answer in time, and one that makes no sense, is payment.Unknown with
// an error: nobody knows what came of it.
func (c *Client) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	a, err := c.ask(ctx, o)
	if errors.Is(err, errLate) {
		a, err = c.ask(ctx, o)
	}
	if err != nil {
		return a, fmt.Errorf("relay: %v of %s: %w", o.Verb, o.Ref, err)
	}
	return a, nil
}

// ask makes one asking and waits for its answer.
func (c *Client) ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	m, reply := c.begin(ctx, o)
	defer c.end(m.ID)
	if ctx.Err() != nil { // nothing is asked for which nobody waits
		return payment.Answer{}, context.Cause(ctx)
	}
	if err := c.Publish(ctx, AskLeaf, write(m)); err != nil {
		return payment.Answer{}, err
	}
	select {
	case w := <-reply:
		if w.Late {
			return payment.Answer{}, errLate
		}
		a, err := w.answer()
		if err == nil && w.Said != "" {
			err = errors.New(w.Said)
		}
		return a, err
	case <-ctx.Done():
		return payment.Answer{}, fmt.Errorf("no answer from a gateway: %w", context.Cause(ctx))
	}
}

// begin makes an asking, and a place for its answer.
func (c *Client) begin(ctx context.Context, o payment.Order) (ask, <-chan answer) {
	reply := make(chan answer, 1)
	mono := c.Mono()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	m := ask{V: version, ID: c.life + "-" + strconv.FormatUint(c.asked, 10), Order: fromOrder(o)}
	left := c.Within
	if end, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(end))
	}
	m.Until = c.gate.at(mono, mono+left)
	c.waits[m.ID] = reply
	return m, reply
}

func (c *Client) end(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waits, id)
}

// Take takes in a message that came for AnswerLeaf. One that nobody waits for is
// dropped: it is a second answer, or one to a program before this.
func (c *Client) Take(text []byte) error {
	var w answer
	if err := read(text, &w); err != nil {
		return fmt.Errorf("relay: answer: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	reply := c.waits[w.ID]
	if reply == nil {
		return nil
	}
	delete(c.waits, w.ID)
	if w.Now > 0 {
		c.gate.hear(w.Now, c.Mono())
	}
	reply <- w
	return nil
}
