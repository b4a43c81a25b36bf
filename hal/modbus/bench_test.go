package modbus_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	goburrow "github.com/goburrow/modbus"
)

// BenchmarkTransaction compares a read of a meter, decoding included, with the bare
// read of the same registers by goburrow's own client, over the same server.
func BenchmarkTransaction(b *testing.B) {
	server, meter, _ := charging(b, time.Minute) // when no power flows, a reading asks for the voltages as well
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	handler := goburrow.NewTCPClientHandler(strings.TrimPrefix(server.URL(), "tcp://"))
	handler.SlaveId = 1
	defer handler.Close()
	raw := goburrow.NewClient(handler)
	ours := func() error { _, err := meter.Read(ctx); return err }
	theirs := func() error { _, err := raw.ReadInputRegisters(0x34, 22); return err }

	b.Run("ours", func(b *testing.B) { repeat(b, ours) })
	b.Run("goburrow", func(b *testing.B) { repeat(b, theirs) })
	b.Run("ratio", func(b *testing.B) {
		var mine, other time.Duration
		for b.Loop() { // in turns, so that a busy machine slows both
			mine += stopwatch(b, ours)
			other += stopwatch(b, theirs)
		}
		b.ReportMetric(other.Seconds()/mine.Seconds(), "x-goburrow")
	})
}

// repeat reads again and again. What it reports of the processor is of the meter's
// side as well: both run in this process.
func repeat(b *testing.B, do func() error) {
	b.ReportAllocs()
	before := processor(b)
	for b.Loop() {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op")
}

// processor is the time that this process has had the processor.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func stopwatch(b *testing.B, do func() error) time.Duration {
	start := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
