package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/agent/support"
	"stolpe/hal"
)

// replayed is a scenario made of a bundle, and what the post's own records say came of it.
type replayed struct {
	Name   string   `json:"scenario"`
	EVSE   int      `json:"evse"` // its number on the post
	Charge string   `json:"charge,omitempty"`
	Text   string   `json:"-"`
	Faults []string `json:"-"` // codes, as recorded; of a state
	Bills  []int64  `json:"-"` // minor units, as recorded
	Reason string   `json:"-"` // as recorded; of a charge
	Energy int64    `json:"-"` // Wh, as recorded; of a charge
}

// scenarios makes a scenario of the state of an EVSE, and one of each charge that has
// ended there.
func (f *evseFile) scenarios(head support.Head, faults []faultAt) (all []replayed, left []string) {
	all = append(all, f.stateScenario(head))
	for _, c := range slices.Concat(f.Done, f.Debts) {
		r, err := f.chargeScenario(head, c, faults)
		if err != nil {
			left = append(left, fmt.Sprintf("EVSE %d: charge %s is left out: %v", f.EVSE, c.Charge, err))
			continue
		}
		all = append(all, r)
	}
	return all, left
}

// setting is what a scenario begins with: price, meter, plug.
func (f *evseFile) setting(t *strings.Builder, p priceWord, register hal.Energy) {
	fmt.Fprintf(t, "price kwh %d minute %d session %d idle %s %d %d\n", p.KWh, p.Minute, p.Session, p.Free, p.Idle, p.Cap)
	if f.Rules.Grain > 1 {
		fmt.Fprintf(t, "meter assumed grain %d\n", f.Rules.Grain)
	}
	if f.Rules.Modulus > 0 {
		fmt.Fprintf(t, "meter modulus %d\n", f.Rules.Modulus)
	}
	if f.Rules.Refresh != "" {
		fmt.Fprintf(t, "meter refresh %s\n", f.Rules.Refresh)
	}
	fmt.Fprintf(t, "meter %d\n", register)
	if f.Serial != "" {
		fmt.Fprintf(t, "meter serial %s\n", f.Serial)
	}
	if f.Rules.Capture > 0 {
		fmt.Fprintf(t, "capture %d days\n", f.Rules.Capture)
	}
	if f.Rules.NoPlug {
		t.WriteString("plug none\n")
	}
}

// hardwareOf says what of the world makes a post tell of a fault. Faults that latch are in
// the record, and need nothing.
func hardwareOf(code string) string {
	return map[string]string{
		"CON-001": "contactor welded", "CON-002": "contactor stuck", "CON-003": "sense dead",
		"MET-001": "meter silent", "MET-002": "meter serial another", "SUP-001": "supply missing", "STO-001": "disk full",
		"SAF-002": "wire estop", "SAF-003": "wire rcd", "SAF-004": "wire hot", "SAF-005": "wire stop",
	}[code]
}

// passing are the faults that every start has for a moment.
func passing() []string { return []string{"PAY-002", "SAF-001"} }

// stateScenario starts a post with the record of an EVSE in the world as it was: with what
// was wrong around it, and a payment service that does what it did.
func (f *evseFile) stateScenario(head support.Head) replayed {
	r := replayed{Name: fmt.Sprintf("evse-%d-state", f.EVSE), EVSE: f.EVSE}
	var t strings.Builder
	fmt.Fprintf(&t, "# EVSE %d as it was in support bundle %s, %s, stolpe %s: %s.\n", f.EVSE, head.ID, f.At.Format(time.RFC3339), head.Version, f.Phase)
	fmt.Fprintf(&t, "# A desk begins with a start: a charge under way ends as after a power cut.\n")
	register := hal.Energy(1)
	if k, err := session.Decode(f.Record); err == nil {
		register = max(register, k.Resting, k.Charge.Start, k.Charge.Seen)
	}
	if f.Meter != nil {
		register = max(register, f.Meter.Register)
	}
	f.setting(&t, f.Rules.Price, register)
	if !f.Rules.NoPlug && f.Plug != "" {
		fmt.Fprintf(&t, "plug %s\n", f.Plug)
	}
	t.WriteString(f.mood())
	fmt.Fprintf(&t, "record %s\npower on\n", base64.StdEncoding.EncodeToString(f.Record))
	for _, fault := range f.Faults {
		if do := hardwareOf(fault.Code); do != "" {
			fmt.Fprintf(&t, "%s\n", do)
		}
		if !slices.Contains(passing(), fault.Code) {
			r.Faults = append(r.Faults, fault.Code)
		}
	}
	t.WriteString("after 5m\nshow\n")
	for _, d := range f.Debts {
		if d.Gross != nil {
			r.Bills = append(r.Bills, int64(*d.Gross))
		}
	}
	r.Text = t.String()
	return r
}

// mood is how the payment service treats whoever asks, as far as the debts tell.
func (f *evseFile) mood() string {
	for _, d := range f.Debts {
		if d.Trouble != "" {
			return "service refuses " + d.Trouble + "\n"
		}
	}
	if len(f.Debts) > 0 {
		return "service lost\n"
	}
	return ""
}

// faultAt is a fault that came, or went, as the ledger tells it.
type faultAt struct {
	evse int // number on the post
	at   time.Time
	code string
	gone bool
}

// faultsIn reads the faults out of the ledger of a bundle.
func faultsIn(lines []byte) (all []faultAt) {
	for line := range strings.Lines(string(lines)) {
		var e struct {
			At    int64       `json:"at"` // s since 1970
			Kind  ledger.Kind `json:"kind"`
			EVSE  int         `json:"evse"` // number on the post
			Fault *struct {
				Code string `json:"code"`
			} `json:"fault"`
		}
		if json.Unmarshal([]byte(line), &e) == nil && e.Fault != nil {
			all = append(all, faultAt{e.EVSE, time.Unix(e.At, 0), e.Fault.Code, e.Kind == ledger.FaultCleared})
		}
	}
	return all
}

// errNotPlayed says that there is too little known of a charge, or no way to play it.
var errNotPlayed = errors.New("it is not told well enough to be played")

// closesIn is how long a scenario takes from the approval to the closed contactor.
const closesIn = 4 * time.Second

// chargeScenario plays a charge again: its price, its register, its time, what went wrong
// under way, and how it ended.
func (f *evseFile) chargeScenario(head support.Head, c *chargeWord, faults []faultAt) (replayed, error) {
	r := replayed{Name: fmt.Sprintf("evse-%d-%s", f.EVSE, c.Charge), EVSE: f.EVSE, Charge: c.Charge, Reason: c.Reason}
	if c.Session == nil || c.StartWh == nil || c.EndWh == nil || c.Gross == nil || c.Paid == nil {
		return r, errNotPlayed
	}
	r.Energy, r.Bills = int64(*c.Energy), []int64{int64(*c.Gross)}
	var t strings.Builder
	fmt.Fprintf(&t, "# Charge %s of support bundle %s, EVSE %d, stolpe %s: %s, %d Wh, %v.\n", c.Charge, head.ID, f.EVSE, head.Version, c.Reason, r.Energy, *c.Gross)
	f.setting(&t, *c.Paid, *c.StartWh)
	fmt.Fprintf(&t, "offer %d\npost ready\n", c.Reserved)
	if !f.Rules.NoPlug {
		t.WriteString("plug in\n")
	}
	end, err := endOf(c, faultsUnder(f.EVSE, c, faults))
	if err != nil {
		return r, err
	}
	power := int64(0)
	if s := end.drawing.Seconds(); s > 0 {
		power = int64(float64(r.Energy) * time.Hour.Seconds() / s)
	}
	fmt.Fprintf(&t, "car %d W\ndriver A requests %s kr\n", power, kroner(int64(c.Reserved)))
	t.WriteString(end.text)
	t.WriteString("after 15m\nshow A\n")
	r.Text = t.String()
	return r, nil
}

func kroner(minor int64) string {
	const unit = 100 // minor units
	if minor%unit == 0 {
		return fmt.Sprint(minor / unit)
	}
	return fmt.Sprintf("%d.%02d", minor/unit, minor%unit)
}

// faultsUnder are those that came while a charge ran, or soon after.
func faultsUnder(evse int, c *chargeWord, faults []faultAt) (all []faultAt) {
	const after = 15 * time.Minute // the last reading is waited for so long
	for _, one := range faults {
		if one.evse == evse && !one.at.Before(c.Start) && one.at.Before(c.End.Add(after)) {
			all = append(all, one)
		}
	}
	return all
}

// ending is how a charge comes to its end in a scenario.
type ending struct {
	drawing time.Duration // how long the car draws
	text    string        // the commands from the request on
}

// endOf writes how a charge went from its request to its end.
func endOf(c *chargeWord, faults []faultAt) (ending, error) {
	lasts := time.Duration(c.Seconds) * time.Second
	const silence, full, idle = time.Minute, 15 * time.Minute, 10 * time.Minute // session.MeterWithin, and the default limits
	e := ending{drawing: lasts}
	paused := time.Duration(c.Idle) * time.Second // the car drew nothing any more
	if free, err := time.ParseDuration(c.Paid.Free); err == nil && paused > 0 {
		paused += free
	}
	run := func(d time.Duration, then ...string) {
		if paused > 0 && paused < d {
			d -= paused
			then = append([]string{"car 0 W", "after " + paused.String()}, then...)
		}
		e.drawing = d
		e.text = fmt.Sprintf("payer approves\nafter %v\nmeter %d\n%s\n", d+closesIn, *c.EndWh, strings.Join(then, "\n"))
	}
	back := slices.ContainsFunc(faults, func(f faultAt) bool { return f.code == "MET-001" && f.gone })
	switch c.Reason {
	case "driver_stop", "remote_stop":
		run(lasts, "driver A stops")
		if lasts == 0 {
			e.text = "driver A stops\n"
		}
	case "technician":
		run(lasts, "technician withdraws")
	case "unplugged":
		run(lasts, "plug out")
	case "button_stop":
		run(lasts, "wire stop", "after 5s", "wire none")
	case "emergency_stop":
		run(lasts, "wire estop")
	case "power_loss", "shut_down":
		run(lasts, "power cut", "after 1m", "power on")
	case "car_full":
		if paused > 0 { // it ends when the fee does not grow any more
			run(lasts, "after 1m")
		} else {
			run(max(time.Second, lasts-full), "car 0 W", "after 16m")
		}
	case "no_energy":
		run(idle, "after 1m")
	case "limit_reached":
		e.text = fmt.Sprintf("payer approves\nafter %v\n", lasts+2*time.Minute)
	case "meter_fault":
		if run(max(time.Second, lasts-silence), "car 0 W", "after 30s", "meter silent", "after 2m"); back {
			e.text += "meter ok\n"
		}
	case "contactor_fault":
		run(lasts, "contactor stuck", "after 1m")
	case "aborted":
		e.text = "payer declines\n"
	case "expired":
		e.text = "after 11m\n"
	case "never_plugged":
		e.text = "plug out\npayer approves\nafter 6m\n"
	default:
		return e, fmt.Errorf("%w: it ended by %q", errNotPlayed, c.Reason)
	}
	return e, nil
}
