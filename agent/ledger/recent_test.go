package ledger

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"stolpe/payment"
)

// saleAt is the entry of charge n of an EVSE.
func saleAt(evse int, n uint64) Entry {
	e := sale(n)
	e.EVSE, e.Ref = evse, payment.NewRef("A12", evse, n)
	return e
}

// However many charges the EVSE beside it has, and however often the post starts: the
// charges that an EVSE offers again are not written again.
func TestBusyNeighbourMakesNoChargeForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	for n := range uint64(8) {
		add(t, l, saleAt(1, n+1), Entry{Kind: Informed, EVSE: 1, Ref: payment.NewRef("A12", 1, n+1), Told: "all"})
	}
	const neighbour = maxRecent + 2000
	for n := range uint64(neighbour) {
		e := saleAt(2, n+1)
		e.Sale.Serial = strings.Repeat("x", maxLine/16)
		add(t, l, e)
	}
	if all, err := l.olders(); err != nil || len(all) <= maxOpened/maxPage+2 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	for i, x := range []*Ledger{l, reopened(t, path)} {
		before := x.Newest()
		for n := range uint64(8) {
			ref := payment.NewRef("A12", 1, n+1)
			if !x.Has(ref) || !x.HasTold(ref) {
				t.Errorf("%d: %s is forgotten", i, ref)
			}
			add(t, x, saleAt(1, n+1))
		}
		if x.Newest() != before || x.HasTold(payment.NewRef("A12", 2, neighbour)) {
			t.Errorf("%d: %d lines are written again", i, x.Newest()-before)
		}
	}
}

// The first line of a file has room for as many charges as a post can have.
func TestFirstLineHasRoom(t *testing.T) {
	r := newRecent()
	for evse := range 8 {
		for n := range uint64(2 * maxOwn) {
			r.note(saleAt(evse+1, n+1), place{})
		}
		for i, m := range r.own[evse+1] {
			if m.Ref != payment.NewRef("A12", evse+1, uint64(maxOwn+i+1)) {
				t.Fatalf("%d: %s", i, m.Ref)
			}
			r.own[evse+1][i] = mark{payment.NewRef(strings.Repeat("P", payment.MaxPostID), evse+1, 999_999+uint64(i)), true}
		}
		r.faults[evse+1] = Raised{}
		for n := range 20 {
			r.faults[evse+1][fmt.Sprintf("MET-%03d", n)] = day(0)
		}
	}
	p := page{First: 1 << 40, Receipts: r.receipts, Faults: r.faults, Newest: r.own}
	if _, err := (Entry{Seq: 1 << 40, Kind: pageKind, Page: &p}).line(); err != nil {
		t.Error(err)
	}
}
