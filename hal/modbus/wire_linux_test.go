package modbus_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/sim"
)

// These tests run over pseudo terminals and over TCP that carries RTU frames.

// faulty is what simulated wires have in common.
type faulty interface {
	URL() string
	Wire(...sim.WireFault) error
}

// serially gives a meter that charges on a simulated serial line.
func serially(t testing.TB, serial sim.Serial, timeout time.Duration) (*sim.Line, *modbus.Meter, hal.Reading) {
	t.Helper()
	r, want := rig(t, "22110345", 1_000_000)
	line, err := sim.ServeRTU(sim.Units{1: sim.SDM630(r)}, serial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	return line, open(t, line.URL(), 1, timeout), want
}

// converted gives the same behind a converter.
func converted(t testing.TB, timeout time.Duration) (*sim.Server, *modbus.Meter, hal.Reading) {
	t.Helper()
	r, want := rig(t, "22110345", 1_000_000)
	server, err := sim.ServeRTUOverTCP("127.0.0.1:0", sim.Units{1: sim.SDM630(r)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, open(t, server.URL(), 1, timeout), want
}

func TestEveryFaultOfALineIsAnErrorOnceAndThenAllIsWell(t *testing.T) {
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
		sim.Sound:          none,
		sim.NoAnswer:       timeout,
		sim.Late:           timeout,
		sim.Twice:          none, // the second copy is heard before the next request, and answers nothing
		sim.WrongUnit:      says("unit 2"),
		sim.WrongFunction:  says("function 3"),
		sim.WrongCount:     says("counts"),
		sim.Short:          says("want 44"),
		sim.Truncated:      timeout,
		sim.Endless:        says("counts 255"),
		sim.Exception:      refused,
		sim.SplitException: refused,
		sim.Garbage:        says("unit 7"),
		sim.Dribble:        timeout,
		sim.HangUp:         func(err error) bool { return errors.Is(err, io.EOF) },
		sim.WrongCRC:       says("checksum"),
		sim.Echo:           none,
		sim.Noise:          says("unit 255"),
		sim.NoiseAfter:     none,
		sim.Split:          none,
		sim.UnplugNow:      func(err error) bool { return err != nil },
	}
	wires := map[sim.Wire]func(t testing.TB, within time.Duration) (faulty, *modbus.Meter, hal.Reading){
		sim.RTU: func(t testing.TB, within time.Duration) (faulty, *modbus.Meter, hal.Reading) {
			return serially(t, sim.Serial{}, within)
		},
		sim.RTUOverTCP: func(t testing.TB, within time.Duration) (faulty, *modbus.Meter, hal.Reading) {
			return converted(t, within)
		},
	}
	for wire, wired := range wires {
		for fault := sim.Sound; int(fault) < sim.WireFaults; fault++ {
			if !fault.On(wire) {
				continue
			}
			t.Run(wire.String()+"/"+fault.String(), func(t *testing.T) {
				t.Parallel()
				line, meter, want := wired(t, waitsFor(fault))
				mustRead(t, meter, want)
				line.Wire(fault)
				got, err := meter.Read(context.Background())
				if right := cases[fault]; right == nil || !right(err) {
					t.Errorf("read %+v, %v", got, err)
				}
				got.At = 0
				if err == nil && got != want || err != nil && got != (hal.Reading{}) {
					t.Errorf("with the error %v: %+v", err, got)
				}
				if pulled, ok := line.(*sim.Line); ok && fault == sim.UnplugNow {
					if err := pulled.Plug(); err != nil {
						t.Fatal(err)
					}
					meter = open(t, line.URL(), 1, patience) // it has another name now
				}
				if fault == sim.Dribble { // one more byte of it may come between our listening and our asking
					if got, err := meter.Read(context.Background()); err == nil && got.Register != want.Register {
						t.Errorf("in the middle of it: %+v", got)
					}
				}
				mustRead(t, meter, want)
				mustRead(t, meter, want)
			})
		}
	}
}

// Whatever happens on the line, in whatever order, a reading is right or it is
// none.
func TestNoMixOfFaultsOfALineMakesAWrongReading(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(57, 3))
	line, meter, want := serially(t, sim.Serial{}, 60*time.Millisecond)
	right, wrong := 0, 0
	for range 100 {
		if fault := sim.WireFault(random.IntN(sim.WireFaults)); random.IntN(3) > 0 && fault.On(sim.RTU) && fault != sim.UnplugNow {
			line.Wire(fault)
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

func TestALineIsSetAsTheURLOrTheMapSays(t *testing.T) {
	for _, c := range []struct {
		line  sim.Serial
		query string
	}{
		{sim.Serial{}, ""}, // as the map has it
		{sim.Serial{Baud: 19200, Parity: "E"}, "?baud=19200&parity=E"},
		{sim.Serial{Baud: 115200, Parity: "O", StopBits: 1}, "?baud=115200&parity=O&stop=1"},
		{sim.Serial{Baud: 1200, StopBits: 2}, "?baud=1200&stop=2"},
		{sim.Serial{Baud: 57600, Parity: "E", StopBits: 2}, "?stop=2&parity=E&baud=57600"},
		{sim.Serial{Echo: true}, ""},
	} {
		t.Run(c.query, func(t *testing.T) {
			t.Parallel()
			line, _, want := serially(t, c.line, patience)
			path, _, _ := strings.Cut(line.URL(), "?")
			bus, meter := openBus(t, path+c.query, 1, patience)
			mustRead(t, meter, want)
			if _, err := open(t, path+c.query, 1, patience).Read(t.Context()); !errors.Is(err, syscall.EBUSY) {
				t.Errorf("a second program, though of root's: %v, want EBUSY", err)
			}
			bus.Close()
			if _, err := open(t, path+"?baud=4800", 1, 50*time.Millisecond).Read(t.Context()); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("at another speed: %v", err)
			}
		})
	}
}

func TestAPortThatIsNoneIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ttyUSB0")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/dev/null":      "not a serial port",
		file:             "not a serial port",
		file + "/of/old": "not a directory",
		"/dev/nowhere":   "no such file",
	} {
		meter := open(t, "rtu://"+path, 1, patience) // it opens: the adapter may come later
		for range 2 {
			if _, err := meter.Read(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want an error with %q", path, err, want)
			}
		}
	}
}

func TestClosingABusEndsAReadUnderWay(t *testing.T) {
	for name, url := range map[string]func() string{
		"RTU":          func() string { line, _, _ := serially(t, sim.Serial{}, patience); return line.URL() },
		"RTU over TCP": func() string { server, _, _ := converted(t, patience); return server.URL() },
	} {
		bus, meter := openBus(t, url(), 9, time.Minute) // nobody there
		ended := make(chan error)
		go func() {
			_, err := meter.Read(context.Background())
			ended <- err
		}()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := meter.Read(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: under a done context: %v", name, err)
		}
		bus.Close()
		if err := <-ended; err == nil {
			t.Errorf("%s: read from nobody", name)
		}
	}
}
