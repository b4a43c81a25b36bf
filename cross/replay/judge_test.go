package replay

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	hardware "stolpe/hal/sim"
	"stolpe/payment"
	service "stolpe/payment/sim"
)

// soundPlan is the made-up plan of tests, with the product's own functions.
func soundPlan(t testing.TB) plan {
	return plan{
		options: options{
			zone: oslo(t), price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549}, reserve: 35_000,
		},
		next: payment.Order.Next, read: (*hardware.Bench).Read,
	}
}

// playText plays a table.
func playText(t testing.TB, p plan, text string) *report {
	t.Helper()
	rows, err := readTable([]byte(text), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	return playAll(rows, p)
}

const twoRows = head +
	"1;G;07.01.2019 16:10;08.01.2019 07:05;12,4\n" +
	"2;G;08.01.2019 16:10;08.01.2019 17:00;3\n"

// One Wh costs 5 øre; a judge who misses that misses everything.
func TestPlantedMistakesAreFound(t *testing.T) {
	if r := playText(t, soundPlan(t), twoRows); len(r.Broken) > 0 || r.Played != 2 {
		t.Fatalf("without a mistake: %d played, %v", r.Played, r.Broken)
	}
	first := func(o payment.Order) bool { return o.Verb == payment.Settle && o.Ref.Number() == 1 }
	for _, c := range []struct {
		mistake string
		says    string
		plant   func(*plan)
	}{
		{"the meter counts one Wh too much", "billed 12.401 kWh, metered 12.400 kWh", func(p *plan) {
			p.read = func(b *hardware.Bench, now time.Duration) (hal.Reading, bool) {
				r, ok := b.Read(now)
				if r.Register > register {
					r.Register++
				}
				return r, ok
			}
		}},
		{"an øre too much is captured", "captured 68.08, metered 12.400 kWh, which cost 68.07 at most", func(p *plan) {
			p.next = func(o payment.Order, f payment.Found) payment.Call {
				if c := o.Next(f); c.Kind == payment.Capture && first(o) {
					return payment.Call{Kind: payment.Capture, Amount: c.Amount + 1}
				}
				return o.Next(f)
			}
		}},
		{"an øre too little is captured", "captured 68.06, the bill is 68.07", func(p *plan) {
			p.next = func(o payment.Order, f payment.Found) payment.Call {
				if first(o) {
					o.Amount--
				}
				return o.Next(f)
			}
		}},
		{"the rest is never released", "G1-1-000001: captured 68.07 and released 0.00 of 350.00 reserved", func(p *plan) {
			p.next = func(o payment.Order, f payment.Found) payment.Call {
				if c := o.Next(f); c.Kind != payment.CancelAll || !first(o) {
					return c
				}
				return payment.Call{}
			}
		}},
		{"everything is released", "captured 0.00, the bill is 68.07", func(p *plan) {
			p.next = func(o payment.Order, f payment.Found) payment.Call {
				if c := o.Next(f); c.Kind != payment.Capture || !first(o) {
					return c
				}
				return payment.Call{Kind: payment.CancelAll}
			}
		}},
		{"the rest is never released, and the post goes on", "G1/1 does not come to rest: up true, idle, faults \"\", 2 debts", func(p *plan) {
			p.next = func(o payment.Order, f payment.Found) payment.Call {
				if c := o.Next(f); c.Kind != payment.CancelAll {
					return c
				}
				return payment.Call{}
			}
		}},
		{"the meter is silent for ever", "turned away though nothing was wrong", func(p *plan) {
			p.read = func(*hardware.Bench, time.Duration) (hal.Reading, bool) { return hal.Reading{}, false }
		}},
		{"the meter tells less than it counts", "12.400 kWh in the table, 12.400 kWh metered, 12.399 kWh billed", func(p *plan) {
			p.read = func(b *hardware.Bench, now time.Duration) (hal.Reading, bool) {
				r, ok := b.Read(now)
				if r.Register > register {
					r.Register--
				}
				return r, ok
			}
		}},
	} {
		t.Run(c.mistake, func(t *testing.T) {
			p := soundPlan(t)
			c.plant(&p)
			r := playText(t, p, twoRows)
			if !strings.Contains(fmt.Sprint(r.Broken), c.says) {
				t.Errorf("broken promises: %v\nwant one that says: %s", r.Broken, c.says)
			}
		})
	}
}

func TestABrokenPromiseFailsTheCommand(t *testing.T) {
	p := soundPlan(t)
	p.file = madeUp
	p.next = func(o payment.Order, f payment.Found) payment.Call {
		c := o.Next(f)
		if c.Kind == payment.Capture {
			c.Amount++
		}
		return c
	}
	var out, errs strings.Builder
	if code := run(p, &out, &errs); code != exitBroken || !strings.Contains(out.String(), "\n  line 2: G1-1-000001: captured ") {
		t.Errorf("exit %d, want %d:\n%s", code, exitBroken, out.String())
	}
}

// A driver who goes before approving undoes it: the next car must not be charged
// on that approval.
func TestNobodyPaysForTheNextCar(t *testing.T) {
	p := soundPlan(t)
	rows, err := readTable([]byte(head+"1;G;07.01.2019 16:10;07.01.2019 16:12;0,2\n2;G;07.01.2019 16:12;07.01.2019 17:00;2\n"), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	p.faults = true // of the drivers
	for _, after := range []time.Duration{time.Minute, 108 * time.Second, 2 * time.Minute, time.Hour} {
		s := assign(rows)[0]
		first, second := s.visits[0], s.visits[1]
		first.approves = after
		w := newWorld(s, &p)
		w.draw.on = false
		w.run()
		if len(w.judge.complaints) > 0 {
			t.Errorf("%v: %v", after, w.judge.complaints)
		}
		if late := after > 110*time.Second; late && (first.found.Taken != 0 || first.debt.Why != display.ByDriver) {
			t.Errorf("%v: the first driver paid %v (%v)", after, first.found.Taken, first.debt.Why)
		}
		if second.billed() != 2000 || second.found.Taken != 10_98 {
			t.Errorf("%v: the second driver paid %v for %v", after, second.found.Taken, second.billed())
		}
	}
}

// What was asked before a power cut is answered to nobody.
func TestAnswersDieWithWhoAsked(t *testing.T) {
	p := soundPlan(t)
	rows, err := readTable([]byte(twoRows), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(assign(rows)[0], &p)
	v := w.visits[0]
	w.served[1] = v
	a := asking{order: payment.Order{Ref: w.rules.Ref(1)}, lives: w.lives}
	made := payment.Answer{Status: payment.Pending, Found: payment.Found{State: payment.Created, URL: "app"}}
	w.answerIn(0, &a, made)
	w.powerCut()
	w.answerIn(0, &a, made)
	for w.events[0].at == w.now {
		w.events[0].do()
		w.events = w.events[1:]
	}
	if v.offered {
		t.Error("the payer is shown what a dead program asked for")
	}
}

// The judge's own sums, case by case: 2 kWh at 5.49 and three minutes at 0.10.
func TestWhatTheJudgeComplainsOf(t *testing.T) {
	p := soundPlan(t)
	p.price.Minute = 10
	rows, err := readTable([]byte(head+"1;G;07.01.2019 16:10;07.01.2019 17:00;2\n"), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		says  string
		spoil func(*visit)
	}{
		{"", func(*visit) {}},
		{"still waits for its payer", func(v *visit) { v.found = payment.Found{State: payment.Created, Amount: 35_000} }},
		{"captured 11.28 and released 338.71 of 350.00 reserved", func(v *visit) { v.found.Freed--; v.debt.Released-- }},
		{"11.28 given back", func(v *visit) { v.found.Refunded = 11_28 }},
		{"which cost 11.27 at most", func(v *visit) { v.metered-- }},
		{"which cost 11.18 at most", func(v *visit) { v.closed -= time.Second }},
		{"the post believes 11.28 and 0.00", func(v *visit) { v.debt.Released = 0 }},
		{"the post believes 0.00 and 338.72", func(v *visit) { v.debt.Captured = 0 }},
		{"is never done", func(v *visit) { v.settled = 0 }},
		{"billed 2.001 kWh, metered 2.000 kWh", func(v *visit) { v.debt.End++ }},
		{"captured 11.28, the bill is 11.18", func(v *visit) { v.debt.Elapsed -= time.Second }},
		{"ended by power_loss without a cause", func(v *visit) { v.debt.Why = display.PowerLost }},
		{"1.999 kWh in the table, 2.000 kWh metered", func(v *visit) { v.row.energy-- }},
		{"", func(v *visit) { v.row.energy++; v.debt.Why = display.LimitReached }},
		{"turned away though nothing was wrong", func(v *visit) { v.outcome = outcome{} }},
	} {
		r := rows[0]
		w := newWorld(&stand{post: "G1", evse: 1, visits: []*visit{{row: &r}}}, &p)
		v := w.visits[0]
		d := session.Debt{Captured: 11_28, Released: 338_72}
		d.Start, d.End, d.Elapsed, d.Why = 1000, 3000, 3*time.Minute, display.CarFull
		v.outcome = outcome{
			number: 1, metered: 2000, closed: 3 * time.Minute, ended: time.Hour, settled: time.Hour, debt: d,
			found: payment.Found{State: payment.Authorised, Amount: 35_000, Held: 35_000, Taken: 11_28, Freed: 338_72},
		}
		c.spoil(v)
		w.judge.payment(w, v)
		w.judge.visit(w, v)
		if got := fmt.Sprint(w.judge.complaints); (got == "[]") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("complaints %s, want one that says %q", got, c.says)
		}
	}
}

// The first is found by the post itself, which goes on with number 4; the second has
// a number that is in use, at another post.
func TestAPaymentOfNobodyIsFound(t *testing.T) {
	p := soundPlan(t)
	rows, err := readTable([]byte(twoRows), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(assign(rows)[0], &p)
	for _, ref := range []payment.Ref{"G1-1-000003", "G2-1-000004"} {
		if _, problem := w.book.Create(0, service.Request{Key: string(ref), Ref: ref, Amount: 100, Currency: payment.NOK}); problem != nil {
			t.Fatal(problem)
		}
	}
	w.run()
	got := fmt.Sprint(w.judge.complaints)
	for _, ref := range []string{"G1-1-000003", "G2-1-000004"} {
		if !strings.Contains(got, "payment "+ref+" belongs to no row") {
			t.Errorf("nothing about %s: %s", ref, got)
		}
	}
}

func TestReferencesAreUsedOnce(t *testing.T) {
	p := soundPlan(t)
	rows, err := readTable([]byte(twoRows), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	var worlds []*world
	for _, r := range inOrder(rows) { // each on an EVSE of its own, which by mistake are the same one
		v, _ := newVisit(r)
		w := newWorld(&stand{post: "G1", evse: 1, visits: []*visit{v}}, &p)
		w.run()
		worlds = append(worlds, w)
	}
	if r := newReport(rows, worlds, &p); len(r.Broken) != 1 || r.Broken[0].Line != 3 ||
		!strings.Contains(r.Broken[0].What, "G1-1-000001 is the reference of another row too: line 2") {
		t.Errorf("broken promises: %v", r.Broken)
	}
}

// What breaks hangs on a row's own line: who comes to other posts changes nothing.
func TestRowsOfOtherPostsChangeNothing(t *testing.T) {
	p := soundPlan(t)
	p.faults, p.seed = true, 11
	text, err := os.ReadFile(madeUp)
	if err != nil {
		t.Fatal(err)
	}
	more := string(text) + "99;Elsewhere;N;Private;NA;01.01.2018 16:10;16;09.01.2019 06:00;6;9,9;14;Jan;Tuesday\n"
	some, all := outcomes(t, p, string(text)), outcomes(t, p, more)
	if len(some) != 20 || len(all) != 21 {
		t.Errorf("%d and %d rows played", len(some), len(all))
	}
	for line, o := range some {
		if all[line] != o {
			t.Errorf("line %d came to %+v, with one row more to %+v", line, o, all[line])
		}
	}
}

// outcomes plays a table and gives what came of each row, by its line.
func outcomes(t *testing.T, p plan, text string) map[int]outcome {
	t.Helper()
	rows, err := readTable([]byte(text), p.zone)
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]outcome{}
	for _, s := range assign(rows) {
		w := newWorld(s, &p)
		w.run()
		for _, v := range w.visits {
			all[v.row.line] = v.outcome
		}
	}
	return all
}

func TestWhoeverIsTurnedAwayIsCounted(t *testing.T) {
	p := soundPlan(t)
	p.faults = true
	rows := []string{head}
	for i := range 40 { // half an hour each, with hardly a break: a power cut may last longer
		rows = append(rows, fmt.Sprintf("%d;G;%02d.01.2019 %02d:00;%02d.01.2019 %02d:29;5\n", i, 1+i/20, i%20, 1+i/20, i%20))
	}
	away := 0
	for p.seed = range 20 {
		r := playText(t, p, strings.Join(rows, ""))
		if len(r.Broken) > 0 {
			t.Errorf("seed %d: %v", p.seed, r.Broken)
		}
		left := 0
		for _, s := range r.Skipped {
			if s.Reason != turnedAway.String() {
				t.Errorf("seed %d: %+v", p.seed, s)
			}
			left += s.Count
		}
		if r.Played+left != r.Rows {
			t.Errorf("seed %d: %d played and %d turned away of %d", p.seed, r.Played, left, r.Rows)
		}
		away += left
	}
	if away == 0 {
		t.Error("nobody was ever turned away")
	}
}
