package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/journal"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/sim"
)

// tally is what came of all charges.
type tally struct {
	Charges  int // asked for and written down
	Approved int
	Captured int
	Small    int            // approved, and given to the driver because the service takes no less
	Killed   int            // captured, by posts that were killed during a charge
	Sum      payment.Amount // captured, minor units
	Dearest  payment.Amount // of the captures, minor units
}

// newRegister is what a simulated meter shows when it is new, in Wh.
const newRegister hal.Energy = 10_344_076

// judge holds the three witnesses against each other.
func (v *victim) judge() {
	kept := v.journal()
	if kept.Phase != session.Idle {
		v.wrong("the journal says %v", kept.Phase)
	}
	rules := session.Rules{Post: v.id, EVSE: 1}
	own, never := map[payment.Ref]session.Debt{}, map[payment.Ref]bool{}
	for _, d := range kept.Debts {
		never[rules.Ref(d.Number)] = d.Due == 0 && !d.Held
	}
	var used hal.Energy
	last := newRegister
	for _, d := range kept.Done {
		ref := rules.Ref(d.Number)
		if _, twice := own[ref]; twice || d.Start < last || d.End < d.Start {
			v.wrong("%s from %v to %v, after a register of %v, once before: %v", ref, d.Start, d.End, last, twice)
		}
		own[ref] = d
		used += d.End - d.Start
		last = d.End
	}
	if moved := v.register() - newRegister; used != moved {
		v.wrong("the meter has counted %v Wh, the charges %v Wh", int64(moved), int64(used))
	}
	v.book(own)
	v.till.Do(func(now time.Duration, b *sim.Book) {
		for p := range b.Payments(now) {
			if strings.HasPrefix(string(p.Ref), v.id+"-") {
				d, known := own[p.Ref]
				delete(own, p.Ref)
				delete(never, p.Ref)
				v.compare(p, d, known, b.Events(now, p.Ref))
			}
		}
	})
	for ref, d := range own {
		if d.Captured != 0 || d.Due != 0 {
			v.wrong("%s: the post has captured %v of %v, the service does not know it", ref, d.Captured, d.Due)
		}
	}
	if len(never) != len(kept.Debts) {
		v.wrong("not all is settled: %+v", kept.Debts)
	}
	for ref, nothing := range never {
		if !nothing {
			v.wrong("%s: there is a bill, but no payment", ref)
		}
	}
	v.confess()
}

// compare holds a payment against the post's own account of it.
func (v *victim) compare(p sim.Payment, d session.Debt, known bool, events []sim.Event) {
	f := p.Found
	var captures int
	var captured payment.Amount
	for _, e := range events {
		if e.Name == sim.Captured && e.Success {
			captures++
			captured += e.Amount
		}
	}
	bill := payment.Amount(int64(d.End-d.Start) * v.kwh / 1000)
	owed := min(bill, payment.Amount(v.limit))
	if owed < payment.NOK.Minimum() {
		owed = 0
	}
	switch {
	case !known:
		v.wrong("%s: the post does not know it", p.Ref)
	case f.State == payment.Created:
		v.wrong("%s still waits for its payer", p.Ref)
	case f.Left() != 0 || f.State == payment.Authorised && f.Taken+f.Freed != f.Held || f.Refunded != 0:
		v.wrong("%s is not at its end: %+v", p.Ref, f)
	case captures > 1 || captured != f.Taken || (f.Taken > 0) != (captures == 1):
		v.wrong("%s: %d captures of %v in all, %v taken", p.Ref, captures, captured, f.Taken)
	case f.State == payment.Authorised && f.Taken != owed || f.State != payment.Authorised && f.Taken != 0:
		v.wrong("%s: %v taken for %d Wh: want %v", p.Ref, f.Taken, int64(d.End-d.Start), owed)
	case d.Captured != f.Taken || d.Due != f.Taken || f.State == payment.Authorised && d.Released != f.Freed:
		v.wrong("%s: the service says %+v, the post %+v", p.Ref, f, d)
	case bill > payment.Amount(v.limit):
		v.wrong("%s: %d Wh come to %v, past the reservation of %v", p.Ref, int64(d.End-d.Start), bill, v.limit)
	}
	v.count(f, d)
}

// count adds a payment to the tally.
func (v *victim) count(f payment.Found, d session.Debt) {
	t := &v.street.tally
	v.street.mu.Lock()
	defer v.street.mu.Unlock()
	t.Charges++
	if f.State == payment.Authorised {
		t.Approved++
	}
	if f.Taken == 0 && d.End > d.Start {
		t.Small++
	}
	if f.Taken > 0 {
		t.Captured++
		t.Sum += f.Taken
		t.Dearest = max(t.Dearest, f.Taken)
		if v.killed {
			t.Killed++
		}
	}
}

// confess looks for secrets in what the post has logged.
func (v *victim) confess() {
	v.keep(v.keys.ClientID)
	v.keep(v.keys.ClientSecret)
	v.keep(v.keys.SubscriptionKey)
	logged := v.everything()
	for secret := range v.secrets {
		if secret != "" && strings.Contains(logged, secret) {
			v.wrong("the log tells %q", secret)
		}
	}
}

// journal reads what the post has kept.
func (v *victim) journal() session.Kept {
	j, found, err := journal.Open(v.dir, "evse-1", v.id+"/1")
	if err != nil {
		v.wrong("%v", err)
		return session.Kept{}
	}
	defer j.Close()
	if found.Doubt != journal.Sound {
		v.wrong("the journal is %v: %s", found.Doubt, found.Detail)
	}
	kept, err := session.Decode(found.Payload)
	if err != nil {
		v.wrong("%v", err)
	}
	return kept
}

// register is what the meter shows, in Wh.
func (v *victim) register() hal.Energy {
	b, err := os.ReadFile(filepath.Join(v.dir, "bench-1"))
	if err != nil {
		v.wrong("%v", err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		v.wrong("register: %v", err)
	}
	return hal.Energy(n)
}

// wrong tells what is wrong, with all that the post has logged.
func (v *victim) wrong(format string, a ...any) {
	v.t.Errorf("%s: %s\n%s", v.id, fmt.Sprintf(format, a...), v.everything())
}

// everything is all that the post has logged, with a line for each start.
func (v *victim) everything() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	for n, l := range v.logs {
		fmt.Fprintf(&b, "--- start %d\n%s", n+1, l)
	}
	return b.String()
}
