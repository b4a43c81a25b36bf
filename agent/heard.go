package main

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"stolpe/agent/doctor"
	"stolpe/agent/evse"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// heard is the way to the money, and how it went of late: what the last charge has found,
// or a technician who asked.
type heard struct {
	evse.Payments
	mono func() time.Duration

	mu     sync.Mutex
	newest lastAnswer
}

// lastAnswer is what came of asking the payment service last.
type lastAnswer struct {
	answer       payment.Answer
	err          error
	well, failed time.Duration // when it last answered, and last did not, Instant.Mono; 0 for never
	took         time.Duration // the last one that was answered
}

// at is when it was last asked, Instant.Mono; 0 for never.
func (l lastAnswer) at() time.Duration { return max(l.well, l.failed) }

// kind is what kind of failure it last ended with; empty if it was answered.
func (l lastAnswer) kind() doctor.Kind {
	if l.failed <= l.well {
		return ""
	}
	return kindOf(l.answer, l.err)
}

// trouble is why it was not answered; empty if it was.
func (l lastAnswer) trouble() string {
	switch {
	case l.kind() == "":
		return ""
	case l.err != nil:
		return strings.TrimPrefix(l.err.Error(), "vipps: ")
	case l.answer.Reason == payment.Setup:
		return "the sales unit or its keys are not fit to sell: " + l.answer.Code
	}
	return strings.TrimSpace("no answer " + l.answer.Code)
}

// hear is the way to the money of a post.
func (p *parts) hear(way evse.Payments, w world) evse.Payments {
	p.money = &heard{Payments: way, mono: w.mono}
	return p.money
}

// Ask asks, and remembers whether it was answered. A refusal is an answer.
func (h *heard) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	began := time.Now()
	a, err := h.Payments.Ask(ctx, o)
	if errors.Is(err, context.Canceled) {
		return a, err // nobody waits for it any more
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest.answer, h.newest.err = a, err
	if kindOf(a, err) == "" {
		h.newest.well, h.newest.took = h.mono(), time.Since(began)
	} else {
		h.newest.failed = cmp.Or(h.mono(), 1)
	}
	return a, err
}

// paid is how the service last answered.
func (h *heard) paid() lastAnswer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.newest
}

// last is how the last asking ended: whether there was any, how long ago, and why it was
// not answered.
func (h *heard) last() (asked bool, ago time.Duration, trouble string) {
	l := h.paid()
	return l.at() > 0, h.mono() - l.at(), l.trouble()
}

// kindOf is what kind of failure an asking ended with; empty if it was answered. What is
// refused of one payment says nothing of the service, and neither does one that it has
// too much to do to look at now.
func kindOf(a payment.Answer, err error) doctor.Kind {
	switch {
	case vipps.BadUnit(err), a.Reason == payment.Setup:
		return doctor.BadUnit
	case vipps.BadKeys(err), a.Code == "HTTP 401":
		return doctor.BadKeys
	case a.Status == payment.Refused, a.Status != payment.Unknown && err == nil, a.Code == "HTTP 429", a.Code == "HTTP 423":
		return ""
	case a.Code == "" || strings.HasPrefix(a.Code, "HTTP 2"):
		return doctor.Unreached
	}
	return doctor.Ill
}
