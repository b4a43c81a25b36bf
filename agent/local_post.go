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
		{Name: "restart", Least: control.Technician, Changes: true, Do: l.restartHere},
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
	return standings(units, args.Reason, func(v unit) (standing, error) { return takeOutOne(ctx, v, args.Now) })
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
	case after: // by what the fleet also uses, and may take back
		return standingOf(v, "out of service after the charge under way; with now at once; before you open the post, once more: until then the fleet may put it back"), nil
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
	known := map[int]session.Faults{} // by EVSE: what somebody has put right; not what comes up meanwhile
	for _, v := range units {
		f := liftedBy(v)
		if f != 0 {
			wrong = append(wrong, named(v, "%v (%s)", f, strings.Join(codes(f), ", ")))
		}
		known[v.Rules().EVSE] = f
	}
	if len(wrong) > 0 && !args.Repaired {
		return nil, control.Refuse(control.Unsafe, "back in service means that somebody has put this right: %s; do so, then say it: stolpe service in --repaired", strings.Join(wrong, "; "))
	}
	return standings(units, strings.Join(wrong, "; "), func(v unit) (standing, error) { return putBackOne(ctx, v, known[v.Rules().EVSE]) })
}

// takenOut are the faults that are somebody's wish, and nothing that is wrong.
const takenOut = session.Withdrawn | session.Recall | session.Leaving

// liftedBy are the faults that only a person can lift, but for somebody's wish.
func liftedBy(v unit) session.Faults {
	s, _, _ := v.Snapshot()
	return s.Latched &^ takenOut
}

func putBackOne(ctx context.Context, v unit, known session.Faults) (standing, error) {
	s, _, _ := v.Snapshot()
	lifted := s.Latched & takenOut
	if s.Phase == session.Idle {
		lifted |= known
	}
	but := ^(takenOut | known)
	shown, err := tell(ctx, v, session.Restored{But: but}, func(s *session.State) bool {
		return s.Latched&lifted == 0 || s.Latched&but != 0 && s.Latched&takenOut == 0
	})
	s, _, _ = v.Snapshot()
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

// standings does something to several EVSEs, and gives the answer and what the ledger keeps
// of it. One that does not answer keeps nobody from doing it to the others.
func standings(units []unit, why string, do func(unit) (standing, error)) (any, error) {
	var all []standing
	var lines, silent []string
	for _, v := range units {
		one, err := do(v)
		if err != nil {
			silent = append(silent, err.Error())
			continue
		}
		all = append(all, one)
		lines = append(lines, fmt.Sprintf("EVSE %d: %s", one.EVSE, one.Text))
	}
	if len(silent) > 0 {
		said := strings.Join(append(silent, lines...), "; ")
		return nil, control.Refuse(control.Failed, "%s; stolpe contactor open opens also where nothing answers", said)
	}
	text := strings.Join(lines, "; ")
	if why != "" {
		text = why + " | " + text
	}
	return control.Reply{Text: text, Data: map[string]any{"evses": all}}, nil
}
