package main

import (
	"cmp"
	"slices"

	"stolpe/agent/ledger"
	"stolpe/payment"
)

// asked for are charges, those since a time or until one, in a state.
type wanted struct {
	Since int64  `json:"since,omitempty"` // s since 1970; 0 for all
	Until int64  `json:"until,omitempty"` // s since 1970, not included; 0 for all
	State string `json:"state,omitempty"` // see parseState
	EVSE  int    `json:"evse,omitempty"`  // number; 0 for all
	Limit int    `json:"limit,omitempty"` // how many, the newest; 0 for all
}

// fits says whether a charge is wanted.
func (w wanted) fits(r *record) bool {
	return r.at >= w.Since && (w.Until == 0 || r.at < w.Until) && (w.EVSE == 0 || r.EVSE == w.EVSE) &&
		(w.State == "" || w.State == string(r.State) || w.State == openState && r.State.open())
}

// past makes charges of the lines of a ledger. It holds those that are not over, and the
// others that are of the time that is wanted.
type past struct {
	wanted
	open    map[payment.Ref]*record
	settled []*record               // in the order in which they were
	index   map[payment.Ref]*record // of settled
	full    bool                    // there are more than can be held
}

// maxRecords is how many charges are held at once. Chosen by us: some ten megabytes, and
// years of a post.
const maxRecords = 20_000

func newPast(w wanted) *past {
	return &past{wanted: w, open: map[payment.Ref]*record{}, index: map[payment.Ref]*record{}}
}

// take takes in a line.
func (p *past) take(e ledger.Entry) {
	switch e.Kind {
	case ledger.Refunded:
		if r := p.index[e.Ref]; r != nil && e.Refund != nil {
			r.refund(e.Refund.Amount)
		}
		return
	case ledger.RefundIntent, ledger.RefundRefused, ledger.Informed, ledger.Void:
		return
	default:
	}
	if len(p.settled) >= maxRecords {
		p.full = true
		return
	}
	told, is := e.Data().(*ledger.Session)
	if !is || e.Ref == "" {
		return
	}
	r := p.open[e.Ref]
	if r == nil {
		if r = p.index[e.Ref]; r == nil {
			if e.Kind == ledger.PaymentFailed {
				return // of one that is over, and not wanted
			}
			r = &record{Ref: e.Ref, EVSE: e.EVSE, at: e.At}
			p.open[e.Ref] = r
		}
	}
	r.take(e.Kind, told)
	r.seq = e.Seq
	if r.settled && p.open[e.Ref] != nil {
		p.close(r)
	}
}

// close puts a charge to those that are settled, if it is of the time that is wanted.
func (p *past) close(r *record) {
	delete(p.open, r.Ref)
	if r.at < p.Since || p.Until > 0 && r.at >= p.Until || p.EVSE > 0 && r.EVSE != p.EVSE {
		return
	}
	p.settled = append(p.settled, r)
	p.index[r.Ref] = r
}

// refund notes money that was given back.
func (r *record) refund(a payment.Amount) {
	if r.Refunded != nil {
		a += *r.Refunded
	}
	r.Refunded = &a
	if r.settled {
		r.State = settledState(r)
	}
}

// records are the charges that are wanted, the newest first. What the post knows of itself
// counts for more than the ledger; sure says that it was asked, so that what it does not
// know of is lost.
func (p *past) records(live []record, sure bool) []record {
	knows := map[payment.Ref]bool{}
	for i := range live {
		knows[live[i].Ref] = true
	}
	var all []record
	for i := range live {
		if p.index[live[i].Ref] == nil && p.fits(&live[i]) {
			all = append(all, live[i])
		}
	}
	for _, r := range p.open {
		if knows[r.Ref] {
			continue
		}
		if sure {
			r.State = recordLost
		}
		if p.fits(r) {
			all = append(all, *r)
		}
	}
	for _, r := range p.settled {
		if p.fits(r) {
			all = append(all, *r)
		}
	}
	slices.SortFunc(all, func(a, b record) int { return cmp.Or(cmp.Compare(b.seq, a.seq), cmp.Compare(a.EVSE, b.EVSE)) })
	if p.Limit > 0 && len(all) > p.Limit {
		all = all[:p.Limit]
	}
	return all
}
