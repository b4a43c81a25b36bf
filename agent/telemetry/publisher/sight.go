package publisher

import (
	"time"

	"stolpe/agent/session"
	"stolpe/agent/telemetry"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// sight is what was seen of an EVSE last, and since when it has been so.
type sight struct {
	evse EVSE
	kept session.State
	now  hal.Instant
	view display.View

	word   display.State
	since  time.Duration                    // of word, Instant.Mono
	faults map[session.Faults]time.Duration // since when there has been each, Instant.Mono
}

func (s *sight) number() int { return s.evse.Rules().EVSE }

// look looks.
func (s *sight) look() {
	first := s.now == hal.Instant{}
	s.kept, s.now, _ = s.evse.Snapshot()
	s.view = s.evse.Rules().View(&s.kept, s.now)
	if first || s.word != s.view.State {
		s.word, s.since = s.view.State, s.now.Mono
	}
	faults := s.known()
	session.EachFault(func(f session.Faults) {
		if _, was := s.faults[f]; faults&f == 0 {
			delete(s.faults, f)
		} else if !was {
			s.faults[f] = s.now.Mono
		}
	})
}

// known are the faults, but for what a program that has just started says of itself
// because it has heard nothing yet.
func (s *sight) known() session.Faults {
	if s.view.State == display.Starting && s.view.Fault == "" {
		return s.kept.Latched
	}
	return s.kept.Faults()
}

// at is a monotonic instant as a time of day by the present clock: one that is set
// later sets what was before, too.
func (s *sight) at(mono time.Duration) time.Time {
	return s.now.Wall.Time().Add(-(s.now.Mono - mono).Truncate(time.Second))
}

// ref is the reference of the charge under way; nil when there is none.
func (s *sight) ref() *string {
	if s.kept.Phase == session.Idle {
		return nil
	}
	ref := string(s.evse.Rules().Ref(s.kept.Charge.Number))
	return &ref
}

// charging says whether energy may flow.
func (s *sight) charging() bool { return s.kept.Phase == session.Charging }

// stateKey is what is told at once when it changes.
func (s *sight) stateKey() any {
	return struct {
		word      display.State
		number    uint64
		busy      bool
		contactor string
		plug      hal.Plug
		faults    session.Faults
	}{s.word, s.kept.Charge.Number, s.view.Busy, s.kept.Contactor(s.now.Mono), s.kept.PlugSensed(), s.known()}
}

func (s *sight) state(newest uint64) telemetry.State {
	t := telemetry.State{
		Head: telemetry.HeadAt(s.now.Wall), Seq: newest, State: s.word.String(), Since: s.at(s.since), Session: s.ref(),
		Contactor: s.kept.Contactor(s.now.Mono), Plug: s.kept.PlugSensed().String(), Faults: []telemetry.Fault{},
	}
	faults := s.known()
	session.EachFault(func(f session.Faults) {
		if faults&f != 0 {
			t.Faults = append(t.Faults, telemetry.Fault{Code: f.Code(), Class: telemetry.ClassOf(f.Code()), Since: s.at(s.faults[f]), Text: f.String()})
		}
	})
	return t
}

func (s *sight) price() telemetry.Price {
	p := s.evse.Rules().Price
	t := telemetry.Price{
		Head: telemetry.HeadAt(s.now.Wall), Currency: string(p.Currency), VAT: p.VAT,
		KWh: int64(p.KWh), Minute: int64(p.Minute), Start: int64(p.Session),
	}
	if p.Idle.Minute > 0 {
		t.Other = []telemetry.OtherPrice{{Kind: "idle", Minute: int64(p.Idle.Minute), After: seconds(p.Idle.After), Cap: int64(p.Idle.Cap)}}
	}
	return t
}

// sessionKey is what is told at once when it changes.
func (s *sight) sessionKey() any {
	type key struct {
		busy   bool
		number uint64
		word   display.State
	}
	if !s.view.Busy {
		return key{}
	}
	return key{true, s.kept.Charge.Number, s.word}
}

func (s *sight) session() telemetry.Session {
	t := telemetry.Session{Head: telemetry.HeadAt(s.now.Wall), ID: s.ref(), Phase: "none"}
	if t.ID == nil {
		return t
	}
	c := s.view.Charge
	t.Phase, t.Currency = s.word.String(), string(c.Price.Currency)
	t.Reserved = number(c.Reserved)
	if c.Started.Clock != hal.ClockUnknown {
		start := c.Started.Time()
		t.Start = &start
	}
	if s.kept.Phase == session.Charging || s.kept.Phase == session.Stopping {
		t.Energy, t.Cost, t.Seconds = number(c.Energy), number(c.Cost), number(seconds(c.Elapsed))
	}
	return t
}

// quality is what the newest reading is worth.
func (s *sight) quality() string { return s.kept.Quality(s.now.Mono, s.word == display.Starting) }

// meterKey is what is told at once when it changes: the register at both ends of a
// charge is, however seldom the meter is told of otherwise.
func (s *sight) meterKey() any {
	return struct {
		quality            string
		charging, stopping bool
	}{s.quality(), s.charging(), s.kept.Phase == session.Stopping}
}

func (s *sight) meter() telemetry.Meter {
	t := telemetry.Meter{Head: telemetry.HeadAt(s.now.Wall), Quality: s.quality()}
	r, _ := s.kept.Believed()
	if t.Quality == "ok" || t.Quality == "stale" {
		t.Energy = number(r.Register)
	}
	if t.Quality == "ok" {
		t.Power = number(r.Power)
	}
	return t
}

// number is a number that is known.
func number[N int64 | hal.Energy | hal.Power | payment.Amount](n N) *int64 {
	known := int64(n)
	return &known
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
