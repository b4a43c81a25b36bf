package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// payments is the real client, in front of the simulated service.
func (s *stage) payments(cfg config.Config) (evse.Payments, error) {
	access := vipps.Config{SystemName: "stolpe", SystemVersion: version, Description: description(cfg)}
	s.till.into(&access)
	client, err := vipps.New(access)
	return calling{client, s}, err
}

// chargeFor is how long the unattended driver charges, in the demo's time.
const chargeFor = 30 * time.Minute

// outcome is what --json prints.
type outcome struct {
	Reference payment.Ref    `json:"reference"`
	Reserved  payment.Amount `json:"reserved"` // minor units, like all amounts here
	Captured  payment.Amount `json:"captured"`
	Released  payment.Amount `json:"released"`
	Document  string         `json:"document"` // number of the sales document, which is in the app too
	EnergyWh  int64          `json:"energy_wh"`
	DurationS int64          `json:"duration_s"`
	Bill      bill           `json:"bill"`
}

type bill struct {
	Currency payment.Currency `json:"currency"`
	Lines    []line           `json:"lines"`
	Total    payment.Amount   `json:"total"`
	VAT      payment.Amount   `json:"vat"`
}

type line struct {
	Kind     string         `json:"kind"`
	Quantity int64          `json:"quantity"` // Wh, minutes or 1
	Each     payment.Amount `json:"each"`     // price of a kWh, a minute or a start
	Amount   payment.Amount `json:"amount"`
	VAT      payment.Amount `json:"vat"`
}

// driveOnce is a driver who scans, reserves, approves, charges and stops, all by
// way of the pages a phone would use.
func (s *stage) driveOnce(ctx context.Context, stdout io.Writer) error {
	phone := &phone{ctx: ctx, stage: s}
	if err := phone.drive(); err != nil {
		return err
	}
	v := s.unit()
	state, now, _ := v.Snapshot()
	if len(state.Done) == 0 {
		return errors.New("the charge is over and not settled")
	}
	d := state.Done[len(state.Done)-1]
	o := outcomeOf(v.Rules().Ref(d.Number), d)
	o.Document = v.Rules().ReceiptNumber(&d)
	view, _ := v.Rules().Session(&state, now, d.Holder)
	s.came = came{o, view.Charge}
	if d.Told != session.ToldNothing {
		if err := phone.findInApp(o.Reference); err != nil {
			return err
		}
	}
	if err := s.print(stdout, o); err != nil {
		return err
	}
	return s.audit(o)
}

// came is what came of a charge, in figures and as its driver sees it.
type came struct {
	outcome
	charge display.Charge
}

func outcomeOf(ref payment.Ref, d session.Debt) outcome {
	b := d.Bill()
	o := outcome{
		Reference: ref, Reserved: d.Limit, Captured: d.Captured, Released: d.Released,
		EnergyWh: int64(d.End - d.Start), DurationS: int64(d.Elapsed / time.Second),
		Bill: bill{Currency: d.Price.Currency, Total: b.Total, VAT: b.VAT},
	}
	for _, l := range b.Lines {
		if l.Amount != 0 {
			o.Bill.Lines = append(o.Bill.Lines, line{l.Kind.String(), l.Quantity, l.Each, l.Amount, l.VAT})
		}
	}
	return o
}

func (s *stage) print(w io.Writer, o outcome) error {
	if s.json {
		return json.NewEncoder(w).Encode(o)
	}
	_, err := fmt.Fprintf(w, "%s: reserved %v, %d Wh in %v, captured %v, released %v %s; receipt %s is in the app\n",
		o.Reference, o.Reserved, o.EnergyWh, time.Duration(o.DurationS)*time.Second, o.Captured, o.Released, o.Bill.Currency, o.Document)
	return err
}

// audit holds the post's account against the payment service's own.
func (s *stage) audit(o outcome) error {
	var sum payment.Amount
	for _, l := range o.Bill.Lines {
		sum += l.Amount
	}
	if o.Captured+o.Released != o.Reserved || sum != o.Captured || o.EnergyWh == 0 {
		return fmt.Errorf("the sums do not agree: captured %v + released %v, reserved %v, lines %v, %d Wh",
			o.Captured, o.Released, o.Reserved, sum, o.EnergyWh)
	}
	return s.till.agrees(o.Reference, o.Captured, o.Released)
}

// phone is what the unattended driver holds in the hand.
type phone struct {
	ctx   context.Context
	stage *stage
}

func (p *phone) drive() error {
	page, address, err := p.wait(p.stage.url+"/en/"+p.stage.code(), `name="seen" value="([^"]*)"`)
	if err != nil {
		return fmt.Errorf("landing page: %w", err)
	}
	form := url.Values{"seen": {page}, "amount": {strconv.FormatInt(int64(p.stage.cfg.Reserve.Default), 10)}}
	session, err := p.post(address, form)
	if err != nil {
		return fmt.Errorf("request a charge: %w", err)
	}
	app, _, err := p.wait(session, `href="(`+regexp.QuoteMeta(p.stage.till.url)+`[^"]*)"`)
	if err != nil {
		return fmt.Errorf("wait for the payment: %w", err)
	}
	if _, err := p.post(app, url.Values{"act": {"approve"}}); err != nil {
		return fmt.Errorf("approve in the app: %w", err)
	}
	if _, _, err := p.wait(session, `(CHARGING|Charging)`); err != nil {
		return fmt.Errorf("wait for energy: %w", err)
	}
	if err := p.sleep(p.stage.lasts); err != nil {
		return err
	}
	if _, err := p.post(session, url.Values{"act": {"stop"}}); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if _, _, err := p.wait(session, `(has been released)`); err != nil {
		return fmt.Errorf("wait for the settlement: %w", err)
	}
	return nil
}

// findInApp looks into the app until the receipt is there, and the link.
func (p *phone) findInApp(ref payment.Ref) error {
	for until := p.stage.clock.Now() + patience; p.stage.clock.Now() < until; {
		if receipt, link := p.stage.till.InApp(ref); receipt != nil && link != nil {
			return nil
		}
		if err := p.sleep(time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: no receipt in the app after %v", ref, patience)
}

// patience is how long the phone waits for a page to show something, in the
// demo's time.
const patience = 5 * time.Minute

// wait reads a page until it shows what is looked for, and gives that and the
// address it was found at.
func (p *phone) wait(address, pattern string) (found, at string, err error) {
	look := regexp.MustCompile(pattern)
	for until := p.stage.clock.Now() + patience; p.stage.clock.Now() < until; {
		body, at, err := p.do(http.MethodGet, address, nil)
		if err != nil {
			return "", "", err
		}
		if m := look.FindStringSubmatch(body); m != nil {
			return html.UnescapeString(m[1]), at, nil
		}
		if err := p.sleep(time.Second); err != nil {
			return "", "", err
		}
	}
	return "", "", fmt.Errorf("%s does not show %s after %v", address, pattern, patience)
}

func (p *phone) post(address string, form url.Values) (at string, err error) {
	_, at, err = p.do(http.MethodPost, address, form)
	return at, err
}

func (p *phone) do(method, address string, form url.Values) (body, at string, err error) {
	defer p.stage.turns.begin(p.stage.clock.Now())()
	r, err := http.NewRequestWithContext(p.ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", "", err
	}
	defer answer.Body.Close()
	const most = 1 << 20 // bytes of a page
	b, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s %s: %s", method, answer.Request.URL.Path, answer.Status)
	}
	return string(b), answer.Request.URL.String(), err
}

// sleep waits in the demo's time.
func (p *phone) sleep(d time.Duration) error {
	until := p.stage.clock.Now() + d
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for p.stage.clock.Now() < until {
		select {
		case <-tick.C:
		case <-p.ctx.Done():
			return fmt.Errorf("interrupted: %w", p.ctx.Err())
		}
	}
	return nil
}
