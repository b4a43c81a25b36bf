package main

import (
	"context"
	"log/slog"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
)

// clerk writes into the ledger what has become of the charges of one EVSE. The
// loop leaves the list of those settled last and goes on; nothing waits for the
// clerk. Each list holds what the ones before it held, so only the newest counts,
// and what stands on the list at a start brings in what a crash kept from being
// written.
type clerk struct {
	book  *ledger.Ledger
	rules *session.Rules
	evse  int // its number on the post
	log   *slog.Logger
	list  chan settledNow // the newest; one place
	ill   bool            // the book could not be written the last time
}

// settledNow is what the clerk needs of a moment.
type settledNow struct {
	done   []session.Debt // not changed by anybody
	serial string
	wall   hal.Stamp
}

func newClerk(book *ledger.Ledger, rules *session.Rules, evse int, log *slog.Logger) *clerk {
	return &clerk{book: book, rules: rules, evse: evse, log: log, list: make(chan settledNow, 1)}
}

// Saw leaves the list if it is not as it was.
func (c *clerk) Saw(m evse.Moment) {
	before, after := m.Before.Done, m.After.Done
	if len(after) == 0 || len(before) == len(after) && &before[0] == &after[0] {
		return
	}
	c.leave(m.After.Kept, m.Now.Wall)
}

// leave leaves a list, in place of one that has not been fetched.
func (c *clerk) leave(k session.Kept, wall hal.Stamp) {
	select {
	case <-c.list:
	default:
	}
	select {
	case c.list <- settledNow{k.Done, k.Serial, wall}:
	default: // another has just left a list; there is one clerk for one loop, so this does not happen
	}
}

// bookAgain is how long the clerk waits with a book that cannot be written. Chosen
// by us: nothing else waits for it.
const bookAgain = 10 * time.Minute

// run writes until ctx ends, and then what has been left.
func (c *clerk) run(ctx context.Context) {
	for {
		select {
		case n := <-c.list:
			for !c.write(n) {
				select {
				case n = <-c.list:
				case <-time.After(bookAgain):
				case <-ctx.Done():
					return
				}
			}
		case <-ctx.Done():
			select {
			case n := <-c.list:
				c.write(n)
			default:
			}
			return
		}
	}
}

// write brings the book up to a list, and says whether it could.
func (c *clerk) write(n settledNow) bool {
	for i := range n.done {
		if err := c.writeOne(&n.done[i], n); err != nil {
			if !c.ill {
				c.log.Error("ledger cannot be written; charging and settling go on without it", "err", err)
			}
			c.ill = true
			return false
		}
	}
	c.ill = false
	return true
}

func (c *clerk) writeOne(d *session.Debt, n settledNow) error {
	ref := c.rules.Ref(d.Number)
	e := ledger.Entry{At: n.wall.Unix, Clock: n.wall.Clock.String(), EVSE: c.evse, Ref: ref}
	if !c.book.Has(ref) {
		if err := c.skip(d, e); err != nil {
			return err
		}
		sale := ledger.SaleOf(*d, c.rules.ReceiptNumber(d), c.rules.Model, n.serial)
		sold := e
		sold.Kind, sold.Sale = ledger.Ended, &sale
		if d.Captured > 0 || sale.WrittenOff > 0 {
			sold.Kind = ledger.Sold
		}
		if err := c.book.Append(sold); err != nil {
			return err
		}
	}
	if d.Told < session.ToldAll || c.book.HasTold(ref) {
		return nil
	}
	e.Kind, e.Told = ledger.Informed, d.Told.String()
	return c.book.Append(e)
}

// skip writes down the numbers that are missing before a document's own.
func (c *clerk) skip(d *session.Debt, e ledger.Entry) error {
	newest := c.book.Receipts(c.evse)
	if d.Receipt <= newest+1 {
		return nil
	}
	e.Ref, e.Kind = "", ledger.Void
	e.Gap = &ledger.Gap{From: newest + 1, To: d.Receipt - 1, Why: "lost with a card, or with this ledger"}
	return c.book.Append(e)
}
