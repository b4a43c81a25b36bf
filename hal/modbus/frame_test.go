package modbus

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// What is said on a bus is told whole: a request and its answer in turn, each beginning
// with the unit that was asked.
func TestFramesAreTold(t *testing.T) {
	l, err := meters.Load("")
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.Find("eastron_sdm630")
	if err != nil {
		t.Fatal(err)
	}
	rig := sim.NewRig(sim.Setup{Serial: "22110345", Register: 10_344_076}, func() time.Duration { return 0 })
	s, err := sim.ServeTCP("127.0.0.1:0", sim.Units{7: sim.SDM630(rig)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	began := time.Now()
	b, err := OpenBus(s.URL(), func() time.Duration { return time.Since(began) })
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	meter, err := b.Meter(m, 7)
	if err != nil {
		t.Fatal(err)
	}
	values, said, err := meter.Frames(t.Context())
	if err != nil || len(values) == 0 {
		t.Fatalf("%d values, %v", len(values), err)
	}
	if len(said) < 4 || len(said)%2 != 0 {
		t.Fatalf("%d frames", len(said))
	}
	for i, f := range said {
		if f.Sent != (i%2 == 0) || len(f.Bytes) < headerSize+2 || f.Bytes[6] != 7 {
			t.Errorf("frame %d: sent %v, % x", i, f.Sent, f.Bytes)
		}
		if !f.Sent && !bytes.Equal(f.Bytes[:2], said[i-1].Bytes[:2]) {
			t.Errorf("frame %d answers another request: % x after % x", i, f.Bytes, said[i-1].Bytes)
		}
	}
	if b.tap != nil {
		t.Error("somebody still hears what is said")
	}
	rig.Do(func(b *sim.Bench, now time.Duration) { b.Fault(now, sim.Faults{Silent: true}) })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, said, err := meter.Frames(ctx); err == nil || len(said) == 0 || !said[0].Sent {
		t.Errorf("a silent meter: %v, %d frames", err, len(said))
	}
}

func TestAMeterIsRecognisedAtItsAddress(t *testing.T) {
	l, err := meters.Load("")
	if err != nil {
		t.Fatal(err)
	}
	rig := sim.NewRig(sim.Setup{Serial: "22110345", Register: 10_344_076}, func() time.Duration { return 0 })
	s, err := sim.ServeTCP("127.0.0.1:0", sim.Units{7: sim.SDM630(rig)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := Recognise(t.Context(), s.URL(), 7, l)
	if err != nil || f.Unit != 7 || len(f.Candidates) == 0 || f.Candidates[0].Model != "eastron_sdm630" {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := Recognise(t.Context(), s.URL(), 8, l); err == nil {
		t.Errorf("nobody is there, and it is %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Recognise(ctx, s.URL(), 7, l); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
