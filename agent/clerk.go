package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
)

// clerk writes into the ledger what has become of the charges of one EVSE, after what
// the scribe has to tell of them. The loop leaves the charges settled last and goes on;
// nothing waits for the clerk. What cannot be written yet is kept, up to a bound, and
// what stands on the loop's list at a start brings in what a crash kept from being
// written.
type clerk struct {
	book   *ledger.Ledger
	rules  *session.Rules
	evse   int // its number on the post
	log    *slog.Logger
	scribe *scribe       // whose tray comes first; nil for none
	wake   chan struct{} // something was left; one place
	ill    bool          // the book could not be written the last time
	fresh  []settled     // settled, and not known to be on disk; the loop's own

	mu   sync.Mutex // for moments; the loop takes it too
	tray []settled  // to be written, in the order in which they were settled
	lost int        // charges for which there was no room
}

// settled is a charge that is over, and what was known when that was seen.
type settled struct {
	debt   session.Debt
	serial string
	wall   hal.Stamp
}

// maxTray is how many charges may wait for a book that cannot be written. Chosen by
// us: some days of a busy EVSE, in a hundred kilobytes.
const maxTray = 256

func newClerk(book *ledger.Ledger, rules *session.Rules, evse int, log *slog.Logger) *clerk {
	return &clerk{book: book, rules: rules, evse: evse, log: log, wake: make(chan struct{}, 1)}
}

// Saw leaves the list when it has changed and is on disk. A number of a document that a
// power cut takes back is given again, and must not be in the book by then.
func (c *clerk) Saw(m evse.Moment) {
	before, after := m.Before.Done, m.After.Done
	if len(after) > 0 && (len(before) != len(after) || &before[0] != &after[0]) {
		for _, d := range after {
			c.fresh = with(c.fresh, settled{d, m.After.Serial, m.Now.Wall})
		}
	}
	if len(c.fresh) > 0 && m.Kept {
		c.put(c.fresh)
		c.fresh = nil
	}
}

// leave puts what has been settled into the tray. It is on disk.
func (c *clerk) leave(k session.Kept, wall hal.Stamp) {
	var all []settled
	for _, d := range k.Done {
		all = with(all, settled{d, k.Serial, wall})
	}
	c.put(all)
}

// put puts charges into the tray.
func (c *clerk) put(all []settled) {
	c.mu.Lock()
	for _, s := range all {
		c.tray = with(c.tray, s)
	}
	if n := len(c.tray) - maxTray; n > 0 {
		c.tray = slices.Delete(c.tray, 0, n)
		c.lost += n
	}
	c.mu.Unlock()
	c.call()
}

// call says that something was left.
func (c *clerk) call() {
	select {
	case c.wake <- struct{}{}:
	default: // the clerk knows
	}
}

// with adds a charge to a list, or what is newer of it.
func with(list []settled, s settled) []settled {
	for i := range list {
		if list[i].debt.Number == s.debt.Number {
			list[i].debt = s.debt
			return list
		}
	}
	return append(list, s)
}

// bookAgain is how long the clerk waits with a book that cannot be written. Chosen
// by us: nothing else waits for it.
const bookAgain = 10 * time.Minute

// run writes until ctx ends, and then what has been left, as far as the card answers.
func (c *clerk) run(ctx context.Context) {
	if !endsWith(ctx, func() { c.serve(ctx) }) {
		c.log.Error("ledger does not answer; what was left is not written")
	}
}

func (c *clerk) serve(ctx context.Context) {
	for {
		var again <-chan time.Time
		if c.ill {
			again = time.After(bookAgain)
		}
		select {
		case <-c.wake:
		case <-again:
		case <-ctx.Done():
			c.write()
			return
		}
		c.write()
	}
}

// write brings the book up to what is in the tray, as far as that can be done.
func (c *clerk) write() {
	c.mu.Lock()
	todo, lost := slices.Clone(c.tray), c.lost
	c.lost = 0
	c.mu.Unlock()
	if lost > 0 {
		c.log.Error("ledger: there was no room to keep what could not be written; stolpe payment reconcile finds these charges", "charges", lost)
	}
	err := c.writeAll(todo)
	if err != nil && !c.ill {
		c.log.Error("ledger cannot be written; charging and settling go on without it", "err", err)
	}
	c.ill = err != nil
}

// writeAll writes what the scribe has, which is about the same charges and came first,
// and then the charges.
func (c *clerk) writeAll(todo []settled) error {
	if c.scribe != nil {
		if err := c.scribe.write(); err != nil {
			return err
		}
	}
	for _, s := range todo {
		if err := c.writeOne(&s.debt, s); err != nil {
			return err
		}
		c.done(s)
	}
	return nil
}

// done takes a charge out of the tray, unless there is something newer of it.
func (c *clerk) done(s settled) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tray = slices.DeleteFunc(c.tray, func(x settled) bool { return x.debt == s.debt })
}

func (c *clerk) writeOne(d *session.Debt, n settled) error {
	ref := c.rules.Ref(d.Number)
	e := ledger.Entry{At: n.wall.Unix, Clock: n.wall.Clock.String(), EVSE: c.evse, Ref: ref}
	if err := c.book.Ready(); err != nil { // else no number would be known, and all would be void
		return err
	}
	if err := c.skip(d, e); err != nil {
		return err
	}
	sale := ledger.SaleOf(*d, c.rules.ReceiptNumber(d), c.rules.Model, n.serial)
	sold := e
	sold.Kind, sold.Sale = ledger.Ended, &sale
	if d.Captured > 0 || sale.WrittenOff > 0 {
		sold.Kind = ledger.Sold
	}
	if err := c.book.Append(sold); err != nil { // if it is there already, it is on disk then
		return err
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
