package ledger

import (
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// Priced is what is told of the post, and what a charge costs from then on.
func (p Post) Priced(price payment.Price) Post {
	p.Price, p.Currency = tariffOf(price), price.Currency
	return p
}

// Price is what a charge cost when the entry was written, or, of a charge that is over,
// when that was asked for; and when that was.
func (e *Entry) Price() (p payment.Price, at hal.Stamp, ok bool) {
	switch {
	case e.Sale != nil:
		d := e.Sale.Debt()
		return d.Price, d.Started, true
	case e.Session != nil && e.Session.Price != nil && e.Kind == SessionCreated:
		return e.Session.Price.price(e.Session.Currency), stampOf(*e), true
	case e.Post != nil && e.Post.Price != nil:
		return e.Post.Price.price(e.Post.Currency), stampOf(*e), true
	}
	return payment.Price{}, hal.Stamp{}, false
}

func (t *tariff) price(c payment.Currency) payment.Price {
	return payment.Price{
		Currency: c, VAT: t.VAT, KWh: t.KWh, Minute: t.Minute, Session: t.Session,
		Idle: payment.Idle{After: time.Duration(t.Free) * time.Second, Minute: t.Idle, Cap: t.Cap},
	}
}
