package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"stolpe/agent/control"
	"stolpe/agent/session"
)

// postRoutes are what is done to the post itself.
func (l *local) postRoutes() []control.Route {
	return []control.Route{
		{Name: "service/out", Least: control.Technician, Changes: true, Urgent: true, Do: l.takeOut},
		{Name: "service/in", Least: control.Technician, Changes: true, Do: l.putBack},
		{Name: "identify", Least: control.Technician, Changes: true, Urgent: true, Do: likeFromAfar(l.identify)},
	}
}

// standing is how an EVSE stands after something was done to it.
type standing struct {
	EVSE   int      `json:"evse"` // number on the post
	Text   string   `json:"text"`
	Out    bool     `json:"out_of_service"` // now, or after the charge under way
	Phase  string   `json:"phase"`
	Faults []string `json:"faults,omitempty"` // codes, the gravest first
}

func standingOf(v unit, text string) standing {
	s, _, _ := v.Snapshot()
	f := s.Faults()
	out := f & (session.Withdrawn | session.Recall | session.Leaving)
	return standing{EVSE: v.Rules().EVSE, Text: text, Out: out != 0, Phase: s.Phase.String(), Faults: codes(f)}
}

// maxReason is how long a reason may be, in characters. Chosen by us: what the ledger
// keeps of what was done is not much longer.
const maxReason = 120

// takeOut withdraws EVSEs from service. A charge under way goes on unless it is to end
// now: its driver has done nothing wrong. Nobody can begin another after it.
func (l *local) takeOut(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		EVSE   int    `json:"evse"` // 0 for all
		Now    bool   `json:"now"`
		Reason string `json:"reason"`
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	if args.Reason = strings.TrimSpace(args.Reason); utf8.RuneCountInString(args.Reason) > maxReason {
		return nil, control.Refuse(control.Invalid, "reason: has %d characters, want at most %d", utf8.RuneCountInString(args.Reason), maxReason)
	}
	units, err := l.here(args.EVSE)
	if err != nil {
		return nil, err
	}
	var all []standing
	for _, v := range units {
		one, err := takeOutOne(ctx, v, args.Now)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return standings(all, args.Reason), nil
}

func takeOutOne(ctx context.Context, v unit, now bool) (standing, error) {
	s, _, _ := v.Snapshot()
	e, want := session.Event(session.TakenOut{}), session.Withdrawn
	after := s.Phase != session.Idle && !now && s.Faults()&session.Withdrawn == 0
	if after {
		e, want = session.Recalled{}, session.Leaving|session.Recall
	}
	shown, err := tell(ctx, v, e, func(s *session.State) bool { return s.Faults()&want != 0 })
	switch {
	case err != nil:
		return standing{}, err
	case !shown:
		return standingOf(v, "told to go out of service; that is not on disk yet"), nil
	case after:
		return standingOf(v, "out of service after the charge under way; with now at once"), nil
	case s.Phase != session.Idle:
		return standingOf(v, "out of service; the charge under way has been ended"), nil
	}
	return standingOf(v, "out of service"), nil
}

// putBack restores EVSEs, and so lifts what only a person can lift. Whoever lifts more
// than their own withdrawal says that they have put that right.
func (l *local) putBack(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		EVSE     int  `json:"evse"`     // 0 for all
		Repaired bool `json:"repaired"` // what is wrong has been put right
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	units, err := l.here(args.EVSE)
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, v := range units {
		if f := liftedBy(v); f != 0 {
			wrong = append(wrong, named(v, "%v (%s)", f, strings.Join(codes(f), ", ")))
		}
	}
	if len(wrong) > 0 && !args.Repaired {
		return nil, control.Refuse(control.Unsafe, "back in service means that somebody has put this right: %s; do so, then say it: stolpe service in --repaired", strings.Join(wrong, "; "))
	}
	var all []standing
	for _, v := range units {
		one, err := putBackOne(ctx, v)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return standings(all, strings.Join(wrong, "; ")), nil
}

// takenOut are the faults that are somebody's wish, and nothing that is wrong.
const takenOut = session.Withdrawn | session.Recall | session.Leaving

// liftedBy are the faults that only a person can lift, but for somebody's wish.
func liftedBy(v unit) session.Faults {
	s, _, _ := v.Snapshot()
	return s.Latched &^ takenOut
}

func putBackOne(ctx context.Context, v unit) (standing, error) {
	shown, err := tell(ctx, v, session.Restored{}, func(s *session.State) bool { return s.Latched&takenOut == 0 })
	s, _, _ := v.Snapshot()
	switch f := s.Faults(); {
	case err != nil:
		return standing{}, err
	case !shown:
		return standingOf(v, "told to come back into service; that is not on disk yet"), nil
	case f != 0:
		return standingOf(v, "not withdrawn any more, but: "+f.String()+"; see stolpe why"), nil
	}
	return standingOf(v, "in service"), nil
}

// standings is the answer about several EVSEs, and what the ledger keeps of it.
func standings(all []standing, why string) control.Reply {
	var lines []string
	for _, one := range all {
		lines = append(lines, fmt.Sprintf("EVSE %d: %s", one.EVSE, one.Text))
	}
	text := strings.Join(lines, "; ")
	if why != "" {
		text = why + " | " + text
	}
	return control.Reply{Text: text, Data: map[string]any{"evses": all}}
}
