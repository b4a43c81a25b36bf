package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"stolpe/agent/evse"
	"stolpe/payment"
)

// heard is the way to the money, and how it went of late: nobody asks for the sake of
// knowing, so what is known is what the last charge has found.
type heard struct {
	evse.Payments
	mono func() time.Duration

	mu      sync.Mutex
	asked   bool
	at      time.Duration // of the last asking that ended, Instant.Mono
	trouble string        // why the last was not answered; empty if it was
}

// hear is the way to the money of a post.
func (p *parts) hear(way evse.Payments, w world) evse.Payments {
	p.money = &heard{Payments: way, mono: w.mono}
	return p.money
}

// Ask asks, and remembers whether it was answered. A refusal is an answer.
func (h *heard) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	a, err := h.Payments.Ask(ctx, o)
	if errors.Is(err, context.Canceled) {
		return a, err // nobody waits for it any more
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked, h.at, h.trouble = true, h.mono(), ""
	switch {
	case err != nil && (a.Status == payment.Unknown || a.Status == payment.Busy):
		h.trouble = err.Error()
	case a.Status == payment.Unknown:
		h.trouble = strings.TrimSpace("no answer " + a.Code)
	case a.Reason == payment.Setup:
		h.trouble = "the sales unit or its keys are not fit to sell: " + a.Code
	}
	return a, err
}

// last is how the last asking ended: whether there was any, how long ago, and why it was
// not answered.
func (h *heard) last() (asked bool, ago time.Duration, trouble string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked, h.mono() - h.at, h.trouble
}
