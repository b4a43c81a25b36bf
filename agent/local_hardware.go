package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/hal"
)

// hardwareRoutes are what is done with contactor, wires and meter.
func (l *local) hardwareRoutes() []control.Route {
	return []control.Route{
		{Name: "contactor", Do: l.contactors},
		{Name: "contactor/test", Least: control.Technician, Changes: true, Hardware: true, Within: testLease, Do: l.testContactor},
		{Name: "contactor/open", Least: control.Technician, Changes: true, Urgent: true, Do: l.openContactor},
		{Name: "inputs", Follow: l.inputs},
		{Name: "meter/read", Least: control.Technician, Hardware: true, Within: meterLease, Do: l.readMeter},
	}
}

// Chosen by us.
const (
	// testLease is how long a whole test may take: the contactor is closed for 2 s of it,
	// and then two readings of a slow meter are waited for.
	testLease = 20 * time.Second
	// registerWithin is how long the reading after a test is waited for.
	registerWithin = 12 * time.Second
)

// contactorNow is where a contactor stands, and what is known of it.
type contactorNow struct {
	EVSE      int      `json:"evse"` // number on the post
	Wanted    string   `json:"wanted"`
	Stands    string   `json:"stands"`                 // open, closed, mismatch or unknown
	Closings  uint64   `json:"closings"`               // in its life
	UnderLoad uint64   `json:"openings_under_load"`    // openings in its life
	OpenedMS  int64    `json:"opened_in_ms,omitempty"` // the newest opening
	SlowestMS int64    `json:"slowest_ms,omitempty"`
	Faults    []string `json:"faults,omitempty"`    // codes, the gravest first
	Against   string   `json:"no_test,omitempty"`   // what speaks against a test now
	Tested    *testNow `json:"last_test,omitempty"` // since the start
}

// testNow is how a test went.
type testNow struct {
	AgoS     int64  `json:"ago_s"` // s since it began
	ClosedMS *int64 `json:"closed_ms,omitempty"`
	OpenedMS *int64 `json:"opened_ms,omitempty"`
	Cut      string `json:"cut,omitempty"` // what ended it before its time
}

// contactors tells of all contactors, or of one.
func (l *local) contactors(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		EVSE int `json:"evse"` // 0 for all
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	units, err := l.here(args.EVSE)
	if err != nil {
		return nil, err
	}
	var all []contactorNow
	for _, v := range units {
		s, now, _ := v.Snapshot()
		r := v.Rules()
		c := contactorNow{
			EVSE: r.EVSE, Wanted: r.Want(&s, now).Contactor.String(), Stands: s.Contactor(now.Mono),
			Closings: s.Wear.Closings, UnderLoad: s.Wear.Hot, OpenedMS: s.Wear.Opening.Milliseconds(), SlowestMS: s.Wear.Slowest.Milliseconds(),
			Faults: codes(s.Faults()), Against: r.Tests(&s, now),
		}
		if t := s.Test(); t.Begun > 0 {
			c.Tested = &testNow{AgoS: int64((now.Mono - t.Begun) / time.Second), ClosedMS: spanMS(t.Ordered, t.Closed), OpenedMS: spanMS(t.Ended, t.Opened), Cut: t.Cut}
		}
		all = append(all, c)
	}
	return map[string]any{"evses": all}, nil
}

// spanMS is the time between two instants in ms; nil if the second never came.
func spanMS(from, to time.Duration) *int64 {
	if to == 0 {
		return nil
	}
	ms := max(0, to-from).Milliseconds()
	return &ms
}

// tried is how a test of a contactor went.
type tried struct {
	EVSE     int          `json:"evse"` // number on the post
	Passed   bool         `json:"passed"`
	ClosedMS *int64       `json:"closed_ms,omitempty"` // from the order until it was sensed
	OpenedMS *int64       `json:"opened_ms,omitempty"`
	MovedWh  *hal.Energy  `json:"register_moved_wh,omitempty"`
	PowerW   *hal.Power   `json:"power_w,omitempty"` // at the meter, after it
	Steps    []triedStep  `json:"steps"`
	test     session.Test // as it stands
}

// triedStep is one thing that was looked at.
type triedStep struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// testWord is the word that stands for: I know that this closes a contactor.
const testWord = "TEST"

// testContactor closes a contactor for a moment. When the lease or the caller goes, the
// test ends at once.
func (l *local) testContactor(ctx context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		EVSE    int    `json:"evse"`    // may be left out if there is one
		Confirm string `json:"confirm"` // must be TEST
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	v, err := l.one(args.EVSE)
	if err != nil {
		return nil, err
	}
	id := v.Rules().EVSE
	if args.Confirm != testWord {
		return nil, control.Refuse(control.Unsafe, "this closes the contactor of EVSE %d for %v, with power behind it: nothing may be plugged in and nobody may touch it; to say so, confirm must be %s", id, session.TestFor, testWord)
	}
	if charging := l.busy(); len(charging) > 0 {
		return nil, control.Refuse(control.Unsafe, "not while somebody charges: %s; wait until that has ended, or end it: stolpe service out --now", strings.Join(charging, ", "))
	}
	defer endTest(ctx, v)
	var no evse.NotNow
	switch err := v.Test(ctx); {
	case errors.As(err, &no):
		return nil, control.Refuse(control.Unsafe, "EVSE %d: %v%s", id, no, outFirst(v))
	case err != nil:
		return nil, control.Refuse(control.Failed, "EVSE %d does not answer: %v; its contactor is not closed for a test", id, err)
	}
	t := l.follow(ctx, v)
	return control.Reply{Data: t, Text: t.String()}, nil
}

// endTest ends a test that may be under way: also when its caller has gone, and past a
// loop that hangs.
func endTest(ctx context.Context, v *evse.EVSE) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), session.TestFor)
	defer cancel()
	if err := v.Tell(ctx, session.TestEnded{}); err != nil {
		v.Open() //nolint:errcheck // the loop is told, and tries again
	}
}

// outFirst is the command that does away with what speaks against a test, if one does.
func outFirst(v unit) string {
	s, _, _ := v.Snapshot()
	id := v.Rules().EVSE
	switch {
	case s.Phase != session.Idle:
	case liftedBy(v)&^(session.WontClose|session.SenseBroken) != 0:
		return fmt.Sprintf(" (once somebody has put it right: stolpe service in --evse %d --repaired, then stolpe service out --evse %d --now)", id, id)
	case s.Latched&session.Withdrawn == 0:
		return fmt.Sprintf(" (stolpe service out --evse %d --now)", id)
	}
	return ""
}

// one finds an EVSE by its number, or the only one with 0.
func (l *local) one(id int) (*evse.EVSE, error) {
	if id == 0 && len(l.parts.units) > 1 {
		return nil, control.Refuse(control.Invalid, "the post has %d EVSEs: say which (--evse)", len(l.parts.units))
	}
	for _, v := range l.parts.units {
		if id == 0 || v.Rules().EVSE == id {
			return v, nil
		}
	}
	return nil, control.Refuse(control.NotFound, "the post has no EVSE %d: stolpe status lists them", id)
}

// follow waits until a test is over, the contactor is sensed open, and the meter has
// said what it shows then, or has had the time to.
func (l *local) follow(ctx context.Context, v *evse.EVSE) tried {
	for {
		s, now, changed := v.Snapshot()
		r, _ := s.Believed()
		t := s.Test()
		read := (t.Opened > 0 || t.Closed == 0) && r.At > max(t.Opened, t.Ended)
		overdue := t.Ended > 0 && now.Mono-t.Ended > registerWithin || now.Mono-t.Begun > testLease
		if t.Ended > 0 && (read || overdue) {
			return judged(v.Rules(), &s)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return judged(v.Rules(), &s)
		}
	}
}

// judged says how a test went by what is known of it.
func judged(r *session.Rules, s *session.State) tried {
	t := s.Test()
	x := tried{EVSE: r.EVSE, test: t, ClosedMS: spanMS(t.Ordered, t.Closed), OpenedMS: spanMS(t.Ended, t.Opened)}
	step := func(name string, ok bool, format string, a ...any) {
		x.Steps = append(x.Steps, triedStep{name, ok, fmt.Sprintf(format, a...)})
	}
	switch {
	case t.Closed > 0:
		step("close", true, "sensed closed after %d ms", *x.ClosedMS)
	case t.Ordered == 0:
		step("close", false, "never ordered closed: %s", because(t))
	case t.Cut != "":
		step("close", false, "not sensed closed until it ended: %s", t.Cut)
	default:
		step("close", false, "not sensed closed within %v: coil without voltage, contactor that does not close, or sense wire (CON-002)", session.TestFor)
	}
	switch {
	case t.Opened > 0:
		step("open", true, "sensed open after %d ms", *x.OpenedMS)
	case t.Closed > 0:
		step("open", false, "not sensed open again: welded, or the sense wire lies; switch the post off at its breaker (CON-001)")
	}
	if t.Cut != "" && t.Closed > 0 {
		step("time", false, "ended before its time: %s", t.Cut)
	}
	registerStep(&x, s, step)
	x.Passed = true
	for _, one := range x.Steps {
		x.Passed = x.Passed && one.OK
	}
	return x
}

// because is why a contactor was not closed in a test that was agreed to.
func because(t session.Test) string {
	if t.Cut != "" {
		return t.Cut
	}
	return "the card did not write down in time that it is out of service"
}

// registerStep says whether energy has flowed: nothing was to draw any.
func registerStep(x *tried, s *session.State, step func(name string, ok bool, format string, a ...any)) {
	r, _ := s.Believed()
	since := max(x.test.Opened, x.test.Ended)
	if r.At <= since {
		step("register", false, "the meter has not shown standing still since: power flows, or it does not answer")
		return
	}
	moved := r.Register - x.test.Register
	x.MovedWh, x.PowerW = &moved, &r.Power
	const none hal.Power = 20 // W: what a lamp behind the meter draws
	switch {
	case moved != 0:
		step("register", false, "it has moved by %d Wh: something drew power", moved)
	case r.Power > none:
		step("register", false, "%v flow although it is open (CON-001)", r.Power)
	default:
		step("register", true, "has not moved, %v flow: not welded", r.Power)
	}
}

// String says it in a line, for the ledger.
func (t tried) String() string {
	text := fmt.Sprintf("EVSE %d passed", t.EVSE)
	if !t.Passed {
		text = fmt.Sprintf("EVSE %d has not passed", t.EVSE)
	}
	for _, s := range t.Steps {
		text += "; " + s.Name + ": " + s.Text
	}
	return text
}
