package main

import (
	"context"
	"encoding/json"

	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/payment"
)

// sessionRoutes are about charges.
func (l *local) sessionRoutes() []control.Route {
	return []control.Route{
		{Name: "sessions", Least: control.Viewer, Do: l.listSessions},
		{Name: "sessions/export", Least: control.Technician, Follow: l.exportSessions},
		{Name: "sessions/show", Least: control.Technician, Do: l.showSession},
		{Name: "sessions/receipt", Least: control.Technician, Do: l.receiptOf},
		{Name: "owed", Least: control.Technician, Do: l.owedNow},
		{Name: "sessions/owed", Least: control.Technician, Do: l.owedSessions},
		{Name: "sessions/settle", Least: control.Technician, Changes: true, Do: l.settleSessions},
	}
}

// firstSpan is how many lines of the ledger, the newest, are read for a list at first.
// Chosen by us: some hundred charges, in a fraction of a second on the smallest board.
const firstSpan = 4096

func (l *local) listSessions(ctx context.Context, c control.Caller, text json.RawMessage) (any, error) {
	w := wanted{Limit: listLimit}
	if err := control.Read(text, &w); err != nil {
		return nil, err
	}
	if err := parseState(w.State); err != nil {
		return nil, control.Refuse(control.Invalid, "%v", err)
	}
	if w.Limit < 1 || w.Limit > listMost {
		return nil, control.Refuse(control.Invalid, "limit %d: want 1 to %d", w.Limit, listMost)
	}
	all, err := l.records(ctx, w, false)
	if err != nil {
		return nil, err
	}
	found := chargeList{Sessions: make([]record, 0, len(all)), Redacted: c.Role < control.Technician, Damage: l.damage()}
	for _, r := range all {
		found.Sessions = append(found.Sessions, r.seenBy(c.Role))
	}
	return found, nil
}

// damage is what is wrong with the ledger.
func (l *local) damage() string {
	if l.w.book == nil {
		return ""
	}
	return l.w.book.Health()
}

// records are the charges that are wanted, the newest first. It reads no more of the ledger
// than it must, or all.
func (l *local) records(ctx context.Context, w wanted, all bool) ([]record, error) {
	p := newPast(w)
	for span := uint64(firstSpan); l.w.book != nil; span *= 4 {
		newest, from := l.w.book.Newest(), uint64(1)
		if !all && newest > span {
			from = newest - span + 1
		}
		var oldest int64 // s since 1970
		p = newPast(w)
		err := l.w.book.From(from, func(e ledger.Entry, _ string) error {
			if oldest == 0 {
				oldest = e.At
			}
			p.take(e)
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
		if from == 1 || p.enough(oldest) {
			break
		}
	}
	if p.full {
		return nil, control.Refuse(control.Invalid, "%v", tooMany())
	}
	var live []record
	for _, v := range l.units {
		live = append(live, liveRecords(v)...)
	}
	return p.records(live, true), nil
}

// enough says whether there is no need to read further back than to a line of some time.
func (p *past) enough(oldest int64) bool {
	fitting := 0
	for _, r := range p.settled {
		if p.fits(r) {
			fitting++
		}
	}
	return fitting >= p.Limit && p.Limit > 0 || p.Since > 0 && oldest >= epoch && oldest < p.Since
}

// chargeNamed reads the arguments of a route about one charge.
func chargeNamed(text json.RawMessage, args any, id *string) (payment.Ref, error) {
	if err := control.Read(text, args); err != nil {
		return "", err
	}
	ref, err := parseRef(*id)
	if err != nil {
		return "", control.Refuse(control.Invalid, "%v", err)
	}
	return ref, nil
}

func (l *local) showSession(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		ID string `json:"id"`
	}
	ref, err := chargeNamed(text, &args, &args.ID)
	if err != nil {
		return nil, err
	}
	c, err := l.chapter(ctx, ref)
	if err != nil {
		return nil, err
	}
	var live []record
	for _, v := range l.units {
		for _, r := range liveRecords(v) {
			if r.Ref == ref {
				live = append(live, r)
			}
		}
	}
	s, found := c.shown(live, true)
	if !found {
		return nil, noSession(ref)
	}
	s.Owed = l.owed(ref)
	s.Damage = l.damage()
	return s, nil
}

func noSession(ref payment.Ref) error {
	return control.Refuse(control.NotFound, "the post knows of no charge %s; stolpe sessions list has the newest, and stolpe payment show asks the payment service", ref)
}

// chapter is what the ledger has of one charge.
func (l *local) chapter(ctx context.Context, ref payment.Ref) (*chapter, error) {
	c := newChapter(ref)
	if l.w.book == nil {
		return c, nil
	}
	return c, l.w.book.From(1, func(e ledger.Entry, _ string) error {
		c.take(e)
		return ctx.Err()
	})
}

func (l *local) receiptOf(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		ID   string `json:"id"`
		Lang string `json:"lang"`
	}
	ref, err := chargeNamed(text, &args, &args.ID)
	if err != nil {
		return nil, err
	}
	lang, ok := display.ParseLang(args.Lang)
	if !ok {
		return nil, control.Refuse(control.Invalid, "lang %q: want nb or en", args.Lang)
	}
	for _, v := range l.units { // the ledger may not have it yet
		s, now, _ := v.Snapshot()
		r := v.Rules()
		for i := range s.Done {
			if d := &s.Done[i]; r.Ref(d.Number) == ref {
				return documentOf(lang, l.cfg.Post, r.Code, r.Past(&s, now, s.Serial, d).Charge)
			}
		}
	}
	c, err := l.chapter(ctx, ref)
	if err != nil {
		return nil, err
	}
	if c.sale == nil {
		return nil, c.noReceipt()
	}
	for _, v := range l.units {
		if r := v.Rules(); r.EVSE == c.evse {
			return documentOf(lang, l.cfg.Post, r.Code, c.charge(r))
		}
	}
	return documentOf(lang, l.cfg.Post, "", c.charge(&session.Rules{Post: l.cfg.Post.ID, EVSE: c.evse}))
}

// documentOf is the sales document of a charge that is settled.
func documentOf(lang display.Lang, post display.Post, code string, c display.Charge) (display.Document, error) {
	d, ok := lang.Document(post, code, c)
	if !ok {
		return d, control.Refuse(control.NotFound, "nothing was sold at charge %s, so it has no receipt; stolpe sessions show %s tells why", c.Ref, c.Ref)
	}
	return d, nil
}

// exportSessions sends all charges that are wanted, the oldest first, and last a line that
// says how many there were.
func (l *local) exportSessions(ctx context.Context, c control.Caller, text json.RawMessage, send func(any) error) error {
	args := struct {
		wanted
		Redact bool `json:"redact"`
	}{}
	if err := control.Read(text, &args); err != nil {
		return err
	}
	if err := parseState(args.State); err != nil {
		return control.Refuse(control.Invalid, "%v", err)
	}
	if !args.Redact && c.Role < control.Admin {
		return control.Refuse(control.NotPermitted, "an export with references is for an admin (sudo); --redact leaves them out")
	}
	all, err := l.records(ctx, args.wanted, true)
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if args.Redact {
			all[i].blacken(l.cfg.Post.Zone)
		}
		if err := send(exported{Session: &all[i]}); err != nil {
			return nil //nolint:nilerr // whoever wanted it has gone
		}
	}
	n := len(all)
	return send(exported{Count: &n, Damage: l.damage()})
}
