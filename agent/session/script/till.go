package script

import (
	"slices"
	"time"

	"stolpe/payment"
)

// mood is how the payment service treats those who ask.
type mood string

const (
	well    mood = "ok"      // takes a request and answers it at once
	lost    mood = "lost"    // requests never arrive
	deaf    mood = "deaf"    // requests are carried out, answers never arrive
	late    mood = "late"    // requests wait in the air until the service is well again
	busy    mood = "busy"    // not now, later
	refuses mood = "refuses" // reads are answered, changes are refused for a reason
	keeps   mood = "keeps"   // makes payments, and settles none
)

const (
	askTimeout  = 20 * time.Second // an asking without an answer ends
	payerWithin = 10 * time.Minute // the service ends a payment nobody approves
)

// till is the payment service, as far as one EVSE can tell.
type till struct {
	mood     mood
	reason   payment.Reason
	wait     time.Duration // told with busy
	shy      bool          // tells a payment's address once only
	payments map[payment.Ref]*entry
	refs     []payment.Ref // in the order of their making
	inAir    []payment.Order
	touched  []payment.Ref // changed since somebody looked
}

type entry struct {
	payment.Found
	made time.Duration
}

func newTill() *till { return &till{mood: well, payments: map[payment.Ref]*entry{}} }

// ask carries out an order, and says what is answered and after which time.
func (l *till) ask(now time.Duration, o payment.Order) (payment.Answer, time.Duration) {
	switch l.mood {
	case late:
		l.inAir = append(l.inAir, o)
		return payment.Answer{}, askTimeout
	case lost:
		return payment.Answer{}, askTimeout
	case deaf:
		l.carryOut(now, o)
		return payment.Answer{}, askTimeout
	case busy:
		return payment.Answer{Status: payment.Busy, Wait: l.wait}, 0
	case keeps:
		if o.Verb == payment.Settle {
			return payment.Answer{Status: payment.Busy, Wait: time.Minute}, 0
		}
	case refuses:
		if o.Next(l.found(o.Ref)).Kind != payment.NoCall {
			return payment.Answer{Status: payment.Refused, Reason: l.reason, Found: l.found(o.Ref)}, 0
		}
	}
	return l.carryOut(now, o), 0
}

// land carries out what has been in the air; nobody waits for the answers.
func (l *till) land(now time.Duration) {
	for _, o := range l.inAir {
		l.carryOut(now, o)
	}
	l.inAir = nil
}

func (l *till) found(ref payment.Ref) payment.Found {
	if e := l.payments[ref]; e != nil {
		f := e.Found
		if f.State != payment.Created || l.shy {
			f.URL = ""
		}
		return f
	}
	return payment.Found{}
}

// carryOut does what one asking does: at most one call, then the answer.
func (l *till) carryOut(now time.Duration, o payment.Order) payment.Answer {
	f := l.found(o.Ref)
	if o.Verb == payment.Reserve && f.State != payment.NotFound && !o.Ours(f) {
		return payment.Answer{Status: payment.Refused, Reason: payment.Foreign}
	}
	call := o.Next(f)
	first := call.Kind == payment.Create
	if first {
		l.refs = append(l.refs, o.Ref)
		l.payments[o.Ref] = &entry{Found: payment.Found{
			State: payment.Created, Amount: o.Amount, URL: "pay/" + string(o.Ref), Terms: o.Terms,
		}, made: now}
		l.touched = append(l.touched, o.Ref)
	}
	switch call.Kind {
	case payment.Capture:
		l.change(o.Ref, func(f *payment.Found) { f.Taken += call.Amount })
	case payment.Withdraw:
		l.change(o.Ref, func(f *payment.Found) { f.State = payment.EndedByUs })
	case payment.CancelAll:
		l.change(o.Ref, func(f *payment.Found) { f.Freed += f.Left() })
	}
	f = l.found(o.Ref)
	if first {
		f.URL = l.payments[o.Ref].URL
	}
	return o.Answer(f)
}

func (l *till) change(ref payment.Ref, how func(*payment.Found)) {
	e := l.payments[ref]
	if e == nil {
		return
	}
	before := e.Found
	how(&e.Found)
	if e.Found != before && !slices.Contains(l.touched, ref) {
		l.touched = append(l.touched, ref)
	}
}

// age ends the payments nobody has approved in time.
func (l *till) age(now time.Duration) {
	for _, ref := range l.refs {
		if e := l.payments[ref]; e.State == payment.Created && now-e.made >= payerWithin {
			l.change(ref, func(f *payment.Found) { f.State = payment.TimedOut })
		}
	}
}

// newest is the payment made last, "" if there is none.
func (l *till) newest() payment.Ref {
	if len(l.refs) == 0 {
		return ""
	}
	return l.refs[len(l.refs)-1]
}
