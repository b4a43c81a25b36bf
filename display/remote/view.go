package remote

import (
	"fmt"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// view is display.View in the words of the wire. Amounts are in minor units, times
// as their names say.
type view struct {
	Code     string           `json:"code"`
	State    string           `json:"state"`
	Fault    string           `json:"fault,omitempty"`
	Price    price            `json:"price"`
	Choices  []payment.Amount `json:"choices,omitempty"`
	Default  payment.Amount   `json:"default,omitempty"`
	MaxPower hal.Power        `json:"max_w,omitempty"`
	Busy     bool             `json:"busy,omitempty"`
	Since    *stamp           `json:"since,omitempty"`
	Push     bool             `json:"push,omitempty"`
	Here     bool             `json:"here,omitempty"`
	Pass     bool             `json:"pass,omitempty"`
	Charge   *charge          `json:"charge,omitempty"`

	Notice map[string]string `json:"notice,omitempty"` // by language
}

type price struct {
	Currency   payment.Currency `json:"cur"`
	VAT        int              `json:"vat_bp"` // basis points
	KWh        payment.Amount   `json:"kwh,omitempty"`
	Minute     payment.Amount   `json:"min,omitempty"`
	Session    payment.Amount   `json:"session,omitempty"`
	IdleFree   int64            `json:"idle_free_s,omitempty"` // s
	IdleMinute payment.Amount   `json:"idle_min,omitempty"`
	IdleCap    payment.Amount   `json:"idle_cap,omitempty"`
}

type stamp struct {
	Unix  int64  `json:"s"`   // since 1970
	Clock string `json:"clk"` // how far it can be relied on
}

type charge struct {
	Ref      payment.Ref    `json:"ref"`
	Price    price          `json:"price"`
	Way      string         `json:"way,omitempty"`
	PayURL   string         `json:"pay_url,omitempty"`
	Reserved payment.Amount `json:"reserved"`
	Held     bool           `json:"held,omitempty"`
	Cost     payment.Amount `json:"cost,omitempty"`
	Energy   hal.Energy     `json:"e_wh,omitempty"`
	Power    hal.Power      `json:"p_w,omitempty"`
	Elapsed  int64          `json:"dur_ms,omitempty"`     // ms
	Left     int64          `json:"left_ms,omitempty"`    // ms
	Quiet    int64          `json:"quiet_ms,omitempty"`   // ms
	Starts   int64          `json:"idle_in_ms,omitempty"` // ms
	Runs     bool           `json:"idle,omitempty"`
	Reading  int64          `json:"age_ms,omitempty"` // ms
	StopCode string         `json:"stop_code,omitempty"`
	Started  *stamp         `json:"started,omitempty"`
	Meter    *meter         `json:"meter,omitempty"`
	Over     *over          `json:"over,omitempty"` // once it has ended
}

type meter struct {
	Model  string     `json:"model,omitempty"`
	Serial string     `json:"serial,omitempty"`
	Start  hal.Energy `json:"start_wh"`
	End    hal.Energy `json:"end_wh,omitempty"`
}

type over struct {
	End      string         `json:"end"`
	Lines    []line         `json:"lines,omitempty"`
	Total    payment.Amount `json:"total,omitempty"`
	VAT      payment.Amount `json:"vat,omitempty"`
	Settled  bool           `json:"settled,omitempty"`
	Captured payment.Amount `json:"captured,omitempty"`
	Released payment.Amount `json:"released,omitempty"`
	Stuck    bool           `json:"stuck,omitempty"`
	Ended    *stamp         `json:"ended,omitempty"`
	Receipt  string         `json:"receipt,omitempty"`
	Issued   *stamp         `json:"issued,omitempty"`
}

type line struct {
	Kind     int            `json:"kind"` // as in payment.LineKind
	Quantity int64          `json:"n"`    // Wh, whole minutes or 1, by its kind
	Each     payment.Amount `json:"each"`
	Amount   payment.Amount `json:"amount"`
	VAT      payment.Amount `json:"vat"`
}

func fromPrice(p payment.Price) price {
	return price{p.Currency, p.VAT, p.KWh, p.Minute, p.Session, int64(p.Idle.After / time.Second), p.Idle.Minute, p.Idle.Cap}
}

// price reads a price. One of zeros is that of a charge that is not there.
func (w price) price() (payment.Price, error) {
	const most = int64(24 * time.Hour / time.Second)
	p := payment.Price{Currency: w.Currency, VAT: w.VAT, KWh: w.KWh, Minute: w.Minute, Session: w.Session,
		Idle: payment.Idle{After: time.Duration(max(-1, min(w.IdleFree, most+1))) * time.Second, Minute: w.IdleMinute, Cap: w.IdleCap}}
	if err := p.Check(); err != nil {
		return p, fmt.Errorf("%w: price: %w", errMessage, err)
	}
	return p, nil
}

func fromStamp(s hal.Stamp) *stamp {
	if s == (hal.Stamp{}) {
		return nil
	}
	return &stamp{s.Unix, s.Clock.String()}
}

func (w *stamp) stamp() (hal.Stamp, error) {
	if w == nil {
		return hal.Stamp{}, nil
	}
	clock, err := named(w.Clock, hal.ClockSynced, "clock")
	return hal.Stamp{Unix: w.Unix, Clock: clock}, err
}

// named finds the value of a word among those from 0 to last; of no word, the first.
func named[T ~uint8](word string, last T, kind string) (T, error) {
	if word == "" {
		return 0, nil
	}
	for v := range last + 1 {
		if fmt.Sprint(v) == word {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%w: %s %q is not known", errMessage, kind, word)
}

func fromView(v display.View) view {
	w := view{Code: v.Code, State: v.State.String(), Fault: v.Fault, Price: fromPrice(v.Price), Choices: v.Choices, Default: v.Default,
		MaxPower: v.MaxPower, Busy: v.Busy, Since: fromStamp(v.Since), Push: v.Push, Pass: v.Pass, Here: v.Here, Notice: v.Notice.Tags()}
	if v.Charge.Ref != "" {
		w.Charge = fromCharge(v.Charge)
	}
	return w
}

func fromCharge(c display.Charge) *charge {
	w := &charge{Ref: c.Ref, Price: fromPrice(c.Price), PayURL: c.PayURL, Reserved: c.Reserved, Held: c.Held, Cost: c.Cost, Energy: c.Energy, Power: c.Power,
		Elapsed: c.Elapsed.Milliseconds(), Left: c.Left.Milliseconds(), Quiet: c.Idle.Quiet.Milliseconds(), Starts: c.Idle.Starts.Milliseconds(),
		Runs: c.Idle.Runs, Reading: c.Reading.Milliseconds(), StopCode: c.StopCode, Started: fromStamp(c.Started)}
	if c.Way != payment.ByLink {
		w.Way = c.Way.String()
	}
	if c.Meter != (display.Meter{}) {
		w.Meter = &meter{c.Meter.Model, c.Meter.Serial, c.Meter.Start, c.Meter.End}
	}
	if c.End == display.NotEnded {
		return w
	}
	w.Over = &over{End: c.End.String(), Total: c.Bill.Total, VAT: c.Bill.VAT, Settled: c.Settled, Captured: c.Captured, Released: c.Released,
		Stuck: c.Stuck, Ended: fromStamp(c.Ended), Receipt: c.Receipt, Issued: fromStamp(c.Issued)}
	for _, l := range c.Bill.Lines {
		if l != (payment.Line{}) {
			w.Over.Lines = append(w.Over.Lines, line{int(l.Kind), l.Quantity, l.Each, l.Amount, l.VAT})
		}
	}
	return w
}

func (w view) view() (v display.View, err error) {
	v = display.View{Code: w.Code, Fault: w.Fault, Choices: w.Choices, Default: w.Default, MaxPower: w.MaxPower, Busy: w.Busy, Push: w.Push, Pass: w.Pass, Here: w.Here}
	v.Notice, _ = display.ParseNotice(w.Notice) // one in a language of a later version is none, and the rest counts
	if v.State, err = named(w.State, display.LastState, "state"); err != nil {
		return v, err
	}
	if v.Price, err = w.Price.price(); err != nil {
		return v, err
	}
	if v.Since, err = w.Since.stamp(); err != nil || w.Charge == nil {
		return v, err
	}
	v.Charge, err = w.Charge.charge()
	return v, err
}

func (w *charge) charge() (c display.Charge, err error) {
	ms := func(n int64) time.Duration {
		return time.Duration(max(0, min(n, longest.Milliseconds()))) * time.Millisecond
	}
	c = display.Charge{Ref: w.Ref, PayURL: w.PayURL, Reserved: w.Reserved, Held: w.Held, Cost: w.Cost, Energy: w.Energy, Power: w.Power,
		Elapsed: ms(w.Elapsed), Left: ms(w.Left), Idle: display.IdleView{Quiet: ms(w.Quiet), Starts: ms(w.Starts), Runs: w.Runs},
		Reading: ms(w.Reading), StopCode: w.StopCode}
	if c.Price, err = w.Price.price(); err != nil {
		return c, err
	}
	if c.Way, err = named(w.Way, payment.ByPush, "way"); err != nil {
		return c, err
	}
	if c.Started, err = w.Started.stamp(); err != nil {
		return c, err
	}
	if m := w.Meter; m != nil {
		c.Meter = display.Meter{Model: m.Model, Serial: m.Serial, Start: m.Start, End: m.End}
	}
	if w.Over == nil {
		return c, nil
	}
	return c, w.Over.into(&c)
}

// longest is as long as any time on a page is. Chosen by us.
const longest = 400 * 24 * time.Hour

func (w *over) into(c *display.Charge) (err error) {
	c.Settled, c.Captured, c.Released, c.Stuck, c.Receipt = w.Settled, w.Captured, w.Released, w.Stuck, w.Receipt
	if c.End, err = named(w.End, display.LastEnd, "end"); err != nil {
		return err
	}
	if c.End == display.NotEnded {
		return fmt.Errorf("%w: over, and not ended", errMessage)
	}
	c.Bill.Total, c.Bill.VAT = w.Total, w.VAT
	for _, l := range w.Lines {
		if l.Kind < 0 || l.Kind >= len(c.Bill.Lines) {
			return fmt.Errorf("%w: line %d of a bill", errMessage, l.Kind)
		}
		c.Bill.Lines[l.Kind] = payment.Line{Kind: payment.LineKind(l.Kind), Quantity: l.Quantity, Each: l.Each, Amount: l.Amount, VAT: l.VAT}
	}
	if c.Ended, err = w.Ended.stamp(); err != nil {
		return err
	}
	c.Issued, err = w.Issued.stamp()
	return err
}
