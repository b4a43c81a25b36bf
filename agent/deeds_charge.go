package main

import (
	"context"
	"fmt"
	"strings"

	commands "stolpe/agent/command"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/payment"
)

// stop ends the charge under way at an EVSE, or the one that is named. One that has
// ended has ended: that is no error.
func (d *deeds) stop(ctx context.Context, c commands.Command) (commands.Answer, error) {
	var args struct {
		Session payment.Ref `json:"session"` // the only charge to be ended; any other has begun since
	}
	if err := c.Read(&args); err != nil {
		return commands.Answer{}, err
	}
	units, err := d.at(c.EVSE)
	if err != nil {
		return commands.Answer{}, err
	}
	var found unit
	for _, v := range units {
		s, _, _ := v.Snapshot()
		switch under := s.Phase != session.Idle; {
		case !under, args.Session != "" && v.Rules().Ref(s.Charge.Number) != args.Session:
		case found != nil:
			return commands.Answer{}, commands.Refuse(commands.Invalid, "more than one charge is under way: say which, by evse or session")
		default:
			found = v
		}
	}
	if found == nil {
		return commands.Answer{Text: "no such charge is under way"}, nil
	}
	return end(ctx, found)
}

// end ends the charge at an EVSE.
func end(ctx context.Context, v unit) (commands.Answer, error) {
	s, now, _ := v.Snapshot()
	number, r := s.Charge.Number, v.Rules()
	used := r.View(&s, now).Charge.Energy
	over := func(s *session.State) bool {
		return s.Charge.Number != number || s.Phase == session.Stopping
	}
	shown, err := tell(ctx, v, session.Stopped{Why: display.ByOwner, Holder: s.Charge.Holder}, over)
	if err != nil {
		return commands.Answer{}, err
	}
	a := commands.Answer{
		Text: fmt.Sprintf("stopped at %v", used),
		Data: map[string]any{"evse": r.EVSE, "session": r.Ref(number), "e_wh": int64(used)},
	}
	if !shown {
		a.Text = "told to stop; that is not on disk yet"
	}
	return a, nil
}

// outOfService takes an EVSE, or all, out of service. A charge under way goes on, and no
// new one begins: its driver has done nothing wrong and has been promised energy, and a
// manager who wants power off at once says so. With now it ends.
func (d *deeds) outOfService(ctx context.Context, c commands.Command) (commands.Answer, error) {
	var args struct {
		Now bool `json:"now"` // also ends the charge under way
	}
	if err := c.Read(&args); err != nil {
		return commands.Answer{}, err
	}
	return d.each(ctx, c, session.Recalled{Now: args.Now}, func(s *session.State) (string, bool) {
		switch f := s.Faults(); {
		case f&session.Recall != 0:
			return "out of service", true
		case f&session.Leaving != 0:
			return "out of service after this charge", true
		}
		return "not out of service yet", false
	})
}

// inService takes that back. Whatever else is wrong stays so, and what a technician has
// withdrawn.
func (d *deeds) inService(ctx context.Context, c commands.Command) (commands.Answer, error) {
	if err := c.Read(&struct{}{}); err != nil {
		return commands.Answer{}, err
	}
	return d.each(ctx, c, session.Readmitted{}, func(s *session.State) (string, bool) {
		f := s.Faults()
		switch out := f & (session.Recall | session.Leaving); {
		case out != 0:
			return "not in service yet", false
		case f != 0:
			return "not kept out by the fleet any more, but: " + f.String(), true
		}
		return "in service", true
	})
}

// each tells the EVSEs of a command of an event, and says what each is then.
func (d *deeds) each(ctx context.Context, c commands.Command, e session.Event, how func(*session.State) (string, bool)) (commands.Answer, error) {
	units, err := d.at(c.EVSE)
	if err != nil {
		return commands.Answer{}, err
	}
	type told struct {
		EVSE  int      `json:"evse"`
		Text  string   `json:"text"`
		Codes []string `json:"faults,omitempty"`
	}
	var all []told
	var lines []string
	for _, v := range units {
		if _, err := tell(ctx, v, e, func(s *session.State) bool { _, is := how(s); return is }); err != nil {
			return commands.Answer{}, err
		}
		s, _, _ := v.Snapshot()
		text, _ := how(&s)
		all = append(all, told{v.Rules().EVSE, text, codes(s.Faults())})
		lines = append(lines, fmt.Sprintf("EVSE %d: %s", v.Rules().EVSE, text))
	}
	return commands.Answer{Text: strings.Join(lines, "; "), Data: map[string]any{"evses": all}}, nil
}

// codes are those of faults, the gravest first.
func codes(f session.Faults) []string {
	var all []string
	session.EachFault(func(one session.Faults) {
		if f&one != 0 {
			all = append(all, one.Code())
		}
	})
	return all
}

// retry has settlements tried again that wait for a person.
func (d *deeds) retry(ctx context.Context, c commands.Command) (commands.Answer, error) {
	var args struct {
		Session payment.Ref `json:"session"` // only this one
	}
	if err := c.Read(&args); err != nil {
		return commands.Answer{}, err
	}
	units, err := d.at(c.EVSE)
	if err != nil {
		return commands.Answer{}, err
	}
	type owed struct {
		Session payment.Ref    `json:"session"`
		Due     payment.Amount `json:"due"` // minor units
		Why     string         `json:"trouble,omitempty"`
	}
	all := []owed{}
	for _, v := range units {
		s, _, _ := v.Snapshot()
		for i := range s.Debts {
			ref := v.Rules().Ref(s.Debts[i].Number)
			if args.Session != "" && args.Session != ref {
				continue
			}
			if err := v.Tell(ctx, session.Retried{Ref: ref}); err != nil {
				return commands.Answer{}, fmt.Errorf("EVSE %d does not answer: %w", v.Rules().EVSE, err)
			}
			all = append(all, owed{ref, s.Debts[i].Due, s.Debts[i].Trouble.String()})
		}
	}
	return commands.Answer{Text: fmt.Sprintf("settlements that are tried again: %d", len(all)), Data: map[string]any{"unsettled": all}}, nil
}
