package ledger

import (
	"maps"
	"slices"

	"stolpe/agent/session"
	"stolpe/payment"
)

// maxOwn is how many charges of each EVSE are known however many the others have: as
// many as a journal can offer again.
const maxOwn = session.MaxDone + session.MaxDebts

// recent is where the newest charges stand, so that a page need not read the book.
type recent struct {
	refs     map[payment.Ref]charge
	holders  map[payment.Holder]place
	order    []payment.Ref  // as they came; the oldest are forgotten
	own      map[int][]mark // the newest, by EVSE
	receipts map[int]uint64 // newest number, by EVSE
	faults   map[int]Raised // not over, by EVSE
	damaged  string         // the newest damage
}

type charge struct {
	holder payment.Holder
	told   bool
}

// mark is a charge whose end is in the book.
type mark struct {
	Ref  payment.Ref `json:"ref"`
	Told bool        `json:"told,omitempty"` // what became of its receipt is in the book, too
}

func newRecent() recent {
	return recent{refs: map[payment.Ref]charge{}, holders: map[payment.Holder]place{}, own: map[int][]mark{}, receipts: map[int]uint64{}, faults: map[int]Raised{}}
}

// mark finds a charge among the newest of its EVSE; nil if it is none of them.
func (r *recent) mark(ref payment.Ref) *mark {
	for _, own := range r.own {
		if i := slices.IndexFunc(own, func(m mark) bool { return m.Ref == ref }); i >= 0 {
			return &own[i]
		}
	}
	return nil
}

// note takes in an entry that stands there.
func (r *recent) note(e Entry, at place) {
	switch e.Kind {
	case pageKind:
		for evse, n := range e.Page.Receipts {
			r.receipts[evse] = max(r.receipts[evse], n)
		}
		for evse, faults := range e.Page.Faults {
			r.faults[evse] = maps.Clone(faults)
		}
		for evse, own := range e.Page.Newest {
			if len(own) >= len(r.own[evse]) {
				r.own[evse] = slices.Clone(own)
			}
		}
	case FaultRaised, FaultCleared:
		if e.Fault != nil {
			r.fault(e)
		}
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
		if m := r.mark(e.Ref); m != nil {
			m.Told = true
		}
	}
}

// fault takes in a fault that has come, or gone.
func (r *recent) fault(e Entry) {
	if e.Kind == FaultCleared {
		delete(r.faults[e.EVSE], e.Fault.Code)
		return
	}
	if r.faults[e.EVSE] == nil {
		r.faults[e.EVSE] = Raised{}
	}
	if _, known := r.faults[e.EVSE][e.Fault.Code]; !known {
		r.faults[e.EVSE][e.Fault.Code] = e.At
	}
}

func (r *recent) add(e Entry, at place) {
	h := payment.Holder(e.Sale.Holder)
	if _, known := r.refs[e.Ref]; !known {
		r.order = append(r.order, e.Ref)
	}
	r.refs[e.Ref], r.holders[h] = charge{holder: h}, at
	if r.mark(e.Ref) == nil {
		own := append(r.own[e.EVSE], mark{Ref: e.Ref})
		r.own[e.EVSE] = own[max(0, len(own)-maxOwn):]
	}
	r.receipts[e.EVSE] = max(r.receipts[e.EVSE], e.Sale.Document)
	if len(r.order) > maxRecent {
		oldest := r.order[0]
		delete(r.holders, r.refs[oldest].holder)
		delete(r.refs, oldest)
		r.order = r.order[1:]
	}
}
