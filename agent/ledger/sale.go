package ledger

import (
	"encoding/hex"
	"fmt"
	"time"

	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Sale is everything that is known of a charge that is over. Amounts are in minor
// units.
type Sale struct {
	Number     uint64         `json:"number"`
	Receipt    string         `json:"receipt,omitempty"`  // number of the sales document, as printed
	Document   uint64         `json:"document,omitempty"` // the same, in its series
	Holder     holder         `json:"holder"`             // a hash; see payment.Holder
	Price      price          `json:"price"`
	Reserved   payment.Amount `json:"reserved"`
	Approved   bool           `json:"approved"`
	StartWh    hal.Energy     `json:"start_wh"`
	SeenWh     hal.Energy     `json:"seen_wh"` // known for sure while it ran
	EndWh      hal.Energy     `json:"end_wh"`
	ElapsedNs  time.Duration  `json:"elapsed_ns"`
	IdleNs     time.Duration  `json:"idle_ns"`
	Started    stamp          `json:"started"`
	Ended      stamp          `json:"ended"`
	Closed     stamp          `json:"closed"`
	Why        display.End    `json:"why"`
	WhyText    string         `json:"why_text"`
	Writes     uint16         `json:"writes"`     // calls that may have changed something
	Guaranteed int64          `json:"guaranteed"` // s since 1970; 0 not told
	Gathered   bool           `json:"gathered"`   // read back after a card was lost
	Due        payment.Amount `json:"due"`
	Attempt    uint8          `json:"attempt"` // which capture key was in use
	Captured   payment.Amount `json:"captured"`
	Released   payment.Amount `json:"released"`
	WrittenOff payment.Amount `json:"written_off"` // of the bill, what was not captured
	Trouble    payment.Reason `json:"trouble"`
	TroubleWas string         `json:"trouble_text,omitempty"`
	Told       session.Told   `json:"told"` // when this was written
	Model      string         `json:"meter_model,omitempty"`
	Serial     string         `json:"meter_serial,omitempty"`
}

type stamp struct {
	Unix  int64     `json:"unix"` // s since 1970
	Clock hal.Clock `json:"clock"`
}

type price struct {
	Currency  payment.Currency `json:"currency"`
	VAT       int              `json:"vat_bp"` // basis points
	KWh       payment.Amount   `json:"kwh"`
	Minute    payment.Amount   `json:"minute"`
	Session   payment.Amount   `json:"session"`
	IdleAfter time.Duration    `json:"idle_after_ns"`
	IdleEach  payment.Amount   `json:"idle_minute"`
	IdleCap   payment.Amount   `json:"idle_cap"`
}

// holder is written in hex.
type holder payment.Holder

// MarshalText writes it.
func (h holder) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads it.
func (h *holder) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("holder: want %d bytes in hex", len(h))
	}
	copy(h[:], b)
	return nil
}

// SaleOf tells of a charge that is over; receipt is its number as printed.
func SaleOf(d session.Debt, receipt, model, serial string) Sale {
	p := d.Price
	s := Sale{
		Number: d.Number, Receipt: receipt, Document: d.Receipt, Holder: holder(d.Holder),
		Price:    price{p.Currency, p.VAT, p.KWh, p.Minute, p.Session, p.Idle.After, p.Idle.Minute, p.Idle.Cap},
		Reserved: d.Limit, Approved: d.Held, StartWh: d.Start, SeenWh: d.Seen, EndWh: d.End, ElapsedNs: d.Elapsed, IdleNs: d.Idle,
		Started: stamp(d.Started), Ended: stamp(d.Ended), Closed: stamp(d.Closed), Why: d.Why, WhyText: d.Why.String(),
		Writes: d.Writes, Guaranteed: d.Guaranteed, Gathered: d.Gathered, Due: d.Due, Attempt: d.Attempt,
		Captured: d.Captured, Released: d.Released, Trouble: d.Trouble, TroubleWas: d.Trouble.String(), Told: d.Told,
		Model: model, Serial: serial,
	}
	if total := d.Bill().Total; total >= p.Currency.Minimum() {
		s.WrittenOff = max(0, total-d.Captured)
	}
	return s
}

// Debt gives the charge back as the session knew it.
func (s Sale) Debt() session.Debt {
	p := s.Price
	return session.Debt{
		Charge: session.Charge{
			Number: s.Number, Holder: payment.Holder(s.Holder), Limit: s.Reserved, Held: s.Approved,
			Price: payment.Price{
				Currency: p.Currency, VAT: p.VAT, KWh: p.KWh, Minute: p.Minute, Session: p.Session,
				Idle: payment.Idle{After: p.IdleAfter, Minute: p.IdleEach, Cap: p.IdleCap},
			},
			Start: s.StartWh, Seen: s.SeenWh, End: s.EndWh, Elapsed: s.ElapsedNs, Idle: s.IdleNs,
			Started: hal.Stamp(s.Started), Ended: hal.Stamp(s.Ended), Why: s.Why, Writes: s.Writes,
			Guaranteed: s.Guaranteed, Gathered: s.Gathered,
		},
		Due: s.Due, Attempt: s.Attempt, Trouble: s.Trouble, Captured: s.Captured, Released: s.Released,
		Closed: hal.Stamp(s.Closed), Receipt: s.Document, Told: s.Told,
	}
}
