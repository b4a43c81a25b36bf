package main

import (
	"context"
	"encoding/json"
	"fmt"

	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/payment"
)

// priceRoutes are about what a charge costs.
func (l *local) priceRoutes() []control.Route {
	return []control.Route{
		{Name: "price", Least: control.Viewer, Do: l.showPrice},
		{Name: "price/history", Least: control.Viewer, Do: l.pastPrices},
		{Name: "price/set", Least: control.Admin, Changes: true, Do: l.setPriceAt},
		{Name: "price/cancel", Least: control.Admin, Changes: true, Do: l.cancelPrice},
	}
}

// shownPrice is what charges cost that begin now, and what they will cost later.
type shownPrice struct {
	priceJSON
	Next *priceSince `json:"next,omitempty"` // nil for none
}

// showPrice tells the price of charges that begin now.
func (l *local) showPrice(_ context.Context, who control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	p := shownPrice{priceJSON: priceToJSON(l.units[0].Rules().Price)}
	if next := l.later.waits(); next != nil {
		if one, err := l.priceLater(next); err == nil { // else the log says so when its time has come
			p.Next = one.seenBy(who)
		}
	}
	return p, nil
}

// seenBy is what somebody may know of a price: who has set it is for technicians.
func (p priceSince) seenBy(who control.Caller) *priceSince {
	if who.Role < control.Technician {
		p.By = ""
	}
	return &p
}

// pastPrices tells the prices that the ledger knows of.
func (l *local) pastPrices(ctx context.Context, who control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	var past pricesPast
	if l.w.book == nil {
		return nil, control.Refuse(control.Failed, "the post has no ledger now: look at its log")
	}
	err := l.w.book.From(1, func(e ledger.Entry, _ string) error {
		past.take(e)
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	all := past.prices()
	for i := range all {
		all[i] = *all[i].seenBy(who)
	}
	return map[string]any{"prices": all}, nil
}

// tells is a unit whose prices are written down.
type tells struct {
	unit
	note func(payment.Price)
}

// Reprice is that of the unit, and then it is written down.
func (t tells) Reprice(ctx context.Context, p payment.Price) error {
	err := t.unit.Reprice(ctx, p)
	if err == nil {
		t.note(p)
	}
	return err
}

// notePrice writes down what charges cost from now on.
func notePrice(w world, p payment.Price) {
	at := w.now().Wall
	post := ledger.Post{}.Priced(p)
	if err := w.book.Append(ledger.Entry{At: at.Unix, Clock: at.Clock.String(), Kind: ledger.PostConfig, Post: &post}); err != nil {
		w.log.Warn("ledger: another price is not written down", "err", err)
	}
}
