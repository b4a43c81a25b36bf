package replay

import (
	"strings"
	"testing"

	"stolpe/agent/session"
	"stolpe/payment"
)

// settledWorld plays two charges to their end, with receipts in the app.
func settledWorld(t *testing.T) *world {
	t.Helper()
	p := soundPlan(t)
	rows, err := readTable([]byte(twoRows), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(assign(rows)[0], &p)
	w.run()
	if len(w.judge.complaints) > 0 {
		t.Fatalf("without a mistake: %v", w.judge.complaints)
	}
	return w
}

func TestEverySaleHasADocumentAndAReceiptInTheApp(t *testing.T) {
	w := settledWorld(t)
	for n := uint64(1); n <= 2; n++ {
		p := w.app[w.rules.Ref(n)]
		if p == nil || p.receipt == nil || p.link == "" || p.receipt.Total() != w.served[n].debt.Captured {
			t.Errorf("charge %d: the app has %+v", n, p)
		}
	}
	if a, b := w.visits[0].debt.Receipt, w.visits[1].debt.Receipt; a != 1 || b != 2 {
		t.Errorf("documents %d and %d, want 1 and 2", a, b)
	}
}

func TestMistakesWithDocumentsAreFound(t *testing.T) {
	for _, c := range []struct {
		says  string
		plant func(w *world)
	}{
		{"document 1 is of charges 1 and 2", func(w *world) { w.visits[1].debt.Receipt = 1 }},
		{"2 sales, 3 numbers", func(w *world) { w.life.state.Receipts = 3 }},
		{"document 2 is not in the app", func(w *world) { w.visits[1].debt.Told = session.ToldDue }},
		{"document 1 is not in the app", func(w *world) { delete(w.app, w.rules.Ref(1)) }},
		{"the receipt is of 0.00, captured was 68.07", func(w *world) {
			w.judge.informed(w, payment.Order{Ref: w.rules.Ref(1), Receipt: &payment.Receipt{}}, &paper{})
		}},
		{"receipt G1/1-000001, and now G1/1-000009", func(w *world) {
			ref := w.rules.Ref(1)
			w.judge.informed(w, payment.Order{Ref: ref, Receipt: &payment.Receipt{Number: "G1/1-000009"}}, w.app[ref])
		}},
	} {
		w := settledWorld(t)
		c.plant(w)
		w.judge.documents(w)
		found := false
		for _, complaint := range w.judge.complaints {
			found = found || strings.Contains(complaint.What, c.says)
		}
		if !found {
			t.Errorf("%s: not found in %v", c.says, w.judge.complaints)
		}
	}
}
