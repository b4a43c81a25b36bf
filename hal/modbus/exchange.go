package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// ask makes one exchange after the silence that the meter needs.
func (b *Bus) ask(ctx context.Context, r *request) ([]byte, error) {
	if !b.place.rtu() { // there the silence is listened to
		if err := b.rest(ctx, r.gap); err != nil {
			return nil, err
		}
	}
	registers, err := b.exchange(ctx, r)
	b.spoken, b.lastWord = true, b.now()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", r, err)
	}
	return registers, nil
}

// exchange sends the request and gives the registers of its answer, valid until
// the next exchange. It connects first where necessary. When ctx is done it ends
// at once, with ctx's error. A *goburrow.ModbusError is the meter's own refusal.
//
// A peer may close a connection that has been idle, and that shows only when it
// is used. Then, once, the request is sent again on a new connection: it is a
// read, so asking twice is asking once.
func (b *Bus) exchange(ctx context.Context, r *request) ([]byte, error) {
	conn, reused, err := b.connected(ctx, r.within)
	if err != nil {
		return nil, err
	}
	registers, err := b.attempt(ctx, conn, r)
	if reused && b.idled(err) {
		if conn, _, err = b.connected(ctx, r.within); err != nil {
			return nil, err
		}
		registers, err = b.attempt(ctx, conn, r)
	}
	if b.place.rtu() && b.idled(err) { // a port that opens, and is dead
		b.postpone(err)
	}
	return registers, err
}

// idled says whether the error is that the other end has gone since the last
// exchange. A connection shows that now or when the request has been sent. On an
// RTU line the answer to what was sent might still come, so there it must have
// shown before.
func (b *Bus) idled(err error) bool { return !(b.place.rtu() && b.asked) && hungUp(err) }

// hungUp says whether the error is that the other end has gone: a peer, or the
// adapter behind a port.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.EIO)
}

// attempt is one transaction, and what must be done when it fails: everything but
// a refusal, which is a whole answer, ends the connection.
//
// On an RTU line nothing tells a late answer from that to the next request. So
// after a failure nothing is asked for as long as the meter may take to answer:
// the late answer falls into that silence, and nobody hears it.
func (b *Bus) attempt(ctx context.Context, conn wire, r *request) ([]byte, error) {
	b.asked = false
	b.begin(ctx)
	var registers []byte
	var err error
	if b.place.rtu() {
		registers, err = b.transactRTU(ctx, conn, r)
	} else {
		registers, err = b.transactTCP(ctx, conn, r)
	}
	b.end()
	if b.tap != nil {
		b.overheard(r)
	}
	if err == nil {
		return registers, nil
	}
	switch {
	case refused(err) || !b.asked && ctx.Err() != nil: // then the line is as it was
	case b.idled(err):
		b.drop()
	default:
		b.fail(r.within)
	}
	if cause := ctx.Err(); cause != nil {
		return nil, cause
	}
	return nil, err
}

// fail ends the connection, and on an RTU line begins a quiet time.
func (b *Bus) fail(quiet time.Duration) {
	b.drop()
	if b.place.rtu() {
		b.quiet = time.Now().Add(quiet)
	}
}

// Unanswered says whether the error is that a gateway got no answer from the meter
// behind it (Modbus Application Protocol 7, exceptions 10 and 11).
func Unanswered(err error) bool {
	e, is := errors.AsType[*goburrow.ModbusError](err)
	return is && (e.ExceptionCode == goburrow.ExceptionCodeGatewayPathUnavailable ||
		e.ExceptionCode == goburrow.ExceptionCodeGatewayTargetDeviceFailedToRespond)
}

// Refused says whether the error is that a meter answers, and does not know what it was
// asked for: as a rule it is another model.
func Refused(err error) bool { return refused(err) && !Unanswered(err) }

// garbled is what came, and was no whole answer.
type garbled struct{ error }

func (g garbled) Unwrap() error { return g.error }

// Garbled says whether the error is that something came over a serial line that is no
// answer: another speed or parity, two meters at once, or a line without its resistors.
func Garbled(err error) bool {
	_, is := errors.AsType[garbled](err)
	return is
}

// refused says whether the error is an exception answer.
func refused(err error) bool {
	_, is := errors.AsType[*goburrow.ModbusError](err)
	return is
}

// fill receives until there are at least so many bytes.
func (b *Bus) fill(conn wire, bytes int) error {
	for b.have < bytes {
		n, err := conn.Read(b.buf[b.have:])
		b.have += n
		if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil && b.have < bytes {
			return err
		}
	}
	return nil
}
