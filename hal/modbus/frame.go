package modbus

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Frame is what was said on a bus in one go.
type Frame struct {
	Sent  bool          // by us; else by whoever answered
	Bytes []byte        // with header and checksum; of an answer that was cut short what came of it
	At    time.Duration // by the clock of the readings, when all of it had been said
}

// Frames is Values, and tells of all that was said on the bus for it.
func (m *Meter) Frames(ctx context.Context) (values []Value, said []Frame, err error) {
	values, err = m.valuesHeard(ctx, func(f Frame) { said = append(said, f) })
	if err != nil {
		err = fmt.Errorf("modbus: read meter %s: %w", m.name, err)
	}
	return values, said, err
}

// overheard tells of an exchange that has just been made.
func (b *Bus) overheard(r *request) {
	if !b.asked {
		return
	}
	at := b.now()
	b.tap(Frame{Sent: true, Bytes: slices.Clone(r.adu), At: at})
	heard := b.buf[:b.have]
	if !b.place.rtu() && b.used > 0 && b.used <= b.have {
		heard = b.buf[:b.used] // what is behind it belongs to another request
	}
	if len(heard) > 0 {
		b.tap(Frame{Bytes: slices.Clone(heard), At: at})
	}
}
