package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

func open(t *testing.T, path string) (*Ledger, int64) {
	t.Helper()
	l, torn, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, torn
}

// sale is the entry of charge n.
func sale(n uint64) Entry {
	d := session.Debt{
		Charge:   session.Charge{Number: n, Holder: payment.Holder{byte(n), byte(n >> 8)}, Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}},
		Captured: 100, Receipt: n,
	}
	s := SaleOf(d, fmt.Sprintf("A12/1-%06d", n), "meter", "22110345")
	return Entry{At: 1_800_000_000, Clock: "synced", Kind: Sold, EVSE: 1, Ref: payment.NewRef("A12", 1, n), Sale: &s}
}

func add(t *testing.T, l *Ledger, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

// read gives all entries, and what Read says in the end.
func read(l *Ledger) ([]Entry, error) {
	var all []Entry
	err := l.Read(func(e Entry) error { all = append(all, e); return nil })
	return all, err
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1), Entry{Kind: Void, EVSE: 1, Gap: &Gap{From: 2, To: 18, Why: "journal lost"}}, sale(19),
		Entry{Kind: Informed, EVSE: 1, Ref: "A12-1-000019", Told: "all"},
		Entry{Kind: RefundIntent, Ref: "A12-1-000001", Refund: &Refund{Key: "rf", Amount: 5, Currency: "NOK", Reason: `a "crc":" quote, and ,"crc":"00000000"} too`}})
	again, torn := open(t, path)
	for _, x := range []*Ledger{l, again} {
		all, err := read(x)
		if err != nil || torn != 0 || len(all) != 5 {
			t.Fatalf("%d entries, %v", len(all), err)
		}
		for i, e := range all {
			if e.Seq != uint64(i+1) {
				t.Errorf("entry %d has number %d", i+1, e.Seq)
			}
		}
		if !x.Has("A12-1-000001") || x.Has("A12-1-000002") || !x.HasTold("A12-1-000019") || x.HasTold("A12-1-000001") {
			t.Error("what is there is not known, or what is not there is")
		}
		if n := x.Receipts(1); n != 19 {
			t.Errorf("newest document %d", n)
		}
		if s, ok := x.Find(payment.Holder{19}); !ok || s.Sale.Number != 19 {
			t.Errorf("found %+v, %v", s, ok)
		}
		if _, ok := x.Find(payment.Holder{7}); ok {
			t.Error("found a stranger")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	stop := errors.New("enough")
	if err := l.Read(func(Entry) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
}

func TestSaleIsTheDebtItWasMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := session.Debt{
			Charge: session.Charge{
				Number: rapid.Uint64().Draw(t, "number"), Held: rapid.Bool().Draw(t, "held"), Gathered: rapid.Bool().Draw(t, "gathered"),
				Price: payment.Price{Currency: payment.NOK, VAT: rapid.IntRange(0, 3000).Draw(t, "vat"), KWh: 5, Minute: 6, Session: 7,
					Idle: payment.Idle{After: 8, Minute: 9, Cap: 10}},
				Limit: payment.Amount(rapid.Int64Range(0, 65_000_000).Draw(t, "limit")),
				Start: hal.Energy(rapid.Int64Min(0).Draw(t, "start")), Seen: 3, End: hal.Energy(rapid.Int64Min(0).Draw(t, "end")),
				Elapsed: 11, Idle: 12, Started: hal.Stamp{Unix: 13, Clock: 1}, Ended: hal.Stamp{Unix: 14, Clock: 2},
				Why: display.End(rapid.IntRange(0, int(display.LastEnd)).Draw(t, "why")), Writes: 15, Guaranteed: 16,
			},
			Due: 17, Attempt: 18, Trouble: payment.Reason(rapid.IntRange(0, int(payment.LastReason)).Draw(t, "trouble")),
			Captured: 19, Released: 20, Closed: hal.Stamp{Unix: 21, Clock: 2}, Receipt: 22, Told: session.ToldAll,
		}
		copy(d.Holder[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "holder"))
		s := SaleOf(d, "", "", "")
		line, err := Entry{Seq: 1, Kind: Sold, Sale: &s}.line()
		if err != nil {
			t.Fatal(err)
		}
		e, err := parse(line)
		if err != nil || e.Sale.Debt() != d {
			t.Fatalf("%v\nwrote %+v\nread  %+v", err, d, e.Sale)
		}
	})
}

// Every field of a debt is in a sale, whatever it will be called.
func TestNoFactIsLeftOut(t *testing.T) {
	var d session.Debt
	fill(reflect.ValueOf(&d).Elem())
	if back := SaleOf(d, "", "", "").Debt(); back != d {
		t.Errorf("%+v\nbecame %+v", d, back)
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("NOK")
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		v.SetUint(2)
	default:
		v.SetInt(2)
	}
}

func TestWrittenOffIsWhatWasNotCaptured(t *testing.T) {
	price := payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}
	for _, x := range []struct {
		wh                 hal.Energy
		captured, writeOff payment.Amount
	}{{10_000, 5490, 0}, {10_000, 0, 5490}, {10_000, 1000, 4490}, {100, 0, 0}, {10_000, 9000, 0}} {
		d := session.Debt{Charge: session.Charge{Price: price, Limit: 35_000, End: x.wh}, Captured: x.captured}
		if got := SaleOf(d, "", "", "").WrittenOff; got != x.writeOff {
			t.Errorf("%v, %v captured: %v written off, want %v", x.wh, x.captured, got, x.writeOff)
		}
	}
}

// Whatever length a power cut leaves, whole lines stay and the next one follows.
func TestTornEndIsCutBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1), sale(2), sale(3))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') // where the newest append began
	for n := range whole {
		if n < last && n%37 != 0 {
			continue // of older lines, some places will do
		}
		for _, tail := range [][]byte{nil, make([]byte, 17)} { // a file system may leave zeros where nothing was written
			cut := append(bytes.Clone(whole[:n]), tail...)
			if err := os.WriteFile(path, cut, 0o600); err != nil {
				t.Fatal(err)
			}
			lines := bytes.Count(cut, []byte("\n"))
			x, torn, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if want := int64(len(cut) - bytes.LastIndexByte(cut, '\n') - 1); torn != want {
				t.Fatalf("cut to %d bytes: %d cut off, want %d", len(cut), torn, want)
			}
			add(t, x, sale(9))
			all, err := read(x)
			if err != nil || len(all) != lines+1 || all[lines].Seq != uint64(lines+1) || all[lines].Sale.Number != 9 {
				t.Fatalf("cut to %d bytes: %d entries, %v", len(cut), len(all), err)
			}
			x.Close()
		}
	}
}

// A bit that has turned anywhere is told with its line; everything else is read.
func TestRotIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1), sale(2), sale(3))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		bad := bytes.Clone(whole)
		bad[n] ^= 1 << (n % 7)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		x, torn, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		all, err := read(x)
		var damage Damage
		last := n == len(whole)-1 // the end of the last line: it looks torn
		if !errors.As(err, &damage) && !(last && torn > 0) {
			t.Fatalf("byte %d: %v, %d entries", n, err, len(all))
		}
		if line := 1 + bytes.Count(whole[:n], []byte("\n")); !last && !strings.Contains(err.Error(), fmt.Sprintf("line %d:", line)) {
			t.Fatalf("byte %d of line %d: %v", n, line, err)
		}
		x.Close()
	}
	if now, err := os.ReadFile(path); err != nil || len(now) > len(whole) {
		t.Error("a damaged book was changed")
	}
}

func TestMissingLineIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1), sale(2), sale(3))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(b, []byte("\n"))
	if err := os.WriteFile(path, append(bytes.Clone(lines[0]), lines[2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	x, _ := open(t, path)
	if all, err := read(x); len(all) != 2 || err == nil || !strings.Contains(err.Error(), "line 2: number 3 after 1") {
		t.Errorf("%d entries, %v", len(all), err)
	}
	if err := l.Append(sale(4)); err == nil || !strings.Contains(err.Error(), "shortened") {
		t.Errorf("appended to a book that somebody has shortened: %v", err)
	}
}

// The daemon and a command write at the same time: each line gets a number of its
// own, and each finds what the other wrote.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	a, _ := open(t, path)
	b, _ := open(t, path)
	var both sync.WaitGroup
	const each = 50
	for i, l := range []*Ledger{a, b} {
		both.Go(func() {
			for n := range each {
				if err := l.Append(sale(uint64(i*each + n + 1))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	for _, l := range []*Ledger{a, b} {
		all, err := read(l)
		if err != nil || len(all) != 2*each {
			t.Errorf("%d entries, %v", len(all), err)
		}
	}
}

// The end of a charge is written once, whoever says it how often.
func TestEndOfAChargeIsWrittenOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	a, _ := open(t, path)
	b, _ := open(t, path)
	add(t, a, sale(1), sale(1))
	add(t, b, sale(1), sale(2))
	add(t, a, sale(2))
	if all, err := read(a); err != nil || len(all) != 2 {
		t.Errorf("%d entries, %v", len(all), err)
	}
}

// While the card hangs in the middle of an append, pages are served.
func TestPagesDoNotWaitForTheCard(t *testing.T) {
	l, _ := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	add(t, l, sale(1))
	l.writing.Lock() // as Append has it for as long as a card takes
	defer l.writing.Unlock()
	if _, ok := l.Find(payment.Holder{1}); !ok || !l.Has("A12-1-000001") || l.HasTold("A12-1-000001") || l.Receipts(1) != 1 {
		t.Error("what is known is not found")
	}
}

func TestOldestAreForgotten(t *testing.T) {
	r := newRecent()
	for n := range uint64(maxRecent + 10) {
		r.note(sale(n+1), place{1, int64(n), n + 1})
	}
	if len(r.refs) != maxRecent || len(r.holders) != maxRecent || len(r.order) != maxRecent {
		t.Errorf("%d, %d, %d are known", len(r.refs), len(r.holders), len(r.order))
	}
	if _, ok := r.refs["A12-1-000001"]; ok {
		t.Error("the oldest is known")
	}
}

func TestFullDiskLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1))
	l.file.Close()
	if err := l.Append(sale(2)); err == nil {
		t.Error("written to a file that is gone")
	}
	again, torn := open(t, path)
	if all, err := read(again); err != nil || torn != 0 || len(all) != 1 {
		t.Errorf("%d entries, %v", len(all), err)
	}
}

// Whoever can write the file can make checksums that are right.
func FuzzParse(f *testing.F) {
	for _, e := range []Entry{sale(7), talk(1), {Seq: 9, Kind: Trimmed, Gap: &Gap{From: 3, To: 9}}, {Seq: 7, Kind: pageKind, Page: &page{First: 8}}, {Kind: pageKind}, {Page: &page{}}, {Kind: Trimmed}} {
		line, err := e.line()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line, false)
		f.Add(line[:bytes.LastIndex(line, []byte(crcMember))], true)
	}
	f.Fuzz(func(t *testing.T, line []byte, sum bool) {
		if sum {
			line = fmt.Appendf(line[:len(line):len(line)], "%s%08x\"}\n", crcMember, checksum(line))
		}
		e, err := parse(line)
		if err != nil {
			return
		}
		if _, err := json.Marshal(e.Data()); err != nil {
			t.Fatalf("read and cannot be told: %v", err)
		}
		if _, err := e.line(); err != nil && len(line) <= maxLine/2 {
			t.Fatalf("read and cannot be written: %v", err)
		}
		r := newRecent()
		r.note(e, place{})
	})
}
