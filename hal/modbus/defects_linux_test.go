package modbus_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// The defects of goburrow/modbus v0.1.0 that show on a serial line, as those over
// TCP in defects_test.go. There the rest are: a time-out that spoils all later
// reads, no new connection, and too few registers, which its RTU waits for in vain.

// portOf is the path in the URL of a line.
func portOf(line *sim.Line) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(line.URL(), "rtu://"), "?")
	return path
}

func TestDefectRTULateAnswerIsTakenForTheNext(t *testing.T) {
	t.Parallel()
	var held []byte // the peer is always one answer behind, and begins with none
	port := newPTY(t, func(p *pty) {
		var request [8]byte
		for p.hear(request[:]) {
			p.Write(held)
			held = meterAnswer(nil, request[:])
		}
	})
	client, handler := theirs(t, port.path, 100*time.Millisecond)
	if _, err := client.ReadInputRegisters(0x34, 2); err == nil {
		t.Fatal("an answer that was held back")
	}
	if kwh, err := client.ReadInputRegisters(0x48, 2); err != nil || string(kwh) != string(meterAnswer(nil, []byte{1, 4, 0, 0x34, 0, 2})[3:7]) {
		t.Fatalf("goburrow gives % x, %v: this does not bring the defect about", kwh, err)
	}
	handler.Close()
	late := open(t, "rtu://"+port.path, 1, 100*time.Millisecond)
	for range 4 {
		if got, err := late.Read(context.Background()); err == nil {
			t.Errorf("from the answer to another request: %+v", got)
		}
	}

	line, meter, want := serially(t, sim.Serial{}, impatience)
	for range 3 {
		line.Wire(sim.Late)
		if got, err := meter.Read(context.Background()); err == nil {
			t.Fatalf("a reading without an answer: %+v", got)
		}
		mustRead(t, meter, want)
	}
	line.Wire(sim.Twice, sim.Twice)
	mustRead(t, meter, want)
	mustRead(t, meter, want)
	mustRead(t, meter, want)
}

func TestDefectRTUTimeOutIsForEachByte(t *testing.T) {
	t.Parallel()
	const within = 200 * time.Millisecond
	line, meter, want := serially(t, sim.Serial{}, within)
	client, handler := theirs(t, portOf(line), within)
	line.Wire(sim.Dribble)
	start := time.Now()
	if _, err := client.ReadInputRegisters(0x34, 2); err != nil || time.Since(start) < 2*within {
		t.Fatalf("goburrow says %v after %v: this does not bring the defect about", err, time.Since(start))
	}
	handler.Close()
	mustRead(t, meter, want)
	line.Wire(sim.Dribble)
	if got, err := meter.Read(context.Background()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%+v, %v: want the deadline", got, err)
	}
	meter.Read(context.Background()) // one more byte of it may come between our listening and our asking
	mustRead(t, meter, want)
}

func TestDefectRTUASplitExceptionIsMisread(t *testing.T) {
	t.Parallel()
	port := newPTY(t, func(p *pty) {
		var request [8]byte
		for p.hear(request[:]) {
			frame := []byte{1, request[1] | 0x80, goburrow.ExceptionCodeServerDeviceBusy}
			sum := crc(frame)
			p.Write(append(frame, byte(sum)))
			<-time.After(150 * time.Millisecond) // longer than goburrow sleeps before it reads
			p.Write([]byte{byte(sum >> 8)})
		}
	})
	client, handler := theirs(t, port.path, patience)
	if _, err := client.ReadInputRegisters(0x34, 22); err == nil || !strings.Contains(err.Error(), "crc") {
		t.Fatalf("goburrow says %v: this does not bring the defect about", err)
	}
	handler.Close()
	<-time.After(200 * time.Millisecond) // for the byte that goburrow left
	meter := open(t, "rtu://"+port.path, 1, patience)
	for range 2 {
		refused := (*goburrow.ModbusError)(nil)
		if _, err := meter.Read(context.Background()); !errors.As(err, &refused) || refused.ExceptionCode != goburrow.ExceptionCodeServerDeviceBusy {
			t.Errorf("%v, want the refusal", err)
		}
	}
}

// A meter takes what comes sooner than 3.5 characters after its answer for one
// frame with it.
func TestDefectRTUNoSilenceBeforeARequest(t *testing.T) {
	t.Parallel()
	line, meter, want := serially(t, sim.Serial{Baud: 2400, Delay: 150 * time.Millisecond}, patience) // it sleeps 121 ms before it reads
	client, handler := theirs(t, portOf(line), patience)
	handler.BaudRate = 2400
	lost := 0
	for range 4 {
		if _, err := client.ReadInputRegisters(0x34, 2); err != nil {
			lost++
		}
	}
	handler.Close()
	if lost == 0 {
		t.Fatal("goburrow is understood: this does not bring the defect about")
	}
	for range 4 {
		mustRead(t, meter, want)
	}
}

func TestDefectRTUParityIsEvenUnlessSaid(t *testing.T) {
	t.Parallel()
	line, _, want := serially(t, sim.Serial{}, patience) // 9600 8N1, as most meters come
	handler := goburrow.NewRTUClientHandler(portOf(line))
	handler.BaudRate, handler.SlaveId, handler.Timeout, handler.IdleTimeout = 9600, 1, 100*time.Millisecond, 0
	if _, err := goburrow.NewClient(handler).ReadInputRegisters(0x34, 2); err == nil {
		t.Fatal("goburrow reads: this does not bring the defect about")
	}
	handler.Close()
	mustRead(t, open(t, "rtu://"+portOf(line), 1, patience), want)
}

// For the race detector, too. One meter for each unit, all on one bus, and some of
// them not there.
func TestDefectRTUExchangesAreNotSerialisedAndUnitsShareOneField(t *testing.T) {
	t.Parallel()
	const there = 12
	units, wants := sim.Units{}, map[int]hal.Reading{}
	for unit := 1; unit <= there; unit++ {
		r, want := rig(t, fmt.Sprint(1000+unit), hal.Energy(unit*1_000_000))
		units[byte(unit)], wants[unit] = sim.SDM630(r), want
	}
	line, err := sim.ServeRTU(units, sim.Serial{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	bus, err := modbus.OpenBus(line.URL(), leap())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	m, err := meters.Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	m.Limits.MaxResponse = 100
	var all sync.WaitGroup
	for unit := 1; unit <= there+1; unit++ { // the last is dead
		meter, err := bus.Meter(m, unit)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for range 5 {
				got, err := meter.Read(context.Background())
				if got.At = 0; err == nil && got != wants[unit] || err != nil && unit <= there {
					t.Errorf("unit %d: %+v, %v; want %+v", unit, got, err, wants[unit])
				}
			}
		})
	}
	all.Wait()
}

// pulledEnv names the port for the program that this test starts.
const pulledEnv = "STOLPE_TEST_PULLED_PORT"

// goburrow never comes back from a read whose adapter is pulled out, so that is
// shown in a process of its own.
func TestDefectRTUPulledAdapterIsReadForEver(t *testing.T) {
	if path := os.Getenv(pulledEnv); path != "" {
		client, _ := theirs(t, path, 50*time.Millisecond)
		_, err := client.ReadInputRegisters(0x34, 2)
		fmt.Println("came back:", err)
		return
	}
	t.Parallel()
	asked := make(chan struct{}, 1)
	ear := func(p *pty) {
		var request [8]byte
		for p.hear(request[:]) {
			asked <- struct{}{}
		}
	}
	port := newPTY(t, ear)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDefectRTUPulledAdapterIsReadForEver$", "-test.v")
	child.Env = append(os.Environ(), pulledEnv+"="+port.path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan bool)
	go func() {
		back := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			back = back || strings.HasPrefix(lines.Text(), "came back")
		}
		said <- back
	}()
	<-asked
	port.unplug()
	<-time.After(10 * 50 * time.Millisecond) // ten of its time-outs
	child.Process.Kill()
	if <-said {
		t.Fatal("goburrow came back: this does not bring the defect about")
	}
	child.Wait() // killed

	port = newPTY(t, ear)
	meter := open(t, "rtu://"+port.path, 1, time.Minute)
	ended := make(chan error)
	go func() {
		_, err := meter.Read(context.Background())
		ended <- err
	}()
	<-asked
	port.unplug()
	if err := <-ended; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want that the adapter is gone", err)
	}
}
