package field

import (
	"maps"
	"strings"
	"testing"
	"time"

	"stolpe/hal"
	meter "stolpe/hal/sim"
	"stolpe/payment"
	till "stolpe/payment/sim"
)

// play is a site whose time passes when it is told to, and a post that does what the
// test says.
type play struct {
	*Site
	t     *testing.T
	clock *meter.Clock
	sales []Sale
}

func newPlay(t *testing.T) *play {
	t.Helper()
	p := &play{t: t, clock: new(meter.Clock)}
	var err error
	if p.Site, err = open(p.clock.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	p.PlugIn()
	return p
}

// reserve makes a payment that is approved.
func (p *play) reserve(ref payment.Ref) {
	p.t.Helper()
	p.Till.Do(func(now time.Duration, b *till.Book) {
		_, problem := b.Create(now, till.Request{Key: string(ref), Ref: ref, Amount: reserve, Currency: payment.NOK})
		if problem != nil || !b.Approve(now, ref) {
			p.t.Errorf("%s: %v", ref, problem)
		}
	})
}

// closes closes the contactor for so long, and gives what went through it.
func (p *play) closes(d time.Duration) hal.Energy {
	from, _ := p.Flowing()
	p.Contactor(hal.Closed)
	p.clock.Step(d)
	p.Contactor(hal.Open)
	p.clock.Step(time.Second)
	to, _ := p.Flowing()
	return to - from
}

// settle takes an amount and releases the rest, as a post would, and notes it.
func (p *play) settle(ref payment.Ref, wh hal.Energy, amount payment.Amount) {
	p.t.Helper()
	rest := reserve - amount
	p.take(ref, "c0", amount)
	p.Till.Do(func(now time.Duration, b *till.Book) {
		if _, problem := b.Cancel(now, ref, false); problem != nil {
			p.t.Errorf("%s: %v", ref, problem)
		}
	})
	p.sales = append(p.sales, Sale{Ref: ref, State: "captured", Energy: wh, Gross: &amount, Captured: &amount, Released: &rest})
}

func (p *play) take(ref payment.Ref, key string, amount payment.Amount) {
	p.t.Helper()
	p.Till.Do(func(now time.Duration, b *till.Book) {
		c := till.Change{Key: string(ref) + key, Ref: ref, Amount: amount, Currency: payment.NOK}
		if _, problem := b.Capture(now, c); problem != nil {
			p.t.Errorf("%s: %v", ref, problem)
		}
	})
}

const (
	first  = payment.Ref("A12-1-000001")
	second = payment.Ref("A12-1-000002")
)

// fate is one charge with one thing wrong, or none.
type fate struct {
	play  func(p *play)
	wrong bool   // some øre are
	found string // "" for a sound one
}

// money is what may be wrong with amounts.
func money() map[string]fate {
	return map[string]fate{
		"sound": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			p.reserve(second)
			wh = p.closes(10 * time.Second)
			p.settle(second, wh, worth(wh))
		}, false, ""},
		"too little to take": {func(p *play) {
			p.reserve(first)
			if wh := p.closes(4200 * time.Millisecond); wh != 1 {
				p.t.Errorf("%d Wh flowed, want 1", int64(wh))
			}
			p.Till.Do(func(now time.Duration, b *till.Book) { b.Cancel(now, first, false) })
			released := payment.Amount(reserve)
			p.sales = append(p.sales, Sale{Ref: first, State: "released", Energy: 1, Released: &released})
		}, false, ""},
		"an øre too much": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh)+1)
		}, true, "which are worth"},
		"an øre too little": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh)-1)
		}, true, "which are worth"},
		"taken twice": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.take(first, "c9", 100)
			p.settle(first, wh, worth(wh)-100)
			all, rest := worth(wh), reserve-worth(wh)
			p.sales[0].Captured, p.sales[0].Released = &all, &rest
		}, false, "taken 2 times"},
		"not settled": {func(p *play) {
			p.reserve(first)
			p.take(first, "c0", worth(p.closes(20*time.Second)))
		}, true, "still held"},
		"not approved": {func(p *play) {
			p.Till.Do(func(now time.Duration, b *till.Book) {
				b.Create(now, till.Request{Key: "k", Ref: first, Amount: reserve, Currency: payment.NOK})
			})
		}, false, "still waits"},
		"past the reservation": {func(p *play) {
			p.reserve(first)
			wh := p.closes(3 * time.Minute)
			p.settle(first, wh, reserve-1)
		}, true, "were reserved"},
		"welded": {func(p *play) {
			p.reserve(first)
			p.Rig.Do(func(b *meter.Bench, now time.Duration) { b.Fault(now, meter.Faults{Welded: true}) })
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			p.clock.Step(time.Minute)
			p.reserve(second)
			p.closes(time.Second)
		}, true, "worth"},
	}
}

// deeds is what may be wrong with what was done, and with what is told of it.
func deeds() map[string]fate {
	return map[string]fate{
		"nothing reserved": {func(p *play) { p.closes(20 * time.Second) }, true, "nothing was reserved"},
		"closed while another pays": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			p.closes(20 * time.Second)
		}, true, "nothing was reserved"},
		"approved before the cut": {func(p *play) {
			p.reserve(first)
			p.clock.Step(time.Second)
			p.PowerCut()
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
		}, false, "approved before the post last ended"},
		"closed again": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20*time.Second) + p.closes(20*time.Second)
			p.settle(first, wh, worth(wh))
		}, false, "has paid for a closing before"},
		"the account says otherwise": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			*p.sales[0].Captured++
		}, false, "the post's account says"},
		"the account has another bill": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			other := worth(wh) + 1
			p.sales[0].Gross = &other
		}, false, "the post's account has a bill of"},
		"the account says it is released": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			p.sales[0].State = "released"
		}, false, "is captured, the post's account says"},
		"the account says other energy": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh+1, worth(wh))
		}, false, "Wh flowed, the post's account says"},
		"the account has released more": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			*p.sales[0].Released++
		}, false, "the service has released"},
		"closed when the bill was taken": {func(p *play) {
			p.reserve(first)
			p.take(first, "c0", 100)
			p.closes(20 * time.Second)
		}, true, "nothing was reserved"},
		"given back": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			p.Till.Do(func(now time.Duration, b *till.Book) {
				b.Refund(now, till.Change{Key: "back", Ref: first, Amount: 1, Currency: payment.NOK})
			})
		}, false, "were given back"},
		"the account knows nothing": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			p.sales = nil
		}, false, "has no such charge"},
		"the account knows more": {func(p *play) {
			one := payment.Amount(1)
			p.sales = []Sale{{Ref: second, Captured: &one}}
		}, false, "the service does not know it"},
		"the account says it twice": {func(p *play) {
			p.reserve(first)
			wh := p.closes(20 * time.Second)
			p.settle(first, wh, worth(wh))
			p.sales = append(p.sales, p.sales[0])
		}, false, "stands twice"},
	}
}

// A Wh more or less is another bill, and parts of an øre are nobody's: 549 kr a kWh.
func TestWhatEnergyIsWorth(t *testing.T) {
	for wh, want := range map[hal.Energy]payment.Amount{0: 0, 1: 54, 100: 5490, 101: 5544, 1000: 54_900} {
		if got := worth(wh); got != want {
			t.Errorf("%d Wh are worth %d øre, want %d", int64(wh), int64(got), int64(want))
		}
	}
}

// TestJudge plays charges with one thing wrong at a time, which must be found, and
// sound ones, of which nothing may be said.
func TestJudge(t *testing.T) {
	all := money()
	maps.Copy(all, deeds())
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t)
			c.play(p)
			v := p.Judge(p.sales)
			if said := strings.Join(v.Faults, "\n"); c.found == "" && said != "" || !strings.Contains(said, c.found) {
				t.Errorf("found %q, want %q in it", said, c.found)
			}
			if (v.Wrong != 0) != c.wrong {
				t.Errorf("%v, wrong øre expected: %v", v, c.wrong)
			}
		})
	}
}

// TestPowerCutOpens: what the post does no longer, the world does.
func TestPowerCutOpens(t *testing.T) {
	p := newPlay(t)
	p.reserve(first)
	p.Contactor(hal.Closed)
	p.clock.Step(20 * time.Second)
	if _, closed := p.Flowing(); !closed || p.Owing() != 1 {
		t.Fatalf("closed %v, %d owing", closed, p.Owing())
	}
	p.PowerCut()
	p.clock.Step(time.Second)
	before, closed := p.Flowing()
	p.clock.Step(time.Minute)
	if after, _ := p.Flowing(); closed || before == 0 || after != before {
		t.Errorf("closed %v, %d Wh at first, %d a minute later", closed, before, after)
	}
}

// TestSales reads what a post exports.
func TestSales(t *testing.T) {
	sales, err := ReadSales(strings.NewReader(`{"ref":"A12-1-000001","state":"captured","energy_wh":11340,"gross":6225,"captured":6225,"released":28775}
{"count":1}
`))
	if err != nil || len(sales) != 1 || sales[0].Ref != first || sales[0].Energy != 11340 || *sales[0].Captured != 6225 || *sales[0].Released != 28775 {
		t.Errorf("%+v, %v", sales, err)
	}
	if _, err := ReadSales(strings.NewReader(`{"damage":"line 3"}`)); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("damage: %v", err)
	}
	if _, err := ReadSales(strings.NewReader(`nonsense`)); err == nil {
		t.Error("nonsense is taken")
	}
}
