package panel

import (
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

func testEasel() easel {
	return easel{langs: [2]display.Lang{display.NB, display.EN}, currency: payment.NOK}
}

// What an idle EVSE shows with each state and each code that session gives it.
func TestEveryStateAndFaultHasItsFace(t *testing.T) {
	for _, x := range []struct {
		state display.State
		fault string
		idle  Face
		busy  Face // with a charge under way
	}{
		{display.Starting, "", Boot, Interrupted},
		{display.Available, "", Free, Interrupted},
		{display.Paying, "", Busy, Paying},
		{display.Authorised, "", Busy, Authorised},
		{display.Closing, "", Busy, Closing},
		{display.Charging, "", Busy, Charging},
		{display.Suspended, "", Busy, Suspended},
		{display.Stopping, "", Busy, Stopping},
		{display.Faulted, "CON-001", Faulted, Interrupted},
		{display.Faulted, "MET-003", Faulted, Interrupted},
		{display.Faulted, "SAF-003", Faulted, Interrupted},
		{display.Faulted, "SAF-002", Emergency, Emergency},
		{display.Faulted, "SAF-005", Faulted, Stopping},
		{display.Unavailable, "USR-001", Unavailable, Interrupted},
		{display.Unavailable, "USR-004", Unavailable, Interrupted},
		{display.Unavailable, "SAF-002", Emergency, Emergency},
		{display.Settling, "", PayOffline, Interrupted},
		{display.Settling, "PAY-001", PayOffline, Interrupted},
		{display.Settling, "PAY-002", PayOffline, Interrupted},
		{display.Settling, "SAF-001", Faulted, Interrupted},
		{display.Settling, "STO-002", Faulted, Interrupted},
		{display.Settling, "USR-002", Faulted, Interrupted},
	} {
		k := testEasel()
		idle := k.free("A12")
		busy := idle.in(x.state, nil)
		idle.View.State = x.state
		idle.View.Fault, busy.View.Fault = x.fault, x.fault
		if got := k.scene(idle).Page().Face; got != x.idle {
			t.Errorf("%v %q: face %d, want %d", x.state, x.fault, got, x.idle)
		}
		if got := k.scene(busy).Page().Face; got != x.busy {
			t.Errorf("%v %q with a charge: face %d, want %d", x.state, x.fault, got, x.busy)
		}
	}
}

// What is shown after each end: in the first minute, then with the car still there, and
// then without it.
func TestEveryEndHasItsFace(t *testing.T) {
	for end, want := range map[display.End][3]Face{
		display.ByDriver:     {Finished, Occupied, Free},
		display.ByTechnician: {Interrupted, Interrupted, Free},
		display.Unplugged:    {Finished, Occupied, Free},
		display.CarFull:      {Finished, Occupied, Free},
		display.LimitReached: {Finished, Occupied, Free},
		display.PowerLost:    {Interrupted, Interrupted, Free},
		display.MeterLost:    {Interrupted, Interrupted, Free},
		display.ContactorBad: {Interrupted, Interrupted, Free},
		display.StorageBad:   {Interrupted, Interrupted, Free},
		display.PaymentGone:  {Interrupted, Interrupted, Free},
		display.TooLong:      {Finished, Occupied, Free},
		display.ShutDown:     {Interrupted, Interrupted, Free},
		display.ByButton:     {Finished, Occupied, Free},
		display.Emergency:    {Interrupted, Interrupted, Free},
		display.ByOwner:      {Finished, Occupied, Free},
	} {
		k := testEasel()
		for i, over := range []time.Duration{time.Second, justOver, justOver} {
			e := k.free("A12").over(end, over, nil)
			e.Parked = i == 1
			if got := k.scene(e).Page().Face; got != want[i] {
				t.Errorf("%v, %v ago, parked %v: face %d, want %d", end, over, e.Parked, got, want[i])
			}
		}
	}
	refused := func(c *display.Charge) { none(c); c.Held, c.Released = false, 0 }
	for end, want := range map[display.End]Face{
		display.Declined: Free, display.AbortedInApp: Free, display.TimedOut: Free, display.NoAnswer: Free, display.ByDriver: Free,
	} {
		k := testEasel()
		if got := k.scene(k.free("A12").over(end, time.Second, refused)).Page().Face; got != want {
			t.Errorf("%v before approval: face %d, want %d", end, got, want)
		}
	}
	for _, end := range []display.End{display.NoEnergy, display.NeverPlugged, display.ByDriver, display.TimedOut} {
		k := testEasel()
		if got := k.scene(k.free("A12").over(end, time.Second, none)).Page().Face; got != NoEnergy {
			t.Errorf("%v after approval: face %d, want %d", end, got, NoEnergy)
		}
	}
}

func TestWhatIsWrongNowComesAfterAMinuteOfWhatWas(t *testing.T) {
	k := testEasel()
	for over, want := range map[time.Duration]Face{time.Second: Interrupted, justOver: Faulted} {
		e := k.free("A12").over(display.ContactorBad, over, nil)
		e.View.State, e.View.Fault, e.Parked = display.Faulted, "CON-001", true
		p := k.scene(e).Page()
		if p.Face != want || p.Fault != "CON-001" || p.Code != nil {
			t.Errorf("%v after: face %d with code %v and fault %q, want %d", over, p.Face, p.Code, p.Fault, want)
		}
	}
}

func TestWhatWins(t *testing.T) {
	k := testEasel()
	charging := k.free("A11").in(display.Charging, nil)
	stop, here, starting := k.free("A12"), k.free("A12"), k.free("A12")
	stop.Stop, here.View.Here, starting.View.State = true, true, display.Starting
	pressed := charging
	pressed.Stop = true
	asking := k.free("A13").in(display.Paying, nil)
	older, newer := asking, k.free("A14").in(display.Authorised, nil)
	newer.View.Since.Unix += 60
	over := k.free("A15").over(display.ByDriver, time.Second, nil)
	hidden := over
	hidden.Over = 0
	for name, x := range map[string]struct {
		scene Scene
		want  Face
		of    string // EVSE
	}{
		"nothing":                   {k.scene(), OutOfOrder, ""},
		"the end":                   {Scene{Off: true, EVSEs: []EVSE{pressed}}, OutOfOrder, "A11"},
		"the cold before a stop":    {Scene{Cold: true, EVSEs: []EVSE{pressed}}, TooCold, "A11"},
		"a stop before a charge":    {k.scene(pressed), Emergency, "A11"},
		"one stop of two":           {k.scene(charging, stop), Several, ""},
		"both stopped":              {k.scene(pressed, stop), Emergency, "A11"},
		"a driver before a search":  {k.scene(here, asking), Paying, "A13"},
		"a search before a charge":  {k.scene(charging, here), Here, "A12"},
		"the newest driver":         {k.scene(older, newer), Authorised, "A14"},
		"whoever has just finished": {k.scene(older, newer, over), Finished, "A15"},
		"nobody":                    {k.scene(charging, hidden), Several, ""},
		"both starting":             {k.scene(starting, starting), Boot, "A12"},
		"one starting":              {k.scene(starting, charging), Several, ""},
		"an update":                 {Scene{Update: true, EVSEs: []EVSE{starting, stop}}, Several, ""},
		"an update of all":          {Scene{Update: true, EVSEs: []EVSE{here, starting}}, Updating, "A12"},
		"a charge before an update": {Scene{Update: true, EVSEs: []EVSE{charging}}, Charging, "A11"},
	} {
		p := x.scene.Page()
		if p.Face != x.want || p.Post != x.of {
			t.Errorf("%s: face %d of %q, want %d of %q", name, p.Face, p.Post, x.want, x.of)
		}
	}
}

func TestWhoeverIsInterruptedMayGoOnWhereThatIsPossible(t *testing.T) {
	k := testEasel()
	e := k.free("A12").over(display.PowerLost, time.Second, nil)
	if p := k.scene(e).Page(); p.Code == nil || p.ShortDo[0] != "Skann for å fortsette" || p.Title[0] != "Strømmen var borte" {
		t.Errorf("code %v, %q, %q", p.Code, p.ShortDo, p.Title)
	}
	e.View.State, e.View.Fault = display.Faulted, "SUP-001"
	if p := k.scene(e).Page(); p.Code != nil || p.ShortDo[0] != "Ta ut kabelen" {
		t.Errorf("out of order: code %v, %q", p.Code, p.ShortDo)
	}
}

func TestButtonAndOneTimeCode(t *testing.T) {
	k := testEasel()
	e := k.free("A12")
	e.Button = true
	if p := k.scene(e).Page(); p.Face != FreeButton || p.Code == nil || p.Price != "5,49" || p.Fees[0] != (Said{"Reserverer 350 kr", "Reserves 350 kr"}) {
		t.Errorf("with a button: face %d, code %v, price %q", p.Face, p.Code, p.Price)
	}
	for _, x := range []struct {
		way  payment.Way
		url  string
		left time.Duration
		want Face
	}{
		{payment.ByCode, "https://qr.vipps.no/x", time.Minute, PayCode},
		{payment.ByCode, "", time.Minute, Paying},
		{payment.ByCode, "https://qr.vipps.no/x", 0, Paying},
		{payment.ByLink, "https://pay.example.no/secret", time.Minute, Paying},
		{payment.ByPush, "", time.Minute, Paying},
	} {
		p := k.scene(e.in(display.Paying, func(c *display.Charge) { c.Way, c.PayURL, c.Left = x.way, x.url, x.left })).Page()
		if p.Face != x.want || (p.Code != nil) != (x.want == PayCode) {
			t.Errorf("%v %q: face %d, code %v", x.way, x.url, p.Face, p.Code)
		}
	}
}

func TestARowForEachOfSeveral(t *testing.T) {
	k := testEasel()
	closed := k.free("A13")
	closed.NoPay = true
	p := k.scene(k.free("A11"), k.free("A12").in(display.Charging, nil), closed).Page()
	if len(p.Rows) != 3 || p.Code == nil || p.Code.Text != "HTTPS://LAD.EXAMPLE.NO/A11" {
		t.Fatalf("rows %+v, code %+v", p.Rows, p.Code)
	}
	for i, want := range []Row{
		{Code: "A11", Face: Free, Word: Said{"Ledig", "Free"}, Figure: "5,49 kr/kWh"},
		{Code: "A12", Face: Charging, Word: Said{"Lader", "Charging"}, Figure: "68,08 kr"},
		{Code: "A13", Face: PayOffline, Word: Said{"Stengt", "Closed"}},
	} {
		got := p.Rows[i]
		if (got.Scan != nil) != (got.Face == Free) {
			t.Errorf("row %s: code %v", got.Code, got.Scan)
		}
		got.Scan, got.Light = nil, Light{}
		if got != want {
			t.Errorf("row %+v, want %+v", got, want)
		}
	}
	near := k.free("A12").in(display.Charging, func(c *display.Charge) { c.Cost = c.Reserved })
	if p := k.scene(closed, near).Page(); p.Rows[1].Face != NearLimit || p.Rows[1].Word[0] != "Lader" {
		t.Errorf("nearly used: %+v", p.Rows[1])
	}
	if p := k.scene(k.free("A11"), k.free("A12")).Page(); p.Code != nil || p.Big[0] != "LEDIG" {
		t.Errorf("two are free: code %v, %q", p.Code, p.Big)
	}
	for want, other := range map[string]EVSE{"OPPTATT": near, "STENGT": closed} {
		if p := k.scene(closed, other).Page(); p.Code != nil || p.Big[0] != want {
			t.Errorf("none is free: code %v, %q, want %q", p.Code, p.Big, want)
		}
	}
}

// The figures of a reading that is old are those of its time.
func TestFiguresSayWhenTheyWereSo(t *testing.T) {
	k := testEasel()
	s := k.scene(k.free("A12").in(display.Charging, func(c *display.Charge) { c.Reading = hal.StaleAfter + 2*time.Minute }))
	if p := s.Page(); !p.Stale || p.At != "12:38" {
		t.Errorf("stale %v, at %q", p.Stale, p.At)
	}
	s.Now.Clock = hal.ClockUnknown
	if p := s.Page(); p.At != "-2 min" || p.Updated[0] != "Målt -2 min" {
		t.Errorf("at %q without a clock, %q", p.At, p.Updated)
	}
	s.EVSEs[0].View.Charge.Reading = 0
	if p := s.Page(); p.At != "" || p.Stale {
		t.Errorf("at %q without a clock, of this moment", p.At)
	}
	row := func(c *display.Charge) Row {
		return k.scene(k.free("A11"), k.free("A12").in(display.Charging, func(to *display.Charge) { to.Reading = c.Reading })).Page().Rows[1]
	}
	if r := row(&display.Charge{Reading: hal.StaleAfter}); r.Figure == "" {
		t.Errorf("a row without its figure: %+v", r)
	}
	if r := row(&display.Charge{Reading: hal.StaleAfter + 1}); r.Figure != "" {
		t.Errorf("a row with an old figure, which cannot say so: %+v", r)
	}
}
