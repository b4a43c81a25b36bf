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
		{Name: "price/set", Least: control.Admin, Changes: true, Do: likeFromAfar(l.setPrice)},
	}
}

// showPrice tells the price of charges that begin now.
func (l *local) showPrice(_ context.Context, _ control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	return priceToJSON(l.units[0].Rules().Price), nil
}

// pastPrices tells the prices that the ledger knows of.
func (l *local) pastPrices(ctx context.Context, _ control.Caller, args json.RawMessage) (any, error) {
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
	return map[string]any{"prices": past.prices()}, nil
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
