package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"stolpe/agent/doctor"
	"stolpe/agent/evse"
	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// witness remembers how the devices and the payment service last answered: the loops go
// on without what failed, and it is a technician who wants to know why it did.
type witness struct {
	now func() time.Duration // Instant.Mono

	mu     sync.Mutex
	meters map[int]lastReading // by EVSE
	pay    lastAnswer
}

// lastReading is what came of asking a meter last.
type lastReading struct {
	asked  bool
	err    error // nil if it answered
	serial string
	took   time.Duration
}

// lastAnswer is what came of asking the payment service last.
type lastAnswer struct {
	answer       payment.Answer
	err          error
	well, failed time.Duration // when it last answered, and last did not, Instant.Mono; 0 for never
	took         time.Duration // the last one that was answered
}

// newWitness makes one that has seen nothing. Its clock comes before anything is asked.
func newWitness() *witness { return &witness{meters: map[int]lastReading{}} }

// read is a meter that is remembered.
func (w *witness) read(evse int, m evse.Meter) evse.Meter { return seenMeter{m, evse, w} }

type seenMeter struct {
	evse.Meter
	evse    int // whose meter it is
	witness *witness
}

// Read reads the meter.
func (m seenMeter) Read(ctx context.Context) (hal.Reading, error) {
	began := time.Now()
	r, err := m.Meter.Read(ctx)
	if !errors.Is(ctx.Err(), context.Canceled) {
		m.witness.mu.Lock()
		defer m.witness.mu.Unlock()
		last := m.witness.meters[m.evse]
		last.asked, last.err = true, err
		if err == nil {
			last.serial, last.took = r.Serial, time.Since(began)
		}
		m.witness.meters[m.evse] = last
	}
	return r, err
}

// meter is how the meter of an EVSE last answered.
func (w *witness) meter(evse int) lastReading {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.meters[evse]
}

// asking is a payment service that is remembered.
func (w *witness) asking(p evse.Payments) evse.Payments { return seenPayments{p, w} }

type seenPayments struct {
	evse.Payments
	witness *witness
}

// Ask asks the service.
func (p seenPayments) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	began := time.Now()
	a, err := p.Payments.Ask(ctx, o)
	if errors.Is(ctx.Err(), context.Canceled) {
		return a, err
	}
	w := p.witness
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pay.answer, w.pay.err = a, err
	if kindOf(a, err) == "" {
		w.pay.well, w.pay.took = w.now(), time.Since(began)
	} else {
		w.pay.failed = w.now()
	}
	return a, err
}

// paid is how the payment service last answered.
func (w *witness) paid() lastAnswer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pay
}

// kindOf is what kind of failure an asking ended with; empty if it was answered. What is
// refused of one payment says nothing of the service.
func kindOf(a payment.Answer, err error) doctor.Kind {
	switch {
	case err == nil && a.Status != payment.Unknown && a.Reason != payment.Setup:
		return ""
	case vipps.BadUnit(err), a.Reason == payment.Setup:
		return doctor.BadUnit
	case vipps.BadKeys(err), a.Code == "HTTP 401":
		return doctor.BadKeys
	case a.Status == payment.Refused:
		return ""
	case a.Code == "" || strings.HasPrefix(a.Code, "HTTP 2"):
		return doctor.Unreached
	}
	return doctor.Ill
}

// troubleWith is why a meter did not answer.
func troubleWith(url string, err error) doctor.Trouble {
	serial := strings.HasPrefix(url, "rtu:")
	var unnamed *net.DNSError
	for _, x := range []struct {
		is  bool
		why doctor.Trouble
	}{
		{err == nil, ""},
		{errors.Is(err, modbus.ErrOther) || modbus.Refused(err), doctor.OtherModel},
		{serial && errors.Is(err, fs.ErrNotExist), doctor.NoAdapter},
		{serial && noPort(err), doctor.NoPort},
		{serial && errors.Is(err, fs.ErrPermission), doctor.NoRights},
		{serial && errors.Is(err, syscall.EBUSY), doctor.LineHeld},
		{errors.As(err, &unnamed), doctor.NoName},
		{errors.Is(err, syscall.ECONNREFUSED), doctor.NoListener},
		{modbus.Unanswered(err), doctor.Gateway},
		{modbus.Garbled(err), doctor.Garbled},
	} {
		if x.is {
			return x.why
		}
	}
	return doctor.Silent
}
