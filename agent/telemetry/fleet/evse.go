package fleet

import (
	"time"

	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/display"
)

// strikesCode stands in the place of a fault's for an EVSE that gives nobody anything.
const strikesCode = "no-energy"

// unpaidCode stands there for one at which nobody could pay.
const unpaidCode = "no-payment"

// otherCode stands for codes that this program does not know: a post could make up new
// ones for ever.
const otherCode = "other"

// evse is what is known of an EVSE.
type evse struct {
	Code    string   `json:"code,omitempty"`  // on the sticker
	State   string   `json:"state,omitempty"` // the word
	Since   int64    `json:"since,omitempty"` // by our clock, s since 1970
	Line    timeline `json:"line,omitempty"`
	Past    past     `json:"past,omitempty"`    // before the line
	Strikes int      `json:"strikes,omitempty"` // drivers in a row who got nothing
	Unpaid  bool     `json:"unpaid,omitempty"`  // the last of them could not pay
	Ended   bool     `json:"ended,omitempty"`   // the post has it no more
	Faults  []Repair `json:"faults,omitempty"`  // those that are there first, and then the newest first

	fresh bool   // it was said by a post that has not gone since, as far as we have listened
	said  int64  // when it was said, by our clock, s since 1970
	gaunt string // the code of the gravest fault; empty without one
}

// Repair is a fault, and how long it took until it was gone.
type Repair struct {
	Code string `json:"code"`
	From int64  `json:"from"`         // s since 1970
	To   int64  `json:"to,omitempty"` // s since 1970; 0 while it is there
}

// maxRepairs of one EVSE are remembered. Chosen by us: one a week for a year, and those
// that are there.
const maxRepairs = 64

// state takes in how an EVSE stands.
func (p *post) state(now time.Time, number int, text []byte, retained bool) error {
	var s telemetry.State
	if err := decode(text, &s.Head, &s); err != nil {
		return err
	}
	e := p.evse(number)
	if e == nil {
		return errNumbers
	}
	if !known(s.State) {
		return errWord
	}
	unix := now.Unix()
	e.State, e.said = s.State, unix
	if retained && good(s.Clock) {
		e.said = min(max(s.At.Unix(), 0), unix)
	}
	// How long it has been so by the post's clock, from when it was said by ours.
	e.Since = e.said
	if age := s.At.Sub(s.Since); good(s.Clock) && age > 0 {
		e.Since -= min(int64(age/time.Second), keptFor)
	}
	e.repairs(e.said, s.Faults)
	e.fresh = true
	switch p.there {
	case present:
		p.stand(e, unix)
	case absent:
		p.paint(e, e.said)
		e.fresh = false
	}
	return nil
}

// stand notes how an EVSE of a post that is there stands, and what that shows of the
// time before.
func (p *post) stand(e *evse, unix int64) {
	p.paint(e, unix)
	e.Line.add(e.change(unix))
}

// paint notes what an EVSE shows of a time in which it was not heard.
func (p *post) paint(e *evse, to int64) {
	unreached := e.standing()
	switch {
	case unreached != Working:
	case p.Relayed && e.State != display.Charging.String() && e.State != display.Suspended.String() && e.State != display.Authorised.String():
		unreached = Away // without the broker nobody could begin
	default:
		unreached = Cut
	}
	e.Line.paint(e.change(e.Since), to, unreached)
}

// change is how it stands by what it says.
func (e *evse) change(unix int64) change { return change{unix, e.standing(), e.reason()} }

// standing is what an EVSE is good for by what it says.
func (e *evse) standing() Standing {
	switch e.State {
	case display.Starting.String(), display.Faulted.String(), display.Unavailable.String(), display.Settling.String():
		return Down
	}
	if e.Strikes >= maxStrikes {
		return Down
	}
	return Working
}

// reason is the code of what is wrong; empty with nothing.
func (e *evse) reason() string {
	switch {
	case e.standing() == Working:
		return ""
	case e.State == display.Starting.String() || e.State == display.Settling.String():
		return e.State
	case e.State == display.Faulted.String() || e.State == display.Unavailable.String():
		return firstOf(e.gaunt, e.State)
	}
	if e.Unpaid {
		return unpaidCode
	}
	return strikesCode
}

// repairs takes in which faults there are.
func (e *evse) repairs(unix int64, faults []telemetry.Fault) {
	e.gaunt = ""
	there := map[string]bool{}
	for i, f := range faults[:min(len(faults), maxFaults)] {
		code := codeOf(f.Code)
		if i == 0 {
			e.gaunt = code
		}
		there[code] = true
	}
	active := map[string]bool{}
	for i := range e.Faults {
		r := &e.Faults[i]
		if r.To == 0 && there[r.Code] {
			active[r.Code] = true
		} else if r.To == 0 {
			r.To = max(unix, r.From+1)
		}
	}
	for code := range there {
		if active[code] {
			continue
		}
		from := unix
		for _, f := range faults[:min(len(faults), maxFaults)] {
			if since := f.Since.Unix(); codeOf(f.Code) == code && since < from && since > unix-keptFor {
				from = since
			}
		}
		e.Faults = append(e.Faults, Repair{Code: code, From: from})
	}
	e.order()
}

// codeOf is a code that this program knows, or other.
func codeOf(code string) string {
	found := otherCode
	session.EachFault(func(f session.Faults) {
		if f.Code() == code {
			found = code
		}
	})
	return found
}

// known says whether a word is of display.State.
func known(word string) bool {
	for s := display.State(0); s <= display.LastState; s++ {
		if s.String() == word {
			return true
		}
	}
	return false
}
