package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/payment"
)

// priceJSON is a price as --json and the local API have it, VAT included, in minor units.
// Its names are those of the configuration.
type priceJSON struct {
	Currency payment.Currency `json:"currency"`
	VAT      int              `json:"vat_bp"` // of the net price, basis points
	KWh      payment.Amount   `json:"kwh"`
	Minute   payment.Amount   `json:"minute"`
	Session  payment.Amount   `json:"session"`
	Idle     struct {
		After  int            `json:"after_minutes"` // that are free, minutes
		Minute payment.Amount `json:"minute"`
		Cap    payment.Amount `json:"cap"` // 0 for none
	} `json:"idle"`
}

func priceToJSON(p payment.Price) priceJSON {
	j := priceJSON{Currency: p.Currency, VAT: p.VAT, KWh: p.KWh, Minute: p.Minute, Session: p.Session}
	j.Idle.After, j.Idle.Minute, j.Idle.Cap = int(p.Idle.After/time.Minute), p.Idle.Minute, p.Idle.Cap
	return j
}

// since is when a price began to hold, as far as the ledger tells.
type priceSince struct {
	Since string    `json:"since,omitempty"` // RFC 3339, UTC; left out if the post did not know the time
	By    string    `json:"by,omitempty"`    // who has set it, where somebody is known to have
	Price priceJSON `json:"price"`

	at int64 // s since 1970; 0 if that is not known
}

// pricesPast finds the prices of a post in the lines of its ledger. Starts of the program,
// changes and requests tell of the price of their time; charges that are over tell of
// older times, whose other lines are kept no longer.
type pricesPast struct {
	all    []priceSince
	sold   []priceSince
	setter string // of the newest command that may be setting a price
}

// take takes in a line.
func (p *pricesPast) take(e ledger.Entry) {
	if c := e.Command; c != nil {
		switch {
		case e.Kind != ledger.CommandAccepted:
			p.setter = ""
		case setsPrice(c.Name):
			p.setter = c.Issuer
		}
	}
	price, at, ok := e.Price()
	if !ok {
		return
	}
	one := priceSince{Price: priceToJSON(price)}
	if at.Clock != hal.ClockUnknown {
		one.at, one.Since = at.Unix, at.Time().UTC().Format(time.RFC3339)
	}
	switch {
	case e.Sale == nil:
		if e.Kind == ledger.PostConfig {
			one.By = p.setter
		}
		p.all = append(p.all, one)
	case len(p.all) == 0 && one.at > 0: // later ones say no more than what else is written down
		p.sold = append(p.sold, one)
	}
}

// setsPrice says whether a command may lead to another price.
func setsPrice(name string) bool {
	return slices.Contains([]string{"price/set", "price.set", "reload"}, name)
}

// prices are the prices one after the other, the newest first.
func (p *pricesPast) prices() []priceSince {
	slices.SortStableFunc(p.sold, func(a, b priceSince) int { return cmp.Compare(a.at, b.at) })
	all := slices.Concat(p.sold, p.all)
	all = slices.CompactFunc(all, func(a, b priceSince) bool { return a.Price == b.Price })
	slices.Reverse(all)
	return all
}

// priceLines tell a price to people: what it is for, and how much.
func priceLines(p priceJSON) []string {
	money := func(a payment.Amount) string { return a.String() + " " + string(p.Currency) }
	lines := []string{money(p.KWh) + " per kWh"}
	if p.Minute > 0 {
		lines = append(lines, money(p.Minute)+" per minute of charging")
	}
	if p.Session > 0 {
		lines = append(lines, money(p.Session)+" to start")
	}
	if p.Idle.Minute > 0 {
		idle := fmt.Sprintf("%s per minute without charging, after %d min", money(p.Idle.Minute), p.Idle.After)
		if p.Idle.Cap > 0 {
			idle += ", at most " + money(p.Idle.Cap)
		}
		lines = append(lines, idle)
	}
	vat := payment.Amount(p.VAT).String() // basis points are hundredths of a per cent
	return append(lines, "VAT of "+strings.TrimSuffix(strings.TrimSuffix(vat, "0"), ".0")+" % included")
}
