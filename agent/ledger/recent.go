package ledger

import "stolpe/payment"

// recent is where the newest charges stand, so that a page need not read the book.
type recent struct {
	refs     map[payment.Ref]charge
	holders  map[payment.Holder]int64 // where the line begins, bytes
	order    []payment.Ref            // as they came; the oldest are forgotten
	receipts map[int]uint64           // newest number, by EVSE
}

type charge struct {
	holder payment.Holder
	told   bool
}

func newRecent() recent {
	return recent{refs: map[payment.Ref]charge{}, holders: map[payment.Holder]int64{}, receipts: map[int]uint64{}}
}

// note takes in an entry that begins at an offset.
func (r *recent) note(e Entry, at int64) {
	switch e.Kind {
	case Sold, Ended:
		if e.Sale != nil {
			r.add(e, at)
		}
	case Void:
		if e.Gap != nil {
			r.receipts[e.EVSE] = max(r.receipts[e.EVSE], e.Gap.To)
		}
	case Informed:
		if c, ok := r.refs[e.Ref]; ok {
			c.told = true
			r.refs[e.Ref] = c
		}
	}
}

func (r *recent) add(e Entry, at int64) {
	h := payment.Holder(e.Sale.Holder)
	if _, known := r.refs[e.Ref]; !known {
		r.order = append(r.order, e.Ref)
	}
	r.refs[e.Ref], r.holders[h] = charge{holder: h}, at
	r.receipts[e.EVSE] = max(r.receipts[e.EVSE], e.Sale.Document)
	if len(r.order) > maxRecent {
		oldest := r.order[0]
		delete(r.holders, r.refs[oldest].holder)
		delete(r.refs, oldest)
		r.order = r.order[1:]
	}
}
