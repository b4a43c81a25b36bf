package main

import (
	"maps"

	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/payment"
)

// book holds what the post has written down for its fleet against its journal: every
// charge that is settled stands there once and by the same amounts, lines are numbered
// without a hole however often their writer was killed, and nothing that was not sent is
// left out of what is to be.
func (v *victim) book(settled map[payment.Ref]session.Debt) {
	book, torn, err := ledger.Open(ledgerPath(v.dir))
	if err != nil || torn != 0 {
		v.wrong("the ledger is opened with %d torn bytes, %v", torn, err)
		return
	}
	defer book.Close() //nolint:errcheck // nothing was written
	book.Named(v.id)
	left := maps.Clone(settled)
	ids, newest := map[string]bool{}, uint64(0)
	err = book.From(1, func(e ledger.Entry, id string) error {
		if e.Seq != newest+1 || ids[id] {
			v.wrong("line %d of the ledger comes after %d, with an id that was there before: %v", e.Seq, newest, ids[id])
		}
		ids[id], newest = true, e.Seq
		if e.Sale == nil {
			return nil
		}
		d, known := left[e.Ref]
		if _, ours := settled[e.Ref]; ours && !known {
			v.wrong("%s stands in the ledger twice", e.Ref)
		}
		if known && (e.Sale.Captured != d.Captured || e.Sale.Released != d.Released) {
			v.wrong("%s: the ledger says %v and %v, the journal %v and %v", e.Ref, e.Sale.Captured, e.Sale.Released, d.Captured, d.Released)
		}
		delete(left, e.Ref)
		return nil
	})
	if err != nil {
		v.wrong("the ledger: %v", err)
	}
	for ref := range left {
		v.wrong("%s is settled and not in the ledger", ref)
	}
	v.unsent(book, ids)
}

// unsent takes all that is to be sent out of the book: it has never had a broker.
func (v *victim) unsent(book *ledger.Ledger, ids map[string]bool) {
	out, next := book.Outbox(), uint64(1)
	for {
		batch, err := out.Next(7)
		if err != nil {
			v.wrong("the outbox: %v", err)
		}
		if len(batch) == 0 {
			break
		}
		for _, s := range batch {
			if s.Entry.Seq != next || !ids[s.ID] {
				v.wrong("event %d of the outbox is %d, of an id in the book: %v", next, s.Entry.Seq, ids[s.ID])
			}
			delete(ids, s.ID)
			next++
		}
		out.Done(next - 1)
	}
	if len(ids) > 0 {
		v.wrong("%d events are not to be sent", len(ids))
	}
}
