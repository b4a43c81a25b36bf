package modbus_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"
	"golang.org/x/sys/unix"

	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// pty is a serial port whose other end is ours. It costs less than a simulated
// line, and says what no simulated meter would.
type pty struct {
	*os.File        // the other end
	path     string // of the port
	ended    sync.WaitGroup
}

// newPTY makes a port whose other end is served by a goroutine that runs peer,
// which must return when the port is unplugged.
func newPTY(t testing.TB, peer func(*pty)) *pty {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pty{File: f}
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	number, unlock := 0, error(nil)
	if err := raw.Control(func(fd uintptr) {
		unlock = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
	}); errors.Join(err, unlock) != nil {
		t.Fatal(err, unlock)
	}
	p.path = fmt.Sprintf("/dev/pts/%d", number)
	cable, err := os.OpenFile(p.path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0) // or the peer were hung up on when nobody reads
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = cable.SyscallConn(); err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		err = unix.IoctlSetTermios(int(fd), unix.TCSETS, &unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.B9600})
	}); err != nil { // no echo and no lines, whoever has the port
		t.Fatal(err)
	}
	p.ended.Go(func() { peer(p) })
	t.Cleanup(func() {
		p.unplug()
		cable.Close()
	})
	return p
}

// unplug hangs up.
func (p *pty) unplug() {
	p.Close()
	p.ended.Wait()
}

// hear gives the next request; false when unplugged.
func (p *pty) hear(request []byte) bool {
	_, err := io.ReadFull(p, request)
	return err == nil
}

// metering answers as an SDM630 that has counted 1.5 kWh, at 11 kW. It allocates
// nothing, so what allocates is the driver.
func metering(p *pty) {
	var request [8]byte
	var answer [256]byte
	for p.hear(request[:]) {
		p.Write(meterAnswer(answer[:0], request[:]))
	}
}

// meterAnswer appends what that meter answers.
func meterAnswer(to, request []byte) []byte {
	addr, count := binary.BigEndian.Uint16(request[2:]), binary.BigEndian.Uint16(request[4:])
	to = append(to, request[0], request[1], byte(2*count))
	for n := range count {
		to = binary.BigEndian.AppendUint16(to, uint16(shown(request[1], addr+n)))
	}
	return binary.LittleEndian.AppendUint16(to, crc(to))
}

// shown is what a register of that meter holds.
func shown(function byte, addr uint16) uint32 {
	const kwh, watts = 0x3FC00000, 0x462BE000 // 1.5 and 11000 as float32
	switch {
	case function == 3:
		return 0x1234
	case addr == 0x34:
		return watts >> 16
	case addr == 0x35:
		return watts & 0xFFFF
	case addr == 0x48:
		return kwh >> 16
	}
	return 0
}

// crc is the checksum of a frame.
func crc(frame []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, b := range frame {
		sum ^= uint16(b)
		for range 8 {
			odd := sum&1 != 0
			if sum >>= 1; odd {
				sum ^= 0xA001
			}
		}
	}
	return sum
}

// counted is what metering tells.
var counted = hal.Reading{Register: 1500, Power: 11_000, Supply: hal.SupplyPresent, Serial: "305402420"}

func TestReadingAPortAllocatesNothing(t *testing.T) {
	meter := open(t, "rtu://"+newPTY(t, metering).path, 1, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mustRead(t, meter, counted)
	allocations := testing.AllocsPerRun(50, func() { // fewer than until the serial is due again
		if _, err := meter.Read(ctx); err != nil {
			t.Error(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations a read", allocations)
	}
}

// theirs gives goburrow's own client for a port.
func theirs(t testing.TB, path string, timeout time.Duration) (goburrow.Client, *goburrow.RTUClientHandler) {
	t.Helper()
	handler := goburrow.NewRTUClientHandler(path)
	handler.BaudRate, handler.Parity, handler.StopBits = 9600, "N", 1
	handler.SlaveId, handler.Timeout, handler.IdleTimeout = 1, timeout, 0 // its idle timer is a data race
	t.Cleanup(func() { handler.Close() })
	return goburrow.NewClient(handler), handler
}

// forty is a meter whose readings are of 40 registers.
func forty(t testing.TB) (*meters.Map, imaged) {
	t.Helper()
	m, err := meters.Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	watts := m.Registers[meters.PowerTotal]
	watts.Addr = 0x48 - 38
	m.Registers = map[meters.Quantity]meters.Register{meters.ImportTotal: m.Registers[meters.ImportTotal], meters.PowerTotal: watts}
	image := imaged{meters.NewImage(m)}
	if err := image.Show(meters.Shown{Import: 1500, Power: 11_000, Serial: "305402420"}); err != nil {
		t.Fatal(err)
	}
	return m, image
}

// imaged lets an image answer on a simulated wire.
type imaged struct{ *meters.Image }

func (i imaged) Registers(to []byte, function byte, addr, count uint16) (_ []byte, exception byte, answers bool) {
	to, exception = i.Image.Registers(to, function, addr, count)
	return to, exception, true
}

// BenchmarkRTU compares a read of 40 registers at 9600 baud, decoding included, with
// the bare read of the same registers by goburrow's own client, at the same
// settings, on a line whose bytes take their time: 96.9 ms for the 93 of them.
func BenchmarkRTU(b *testing.B) {
	m, image := forty(b)
	line, err := sim.ServeRTU(sim.Units{1: image}, sim.Serial{Paced: true, Delay: time.Nanosecond})
	if err != nil {
		b.Fatal(err)
	}
	defer line.Close()
	const wireBytes = 8 + 5 + 2*40
	wire := wireBytes * 10 * time.Second / 9600
	bus, err := modbus.OpenBus(line.URL(), leap())
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	meter, err := bus.Meter(m, 1)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	path, _, _ := strings.Cut(strings.TrimPrefix(line.URL(), "rtu://"), "?")
	client, _ := theirs(b, path, time.Minute)
	if _, err := meter.Read(ctx); err != nil {
		b.Fatal(err) // the serial is read, too
	}
	for name, read := range map[string]func() error{
		"ours":     func() error { _, err := meter.Read(ctx); return err },
		"goburrow": func() error { _, err := client.ReadInputRegisters(0x48-38, 40); return err },
	} {
		b.Run(name, func(b *testing.B) {
			<-time.After(20 * time.Millisecond) // goburrow keeps no silence after the other's last answer
			b.ResetTimer()
			repeat(b, read)
			b.ReportMetric(wireBytes, "wire-B/op")
			b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N)-wire)/float64(time.Millisecond), "ms-over-wire")
		})
	}
}
