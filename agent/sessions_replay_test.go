package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/agent/support"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// ended is a charge that has ended so, at a post of which a bundle is made.
func ended(n uint64, why display.End, energy hal.Energy, lasts time.Duration) session.Debt {
	const noon = 1_800_000_000
	d := session.Debt{Charge: session.Charge{
		Number: n, Holder: payment.Holder{byte(n)}, Limit: 35_000, Held: true, Start: 1_000_000, Seen: 1_000_000 + energy, End: 1_000_000 + energy,
		Price:   payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000}},
		Started: hal.Stamp{Unix: noon, Clock: hal.ClockSynced}, Ended: hal.Stamp{Unix: noon + int64(lasts/time.Second) + 10, Clock: hal.ClockSynced},
		Why: why, Elapsed: lasts,
	}}
	d.Due = d.Bill().Total
	return d
}

// bundled makes a bundle of an EVSE in that state, with lines of a ledger, and writes it.
func bundled(t *testing.T, s session.State, ledgerLines string) (file string) {
	t.Helper()
	veil := support.NewVeil([]byte("key of a test"), nil, false)
	r := &session.Rules{Post: "A12", EVSE: 1, Code: "A12", Price: ended(1, 0, 0, 0).Price, MaxPower: 22_000, Grain: 1, Capture: 180 * 24 * time.Hour}
	f := evseOf(veil, r, &s, hal.Instant{Wall: hal.Stamp{Unix: 1_800_000_000, Clock: hal.ClockSynced}}, "live")
	f.Plug = "out"
	b := support.New(support.Head{Post: "A12", Made: time.Unix(1_800_000_000, 0), Version: version, Veiled: true})
	p, err := piece(f.name(), "state", f)
	if err != nil {
		t.Fatal(err)
	}
	b.Add(p)
	b.Add(support.Piece{Name: "ledger.jsonl", Body: []byte(ledgerLines)})
	file = filepath.Join(t.TempDir(), "b.tar.gz")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := b.Write(out); err != nil {
		t.Fatal(err)
	}
	return file
}

// What a bundle tells of a charge comes out again: by whom it ended, for how much energy,
// and at what price.
func TestReplayOfCharges(t *testing.T) {
	t.Parallel()
	for why, row := range map[display.End]struct {
		energy hal.Energy // Wh
		lasts  time.Duration
		idle   time.Duration // of it, with the fee running
		lines  string
	}{
		display.ByDriver:     {5_483, 30 * time.Minute, 0, ""},
		display.ByTechnician: {1_001, 10 * time.Minute, 0, ""},
		display.Unplugged:    {7_777, time.Hour, 0, ""},
		display.ByButton:     {321, 3 * time.Minute, 0, ""},
		display.Emergency:    {1_832, 10 * time.Minute, 0, ""},
		display.PowerLost:    {1_816, 10 * time.Minute, 0, ""},
		display.ShutDown:     {1_816, 10 * time.Minute, 0, ""},
		display.CarFull:      {4_000, 250 * time.Minute, 200 * time.Minute, ""},
		display.NoEnergy:     {0, 10 * time.Minute, 0, ""},
		display.MeterLost:    {1_999, 11 * time.Minute, 0, `{"at":1800000700,"evse":1,"kind":"fault.raised","fault":{"code":"MET-001"}}` + "\n" + `{"at":1800000900,"evse":1,"kind":"fault.cleared","fault":{"code":"MET-001"}}`},
		display.ContactorBad: {2_392, 20 * time.Minute, 0, ""},
		display.AbortedInApp: {0, 0, 0, ""},
		display.TimedOut:     {0, 0, 0, ""},
	} {
		d := ended(7, why, row.energy, row.lasts)
		d.Idle = row.idle
		d.Due = d.Bill().Total
		if row.lasts == 0 {
			d.Held, d.Due = false, 0
		}
		file := bundled(t, session.State{Kept: session.Kept{Counter: 7, Serial: "22110345", Resting: d.End, Done: []session.Debt{d}}}, row.lines)
		got := command("sessions", "replay", file, "--brief")
		want := fmt.Sprintf("replayed: %v, %d Wh, bill %s", why, row.energy, kroner(int64(d.Bill().Total)))
		if got.code != 0 || !strings.Contains(got.stdout, want) || strings.Contains(got.stdout, "DIFFERS") {
			full := command("sessions", "replay", file)
			t.Errorf("%v: want %q\n%s%s", why, want, full.stdout, full.stderr)
		}
	}
}

// A post that is stuck is stuck on the desk, too: with the same faults, the same debts,
// and a payment service that says the same.
func TestReplayOfAStuckPost(t *testing.T) {
	t.Parallel()
	stuck := ended(7, display.ByDriver, 5_483, 30*time.Minute)
	stuck.Trouble = payment.NoPartial
	for _, row := range []struct {
		name   string
		kept   session.Kept
		faults session.Faults
		want   string
	}{
		{"welded", session.Kept{Latched: session.Welded}, 0, "faults CON-001"},
		{"welded, and a debt that is refused", session.Kept{Latched: session.Welded, Debts: []session.Debt{stuck}}, 0, "bill 30.10, faults CON-001"},
		{"withdrawn, meter silent", session.Kept{Latched: session.Withdrawn}, session.MeterSilent, "faults USR-001 MET-001"},
		{"a hole in the journal", session.Kept{Latched: session.Rotten}, 0, "faults STO-002"},
		{"emergency stop", session.Kept{}, session.Emergency, "faults SAF-002"},
		{"sense wire cut", session.Kept{}, session.SenseSilent, "faults CON-003"},
		{"supply gone", session.Kept{}, session.SupplyGone, "faults SUP-001"},
		{"wrong meter", session.Kept{Latched: session.MeterSwap}, session.MeterSilent, "faults MET-002 MET-001"},
		{"well", session.Kept{}, 0, "nothing is wrong, nothing is open"},
	} {
		row.kept.Counter, row.kept.Serial, row.kept.Resting = 7, "22110345", stuck.End
		file := bundled(t, session.State{Kept: row.kept, Passing: row.faults}, "")
		got := command("sessions", "replay", file, "--brief")
		if got.code != 0 || !strings.Contains(got.stdout, "replayed: "+row.want+"\n") {
			full := command("sessions", "replay", file)
			t.Errorf("%s: want %q\n%s%s", row.name, row.want, full.stdout, full.stderr)
		}
	}
}

// A bundle that somebody has tampered with writes no file outside the folder that was named.
func TestReplayWritesNowhereElse(t *testing.T) {
	t.Parallel()
	d := ended(7, display.ByDriver, 5_483, 30*time.Minute)
	file := bundled(t, session.State{Kept: session.Kept{Counter: 7, Serial: "22110345", Resting: d.End, Done: []session.Debt{d}}}, "")
	b, all := inside(t, file)
	var f evseFile
	if err := json.Unmarshal([]byte(all["evse-1.json"]), &f); err != nil {
		t.Fatal(err)
	}
	f.Done[0].Charge = "x/../../elsewhere"
	changed := support.New(b.Head)
	changed.Add(must(piece(f.name(), "state", f)))
	var packed bytes.Buffer
	if err := changed.Write(&packed); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tampered := write(t, "bad.tar.gz", packed.String())
	got := command("sessions", "replay", tampered, "--out", filepath.Join(dir, "in"))
	if _, err := os.Stat(filepath.Join(dir, "elsewhere.txt")); err == nil || got.code != exitFailed || !strings.Contains(got.stderr, "letters, digits and hyphens") {
		t.Errorf("%v: %+v", err, got)
	}
}

// What does not come out as it was recorded is said to differ: a bill that no register
// explains.
func TestReplayFindsADifference(t *testing.T) {
	t.Parallel()
	d := ended(7, display.ByDriver, 5_483, 30*time.Minute)
	file := bundled(t, session.State{Kept: session.Kept{Counter: 7, Serial: "22110345", Resting: d.End, Done: []session.Debt{d}}}, "")
	b, all := inside(t, file)
	var f evseFile
	if err := json.Unmarshal([]byte(all["evse-1.json"]), &f); err != nil {
		t.Fatal(err)
	}
	*f.Done[0].Gross += 100
	changed := support.New(b.Head)
	p, err := piece(f.name(), "state", f)
	if err != nil {
		t.Fatal(err)
	}
	changed.Add(p)
	out := must(os.Create(filepath.Join(t.TempDir(), "c.tar.gz")))
	defer out.Close()
	if err := changed.Write(out); err != nil {
		t.Fatal(err)
	}
	got := command("sessions", "replay", out.Name(), "--brief")
	if got.code != exitDiffers || !strings.Contains(got.stdout, "DIFFERS  evse-1-c-") || !strings.Contains(got.stdout, "bill 31.10") {
		t.Errorf("%+v", got)
	}
}
