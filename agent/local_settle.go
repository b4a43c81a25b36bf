package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/session"
	"stolpe/payment"
)

// owing is a charge that is over, and whose reservation is not settled.
type owing struct {
	Ref      payment.Ref      `json:"ref"`
	EVSE     int              `json:"evse"` // its number
	Due      payment.Amount   `json:"due"`  // to be taken of the reservation, minor units
	Reserved payment.Amount   `json:"reserved"`
	Currency payment.Currency `json:"currency"`
	Stuck    bool             `json:"stuck"`
	Trouble  string           `json:"trouble,omitempty"` // a payment.Reason's word
	Age      *int64           `json:"age_s,omitempty"`   // since it ended
	Left     *int64           `json:"left_s,omitempty"`  // for which the reservation is sure
	Out      bool             `json:"asking"`            // the service is being asked now
	Next     int64            `json:"next_s"`            // until it is asked by itself
	Retry    int64            `json:"retry_s"`           // until a person may have it asked sooner
}

// owings are those of an EVSE, the oldest first.
func owings(v unit) (all []owing) {
	s, now, _ := v.Snapshot()
	r := v.Rules()
	for i := range s.Debts {
		d := &s.Debts[i]
		next, retry, out := s.Asking(i)
		o := owing{
			Ref: r.Ref(d.Number), EVSE: r.EVSE, Due: d.Due, Reserved: d.Limit, Currency: d.Price.Currency,
			Stuck: d.Stuck(now.Wall), Trouble: d.Trouble.String(), Out: out,
			Next: wholeSeconds(next - now.Mono), Retry: wholeSeconds(retry - now.Mono),
		}
		if age, left, known := d.Countdown(now.Wall); known {
			a, l := int64(age/time.Second), int64(left/time.Second)
			o.Age, o.Left = &a, &l
		}
		all = append(all, o)
	}
	return all
}

// wholeSeconds are those until something, rounded up.
func wholeSeconds(d time.Duration) int64 {
	return int64((max(0, d) + time.Second - 1) / time.Second)
}

// owed is a charge that is not settled; nil if it is, or there is none.
func (l *local) owed(ref payment.Ref) *owing {
	for _, v := range l.units {
		for _, o := range owings(v) {
			if o.Ref == ref {
				return &o
			}
		}
	}
	return nil
}

// owedList is what the route sessions/owed gives.
type owedList struct {
	Owed []owing `json:"owed"`
}

func (l *local) owedSessions(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	if err := control.Read(text, &struct{}{}); err != nil {
		return nil, err
	}
	list := owedList{Owed: []owing{}}
	for _, v := range l.units {
		list.Owed = append(list.Owed, owings(v)...)
	}
	return list, nil
}

// settleSessions has settlements tried again, at once, and says which. What comes of it
// shows in sessions/owed.
func (l *local) settleSessions(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		Sessions []payment.Ref `json:"sessions"`
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	if n := len(args.Sessions); n == 0 || n > maxSettle {
		return nil, control.Refuse(control.Invalid, "sessions: has %d, want 1 to %d references", n, maxSettle)
	}
	list := owedList{Owed: []owing{}}
	for _, ref := range args.Sessions {
		v, o := l.debtor(ref)
		if v == nil {
			return nil, control.Refuse(control.NotFound, "no charge %s waits to be settled; stolpe sessions show %s tells what became of it", ref, ref)
		}
		if o.Retry > 0 || o.Out {
			list.Owed = append(list.Owed, o)
			continue
		}
		// Whoever looks next must not take the pause before for what came of it.
		shown, err := tell(ctx, v, session.Retried{Ref: ref}, func(*session.State) bool {
			now := ofRef(owings(v), ref)
			return now == nil || now.Out || now.Retry > 0 || now.Next == 0
		})
		switch {
		case err != nil:
			return nil, err
		case !shown:
			return nil, fmt.Errorf("EVSE %d has not tried within %v; stolpe doctor tells whether it can", o.EVSE, settleDown)
		}
		o.Next = 0
		list.Owed = append(list.Owed, o)
	}
	return list, nil
}

// maxSettle is how many are settled at once: more than a post can owe.
const maxSettle = 100

// debtor is the EVSE that owes a settlement.
func (l *local) debtor(ref payment.Ref) (unit, owing) {
	for _, v := range l.units {
		for _, o := range owings(v) {
			if o.Ref == ref {
				return v, o
			}
		}
	}
	return nil, owing{}
}
