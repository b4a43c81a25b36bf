package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/agent/mqtt"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// Chosen by us.
const (
	askAgain  = 15 * time.Second // what the payment service said is told again so long, without asking anew
	askFor    = 12 * time.Second // for its answer
	youngFor  = 30 * time.Second // after a start a meter need not have been read yet
	quietFor  = 3 * time.Minute  // a car that takes nothing for so long is told of
	probeFor  = 25 * time.Second // to look for a meter elsewhere
	unheardIn = 2 * time.Second  // a loop answers in microseconds
)

// factRoutes are what doctor and why ask for.
func (l *local) factRoutes() []control.Route {
	return []control.Route{
		{Name: "facts", Do: l.facts},
		{Name: "facts/meter", Least: control.Technician, Hardware: true, Do: l.findMeter},
	}
}

// facts is all that the daemon knows of itself.
func (l *local) facts(ctx context.Context, c control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		Ask bool `json:"ask"` // the payment service, unless it was just asked
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	d := doctor.Daemon{
		Post: l.cfg.Post.ID, Version: version, Commit: builtFrom(), Sum: l.running(), File: l.file, StateDir: l.dir, Clock: l.now().Wall.Clock.String(),
		Ledger: "there is none", Guest: c.Role < control.Technician,
	}
	if l.ledger != nil {
		d.Ledger = l.ledger()
	}
	if m, err := rememberedSeal(l.dir); err == nil {
		d.Seal = sealTrouble(m, l.runs.Load().Commissioning)
	}
	if args.Ask && !d.Guest { // it costs a write, and is not for everybody
		d.Disk = wrongOf(writable(l.dir))
	}
	for i, e := range l.cfg.EVSEs {
		v := l.unitOf(e.ID)
		if v == nil {
			continue
		}
		if err := beats(ctx, v); err != nil {
			d.Unheard = fmt.Sprintf("EVSE %d", e.ID)
		}
		d.EVSEs = append(d.EVSEs, l.evseFacts(i, e, v, d.Guest))
	}
	d.Displays = displayFacts(l.cfg, l.parts.displayHealth())
	d.Lacks = l.parts.lacking(d.Guest)
	asked := args.Ask && l.askPayments(ctx)
	d.Pay, d.Hooks, d.Broker = l.payFacts(asked, d.Guest), l.hookFacts(), l.brokerFacts()
	return d, nil
}

// unitOf is the EVSE of that number; nil if there is none.
func (l *local) unitOf(evse int) unit {
	for _, v := range l.units {
		if v.Rules().EVSE == evse {
			return v
		}
	}
	return nil
}

// beats says whether the loop of an EVSE takes what it is told. A hint for no payment
// means nothing to it.
func beats(ctx context.Context, v unit) error {
	ctx, cancel := context.WithTimeout(ctx, unheardIn)
	defer cancel()
	return v.Tell(ctx, session.Hinted{})
}

// evseFacts is what is known of one EVSE.
func (l *local) evseFacts(i int, e config.EVSE, v unit, guest bool) doctor.EVSE {
	s, now, _ := v.Snapshot()
	r := v.Rules()
	view := r.View(&s, now)
	want := r.Want(&s, now).Contactor
	f := doctor.EVSE{
		ID: e.ID, Phase: s.Phase.String(), Since: int64((now.Mono - s.Since) / time.Second),
		Quiet: s.Phase == session.Charging && view.Charge.Idle.Quiet >= quietFor, Young: now.Mono < youngFor,
		Dead: s.Phase == session.Idle && s.Dead(now.Mono), Most: session.MaxDebts, Journal: l.parts.found[e.ID],
		Contactor: doctor.Contactor{
			Sim: e.Contactor.Sim, Line: e.Contactor.Line, ActiveLow: e.Contactor.ActiveLow, Sense: e.Contactor.Sense, Want: want.String(), As: s.SensedAs(want, now.Mono),
			Wear: s.Wear.Closings,
		},
		Inputs: doctor.Inputs{Stop: e.Inputs.Stop, EStop: e.Inputs.EStop, RCD: e.Inputs.RCD, Hot: e.Inputs.Hot},
		Meter:  l.meterFacts(i, e, &s, r, now),
	}
	if !r.NoPlug {
		f.Plug = s.PlugSensed().String()
	}
	all := s.Faults()
	session.EachFault(func(x session.Faults) {
		if all&x != 0 {
			f.Faults = append(f.Faults, x.Code())
		}
	})
	for n := range s.Debts {
		f.Debts = append(f.Debts, debtFacts(r, &s.Debts[n], now.Wall, guest))
	}
	return f
}

func (l *local) meterFacts(i int, e config.EVSE, s *session.State, r *session.Rules, now hal.Instant) doctor.Meter {
	last := l.parts.seen.meter(e.ID)
	m := doctor.Meter{
		Model: r.Model, URL: e.Meter.URL, Unit: e.Meter.Unit, Serial: e.Meter.Serial, Pinned: s.Serial, Told: last.serial, Index: i,
		Heard: last.asked && last.err == nil, Took: last.took.Milliseconds(), MID: e.Meter.MIDUntil,
	}
	if v, _ := s.Believed(); v.At != 0 {
		age := int64((now.Mono - v.At) / time.Second)
		m.Age = &age
	}
	if last.err != nil {
		m.Trouble, m.Wrong = troubleWith(e.Meter.URL, last.err), last.err.Error()
	}
	return m
}

func debtFacts(r *session.Rules, d *session.Debt, now hal.Stamp, guest bool) doctor.Debt {
	f := doctor.Debt{Trouble: d.Trouble.String()}
	if !guest {
		f.Ref, f.Due = string(r.Ref(d.Number)), fmt.Sprintf("%v %s", d.Due, d.Price.Currency)
	}
	if age, left, ok := d.Countdown(now); ok {
		a, b := int64(age/time.Second), int64(left/time.Second)
		f.Age, f.Left = &a, &b
	}
	return f
}

// askPayments reads back a payment that never was. If the service says that there is
// none, then network, keys and sales unit are good; no money moves. It says no if it has
// just been asked.
func (l *local) askPayments(ctx context.Context) bool {
	m := l.parts.money
	if at := m.paid().at(); at > 0 && m.mono()-at < askAgain || len(l.units) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	_, err := m.Ask(ctx, payment.Order{Verb: payment.Look, Ref: nobodys(l.cfg)})
	if err != nil {
		l.log.Info("the payment service was asked by doctor, and does not answer as it should", "err", err)
	}
	return true
}

func (l *local) payFacts(asked, guest bool) doctor.Pay {
	last, now, v := l.parts.money.paid(), l.parts.money.mono(), l.cfg.Payment.Vipps
	p := doctor.Pay{Through: string(l.cfg.Payment.Through), Where: v.BaseURL, MSN: v.MSN, Asked: asked, Took: last.took.Milliseconds(), Kind: last.kind()}
	if last.well > 0 {
		s := int64((now - last.well) / time.Second)
		p.Well = &s
	}
	late := errors.Is(last.err, context.DeadlineExceeded) || errors.Is(last.err, mqtt.ErrAway)
	switch {
	case p.Kind == "":
		return p
	case p.Kind == doctor.Unreached && l.cfg.Payment.Through == config.ThroughGateway && !late:
		p.Kind = doctor.Ill // the gateway itself has answered
	}
	p.Wrong, p.Advice = last.trouble(), vipps.Advice(last.err)
	if guest { // what has gone wrong may name a payment
		p.Wrong = string(p.Kind)
	}
	return p
}

func (l *local) hookFacts() doctor.Hooks {
	h := l.parts.hooks
	if h == nil {
		return doctor.Hooks{}
	}
	held, last := h.state()
	f := doctor.Hooks{Wanted: true, URL: h.url, Held: held}
	if last != nil {
		f.Wrong = last.Error()
	}
	return f
}

func (l *local) brokerFacts() doctor.Broker {
	b := doctor.Broker{URL: l.cfg.MQTT.URL}
	if l.up == nil {
		if b.URL != "" {
			b.Wrong, b.Rejected = "mqtt.ca cannot be read", true
		}
		return b
	}
	since, cause := l.up.conn.State()
	b.Connected = l.up.connected()
	if !since.IsZero() {
		b.Since = int64(time.Since(since) / time.Second)
	}
	if cause != nil {
		b.Wrong, b.Rejected = cause.Error(), mqtt.Distrusted(cause)
	}
	if l.w.book != nil {
		b.Waiting, _ = l.w.book.Outbox().Waiting()
	}
	return b
}

// findMeter looks for a meter that does not answer where it should be, on the same line
// or behind the same gateway: with other settings of the line, and as other units.
func (l *local) findMeter(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		EVSE int `json:"evse"`
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	for _, e := range l.cfg.EVSEs {
		if e.ID == args.EVSE && e.Meter.URL != "" {
			return l.elsewhere(ctx, e)
		}
	}
	return nil, control.Refuse(control.NotFound, "no EVSE %d with a meter on a wire", args.EVSE)
}

// elsewhere keeps the bus for itself meanwhile, so it is done only while nobody charges
// by a meter on it.
func (l *local) elsewhere(ctx context.Context, e config.EVSE) (any, error) {
	for _, o := range l.cfg.EVSEs {
		v := l.unitOf(o.ID)
		if o.Meter.URL != e.Meter.URL || v == nil {
			continue
		}
		if s, _, _ := v.Snapshot(); s.Phase != session.Idle {
			return nil, control.Refuse(control.Unsafe, "EVSE %d is %v, and its meter is on the same line", o.ID, s.Phase)
		}
	}
	bus := l.parts.buses[e.Meter.URL]
	if bus == nil {
		return nil, control.Refuse(control.NotFound, "EVSE %d has no bus", e.ID)
	}
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	url, at, err := bus.Elsewhere(ctx, e.Meter.Unit)
	if err != nil {
		return nil, control.Refuse(control.Device, "look for the meter of EVSE %d: %v", e.ID, err)
	}
	return map[string]any{"url": url, "unit": at}, nil
}
