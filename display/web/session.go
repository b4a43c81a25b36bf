package web

import (
	"hash/crc32"
	"strconv"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// numbers are what moves on a page. They are drawn into it and then sent to it,
// by the same function, so that the two can never tell different things.
type numbers struct {
	Scene  string `json:"scene"` // the page loads itself again when this changes
	Title  string `json:"title"`
	Tone   tone   `json:"tone"`
	Word   string `json:"word"`
	Energy string `json:"energy"` // without unit
	Cost   string `json:"cost"`   // without currency
	Power  string `json:"power"`
	Time   string `json:"time"`
	Used   string `json:"used"`
	Bar    int64  `json:"bar"` // minor units
	Left   string `json:"left"`
	Say    string `json:"say"` // for the ear too: changes seldom
	Age    string `json:"age"`
	Old    bool   `json:"old"` // the age is more than it should be
}

// charged is what stands still on the page of a charge under way.
type charged struct {
	PayURL string
	Open   bool  // the app asks already, or will when the link is tapped
	Limit  int64 // minor units
	Cost   display.Parts
	Energy display.Parts
	SoFar  string // for the question whether to stop
	Code   string // to come back with, without the page; empty where there is none
}

// drive is the page of one holder's charge.
func (p *pages) drive(at place, post display.Post, v display.View) sheet {
	s := p.sheet(at, post, true)
	s.tell(v)
	s.Push = v.Push
	c := v.Charge
	if c.End != display.NotEnded {
		s.finish(v)
	} else {
		s.Scene, s.Tone = sceneOf(v)
		s.Head = s.headOf(s.Scene, v)
		s.follow(v)
		s.Old = v.Silent > quiet || (s.Scene == charge && c.Reading > hal.StaleAfter)
	}
	n := s.numbers(v)
	s.Live = &n
	if c.End == display.NotEnded || !c.Settled {
		s.Moving, s.Wait = true, patience(s.Scene)
	}
	return s
}

// patience is how often a phone without script asks again, in seconds. Chosen by
// us: the answer to a wait is wanted at once, the numbers of a charge are not.
func patience(at scene) int {
	switch at {
	case charge:
		return 15
	case done, gone:
		return 10
	}
	return 5
}

// lost is the page of a session that nothing is known of: reached says whether
// the post itself answers. If it does not, the page listens for its return.
func (p *pages) lost(at place, post display.Post, reached bool) sheet {
	s := p.sheet(at, post, true)
	s.Scene, s.Tone = gone, bad
	if reached {
		s.Head = string(s.W.Expired)
		s.advise(display.LinkExpired)
		return s
	}
	s.Head = string(s.W.NoContact)
	s.advise(display.StopUnheard)
	s.Live = &numbers{Scene: string(gone), Title: s.Title(), Tone: bad, Word: s.Head}
	s.Moving, s.Wait = true, patience(gone)
	return s
}

// sceneOf picks the page of a charge under way.
func sceneOf(v display.View) (scene, tone) {
	if v.State == display.Available && !v.Charge.Held {
		return approve, wait // requested, and the post's own state is a moment behind
	}
	switch v.State {
	case display.Paying:
		return approve, wait
	case display.Authorised:
		return plug, wait
	case display.Closing:
		return begin, flow
	case display.Charging:
		return charge, flow
	case display.Suspended:
		return charge, pause
	}
	return finishing, wait
}

func (s *sheet) headOf(at scene, v display.View) string {
	switch {
	case at == approve && !asked(v.Charge):
		return s.W.Preparing.With("pay", s.Pay())
	case at == approve:
		return s.W.WaitingFor.With("pay", s.Pay())
	case at == plug:
		return string(s.W.PlugIn)
	case at == finishing:
		return string(s.W.States[display.Stopping])
	}
	return string(s.W.States[v.State])
}

// asked says whether the driver can be asked in the app by now. Whoever is asked
// there by number needs no link, and gets none.
func asked(c display.Charge) bool { return c.PayURL != "" || c.Way == payment.ByPush }

// follow fills in what stands still.
func (s *sheet) follow(v display.View) {
	c, cur := v.Charge, v.Charge.Price.Currency
	s.Charge = &charged{
		PayURL: c.PayURL,
		Open:   asked(c),
		Limit:  int64(c.Reserved),
		Cost:   s.Lang.MoneyParts(c.Cost, cur),
		Energy: s.Lang.EnergyParts(c.Energy),
		SoFar:  s.W.StopSoFar.With("energy", s.Lang.KWh(c.Energy), "cost", s.Lang.Money(c.Cost, cur)),
		Code:   c.StopCode,
	}
}

// numbers tells what moves. It works on the sheet of the same charge.
func (s *sheet) numbers(v display.View) numbers {
	c, cur := v.Charge, v.Charge.Price.Currency
	n := numbers{Scene: s.stage(c) + s.told(), Word: s.Head, Title: s.Title(), Tone: s.Tone, Say: s.sayOf(v), Old: s.Old}
	if c.End != display.NotEnded {
		return n
	}
	if c.Left > 0 {
		n.Left = display.Countdown(c.Left)
	}
	if s.Scene != charge {
		return n
	}
	n.Energy, n.Cost = s.Lang.EnergyParts(c.Energy).Number, s.Lang.MoneyParts(c.Cost, cur).Number
	n.Power, n.Time = s.Lang.KW(c.Power), s.Lang.Time(c.Elapsed)
	n.Used = s.W.Used.With("cost", s.Lang.Money(c.Cost, cur), "limit", s.Lang.Sum(c.Reserved, cur))
	n.Bar = int64(min(c.Cost, c.Reserved))
	n.Age = string(s.W.MeasuredNow)
	if old := max(c.Reading, v.Silent).Truncate(ageStep); old > 0 {
		n.Age = s.W.Measured.With("age", s.Lang.Time(old))
	}
	return n
}

// ageStep is how finely a page tells the age of a reading: finer would move all
// the time and mean nothing. Chosen by us.
const ageStep = 10 * time.Second

// stage names what must not change without the page being drawn anew.
func (s *sheet) stage(c display.Charge) string {
	switch {
	case c.End != display.NotEnded:
		final := c.Meter.End > 0
		return string(done) + " " + strconv.FormatBool(c.Settled) + " " + strconv.FormatBool(final) + " " + s.Lang.Taken(c)
	case s.Scene == approve && !asked(c):
		return string(approve) + " soon"
	}
	return string(s.Scene)
}

// told names what is said to everybody who looks: a page without it is drawn anew.
func (s *sheet) told() string {
	if s.Notice.Text == "" && !s.Here {
		return ""
	}
	sum := crc32.ChecksumIEEE([]byte(s.Notice.Text))
	return " " + strconv.FormatBool(s.Here) + " " + strconv.FormatUint(uint64(sum), 36)
}

// quiet is how long a post may not be heard of before its driver is told. Chosen by
// us: the same as for a meter, as it is the same to the driver.
const quiet = hal.StaleAfter

// sayOf is the one sentence a screen reader hears. It changes seldom: numbers
// that run are not in it.
func (s *sheet) sayOf(v display.View) string {
	c, w := v.Charge, s.W
	if c.End == display.NotEnded && s.Scene != charge && v.Silent > quiet {
		a := w.Troubles[display.StopUnheard]
		return string(a.What) + " " + string(a.Money)
	}
	switch s.Scene {
	case approve:
		return w.StillToReserve.With("amount", s.Lang.Sum(c.Reserved, c.Price.Currency))
	case plug:
		return w.Approved.With("amount", s.Lang.Sum(c.Reserved, c.Price.Currency))
	case begin:
		return string(w.Usually)
	case finishing:
		if v.State == display.Starting {
			return string(w.Restarting)
		}
		return string(w.Finishing)
	case charge:
		return s.running(v)
	}
	return s.Say
}

// running puts the most urgent first: an old number makes all others doubtful,
// money that is being spent for nothing comes next.
func (s *sheet) running(v display.View) string {
	c, w, cur := v.Charge, s.W, v.Charge.Price.Currency
	say := string(w.IsCharging)
	if v.State == display.Suspended {
		say = string(w.NotDrawing)
	}
	if age := max(c.Reading, v.Silent); age > hal.StaleAfter {
		say = w.Stale.With("age", s.Lang.Time(age.Truncate(ageStep)))
	}
	if each := c.Price.Idle.Minute; each > 0 {
		price := s.Lang.Money(each, cur)
		switch {
		case c.Idle.Runs:
			say += " " + w.IdleRuns.With("price", price)
		case c.Idle.Starts > 0 && v.State == display.Suspended:
			say += " " + w.IdleStarts.With("price", price, "time", s.Lang.Time(roundUp(c.Idle.Starts)))
		}
	}
	limit := s.Lang.Sum(c.Reserved, cur)
	switch {
	case c.AtLimit():
		say += " " + w.AtLimit.With("limit", limit)
	case c.NearLimit():
		say += " " + w.NearLimit.With("limit", limit)
	}
	return say
}
