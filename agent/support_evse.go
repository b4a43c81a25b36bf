package main

import (
	"encoding/json"
	"fmt"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/journal"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/agent/support"
	"stolpe/hal"
	"stolpe/payment"
)

// evseFile is what a support bundle has of an EVSE: for people, and for a desk that
// plays it (stolpe sessions replay). Amounts are in minor units.
type evseFile struct {
	EVSE     int           `json:"evse"` // its number on the post
	Code     string        `json:"code"`
	At       time.Time     `json:"at"`
	Clock    string        `json:"clock"`
	Journal  string        `json:"journal"` // how it was found; live when the daemon told of it
	Phase    string        `json:"phase"`
	Faults   []faultWord   `json:"faults"`
	Serial   string        `json:"meter_serial,omitempty"`
	Meter    *meterWord    `json:"meter,omitempty"` // as last believed; only the daemon knows
	Plug     string        `json:"plug,omitempty"`
	Wires    hal.Signals   `json:"wires,omitempty"` // what they complain of, as bits
	Charge   *chargeWord   `json:"charge,omitempty"`
	Debts    []*chargeWord `json:"debts,omitempty"`
	Done     []*chargeWord `json:"done,omitempty"`
	Closings uint64        `json:"closings"`            // ordered so far
	Hot      uint64        `json:"openings_under_load"` // so far
	Rules    rulesWord     `json:"rules"`
	Record   []byte        `json:"record"` // the state in the journal's own form, without who the drivers are
}

// faultWord is a fault as a bundle tells it.
type faultWord struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// meterWord is a reading as a bundle tells it.
type meterWord struct {
	Register hal.Energy `json:"register_wh"`
	Power    hal.Power  `json:"power_w"`
	Serial   string     `json:"serial,omitempty"`
	Age      int64      `json:"age_s"` // s
}

// chargeWord is a charge as a bundle tells it.
type chargeWord struct {
	Charge string `json:"charge"` // what stands for its reference
	*ledger.Session
	Paid *priceWord `json:"paid_price,omitempty"` // what was promised at its request
	Idle int64      `json:"idle_s,omitempty"`     // with the idle fee running, s
}

// rulesWord is what an EVSE goes by, as far as a desk can play it.
type rulesWord struct {
	Price    priceWord  `json:"price"`
	MaxPower hal.Power  `json:"max_power_w"`
	Grain    hal.Energy `json:"grain_wh"`
	Modulus  hal.Energy `json:"modulus_wh,omitempty"`
	Refresh  string     `json:"refresh,omitempty"`
	NoPlug   bool       `json:"no_plug,omitempty"`
	Capture  int        `json:"capture_days,omitempty"` // days
	Receipts bool       `json:"receipts,omitempty"`
	Model    string     `json:"meter_model,omitempty"`
}

// priceWord is the price that the next driver is offered. Amounts are in minor units.
type priceWord struct {
	Currency payment.Currency `json:"currency"`
	VAT      int              `json:"vat_bp"` // basis points
	KWh      payment.Amount   `json:"kwh"`
	Minute   payment.Amount   `json:"minute"`
	Session  payment.Amount   `json:"session"`
	Free     string           `json:"idle_after"` // as in 15m0s
	Idle     payment.Amount   `json:"idle_minute"`
	Cap      payment.Amount   `json:"idle_cap"`
}

func priceWordOf(p payment.Price) priceWord {
	return priceWord{p.Currency, p.VAT, p.KWh, p.Minute, p.Session, p.Idle.After.String(), p.Idle.Minute, p.Idle.Cap}
}

// evseOf tells of an EVSE behind a veil.
func evseOf(v *support.Veil, r *session.Rules, s *session.State, now hal.Instant, found string) evseFile {
	v.Counts(r.EVSE, s.Counter, s.Receipts)
	f := evseFile{
		EVSE: r.EVSE, Code: r.Code, At: now.Wall.Time().UTC(), Clock: now.Wall.Clock.String(), Journal: found,
		Phase: s.Phase.String(), Serial: s.Serial, Faults: []faultWord{}, Closings: s.Wear.Closings, Hot: s.Wear.Hot,
		Rules: rulesWord{
			Price: priceWordOf(r.Price), MaxPower: r.MaxPower, Grain: r.Grain, Modulus: r.Modulus, NoPlug: r.NoPlug,
			Capture: int(r.Capture / (24 * time.Hour)), Receipts: r.Receipts, Model: r.Model,
		},
	}
	if r.Refresh > 0 {
		f.Rules.Refresh = r.Refresh.String()
	}
	session.EachFault(func(one session.Faults) {
		if s.Faults()&one != 0 {
			f.Faults = append(f.Faults, faultWord{one.Code(), one.String()})
		}
	})
	word := func(c *session.Charge, told *ledger.Session) *chargeWord {
		n := c.Number
		told.Number = v.Charge(r.EVSE, n)
		paid := priceWordOf(c.Price)
		return &chargeWord{v.Ref(string(r.Ref(n))), told, &paid, int64(c.Idle / time.Second)}
	}
	if s.Phase != session.Idle {
		f.Charge = word(&s.Charge, ledger.Created(&s.Charge))
	}
	for i := range s.Debts {
		f.Debts = append(f.Debts, word(&s.Debts[i].Charge, ledger.Owed(&s.Debts[i])))
	}
	for i := range s.Done {
		d := &s.Done[i]
		told := ledger.Owed(d)
		told.Captured, told.Released = &d.Captured, &d.Released
		f.Done = append(f.Done, word(&d.Charge, told))
	}
	k := veiled(v, r.EVSE, s.Kept)
	f.Record = k.Append(nil)
	return f
}

// veiled is a state in which nobody is to be recognised, and all else is as it was.
func veiled(v *support.Veil, evse int, k session.Kept) session.Kept {
	k.Counter, k.Receipts = v.Charge(evse, k.Counter), v.Document(evse, k.Receipts)
	hide := func(c session.Charge) session.Charge {
		c.Number = v.Charge(evse, c.Number)
		if c.Holder != (payment.Holder{}) {
			copy(c.Holder[:], v.Hash(string(c.Holder[:])))
		}
		return c
	}
	k.Charge = hide(k.Charge)
	all := func(debts []session.Debt) []session.Debt {
		var hidden []session.Debt
		for _, d := range debts {
			d.Charge, d.Receipt = hide(d.Charge), v.Document(evse, d.Receipt)
			hidden = append(hidden, d)
		}
		return hidden
	}
	k.Debts, k.Done = all(k.Debts), all(k.Done)
	return k
}

// liveEVSE tells of an EVSE that runs.
func liveEVSE(v *support.Veil, u unit) evseFile {
	s, now, _ := u.Snapshot()
	f := evseOf(v, u.Rules(), &s, now, "live")
	if r, heard := s.Believed(); r.At != 0 {
		f.Meter = &meterWord{r.Register, r.Power, r.Serial, int64((now.Mono - heard) / time.Second)}
	}
	f.Plug, f.Wires = [...]string{hal.PlugUnknown: "unknown", hal.PlugOut: "out", hal.PlugIn: "in"}[s.PlugSensed()], s.Signals()
	return f
}

// deadEVSE tells of an EVSE by its journal, which nobody else has open.
func deadEVSE(v *support.Veil, c config.Config, e config.EVSE, now hal.Instant) (evseFile, error) {
	j, found, err := journal.Open(c.StateDir, journalOf(e.ID), ownerOf(c.Post.ID, e.ID))
	if err != nil {
		return evseFile{}, err
	}
	defer j.Close() //nolint:errcheck // nothing was written
	k := read(found)
	r := &session.Rules{
		Post: c.Post.ID, EVSE: e.ID, Code: e.Code, Price: c.Price, MaxPower: e.MaxPower, Grain: 1,
		NoPlug: e.Inputs.Plug == "", Capture: captureWithin(c.Country), Receipts: c.Payment.Receipts, Model: e.Meter.Model,
	}
	s := session.State{Kept: k.state}
	how := found.Doubt.String()
	if k.detail != "" {
		how += ": " + k.detail
	}
	return evseOf(v, r, &s, now, how), nil
}

// piece makes a file of a bundle of something.
func piece(name, about string, object any) (support.Piece, error) {
	b, err := json.MarshalIndent(object, "", "  ")
	return support.Piece{Name: name, About: about, Body: append(b, '\n')}, err
}

func (f evseFile) name() string { return fmt.Sprintf("evse-%d.json", f.EVSE) }
