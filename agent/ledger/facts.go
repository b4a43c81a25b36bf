package ledger

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// Session is what is told of a charge. What is not known yet is left out.
type Session struct {
	Number     uint64           `json:"number"`
	Currency   payment.Currency `json:"cur"`
	Reserved   payment.Amount   `json:"reserved"` // minor units
	Price      *tariff          `json:"price,omitempty"`
	Start      time.Time        `json:"start,omitzero"` // of the request
	End        time.Time        `json:"end,omitzero"`
	Seconds    int64            `json:"dur_s,omitempty"` // with the contactor closed
	StartWh    *hal.Energy      `json:"m_start_wh,omitempty"`
	EndWh      *hal.Energy      `json:"m_end_wh,omitempty"`
	Energy     *hal.Energy      `json:"e_wh,omitempty"`
	Reason     string           `json:"reason,omitempty"`      // why it has ended: a display.End's word
	Gross      *payment.Amount  `json:"gross,omitempty"`       // the bill, VAT included, minor units
	VAT        *payment.Amount  `json:"vat,omitempty"`         // of it, minor units
	Captured   *payment.Amount  `json:"captured,omitempty"`    // minor units
	Released   *payment.Amount  `json:"released,omitempty"`    // minor units
	WrittenOff *payment.Amount  `json:"written_off,omitempty"` // minor units
	Receipt    string           `json:"receipt,omitempty"`     // number of the sales document, as printed
	Trouble    string           `json:"trouble,omitempty"`     // why a person should look at it: a payment.Reason's word
}

// tariff is a price, VAT included, under the names that the telemetry's price has.
type tariff struct {
	VAT     int            `json:"vat_bp"`                // basis points
	KWh     payment.Amount `json:"kwh"`                   // minor units
	Minute  payment.Amount `json:"min"`                   // minor units
	Session payment.Amount `json:"session"`               // minor units
	Idle    payment.Amount `json:"idle_min,omitempty"`    // each minute, minor units
	Free    int64          `json:"idle_free_s,omitempty"` // before that, s
	Cap     payment.Amount `json:"idle_cap,omitempty"`    // the most it can come to, minor units
}

// Fault is something that is wrong, or was.
type Fault struct {
	Code    string `json:"code"` // as in MET-001
	Class   string `json:"class"`
	Text    string `json:"text"`
	Seconds int64  `json:"dur_s,omitempty"` // how long it was so, when it is over; 0 if that is not known
}

// Command is something that somebody wanted the post to do, and what came of it.
type Command struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Issuer  string `json:"iss,omitempty"`
	Code    string `json:"code,omitempty"`
	Text    string `json:"text,omitempty"`
	Expires int64  `json:"expires,omitempty"` // s since 1970
}

// Post is what is told of the post itself.
type Post struct {
	Version string `json:"fw,omitempty"`
	System  string `json:"os,omitempty"`      // as in linux/arm64
	Boot    string `json:"boot,omitempty"`    // another one after each start of the program
	Config  string `json:"cfg,omitempty"`     // as in the telemetry's info
	Jump    int64  `json:"jump_s,omitempty"`  // how far the clock has jumped, s
	Was     string `json:"clk_was,omitempty"` // how good the clock was before
	Seal    string `json:"seal,omitempty"`    // what is wrong with the seal of the configuration

	// What a charge costs from then on; of PostBooted and PostConfig.
	Price    *tariff          `json:"price,omitempty"`
	Currency payment.Currency `json:"cur,omitempty"`

	// Of PostCommissioned: names of reports, each the SHA-256 of one, which says what the
	// one before it was called. So none can be changed or taken out unseen.
	Report   string `json:"report,omitempty"`
	Previous string `json:"previous,omitempty"`
	By       string `json:"by,omitempty"` // who answers for it
}

// Data is the member that stands for the event's data in telemetry: never nil.
func (e *Entry) Data() any {
	switch {
	case e.Sale != nil:
		return e.Sale.session()
	case e.Gap != nil:
		return e.Gap
	case e.Refund != nil:
		return e.Refund
	case e.Session != nil:
		return e.Session
	case e.Fault != nil:
		return e.Fault
	case e.Command != nil:
		return e.Command
	case e.Post != nil:
		return e.Post
	case e.Told != "":
		return struct {
			Told string `json:"told"`
		}{e.Told}
	}
	return struct{}{}
}

// Created is what is told of a charge that has been asked for.
func Created(c *session.Charge) *Session {
	s := Under(c)
	s.Start, s.StartWh, s.Price = timeOf(c.Started), &c.Start, tariffOf(c.Price)
	return s
}

// Under is what is told of a charge under way: whose it is.
func Under(c *session.Charge) *Session {
	return &Session{Number: c.Number, Currency: c.Price.Currency, Reserved: c.Limit}
}

// Owed is what is told of a charge that has ended and is to be settled.
func Owed(d *session.Debt) *Session {
	s, used, bill := Under(&d.Charge), d.Use(), d.Bill()
	s.Start, s.End, s.Seconds = timeOf(d.Started), timeOf(d.Ended), int64(d.Elapsed/time.Second)
	s.StartWh, s.EndWh, s.Energy = &d.Start, &d.End, &used.Energy
	s.Reason, s.Gross, s.VAT = d.Why.String(), &bill.Total, &bill.VAT
	if d.Trouble != payment.NoReason {
		s.Trouble = d.Trouble.String()
	}
	return s
}

// session is what is told of a charge that has been settled.
func (s *Sale) session() *Session {
	d := s.Debt()
	told := Owed(&d)
	told.Price = tariffOf(d.Price)
	told.Captured, told.Released, told.WrittenOff = &s.Captured, &s.Released, &s.WrittenOff
	told.Receipt = s.Receipt
	return told
}

func tariffOf(p payment.Price) *tariff {
	return &tariff{p.VAT, p.KWh, p.Minute, p.Session, p.Idle.Minute, int64(p.Idle.After / time.Second), p.Idle.Cap}
}

// timeOf is a time of day, if the clock has ever been set.
func timeOf(s hal.Stamp) time.Time {
	if s.Clock == hal.ClockUnknown {
		return time.Time{}
	}
	return s.Time()
}
