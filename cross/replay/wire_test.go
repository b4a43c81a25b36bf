package replay

import (
	"testing"
	"time"

	"stolpe/payment"
)

// TestWhatIsLostOnTheWay looks at one call at a time: what it does at the service,
// and when and whether the post learns of it.
func TestWhatIsLostOnTheWay(t *testing.T) {
	p := soundPlan(t)
	rows, err := readTable([]byte(twoRows), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		goes    site
		applied bool
		told    bool
		after   time.Duration
	}{
		{sites, true, true, 2 * oneWay}, // nothing goes wrong
		{requestLost, false, false, timeout},
		{answerLost, true, false, oneWay + timeout},
		{notApplied, false, false, 2 * oneWay},
		{appliedThenError, true, false, 2 * oneWay},
		{tooMany, false, false, 2 * oneWay},
	} {
		w := newWorld(assign(rows)[0], &p)
		w.events, w.pass = nil, never
		w.served[1] = w.visits[0]
		w.draw = onlyFirst(t, c.goes)
		o := payment.Order{Verb: payment.Reserve, Ref: w.rules.Ref(1), Amount: 35_000, Currency: payment.NOK}
		w.call(&asking{order: o, lives: w.lives}, payment.Call{Kind: payment.Create, Amount: o.Amount})
		for len(w.events) > 0 {
			e := w.events[0]
			w.now, w.events = e.at, w.events[1:]
			if e.do(); len(w.events) > 0 && w.visits[0].offered {
				break // the payer will act; that is another story
			}
		}
		_, problem := w.book.Get(w.now, o.Ref)
		if applied := problem == nil; applied != c.applied || w.visits[0].offered != c.told || w.now != c.after {
			t.Errorf("%d: applied %v, told %v, after %v; want %v, %v, %v", c.goes, applied, w.visits[0].offered, w.now, c.applied, c.told, c.after)
		}
	}
}

// onlyFirst gives draws in which, of a call's sites, only this one goes wrong the
// first time.
func onlyFirst(t *testing.T, s site) draws {
	t.Helper()
	for seed := range uint64(10_000) {
		d := draws{on: true, seed: seed}
		right := true
		for k := requestLost; k <= tooMany; k++ {
			right = right && d.hit(k) == (k == s)
		}
		if right {
			return draws{on: true, seed: seed}
		}
	}
	t.Fatalf("no seed for %d", s)
	return draws{}
}
