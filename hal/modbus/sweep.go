package modbus

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// drainer is a port that can wait until all has been sent.
type drainer interface{ Drain() error }

// newBus makes the bus at a setting.
func (s *scan) newBus(line setting) *Bus {
	p := s.place
	p.line = line
	began := time.Now()
	return newBus(p, func() time.Duration { return time.Since(began) })
}

// sweep goes through units and gives those that answer.
func (s *scan) sweep(ctx context.Context, p pass) (units []int, err error) {
	b := s.bus(p.line)
	defer b.Close() //nolint:errcheck // nothing was written that matters
	conn, _, err := b.connected(ctx, gatewayWait)
	if errors.Is(err, errCannot) {
		s.done += p.cost()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b.begin(ctx)
	defer b.end()
	alarms, window := 0, 1+int(memory/p.pace())
	for i, unit := range p.units {
		s.tell(p.line, unit)
		noise, err := b.prod(ctx, conn, p, unit)
		if err == nil && len(noise) == 0 && i == len(p.units)-1 {
			noise, err = b.overhear(ctx, conn, lastWait)
		}
		if err != nil {
			return units, err
		}
		s.done += p.pace() * time.Duration(len(p.functions))
		if len(noise) == 0 || alarms == falseAlarms {
			continue
		}
		settled, err := b.settle(ctx, conn, p, noise, p.units[max(0, i-window):i+1], units)
		if err != nil {
			return units, err
		}
		if len(settled) == len(units) {
			alarms++
		}
		units = settled
	}
	s.done += lastWait
	return units, nil
}

// where names a setting for people.
func (s *scan) where(line setting) string {
	if s.place.scheme == schemeRTU {
		return line.String()
	}
	return s.place.address
}

// prod asks a unit and listens a moment. It gives what it has heard, if anything.
func (b *Bus) prod(ctx context.Context, conn wire, p pass, unit int) (noise []byte, err error) {
	for _, function := range p.functions {
		r, err := encoded(encodeRTU, uint8(unit), harmless(function))
		if err != nil {
			return nil, err
		}
		if err := b.arm(ctx, conn, time.Now().Add(maxNoise)); err != nil {
			return nil, err
		}
		if _, err := conn.Write(r.adu); err != nil {
			return nil, fmt.Errorf("send: %w", err)
		}
		if d, can := conn.(drainer); can {
			if err := d.Drain(); err != nil {
				return nil, fmt.Errorf("send: %w", err)
			}
		}
		noise, err = b.overhear(ctx, conn, max(p.wait, p.line.silence()))
		if err != nil || len(noise) > 0 {
			return noise, err
		}
	}
	return nil, nil
}

// overhear listens for so long, and if it hears anything, until all who were asked
// of late have had their say. It gives the first of what it has heard.
func (b *Bus) overhear(ctx context.Context, conn wire, wait time.Duration) ([]byte, error) {
	b.have = 0
	for start := time.Now(); ; {
		if err := b.arm(ctx, conn, time.Now().Add(wait)); err != nil {
			return nil, err
		}
		n, err := conn.Read(b.buf[b.have:])
		b.have = min(b.have+n, maxFrame) // the rest is overwritten
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			return b.buf[:b.have], nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, err
		case time.Since(start) > maxNoise:
			return b.buf[:b.have], nil
		}
		wait = memory
	}
}

// settle finds out who was heard, and adds it to units: those whom whole frames
// name, and if there was anything else, those asked of late, the last first.
func (b *Bus) settle(ctx context.Context, conn wire, p pass, noise []byte, recent, units []int) ([]int, error) {
	named, whole := framesIn(noise)
	suspects := named
	for _, unit := range slices.Backward(recent) {
		if !whole && !slices.Contains(named, unit) {
			suspects = append(suspects, unit)
		}
	}
	for i, unit := range suspects {
		if slices.Contains(units, unit) {
			continue
		}
		wait := politely
		if i < len(named) {
			wait = clearly
		}
		is, err := b.present(ctx, conn, p, unit, wait)
		if err != nil {
			return units, err
		}
		if is {
			units = append(units, unit)
		}
	}
	return units, nil
}

// framesIn gives the units that frames name which follow each other from the
// beginning, and says whether there is nothing else.
func framesIn(noise []byte) (units []int, whole bool) {
	for from := 0; from < len(noise); {
		size := exceptionSize
		for from+size <= len(noise) && checksum(noise[from:from+size]) != 0 { // that of a frame with its own checksum is 0
			size++
		}
		if from+size > len(noise) || noise[from] < 1 || noise[from] > 247 {
			return units, false
		}
		units = append(units, int(noise[from]))
		from += size
	}
	return units, true
}

// present asks a unit properly. Any whole answer of its own will do.
func (b *Bus) present(ctx context.Context, conn wire, p pass, unit int, wait time.Duration) (bool, error) {
	for _, function := range p.functions {
		r, err := encoded(encodeRTU, uint8(unit), harmless(function))
		if err != nil {
			return false, err
		}
		r.within = wait
		switch _, err := b.transactRTU(ctx, conn, r); {
		case err == nil || refused(err):
			return true, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		case hungUp(err):
			return false, err
		}
	}
	return false, nil
}

// gateway asks all units behind a Modbus TCP gateway.
func (s *scan) gateway(ctx context.Context) error {
	b := s.bus(setting{})
	defer b.Close() //nolint:errcheck // nothing was written
	units := append(allUnits(), 255)
	s.total = time.Duration(len(units)) * gatewayWait
	var present []int
	for _, unit := range units {
		s.tell(setting{}, unit)
		if _, _, err := b.connected(ctx, gatewayWait); err != nil {
			return err
		}
		r, err := encoded(encodeTCP, uint8(unit), harmless(3))
		if err != nil {
			return err
		}
		r.within = gatewayWait
		_, err = b.ask(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		refusal, is := errors.AsType[*goburrow.ModbusError](err)
		if err == nil || is && refusal.ExceptionCode != goburrow.ExceptionCodeGatewayPathUnavailable &&
			refusal.ExceptionCode != goburrow.ExceptionCodeGatewayTargetDeviceFailedToRespond {
			present = append(present, unit)
		}
		s.done += gatewayWait
	}
	return s.recognise(ctx, b, present)
}

// url is how a configuration says where the bus is.
func (b *Bus) url() string {
	p := b.place
	if p.scheme != schemeRTU {
		return p.scheme + "://" + p.address
	}
	query := "baud=" + strconv.Itoa(p.line.baud) + "&parity=" + p.line.parity + "&stop=" + strconv.Itoa(p.line.stop)
	return (&url.URL{Scheme: p.scheme, Path: p.address, RawQuery: query}).String()
}
