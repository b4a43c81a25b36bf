package evse

import (
	"fmt"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/payment"
	books "stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// refuser answers calls of one kind with one code, so many times. A key that has
// been refused for good stays refused, as it does at the service.
type refuser struct {
	kind  payment.CallKind
	code  string // empty refuses nothing
	left  int    // calls to refuse yet
	stuck map[string]bool
	hits  int
}

func (r *refuser) refuse(kind payment.CallKind, key string) *books.Problem {
	if r.code == "" || kind != r.kind {
		return nil
	}
	p := &books.Problem{Status: 400, Code: r.code, Title: "No"}
	if r.stuck[key] && key != "" {
		return p
	}
	if r.left <= 0 {
		return nil
	}
	r.left--
	r.hits++
	keyed := kind == payment.Create || kind == payment.Capture
	if a, _ := vipps.Judge(kind, p.Status, p.Code); a.Status == payment.Refused && keyed {
		if r.stuck == nil {
			r.stuck = map[string]bool{}
		}
		r.stuck[key] = true
	}
	return p
}

// Every code that is documented, on every call of a charge, once and again and
// again: the money is balanced in the end, the reaction is the documented one, and
// driver and technician are told something.
func TestEveryCodeOnEveryCall(t *testing.T) {
	calls := map[string]payment.CallKind{
		"read": payment.NoCall, "create": payment.Create, "capture": payment.Capture,
		"release": payment.CancelAll, "withdraw": payment.Withdraw,
	}
	again := map[told]bool{} // seen for long
	for i, r := range vipps.Reactions() {
		if testing.Short() && i%8 != 0 { // under the race detector it is about the loop, not about the codes
			continue
		}
		for name, kind := range calls {
			for _, times := range []int{1, 30} {
				if testing.Short() && times > 1 && i > 0 {
					continue // nor about how often
				}
				if times > 1 {
					of := toldOf(kind, r.Code)
					if again[of] {
						continue // what comes for long is the loop's, and it knows no code
					}
					again[of] = true
				}
				t.Run(fmt.Sprintf("%s on %s, %d times", r.Code, name, times), func(t *testing.T) {
					t.Parallel()
					if r.Do == "" || r.Title == "" {
						t.Error("a technician is told nothing")
					}
					bubble(t, nil, func(t *testing.T, w *world) {
						w.walk(refuser{kind: kind, code: r.Code, left: times})
						w.judgeWalk(kind, r.Code, times)
					})
				})
			}
		}
	}
}

// told is what the loop is told of a refusal, and goes by.
type told struct {
	kind   payment.CallKind
	status payment.Status
	reason payment.Reason
	exists bool // there is a payment all the same
}

func toldOf(kind payment.CallKind, code string) told {
	a, exists := vipps.Judge(kind, 400, code)
	return told{kind, a.Status, a.Reason, exists}
}

// walk is a whole charge, as far as it comes; without an approval if the withdrawal
// of that is refused.
func (w *world) walk(no refuser) {
	withdraw := no.kind == payment.Withdraw
	w.ready()
	w.till.mu.Lock()
	w.till.no = no
	w.till.mu.Unlock()
	if err := w.request("kari", time.Minute); err != nil {
		w.t.Fatal(err)
	}
	for range 60 {
		w.sleep(5 * time.Second)
		if w.till.found(w.ref(1)).State == payment.Created && !withdraw {
			w.till.approve(w.ref(1))
		}
		if p := w.newest().Phase; p == session.Charging || p == session.Idle {
			break
		}
	}
	if w.newest().Phase == session.Charging {
		w.sleep(3 * time.Minute)
	}
	w.driverStops()
	for minute := range 40 * 60 { // 40 h: thirty refusals an hour apart, and a rest
		w.sleep(time.Minute)
		s := w.newest()
		if settled(&s) || minute > 120 && s.Debts[0].Trouble == payment.Conflict { // that waits for a person
			return
		}
	}
}

// judgeWalk says what must be so whatever was refused, and what the code means.
func (w *world) judgeWalk(kind payment.CallKind, code string, times int) {
	t := w.t
	t.Helper()
	verdict, _ := vipps.Judge(kind, 400, code)
	s, f := w.newest(), w.till.found(w.ref(1))
	w.till.mu.Lock()
	hits := w.till.no.hits
	w.till.mu.Unlock()
	if hits == 0 {
		t.Error("nothing was refused")
	}
	list := s.Done
	if len(s.Debts) > 0 {
		list = s.Debts
	}
	if len(list) != 1 {
		t.Fatalf("%d settled, %d open", len(s.Done), len(s.Debts))
	}
	d := list[0]
	bill := d.Bill().Total
	open := len(s.Debts) > 0
	switch {
	case f.Taken > bill || f.Taken > 0 && f.Taken != d.Bill().Total:
		t.Errorf("%v taken of a bill of %v", f.Taken, bill)
	case !open && (f.Left() != 0 || f.State == payment.Authorised && f.Taken+f.Freed != f.Held):
		t.Errorf("settled, and the service has %+v", f)
	case !open && d.Captured != f.Taken:
		t.Errorf("the post says %v captured, the service %v", d.Captured, f.Taken)
	case open && (d.Trouble == payment.NoReason || f.Taken != 0 && f.Left() == 0):
		t.Errorf("not settled after two days, and nobody is told why: %+v, %+v", d, f)
	}
	w.judgeReaction(kind, verdict, times, s, d, f)
	for _, l := range []display.Lang{display.NB, display.EN} {
		v, ok := w.rules.Session(&s, w.now(), holder("kari"))
		if e := l.Ending(v.Charge, display.Post{}); !ok || e.Title == "" || e.Money == "" {
			t.Errorf("the driver is told %+v", e)
		}
	}
}

// judgeReaction holds what came of it against what is documented for the verdict.
func (w *world) judgeReaction(kind payment.CallKind, verdict payment.Answer, times int, s session.State, d session.Debt, f payment.Found) {
	t := w.t
	t.Helper()
	bill, sold := d.Bill().Total, f.Taken > 0
	open := len(s.Debts) > 0
	switch {
	case kind == payment.Create && verdict.Status == payment.Refused:
		if f.State != payment.NotFound || d.Why != display.Declined && d.Why != display.NoAnswer {
			t.Errorf("refused to be made, and ended %v with %+v", d.Why, f)
		}
		if unfit := s.Passing&session.Unsellable != 0; unfit != (verdict.Reason == payment.Setup) {
			t.Errorf("%v: sells no more: %v", verdict.Reason, unfit)
		}
	case kind == payment.Capture && (verdict.Reason == payment.NoPartial || verdict.Reason == payment.TooLate):
		if sold || open || f.Freed != f.Held || d.Trouble != verdict.Reason {
			t.Errorf("want all released, and somebody told: %+v, trouble %v", f, d.Trouble)
		}
	case kind == payment.Capture && verdict.Reason == payment.Conflict:
		if sold || d.Trouble != payment.Conflict {
			t.Errorf("want nothing taken, and somebody told: %+v, trouble %v", f, d.Trouble)
		}
	case kind == payment.Capture && times == 1, kind == payment.NoCall && times == 1, kind == payment.Capture && verdict.Status != payment.Refused:
		if !sold || f.Taken != bill || open || d.Trouble != payment.NoReason {
			t.Errorf("want %v captured in the end: %+v, trouble %v, open %v", bill, f, d.Trouble, open)
		}
	case kind == payment.CancelAll && verdict.Status != payment.Refused:
		if !sold || f.Taken != bill || open {
			t.Errorf("want %v captured and the rest released: %+v", bill, f)
		}
	case kind == payment.CancelAll && !sold:
		t.Errorf("what was captured before is not known: %+v", f)
	}
}
