package main

import (
	"strconv"
	"strings"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Objects of the routes status and watch, and of --json. Amounts are in minor units. What
// a caller may not see, or nobody knows, is left out.
type (
	postStatus struct {
		Post    string       `json:"post"`
		Name    string       `json:"name"`
		Version string       `json:"version"`
		Boot    string       `json:"boot"` // another one after each start of the program
		At      string       `json:"at"`
		Clock   string       `json:"clock"` // how good it is
		Zone    string       `json:"zone"`
		Up      int64        `json:"up_s"` // of the program, s
		EVSEs   []evseStatus `json:"evses"`
		Payment moneyStatus  `json:"payment"`
		MQTT    *mqttStatus  `json:"mqtt,omitempty"`   // nil without a broker
		Ledger  string       `json:"ledger,omitempty"` // what is wrong with it

		Displays []displayStatus `json:"displays,omitempty"`
		Missing  []doctor.Lack   `json:"missing,omitempty"` // what the post has started without
		Restart  *restartStatus  `json:"restart,omitempty"` // one that waits, came to nothing or is due; nil for none of it
	}
	displayStatus struct {
		Name string `json:"name"`
		Code string `json:"code,omitempty"` // of what is wrong; empty where all is well
		Text string `json:"text,omitempty"` // about that
	}
	evseStatus struct {
		EVSE      int           `json:"evse"`  // its number
		Code      string        `json:"code"`  // on the sticker
		State     string        `json:"state"` // a display.State's word
		Phase     string        `json:"phase"`
		MaxPower  int64         `json:"max_w"` // W
		Faults    []faultStatus `json:"faults"`
		Contactor string        `json:"contactor"`
		Plug      string        `json:"plug"`
		Meter     meterStatus   `json:"meter"`
		Charge    *chargeStatus `json:"session,omitempty"` // the one under way
		Unsettled owedStatus    `json:"unsettled"`
	}
	faultStatus struct {
		Code  string `json:"code"`
		Text  string `json:"text"`
		Opens bool   `json:"opens"` // the contactor
		Since string `json:"since,omitempty"`
	}
	meterStatus struct {
		Model    string `json:"model,omitempty"`
		Quality  string `json:"quality"`
		Register *int64 `json:"register_wh,omitempty"`
		Power    *int64 `json:"power_w,omitempty"`
		Age      *int64 `json:"age_ms,omitempty"`
	}
	chargeStatus struct {
		Ref      payment.Ref      `json:"ref,omitempty"`
		Start    string           `json:"start,omitempty"`
		Seconds  int64            `json:"dur_s"`            // with the contactor closed, s
		Energy   int64            `json:"energy_wh"`        // Wh
		Power    int64            `json:"power_w"`          // W
		Left     int64            `json:"left_s,omitempty"` // until the present wait gives up
		Cost     *payment.Amount  `json:"cost,omitempty"`
		Reserved *payment.Amount  `json:"reserved,omitempty"`
		Currency payment.Currency `json:"currency,omitempty"`
	}
	owedStatus struct {
		Count  int   `json:"count"`              // charges
		Stuck  int   `json:"stuck"`              // of them, that wait for a person or for too long
		Oldest int64 `json:"oldest_s,omitempty"` // age
	}
	moneyStatus struct {
		Through string `json:"through"`
		State   string `json:"state"`           // ok, trouble, or not_asked since the start
		Ago     *int64 `json:"ago_s,omitempty"` // when it was asked last
		Trouble string `json:"trouble,omitempty"`
	}
	mqttStatus struct {
		Connected bool `json:"connected"`
		Waiting   int  `json:"waiting"` // events that are not sent yet
	}
)

// statusOf gives how the post is, as far as a role may see it: whose charge it is, and
// what it costs, is for whoever works there.
func (l *local) statusOf(role control.Role, began time.Duration) postStatus {
	now := l.w.now()
	p := postStatus{
		Post: l.cfg.Post.ID, Name: l.cfg.Post.Name, Version: version, Boot: l.w.born.Boot, At: utc(now.Wall.Time()), Clock: now.Wall.Clock.String(),
		Zone: l.cfg.Post.Zone.String(), Up: int64((now.Mono - began) / time.Second), EVSEs: []evseStatus{},
		Payment: l.moneyStatus(role), Missing: l.parts.lacking(role < control.Technician), Restart: l.restartStatus(role),
	}
	if l.up != nil {
		p.MQTT = &mqttStatus{Connected: l.up.connected()}
		if l.w.book != nil {
			p.MQTT.Waiting, _ = l.w.book.Outbox().Waiting()
		}
	}
	if l.w.book != nil {
		p.Ledger = l.w.book.Health()
	}
	for _, h := range l.parts.displayHealth() {
		p.Displays = append(p.Displays, displayStatus{h.Name, h.Code, h.Trouble})
	}
	for _, v := range l.units {
		p.EVSEs = append(p.EVSEs, l.evseStatus(v, role))
	}
	return p
}

func (l *local) moneyStatus(role control.Role) moneyStatus {
	m := moneyStatus{Through: string(l.cfg.Payment.Through), State: "not_asked"}
	if l.parts.money == nil {
		return m
	}
	asked, ago, trouble := l.parts.money.last()
	if !asked {
		return m
	}
	s := int64(ago / time.Second)
	m.State, m.Ago = "ok", &s
	if trouble != "" {
		m.State = "trouble"
		if role >= control.Technician { // it may name a payment
			m.Trouble = trouble
		}
	}
	return m
}

func (l *local) evseStatus(v unit, role control.Role) evseStatus {
	s, now, _ := v.Snapshot()
	r := v.Rules()
	view := r.View(&s, now)
	faults, starts := s.Faults(), view.State == display.Starting
	if starts && view.Fault == "" {
		faults = s.Latched // what has not been heard of yet is no fault
	}
	e := evseStatus{
		EVSE: r.EVSE, Code: r.Code, State: view.State.String(), Phase: s.Phase.String(), MaxPower: int64(r.MaxPower),
		Faults: l.faultStatus(r.EVSE, faults), Contactor: s.Contactor(now.Mono), Plug: s.PlugSensed().String(),
		Meter: meterStatus{Model: r.Model, Quality: s.Quality(now.Mono, starts)}, Unsettled: unsettledAt(&s, now.Wall),
	}
	if b, _ := s.Believed(); b.At > 0 {
		register, age := int64(b.Register), (now.Mono - b.At).Milliseconds()
		e.Meter.Register, e.Meter.Age = &register, &age
		if e.Meter.Quality == "ok" {
			power := int64(b.Power)
			e.Meter.Power = &power
		}
	}
	if s.Phase == session.Idle {
		return e
	}
	c := view.Charge
	e.Charge = &chargeStatus{
		Seconds: int64(c.Elapsed / time.Second), Energy: int64(c.Energy), Power: int64(c.Power), Left: int64(c.Left / time.Second),
	}
	if c.Started.Clock != hal.ClockUnknown {
		e.Charge.Start = utc(c.Started.Time())
	}
	if role >= control.Technician {
		e.Charge.Ref, e.Charge.Cost, e.Charge.Reserved, e.Charge.Currency = c.Ref, &c.Cost, &c.Reserved, c.Price.Currency
	}
	return e
}

// faultStatus lists faults, the gravest first, with since when the ledger has them.
func (l *local) faultStatus(evse int, faults session.Faults) []faultStatus {
	all := []faultStatus{}
	session.EachFault(func(f session.Faults) {
		if faults&f == 0 {
			return
		}
		one := faultStatus{Code: f.Code(), Text: f.String(), Opens: f.Opens()}
		if l.w.book != nil {
			if at, known := l.w.book.Raised(evse)[f.Code()]; known && at >= epoch {
				one.Since = utc(time.Unix(at, 0))
			}
		}
		all = append(all, one)
	})
	return all
}

// unsettledAt counts what an EVSE has not settled.
func unsettledAt(s *session.State, now hal.Stamp) owedStatus {
	o := owedStatus{Count: len(s.Debts)}
	for i := range s.Debts {
		if s.Debts[i].Stuck(now) {
			o.Stuck++
		}
		if age, _, known := s.Debts[i].Countdown(now); known {
			o.Oldest = max(o.Oldest, int64(age/time.Second))
		}
	}
	return o
}

// key is what is told at once when it becomes another.
func (p *postStatus) key() string {
	words := []string{p.Payment.State, p.Ledger}
	for _, m := range p.Missing {
		words = append(words, string(m.Kind), strconv.Itoa(m.EVSE))
	}
	if p.MQTT != nil {
		words = append(words, strconv.FormatBool(p.MQTT.Connected))
	}
	for _, d := range p.Displays {
		words = append(words, d.Code)
	}
	if r := p.Restart; r != nil {
		words = append(words, "restart", strconv.FormatBool(r.Spares), strconv.FormatBool(r.Due), r.To, r.Failed)
	}
	for _, e := range p.EVSEs {
		words = append(words, e.State, e.Phase, e.Contactor, e.Plug, e.Meter.Quality, strconv.Itoa(e.Unsettled.Count), strconv.Itoa(e.Unsettled.Stuck))
		for _, f := range e.Faults {
			words = append(words, f.Code)
		}
	}
	return strings.Join(words, " ")
}
