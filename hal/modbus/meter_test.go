package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// device is a meter in memory at the far end of a pipe.
type device struct {
	serial  uint32
	refuses byte // exception code for the serial, if not 0
	kwh     float32
	start   time.Time
	heard   []time.Duration // when the requests came
	asked   []uint16        // and for which address
}

func (d *device) serve(conn net.Conn) {
	frame := make([]byte, 12)
	for {
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		addr, count := binary.BigEndian.Uint16(frame[8:]), binary.BigEndian.Uint16(frame[10:])
		d.heard, d.asked = append(d.heard, time.Since(d.start)), append(d.asked, addr)
		answer := append(frame[:8:8], byte(2*count))
		switch {
		case addr == 0xFC00 && d.refuses != 0:
			answer = append(frame[:7:7], 0x83, d.refuses)
		case addr == 0xFC00:
			answer = binary.BigEndian.AppendUint32(answer, d.serial)
		default:
			for i := addr; i < addr+count; i += 2 {
				value := map[uint16]float32{0x34: 7360, 0x48: d.kwh}[i]
				answer = binary.BigEndian.AppendUint32(answer, math.Float32bits(value))
			}
		}
		binary.BigEndian.PutUint16(answer[4:], uint16(len(answer)-6))
		conn.Write(answer)
	}
}

// attached gives a meter wired to the device, in a bubble that begins now.
func attached(t *testing.T, d *device) *Meter {
	t.Helper()
	d.start = time.Now()
	m, err := meters.Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	meter, err := wired(t, d.serve).meter(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	return meter
}

func TestAMeterIsLeftInSilenceBeforeEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{serial: 22110345, kwh: 1234.567}
		m := attached(t, d)
		for _, pause := range []time.Duration{0, 40 * time.Millisecond, time.Second} {
			time.Sleep(pause)
			r, err := m.Read(t.Context())
			if want := (hal.Reading{Register: 1_234_567, Power: 7360, Supply: hal.SupplyPresent, Serial: "22110345", At: time.Since(d.start)}); err != nil || r != want {
				t.Fatalf("%+v, %v; want %+v", r, err, want)
			}
		}
		want := []time.Duration{0, 100, 200, 1200} // ms: serial, registers, registers after 40 ms, after 1 s
		for i := range want {
			if len(d.heard) != len(want) || d.heard[i] != want[i]*time.Millisecond {
				t.Fatalf("requests at %v", d.heard)
			}
		}
	})
}

func TestWaitingForSilenceEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{kwh: 1}
		m := attached(t, d)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if _, err := m.Read(ctx); !errors.Is(err, ctx.Err()) || time.Since(d.start) != 30*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(d.start))
		}
	})
}

func TestTheSerialIsReadAtFirstAfterErrorsAndFromTimeToTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{serial: 22110345, kwh: 1}
		m := attached(t, d)
		serials := func(reads int) (n int) {
			before := len(d.asked)
			for range reads {
				time.Sleep(time.Second)
				m.Read(t.Context())
			}
			for _, addr := range d.asked[before:] {
				if addr == 0xFC00 {
					n++
				}
			}
			return n
		}
		if n := serials(100); n != 1 {
			t.Errorf("in the first 100 s it was read %d times", n)
		}
		if n := serials(600); n != 2 {
			t.Errorf("in the next ten minutes it was read %d times", n)
		}
		d.kwh = float32(math.NaN()) // an error
		serials(1)
		d.kwh, d.serial = 12, 4711 // the meter has been replaced
		if n := serials(10); n != 1 {
			t.Errorf("after an error it was read %d times", n)
		}
		time.Sleep(time.Second)
		if r, err := m.Read(t.Context()); err != nil || r.Serial != "4711" || r.Register != 12_000 {
			t.Errorf("the other meter: %+v, %v", r, err)
		}
		d.refuses = goburrow.ExceptionCodeIllegalDataAddress
		serials(301)
		if r, err := m.Read(t.Context()); err != nil || r.Serial != "" {
			t.Errorf("once it no longer tells: %+v, %v", r, err)
		}
	})
}

func TestAMeterThatRefusesItsSerialHasNone(t *testing.T) {
	for code := byte(1); code < 12; code++ {
		synctest.Test(t, func(t *testing.T) {
			m := attached(t, &device{refuses: code, kwh: 1})
			r, err := m.Read(t.Context())
			if code <= goburrow.ExceptionCodeIllegalDataValue { // 1 to 3: it does not know the question
				if err != nil || r.Serial != "" || r.Register != 1000 {
					t.Errorf("exception %d: %+v, %v; want a reading without a serial", code, r, err)
				}
				return
			}
			if refused := (*goburrow.ModbusError)(nil); !errors.As(err, &refused) || refused.ExceptionCode != code || r != (hal.Reading{}) {
				t.Errorf("exception %d: %+v, %v", code, r, err)
			}
			if err != nil && !strings.Contains(err.Error(), "unit 1 at peer:502: registers 0xfc00 to 0xfc01") {
				t.Errorf("the error does not say what was read: %v", err)
			}
		})
	}
}

// A refusal is an answer: the connection stays.
func TestARefusalDoesNotCloseTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{refuses: goburrow.ExceptionCodeGatewayTargetDeviceFailedToRespond, kwh: 1}
		m := attached(t, d)
		m.Read(t.Context())
		if m.bus.conn == nil {
			t.Error("closed")
		}
		d.refuses = 0
		if _, err := m.Read(t.Context()); err != nil {
			t.Errorf("when the meter is back: %v", err)
		}
	})
}

func TestAnImpossibleValueClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{kwh: -1}
		m := attached(t, d)
		if r, err := m.Read(t.Context()); err == nil || r != (hal.Reading{}) {
			t.Errorf("%+v, %v", r, err)
		}
		if m.bus.conn != nil {
			t.Error("still connected to a peer that answers nonsense")
		}
	})
}

func TestTheStepOfTheRegisterIsKnownOrAssumedCoarse(t *testing.T) {
	for in, want := range map[hal.Energy]hal.Energy{0: coarse, 1: 1, 100: 100} {
		m := &Meter{model: &meters.Map{Resolution: in}}
		if m.Resolution() != want {
			t.Errorf("map says %d Wh: %v", in, m.Resolution())
		}
	}
}
