package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"stolpe/agent/config/strict"
	"stolpe/payment"
)

// check compares keys with each other. It leaves alone what is wrong already.
func (r *reader) check(f *file) {
	r.checkSeller(f)
	r.checkPrice(f)
	r.checkReserve(f)
	for i := range f.EVSEs {
		r.checkMeter(f, i)
		r.checkContactor(f, i)
		r.checkAlike(f, i)
	}
	r.checkDisplays(f)
	r.checkPages(f)
	r.checkAccept(f)
	r.checkRotating(f)
	r.checkLines(f)
	r.checkWeb(f)
	r.checkVipps(f)
	r.checkApproval(f)
	r.checkGateway(f)
	r.checkMQTT(f)
	r.checkCommands(f)
	r.checkLimits(f)
}

// reader is what was read, and checks what strict cannot know of.
type reader struct{ *strict.Reader }

func (r *reader) checkSeller(f *file) {
	want := countryOf(f.Post.Country).orgDigits
	if r.Fine("post.country", "seller.org_no") && len(f.Seller.OrgNo) != want {
		r.Fail("seller.org_no", strict.Quote(f.Seller.OrgNo), fmt.Sprintf("%d digits, as post.country is %s", want, f.Post.Country))
	}
	if r.Fine("seller.vat_registered", "price.vat_bp") && !f.Seller.VATRegistered && f.Price.VAT != 0 {
		r.Fail("price.vat_bp", fmt.Sprint(f.Price.VAT), "0, as seller.vat_registered is false")
	}
}

func (r *reader) checkPrice(f *file) {
	want := countryOf(f.Post.Country).currency
	if r.Fine("post.country", "price.currency") && f.Price.Currency != want {
		r.Fail("price.currency", strict.Quote(string(f.Price.Currency)), fmt.Sprintf("%s, as post.country is %s", want, f.Post.Country))
	}
	if !r.Fine("price.currency", "price.vat_bp", "price.kwh", "price.minute", "price.session", "price.idle.minute", "price.idle.cap") {
		return
	}
	if err := f.price().Check(); err != nil {
		r.Fail("price", "a price that does not hold ("+err.Error()+")", "kwh, minute or session above 0")
	}
}

func (r *reader) checkReserve(f *file) {
	if !r.Fine("reserve.choices") {
		return
	}
	choices := f.Reserve.Choices
	least := f.Price.Currency.Minimum()
	for i, c := range choices {
		path := fmt.Sprintf("reserve.choices[%d]", i)
		if r.Fine("price.currency") && c < least {
			r.Fail(path, amount(c), "at least "+amount(least)+", the smallest payment")
		}
		if i > 0 && c <= choices[i-1] {
			r.Fail(path, fmt.Sprintf("%d after %d", c, choices[i-1]), "each amount larger than the one before")
		}
	}
	if r.Fine("reserve.default") && !slices.Contains(choices, f.Reserve.Default) {
		r.Fail("reserve.default", fmt.Sprintf("%d", f.Reserve.Default), fmt.Sprintf("one of reserve.choices %d", choices))
	}
}

func (r *reader) checkWeb(f *file) {
	if !r.Fine("web.listen", "web.public_url", "payment.through") || f.Web.PublicURL != "" || f.Payment.Through == ThroughGateway {
		return
	}
	switch {
	case f.Payment.Through == ThroughVipps:
		r.Fail("web.public_url", "nothing", "the address to which the payer comes back, as payment.through is vipps")
	case !listensOnLoopback(f.Web.Listen):
		r.Fail("web.public_url", "nothing", "the address that phones use, as web.listen is "+f.Web.Listen)
	}
}

// checkVipps checks what matters only if the post calls Vipps itself.
func (r *reader) checkVipps(f *file) {
	if f.Payment.Through != ThroughVipps {
		return
	}
	v := f.Payment.Vipps
	if v.MSN == "" && r.Fine("payment.vipps.msn") {
		r.Fail("payment.vipps.msn", "nothing", needed(ThroughVipps))
	}
	near := strings.HasPrefix(v.BaseURL, "http:") // a simulator on this machine
	if v.Webhooks && !near && !reachable(f.Web.PublicURL) && r.Fine("web.public_url", "payment.vipps.webhooks", "payment.vipps.base_url") {
		r.Fail("payment.vipps.webhooks", "true", "false, as web.public_url is "+f.Web.PublicURL+", where the service cannot tell anything; or there https on port 443 or 8080")
	}
	for i, e := range f.EVSEs {
		path := fmt.Sprintf("evses[%d].meter.url", i)
		if e.Meter.URL == "" && v.BaseURL == vippsLive && r.Fine(path, "payment.vipps.base_url") {
			r.Fail(path, "a simulated meter, which would bill real money", "a real meter, or payment.vipps.base_url: https://apitest.vipps.no")
		}
	}
}

// reachable says whether the payment service delivers webhooks to an address
// (webhooks guide; port 80 is listed there too, and has no https).
func reachable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return false
	}
	return u.Port() == "" || u.Port() == "443" || u.Port() == "8080"
}

// amount writes an amount as it stands in the file and as people say it.
func amount(a payment.Amount) string { return fmt.Sprintf("%d (%s %s)", a, a, majorUnit) }

// vippsLive is where real money moves (ePayment API 1.8.1, servers).
const vippsLive = "https://api.vipps.no"

// vippsApproval is how long a payer has to approve: 5 minutes to open the
// payment and 5 to confirm it (Vipps MobilePay knowledge base, "Timeouts"). Giving up earlier
// would tell somebody who is just approving that nothing will be charged.
const vippsApproval = 10 * time.Minute

// checkApproval gives payers their time. One of the simulator has as long as it
// pleases whoever plays.
func (r *reader) checkApproval(f *file) {
	through := f.Payment.Through
	if through != ThroughSim && f.Limits.Approve < vippsApproval && r.Fine("limits.approve", "payment.through") {
		r.Fail("limits.approve", strict.Short(f.Limits.Approve), "at least "+strict.Short(vippsApproval)+" with payment.through: "+string(through)+", where the payer has that long")
	}
}

func (r *reader) checkLimits(f *file) {
	l := f.Limits
	for _, part := range []struct {
		name string
		d    time.Duration
	}{{"limits.no_energy", l.NoEnergy}, {"limits.car_full", l.CarFull}} {
		if r.Fine(part.name, "limits.longest") && part.d > l.Longest {
			r.Fail(part.name, strict.Short(part.d), "at most the "+strict.Short(l.Longest)+" of limits.longest")
		}
	}
}
