package main

import (
	"fmt"
	"strings"
	"sync/atomic"

	"stolpe/display"
	"stolpe/payment"
	"stolpe/payment/relay"
	"stolpe/payment/vipps"
)

// units are the sales units as they are at the moment. A reload exchanges all of
// them at once; what is under way goes on with those it began with.
type units struct {
	now atomic.Pointer[[]salesUnit]
}

// salesUnit is a sales unit and whoever asks it.
type salesUnit struct {
	unit
	client *vipps.Client
	pages  string // scheme and host, with a slash at the end
}

// open makes clients for the units of a configuration, and lets them take over.
// name gives the name of a post, for what payers read.
func (u *units) open(s settings, name func(tenant, post string) string) error {
	var all []salesUnit
	for _, x := range s.Units {
		client, err := vipps.New(vipps.Config{
			BaseURL: x.BaseURL, MSN: x.MSN, ClientID: x.ClientID.Reveal(), ClientSecret: x.ClientSecret.Reveal(),
			SubscriptionKey: x.SubscriptionKey.Reveal(), SystemName: "stolpe-gateway", SystemVersion: version, Push: x.Push,
			Description: func(t payment.Terms) string {
				post, _, _ := strings.Cut(t.EVSE, "/")
				return display.LangOf(x.Currency).Reservation(t.EVSE, name(x.Tenant, post))
			},
		})
		if err != nil {
			return fmt.Errorf("unit %s: %w", x.MSN, err)
		}
		all = append(all, salesUnit{x, client, s.PublicURL + "/"})
	}
	u.now.Store(&all)
	return nil
}

// all are the sales units at the moment; none before the first configuration.
func (u *units) all() []salesUnit {
	if now := u.now.Load(); now != nil {
		return *now
	}
	return nil
}

// of finds the sales unit of a post: the first that fits.
func (u *units) of(tenant, post string) (salesUnit, bool) {
	for _, x := range u.all() {
		if x.Tenant == tenant && x.has(post) {
			return x, true
		}
	}
	return salesUnit{}, false
}

// has says whether a post sells through the unit: by its name, or by how that begins.
func (x unit) has(post string) bool {
	for _, p := range x.Posts {
		if start, open := strings.CutSuffix(p, "*"); p == post || open && strings.HasPrefix(post, start) {
			return true
		}
	}
	return false
}

// relayed is the unit of a post in the relay's words. The other units of its tenant
// may have payments from the time before posts were moved between them.
func (u *units) relayed(tenant, post string) (relay.Unit, bool) {
	own, ok := u.of(tenant, post)
	if !ok {
		return relay.Unit{}, false
	}
	r := relay.Unit{Payments: []relay.Payments{own.client}, Currency: own.Currency, Most: own.Max, Pages: own.pages}
	for _, x := range u.all() {
		if x.Tenant == tenant && x.client != own.client {
			r.Payments = append(r.Payments, x.client)
		}
	}
	return r, true
}

// dress gives a post the brand and the terms of its owner.
func (u *units) dress(tenant string, p *display.Post) bool {
	x, ok := u.of(tenant, p.ID)
	p.Brand, p.TermsURL = x.Brand, x.TermsURL
	return ok
}
