package modbus_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// These tests run over real TCP against the simulated meter. Where an answer does
// not come they wait for the real time-out.

// impatience is the time-out where an answer is held up on purpose, and patience where it
// is not: on a busy machine it takes a while to come over the loopback.
const (
	impatience = 500 * time.Millisecond
	patience   = 2 * time.Second
)

// waitsFor is the time-out in a test of a fault.
func waitsFor(f sim.WireFault) time.Duration {
	if slices.Contains([]sim.WireFault{sim.NoAnswer, sim.Late, sim.WrongTransaction, sim.Truncated, sim.Dribble}, f) {
		return impatience
	}
	return patience
}

// rig gives a simulated meter in the middle of a charge, at an instant that does
// not pass, and what a right reading of it says but for its instant.
func rig(t testing.TB, serial string, register hal.Energy) (*sim.Rig, hal.Reading) {
	t.Helper()
	var stands sim.Clock
	r := sim.NewRig(sim.Setup{Serial: serial, Register: register}, stands.Now)
	r.Do(func(b *sim.Bench, now time.Duration) {
		b.PlugIn(now, sim.Car{Power: 11_000, Need: 60_000})
		b.Set(now, hal.Closed)
	})
	stands.Step(time.Hour)
	want, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want.At, want.Supply = 0, hal.SupplyPresent // power flows
	return r, want
}

// charging gives such a meter behind Modbus TCP, the driver for it, and what a
// right reading says but for its instant.
func charging(t testing.TB, timeout time.Duration) (*sim.Server, *modbus.Meter, hal.Reading) {
	t.Helper()
	r, want := rig(t, "22110345", 1_000_000)
	server, err := sim.Serve("127.0.0.1:0", 1, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, open(t, server.URL(), 1, timeout), want
}

// open gives a driver for the simulated meter that waits so long for an answer.
func open(t testing.TB, url string, unit int, timeout time.Duration) *modbus.Meter {
	t.Helper()
	_, meter := openBus(t, url, unit, timeout)
	return meter
}

// openBus gives the same, and the bus that the meter is on.
func openBus(t testing.TB, url string, unit int, timeout time.Duration) (*modbus.Bus, *modbus.Meter) {
	t.Helper()
	m, err := meters.Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	m.Limits.MaxResponse = int(timeout / time.Millisecond)
	b, err := modbus.OpenBus(url, leap())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	meter, err := b.Meter(m, unit)
	if err != nil {
		t.Fatal(err)
	}
	return b, meter
}

// leap is a clock on which a second passes whenever somebody looks, so that the
// meter never needs silence.
func leap() func() time.Duration {
	var c sim.Clock
	return func() time.Duration {
		c.Step(time.Second)
		return c.Now()
	}
}

// mustRead reads and demands exactly what is right.
func mustRead(t *testing.T, m *modbus.Meter, want hal.Reading) {
	t.Helper()
	got, err := m.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got.At = 0
	if got != want {
		t.Fatalf("read %+v, want %+v", got, want)
	}
}

func TestEveryWireFaultIsAnErrorOnceAndThenAllIsWell(t *testing.T) {
	timeout := func(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
	says := func(text string) func(error) bool {
		return func(err error) bool { return err != nil && strings.Contains(err.Error(), text) }
	}
	none := func(err error) bool { return err == nil }
	refused := func(err error) bool {
		var e *goburrow.ModbusError
		return errors.As(err, &e) && e.ExceptionCode == goburrow.ExceptionCodeServerDeviceFailure
	}
	cases := map[sim.WireFault]func(error) bool{
		sim.Sound:            none,
		sim.NoAnswer:         timeout,
		sim.Late:             timeout,
		sim.Twice:            none, // the second is dropped at the next read
		sim.WrongUnit:        says("unit id"),
		sim.WrongTransaction: timeout, // dropped, and no other comes
		sim.WrongProtocol:    says("protocol 1"),
		sim.WrongFunction:    says("function 3"),
		sim.WrongCount:       says("counts"),
		sim.Short:            says("want 44"),
		sim.Truncated:        timeout,
		sim.Endless:          says("want 9 to 260"),
		sim.Exception:        refused,
		sim.SplitException:   refused,
		sim.Garbage:          says("protocol"),
		sim.Dribble:          timeout,
		sim.HangUp:           none, // on a connection that worked before, the read is tried again
		sim.Split:            none,
	}
	for i := range sim.WireFaults {
		if f := sim.WireFault(i); f.On(sim.TCP) != (cases[f] != nil) {
			t.Fatalf("%s: on this wire %v, a case %v", f, f.On(sim.TCP), cases[f] != nil)
		}
	}
	for fault, right := range cases {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			server, meter, want := charging(t, waitsFor(fault))
			mustRead(t, meter, want)
			server.Wire(fault)
			got, err := meter.Read(context.Background())
			if !right(err) {
				t.Errorf("read %+v, %v", got, err)
			}
			got.At = 0
			if err == nil && got != want || err != nil && got != (hal.Reading{}) {
				t.Errorf("with the error %v: %+v", err, got)
			}
			mustRead(t, meter, want)
			mustRead(t, meter, want)
		})
	}
}

func TestHangingUpOnANewConnectionIsAnError(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	server.Wire(sim.HangUp)
	if _, err := meter.Read(context.Background()); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the end of the connection", err)
	}
	mustRead(t, meter, want)
	server.Wire(sim.HangUp, sim.HangUp)
	if _, err := meter.Read(context.Background()); !errors.Is(err, io.EOF) {
		t.Errorf("twice in a row: %v, want the end of the connection", err)
	}
	mustRead(t, meter, want)
}

// Whatever happens on the wire, in whatever order, a reading is right or it is
// none.
func TestNoMixOfWireFaultsMakesAWrongReading(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(57, 2))
	server, meter, want := charging(t, 60*time.Millisecond)
	right, wrong := 0, 0
	for range 150 {
		if random.IntN(3) > 0 {
			server.Wire(sim.WireFault(random.IntN(sim.WireFaults)))
		}
		got, err := meter.Read(context.Background())
		got.At = 0
		switch {
		case err != nil && got == hal.Reading{}:
			wrong++
		case err == nil && got == want:
			right++
		default:
			t.Fatalf("read %+v, %v; want %+v or an error", got, err, want)
		}
	}
	if right < 5 || wrong < 5 {
		t.Errorf("%d readings and %d errors: too few of one to prove anything", right, wrong)
	}
}

func TestTheMeterComesBackAfterTheServerDoes(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	mustRead(t, meter, want)
	server.Close()
	if _, err := meter.Read(context.Background()); err == nil {
		t.Fatal("read from nobody")
	}
	var stands sim.Clock
	again, err := sim.Serve(strings.TrimPrefix(server.URL(), "tcp://"), 1, sim.NewRig(sim.Setup{Register: 5}, stands.Now))
	if err != nil {
		t.Skipf("somebody else took the port: %v", err)
	}
	defer again.Close()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got, err := meter.Read(context.Background())
		if err == nil && got.Register == 5 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %+v, %v", got, err)
		}
	}
}

func TestAReadingIsFromWhenTheWholeAnswerHadArrived(t *testing.T) {
	_, meter, _ := charging(t, patience)
	r, err := meter.Read(context.Background())
	if err != nil || r.At < 2*time.Second { // the clock leaps a second per look: it was looked at after the first answer
		t.Errorf("%+v, %v", r, err)
	}
	next, err := meter.Read(context.Background())
	if err != nil || next.At <= r.At {
		t.Errorf("%v after %v, %v", next.At, r.At, err)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	_, meter, want := charging(t, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mustRead(t, meter, want)
	allocations := testing.AllocsPerRun(50, func() { // fewer than until the serial is due again
		if _, err := meter.Read(ctx); err != nil {
			t.Error(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations a read, the server's included", allocations)
	}
}

func TestACloseEndsEverything(t *testing.T) {
	server, _, want := charging(t, patience)
	bus, meter := openBus(t, server.URL(), 1, patience)
	mustRead(t, meter, want)
	for range 2 {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := meter.Read(context.Background()); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after Close: %v", err)
	}
}
