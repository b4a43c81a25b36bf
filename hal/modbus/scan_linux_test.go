package modbus

import (
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

func TestAGatewayIsScanned(t *testing.T) {
	t.Parallel()
	image, _ := showing(t, sdm630Map(t))
	server, err := sim.ServeTCP("127.0.0.1:0", sim.Units{3: imaged{image}, 200: imaged{image}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l, err := meters.Load("")
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	found, err := Scan(t.Context(), server.URL(), l, false, func(Progress) { told++ })
	if err != nil || len(found) != 2 || found[0].Unit != 3 || found[1].Unit != 200 || found[0].URL != server.URL() || told == 0 {
		t.Errorf("%+v, %v, told %d times", found, err, told)
	}
	for _, f := range found {
		if !slices.ContainsFunc(f.Candidates, func(c Candidate) bool { return c.Model == "eastron_sdm630" }) {
			t.Errorf("unit %d: %+v", f.Unit, f.Candidates)
		}
	}
	server.Close()
	if _, err := Scan(t.Context(), server.URL(), l, false, nil); err == nil {
		t.Error("scanned nobody")
	}
	if _, err := Scan(t.Context(), "tcp://:502", l, false, nil); err == nil || !strings.Contains(err.Error(), "want tcp://host:port") {
		t.Errorf("%v", err)
	}
}

func TestAScanFindsAMeterOnARealPort(t *testing.T) {
	t.Parallel()
	image, _ := showing(t, sdm630Map(t))
	line, err := sim.ServeRTU(sim.Units{42: imaged{image}}, sim.Serial{Baud: 38400, Parity: "E"})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	path, _, _ := strings.Cut(line.URL(), "?")
	place, err := parseURL(path + "?baud=38400&parity=E")
	if err != nil {
		t.Fatal(err)
	}
	found, err := untilFound(t, place)
	if err != nil || len(found) != 1 || found[0].Unit != 42 || found[0].URL != line.URL() {
		t.Fatalf("%+v, %v", found, err)
	}
	// What it says is what opens.
	began := time.Now()
	b, err := OpenBus(found[0].URL, func() time.Duration { return time.Since(began) })
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	meter, err := b.Meter(sdm630Map(t), found[0].Unit)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := meter.Read(t.Context()); err != nil {
		t.Error(err)
	}
}

// untilFound scans as somebody does who knows that there is a meter. A scan waits for
// some milliseconds only, and the simulated meter runs on the machine of the tests: when
// that is busy it answers too late, or reads two requests as one, as no real meter does.
func untilFound(t *testing.T, at place) (found []Found, err error) {
	t.Helper()
	const enough = 10
	for range enough {
		s := &scan{place: at, maps: []*meters.Map{sdm630Map(t)}} // all of them take a while
		s.bus = s.newBus
		if err = s.run(t.Context(), false); err != nil || len(s.found) > 0 {
			return s.found, err
		}
	}
	return nil, nil
}
