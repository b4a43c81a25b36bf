package session

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	cli "flag"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

var update = cli.Bool("update", false, "rewrite the expected lines of testdata/scenarios, and the newest format")

// slotPayload is what the journal has room for in one slot, bytes. A slot is
// 4096 bytes less its header.
const slotPayload = 4000

// fill sets every field under v to something that is not zero, and as large as
// it may become.
func fill(v reflect.Value, large bool) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), large)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), large)
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("NOK")
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(200)
		if !large {
			v.SetUint(3)
		}
	case reflect.Uint64:
		v.SetUint(12_345)
	case reflect.Int, reflect.Int64:
		v.SetInt(1_234_567)
	}
}

// fullKept has every debt, every settled charge, and the largest numbers a post
// can come to in its life.
func fullKept() Kept {
	var c Charge
	fill(reflect.ValueOf(&c).Elem(), true)
	c.Number = 10_000_000
	c.Limit = payment.MaxAmount
	c.Price.VAT, c.Price.Idle.After = 3_000, 24*time.Hour
	c.Price.KWh, c.Price.Minute, c.Price.Session, c.Price.Idle.Minute, c.Price.Idle.Cap = 1e6, 1e6, 1e6, 1e6, 1e6
	c.Start, c.Seen, c.End = 9_999_999_999, 9_999_999_999, 9_999_999_999 // ten digits of Wh
	c.Elapsed, c.Idle = 24*time.Hour-1, 24*time.Hour-1
	c.Started, c.Ended = hal.Stamp{Unix: 9_999_999_999, Clock: 2}, hal.Stamp{Unix: 9_999_999_999, Clock: 2}
	c.Why, c.Writes, c.Guaranteed = display.LastEnd, math.MaxUint16, 9_999_999_999
	d := Debt{Charge: c, Due: payment.MaxAmount, Attempt: maxAttempts, Trouble: payment.Meddled,
		Captured: payment.MaxAmount, Released: payment.MaxAmount,
		Closed: hal.Stamp{Unix: 9_999_999_999, Clock: 2}, Receipt: 10_000_000, Told: ToldNever}
	k := Kept{
		Phase: Stopping, Counter: 10_000_000, Boots: maxBoots, Misses: closeTries, Latched: latching,
		Serial: strings.Repeat("9", maxText), Resting: 9_999_999_999, Charge: c,
		Wear:     Wear{Closings: 10_000_000, Hot: 10_000_000, Opening: 24 * time.Hour, Slowest: 24 * time.Hour},
		Receipts: 10_000_000,
	}
	for range MaxDebts {
		k.Debts = append(k.Debts, d)
	}
	for range MaxDone {
		k.Done = append(k.Done, d)
	}
	return k
}

func TestFullStateFitsASlot(t *testing.T) {
	k := fullKept()
	size := len(k.Append(nil))
	t.Logf("%d bytes at most, %d at rest", size, len((&Kept{Counter: 12_345, Serial: "22110345", Resting: 10_344_076}).Append(nil)))
	if size > slotPayload {
		t.Errorf("%d debts and %d settled charges need %d bytes: want at most %d", MaxDebts, MaxDone, size, slotPayload)
	}
}

// Every field survives, whatever it is called: a field that is added and not
// encoded is found here.
func TestEveryFieldSurvives(t *testing.T) {
	var k Kept
	v := reflect.ValueOf(&k).Elem()
	fill(v, false)
	k.Debts, k.Done = make([]Debt, 2), make([]Debt, 1)
	for _, list := range [][]Debt{k.Debts, k.Done} {
		for i := range list {
			fill(reflect.ValueOf(&list[i]).Elem(), false)
		}
	}
	back, err := Decode(k.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(k, back) {
		t.Errorf("wrote %+v\nread  %+v", k, back)
	}
	if !k.Same(&back) {
		t.Error("Same says that what was read is not what was written")
	}
}

// Each field counts for Same, too.
func TestSameSeesEveryField(t *testing.T) {
	var k Kept
	fill(reflect.ValueOf(&k).Elem(), false)
	k.Debts, k.Done = make([]Debt, 1), make([]Debt, 1)
	for i := range reflect.TypeFor[Kept]().NumField() {
		other := k
		other.Debts = append([]Debt(nil), k.Debts...)
		f := reflect.ValueOf(&other).Elem().Field(i)
		f.Set(reflect.Zero(f.Type()))
		if k.Same(&other) {
			t.Errorf("Same does not look at %s", reflect.TypeFor[Kept]().Field(i).Name)
		}
	}
}

// The bytes of these formats are on cards in the field. If this fails, it is a new
// format, and the old ones must still be read.
func TestFormatsAreWhatTheyWere(t *testing.T) {
	newest := fullKept()
	newest.Debts, newest.Done = newest.Debts[:2], newest.Done[:1]
	got := hex.EncodeToString(newest.Append(nil))
	if *update {
		if err := os.WriteFile("testdata/format3.hex", []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	second := olderKept(newest, func(d *Debt) {
		d.Guaranteed, d.Closed, d.Receipt, d.Told = 0, hal.Stamp{}, 0, ToldNothing
		d.Attempt = min(d.Attempt, 100) // as many as there were
		d.Why = display.Emergency       // the last word there was
	})
	second.Receipts, second.Latched = 0, latching&^(Leaving|Recall)
	first := olderKept(second, func(d *Debt) { d.Why = display.ShutDown }) // the last word there was
	first.Latched, first.Wear = Welded|WontClose|MeterSwap|MeterAstray|Withdrawn|Rotten, Wear{}
	for n, want := range []Kept{first, second, newest} {
		text, err := os.ReadFile(fmt.Sprintf("testdata/format%d.hex", n+1))
		if err != nil {
			t.Fatal(err)
		}
		b, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(b); err != nil || !back.Same(&want) {
			t.Errorf("format %d: read %+v, %v", n+1, back, err)
		}
		if n+1 == format && got != strings.TrimSpace(string(text)) {
			t.Errorf("wrote\n%s\nwant\n%s", got, text)
		}
	}
}

// olderKept is k as an older format tells it: each charge without what that did
// not know.
func olderKept(k Kept, forget func(*Debt)) Kept {
	d := Debt{Charge: k.Charge}
	forget(&d)
	k.Charge = d.Charge
	k.Debts, k.Done = slices.Clone(k.Debts), slices.Clone(k.Done)
	for _, list := range [][]Debt{k.Debts, k.Done} {
		for i := range list {
			forget(&list[i])
		}
	}
	return k
}

func TestDamagedStateIsRefused(t *testing.T) {
	k := fullKept()
	k.Debts, k.Done = k.Debts[:1], k.Done[:1]
	good := k.Append(nil)
	newer := bytes.Clone(good)
	newer[0] = format + 1
	phase := bytes.Clone(good)
	phase[1] = byte(phases) << 1
	empty := (&Kept{}).Append(nil)
	hungry := binary.AppendVarint(empty[:len(empty)-2:len(empty)-2], 1<<40)
	for name, b := range map[string][]byte{
		"a million million debts": hungry, "nothing": nil, "a newer format": newer, "too long": append(bytes.Clone(good), 0), "no such phase": phase,
	} {
		if _, err := Decode(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v, want ErrFormat", name, err)
		}
	}
	if _, err := Decode(newer); !errors.Is(err, ErrLater) || !strings.Contains(err.Error(), "format 4, this program reads 1 to 3") {
		t.Errorf("a newer format: %v", err)
	}
	for n := range good {
		if _, err := Decode(good[:n]); errors.Is(err, ErrLater) || !errors.Is(err, ErrFormat) {
			t.Fatalf("cut to %d of %d bytes: error %v, want ErrFormat", n, len(good), err)
		}
	}
}

// Whatever the bytes, Decode gives an error or a state that is written as it was
// read, and that a post can start with.
func FuzzDecode(f *testing.F) {
	k := fullKept()
	k.Debts, k.Done = k.Debts[:1], k.Done[:1]
	f.Add(k.Append(nil))
	f.Add((&Kept{}).Append(nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(k.Append(nil))
		if err != nil || !reflect.DeepEqual(again, k) {
			t.Fatalf("read %+v\nthen %+v, %v", k, again, err)
		}
		live(k)
	})
}

// live goes through what is done with a state that was read: nothing may panic.
func live(k Kept) {
	r := testRules()
	s := r.Recover(k, Whole, hal.Instant{Mono: time.Second})
	for i := range 3 {
		now := hal.Instant{Mono: time.Duration(i+2) * time.Second}
		s = r.Step(s, now, Sensed{hal.Open, now.Mono - 1})
		s = r.Step(s, now, Metered{hal.Reading{Register: k.Resting, At: now.Mono}})
		r.View(&s, now)
		r.Want(&s, now)
	}
	for _, list := range [][]Debt{s.Debts, s.Done} {
		for i := range list {
			_ = r.viewDebt(s.Serial, &list[i]).End.String() + list[i].Trouble.String()
		}
	}
}

// Every reason for which a charge can end, or need a person, is known to Decode.
func TestEveryWordIsRead(t *testing.T) {
	known := func(word func() string) (ok bool) {
		defer func() { ok = recover() == nil }()
		word()
		return
	}
	for n := range 256 {
		end, reason := display.End(n), payment.Reason(n)
		for _, x := range []struct {
			debt  Debt
			known bool
		}{
			{Debt{Charge: Charge{Number: 1, Why: end}}, known(end.String)},
			{Debt{Charge: Charge{Number: 1}, Trouble: reason}, known(reason.String)},
		} {
			k := Kept{Debts: []Debt{x.debt}}
			if _, err := Decode(k.Append(nil)); (err == nil) != x.known {
				t.Errorf("end %d, trouble %d: error %v, a known word: %v", x.debt.Why, x.debt.Trouble, err, x.known)
			}
		}
	}
}

// Any state that can be written is read as it was.
func TestStateSurvivesTheDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Int64()
		debts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Debt {
			return Debt{
				Charge: Charge{
					Number: rapid.Uint64Min(1).Draw(t, "number"), Held: rapid.Bool().Draw(t, "held"),
					Start: hal.Energy(number.Draw(t, "start")), Elapsed: time.Duration(number.Draw(t, "elapsed")),
					Why: display.End(rapid.Uint8Max(uint8(display.LastEnd)).Draw(t, "why")), Writes: rapid.Uint16().Draw(t, "writes"),
				},
				Due: payment.Amount(number.Draw(t, "due")),
			}
		}), 0, MaxDebts)
		k := Kept{
			Phase: Phase(rapid.IntRange(0, Phases-1).Draw(t, "phase")), Counter: rapid.Uint64().Draw(t, "counter"),
			Serial: rapid.StringN(0, 20, maxText).Draw(t, "serial"), Debts: debts.Draw(t, "debts"), Done: debts.Draw(t, "done"),
		}
		if back, err := Decode(k.Append(nil)); err != nil || !back.Same(&k) {
			t.Fatalf("wrote %+v\nread %+v, %v", k, back, err)
		}
	})
}

// The loop goes on comparing a state while it is written down beside it.
func TestWritingLeavesTheStateAlone(t *testing.T) {
	k := Kept{Debts: []Debt{{Charge: Charge{Number: 1, Held: true, Gathered: true}}}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Append(nil)
	}()
	same := k
	if !k.Same(&same) { // under the race detector this is the test
		t.Error("a state differs from its copy")
	}
	<-done
}
