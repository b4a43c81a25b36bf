package telemetry

import (
	"encoding/json"
	"testing"
	"time"

	"stolpe/hal"
)

// Which leaves the broker keeps, and which are acknowledged, wherever they stand.
func TestHowAMessageIsSent(t *testing.T) {
	for _, x := range []struct {
		leaf           Leaf
		retained, once bool
	}{
		{InfoLeaf, true, false},
		{HealthLeaf, true, true},
		{StateLeaf.Of(1), true, false},
		{PriceLeaf.Of(2), true, false},
		{SessionLeaf.Of(12), true, true},
		{MeterLeaf.Of(1), true, true},
		{"evt/session", false, false},
		{"cmd/stop", false, false},
		{"cmd/stop/res", false, false},
	} {
		if x.leaf.Retained() != x.retained || x.leaf.Once() != x.once {
			t.Errorf("%s: retained %v, once %v", x.leaf, x.leaf.Retained(), x.leaf.Once())
		}
	}
}

func TestALeafOfAnEVSEIsTakenApart(t *testing.T) {
	for leaf, want := range map[Leaf]struct {
		own  Leaf
		evse int
	}{
		MeterLeaf.Of(3): {MeterLeaf, 3}, "health": {"health", 0}, "evse/0/meter": {"evse/0/meter", 0}, "evse/01/meter": {"evse/01/meter", 0},
		"evse/x/meter": {"evse/x/meter", 0}, "evse/1": {"evse/1", 0}, "evse/-1/meter": {"evse/-1/meter", 0}, "": {"", 0},
	} {
		if own, n := leaf.Split(); own != want.own || n != want.evse {
			t.Errorf("%q: %q of %d", leaf, own, n)
		}
	}
}

func TestEventsGoByKind(t *testing.T) {
	for typ, want := range map[string]Leaf{
		"session.created": "evt/session", "session.settled": "evt/session", "payment.refunded": "evt/payment", "receipt.void": "evt/payment",
		"fault.raised": "evt/fault", "command.done": "evt/audit", "post.booted": "evt/audit", "book.trimmed": "evt/audit", "": "evt/audit",
	} {
		if got := (&Event{Type: typ}).Leaf(); got != want {
			t.Errorf("%q: %s, want %s", typ, got, want)
		}
	}
}

// What is not known is left out, and what is zero is not.
func TestUnknownIsLeftOut(t *testing.T) {
	head := HeadAt(hal.Stamp{Unix: 1_795_000_000, Clock: hal.ClockHoldover})
	zero := int64(0)
	for want, v := range map[string]any{
		`{"v":1,"ts":"2026-11-18T11:06:40Z","clk":"holdover","q":"missing"}`:            Meter{Head: head, Quality: "missing"},
		`{"v":1,"ts":"2026-11-18T11:06:40Z","clk":"holdover","p_w":0,"q":"ok"}`:         Meter{Head: head, Power: &zero, Quality: "ok"},
		`{"v":1,"ts":"2026-11-18T11:06:40Z","clk":"holdover","id":null,"phase":"none"}`: Session{Head: head, Phase: "none"},
	} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}

// A smaller profile never tells anything more often than a larger one.
func TestProfilesAreInOrder(t *testing.T) {
	order := []Profile{Minimal, Frugal, Standard}
	rarer := func(a, b time.Duration) bool { return a == 0 || b > 0 && a >= b }
	for i := range order[1:] {
		a, b := order[i].Pace(), order[i+1].Pace()
		if !rarer(a.Health, b.Health) || !rarer(a.Charging, b.Charging) || !rarer(a.Idle, b.Idle) || !rarer(a.State, b.State) {
			t.Errorf("%s %+v, %s %+v", order[i], a, order[i+1], b)
		}
	}
}

func TestEveryFamilyOfFaultsHasAClass(t *testing.T) {
	for code, want := range map[string]string{"SAF-002": "safety", "CON-001": "contactor", "MET-001": "meter", "PAY-002": "payment", "STO-001": "storage",
		"USR-001": "user", "SUP-001": "site", "CLK-001": "clock", "NET-001": "network", "DIS-001": "display"} {
		if got := ClassOf(code); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

func TestULIDIsWrittenAsEverywhere(t *testing.T) {
	rest := [10]byte{0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10}
	if got := ULID(0x0123456789AB, rest); got != "014D2PF2DBSQQZXQ5TK1V58CGG" || !IsULID(got) { // as python's base 32 has it
		t.Errorf("%s", got)
	}
}
