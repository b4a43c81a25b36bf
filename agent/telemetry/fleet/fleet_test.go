package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"stolpe/agent/telemetry"
)

// noon is when tests begin.
func noon() time.Time { return time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC) }

// world is a fleet, and a clock that tests turn.
type world struct {
	t     *testing.T
	fleet *Fleet
	now   time.Time
	seq   uint64
	card  int // on which events are numbered
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, fleet: New(time.UTC), now: noon()}
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) reach(there bool) {
	w.t.Helper()
	if err := w.fleet.Reach(w.now, "acme", "A1", there); err != nil {
		w.t.Fatal(err)
	}
}

// say has post A1 say something.
func (w *world) say(leaf telemetry.Leaf, retained bool, what any) {
	w.t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.fleet.Take(w.now, "acme", "A1", leaf, text, retained); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) head() telemetry.Head {
	return telemetry.Head{V: telemetry.Version, At: w.now, Clock: "synced"}
}

// state has EVSE 1 be so, since a while ago, with those faults.
func (w *world) state(word string, ago time.Duration, faults ...string) {
	w.t.Helper()
	w.say(telemetry.StateLeaf.Of(1), false, w.stateOf(word, ago, faults...))
}

func (w *world) stateOf(word string, ago time.Duration, faults ...string) telemetry.State {
	s := telemetry.State{Head: w.head(), State: word, Since: w.now.Add(-ago), Contactor: "open", Plug: "out"}
	for _, code := range faults {
		s.Faults = append(s.Faults, telemetry.Fault{Code: code, Class: telemetry.ClassOf(code), Since: w.now.Add(-ago)})
	}
	return s
}

// event has something happen at EVSE 1.
func (w *world) event(kind string, data string) {
	w.t.Helper()
	w.seq++
	w.say(telemetry.EventLeaf+"/"+telemetry.Leaf(telemetry.KindOf(kind)), false,
		telemetry.Event{Head: w.head(), ID: fmt.Sprintf("01JD3MB8Y5W2M9T%02d%09d", w.card, w.seq), Seq: w.seq, Type: kind, EVSE: 1, Data: json.RawMessage(data)})
}

func (w *world) post() Post {
	w.t.Helper()
	p, ok := w.fleet.Find(w.now, "acme", "A1")
	if !ok {
		w.t.Fatal("A1 is not known")
	}
	return p
}

func (w *world) evse() EVSE {
	w.t.Helper()
	p := w.post()
	if len(p.EVSEs) == 0 {
		w.t.Fatal("A1 has no EVSE")
	}
	return p.EVSEs[0]
}

// want compares how the time was spent.
func (w *world) want(what string, want Times) {
	w.t.Helper()
	if got := w.evse().Year; got != want {
		w.t.Errorf("%s:\n%+v\nwant\n%+v", what, got, want)
	}
}

// again is the same fleet in another program, after what was kept.
func (w *world) again() {
	w.t.Helper()
	next := New(time.UTC)
	err := w.fleet.Keep(w.now, func(tenant, post string, text []byte) error {
		old, err := next.Restore(w.now, tenant, post, text)
		if old {
			err = errors.New("old")
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.fleet = next
}

func TestTimesFollowStates(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	for _, s := range []struct {
		word   string
		faults []string
		hours  int
	}{
		{"available", nil, 10}, {"paying", nil, 1}, {"charging", nil, 4}, {"faulted", []string{"MET-001"}, 2}, {"unavailable", []string{"USR-001"}, 3},
		{"settling", []string{"PAY-002"}, 1}, {"faulted", []string{"SUP-001"}, 5}, {"available", nil, 74},
	} {
		w.state(s.word, 0, s.faults...)
		w.pass(time.Duration(s.hours) * time.Hour)
	}
	want := Times{Working: 89 * time.Hour, Down: 11 * time.Hour, Excluded: 5 * time.Hour}
	w.want("a hundred hours", want)
	if share, ok := want.NEVI(); !ok || share != 0.94 { // (100 - (11 - 5)) / 100
		t.Errorf("NEVI %v", share)
	}
	if share, ok := want.UK(); !ok || share != 0.89 { // 89 / (89 + 11)
		t.Errorf("UK %v", share)
	}
	outages := w.evse().Outages(w.now)
	if len(outages) != 4 || outages[0].Code != "SUP-001" || outages[0].Cause != "grid" || outages[3].Code != "MET-001" || outages[3].Cause != "" {
		t.Errorf("%+v", outages)
	}
}

// The numbers of the law's own text: a year has 525600 minutes.
func TestNEVIOfAWholeYear(t *testing.T) {
	const year = 525600 * time.Minute
	all := Times{Working: year - 10*24*time.Hour, Down: 6 * 24 * time.Hour, Away: 3 * 24 * time.Hour, Cut: 24 * time.Hour, Excluded: 3 * 24 * time.Hour}
	share, ok := all.NEVI()
	if want := (525600.0 - (14400 - 4320)) / 525600; !ok || math.Abs(share-want) > 1e-12 {
		t.Errorf("%v, want %v", share, want)
	}
	for name, none := range map[string]Times{"nothing": {}, "nobody listened": {Unheard: year}} {
		if _, ok := none.NEVI(); ok {
			t.Errorf("%s: there is a NEVI figure", name)
		}
		if _, ok := none.UK(); ok {
			t.Errorf("%s: there is a UK figure", name)
		}
	}
	if _, ok := (Times{Away: year}).UK(); ok {
		t.Error("the UK counts what is not known")
	}
	if share, ok := (Times{Away: year}).NEVI(); !ok || share != 0 {
		t.Errorf("offline for a year is %v by NEVI", share)
	}
}

func TestOfflineCountsUnlessItWorked(t *testing.T) {
	for name, c := range map[string]struct {
		back func(w *world)
		want Times
	}{
		"the same state as before": {func(w *world) { w.state("available", 5*time.Hour) }, Times{Working: 4 * time.Hour, Cut: 2 * time.Hour, Excluded: 2 * time.Hour}},
		"another one, half way":    {func(w *world) { w.state("charging", time.Hour) }, Times{Working: 4 * time.Hour, Away: time.Hour, Cut: time.Hour, Excluded: time.Hour}},
		"broken since before":      {func(w *world) { w.state("faulted", 5*time.Hour, "CON-001") }, Times{Working: 3 * time.Hour, Down: 3 * time.Hour}},
		"only just":                {func(w *world) { w.state("available", 0) }, Times{Working: 4 * time.Hour, Away: 2 * time.Hour}},
		"clock not known": {func(w *world) {
			s := w.stateOf("available", 5*time.Hour)
			s.Clock = "unknown"
			w.say(telemetry.StateLeaf.Of(1), false, s)
		}, Times{Working: 4 * time.Hour, Away: 2 * time.Hour}},
		"clock a day wrong": {func(w *world) {
			s := w.stateOf("available", 5*time.Hour)
			s.At, s.Since = s.At.Add(24*time.Hour), s.Since.Add(24*time.Hour)
			w.say(telemetry.StateLeaf.Of(1), false, s)
		}, Times{Working: 4 * time.Hour, Cut: 2 * time.Hour, Excluded: 2 * time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.t = t
			w.reach(true)
			w.state("available", 0)
			w.pass(3 * time.Hour)
			w.reach(false)
			w.pass(2 * time.Hour)
			w.reach(true)
			c.back(w)
			w.pass(time.Hour)
			w.want(name, c.want)
		})
	}
}

// What was heard stays as it was heard: a since that reaches further back changes nothing.
func TestWhatWasHeardStays(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.state("faulted", 0, "MET-001")
	w.pass(time.Hour)
	w.state("available", 10*time.Hour)
	w.pass(time.Hour)
	w.want("", Times{Working: time.Hour, Down: time.Hour})
}

func TestTimeWithoutListenersIsUnknownUnlessShown(t *testing.T) {
	for name, c := range map[string]struct {
		then func(w *world, before telemetry.State)
		want Times
	}{
		"shown by what is retained": {func(w *world, before telemetry.State) {
			w.say(telemetry.StateLeaf.Of(1), true, before)
			w.reach(true)
		}, Times{Working: 9 * time.Hour}},
		"the other order": {func(w *world, before telemetry.State) {
			w.reach(true)
			w.say(telemetry.StateLeaf.Of(1), true, before)
		}, Times{Working: 9 * time.Hour}},
		"another state since": {func(w *world, before telemetry.State) {
			before.State, before.Since, before.At = "faulted", w.now.Add(-time.Hour), w.now.Add(-time.Hour)
			before.Faults = []telemetry.Fault{{Code: "CON-001", Since: before.Since}}
			w.reach(true)
			w.say(telemetry.StateLeaf.Of(1), true, before)
		}, Times{Working: 3 * time.Hour, Unheard: 4 * time.Hour, Down: 2 * time.Hour}},
		"clock not known": {func(w *world, before telemetry.State) {
			before.Clock = "unknown"
			w.say(telemetry.StateLeaf.Of(1), true, before)
			w.reach(true)
		}, Times{Working: 4 * time.Hour, Unheard: 5 * time.Hour}},
		"gone meanwhile": {func(w *world, before telemetry.State) {
			before.At = w.now.Add(-2 * time.Hour) // until then it was so
			w.reach(false)
			w.say(telemetry.StateLeaf.Of(1), true, before)
		}, Times{Working: 6 * time.Hour, Unheard: 2 * time.Hour, Away: time.Hour}},
		"gone meanwhile, the other order": {func(w *world, before telemetry.State) {
			before.At = w.now.Add(-2 * time.Hour)
			w.say(telemetry.StateLeaf.Of(1), true, before)
			w.reach(false)
		}, Times{Working: 6 * time.Hour, Unheard: 2 * time.Hour, Away: time.Hour}},
		"nothing was retained": {func(w *world, _ telemetry.State) { w.reach(true) }, Times{Working: 3 * time.Hour, Unheard: 6 * time.Hour}},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", restart ", restart), func(t *testing.T) {
				w := newWorld(t)
				w.t = t
				w.reach(true)
				before := w.stateOf("available", 0)
				w.say(telemetry.StateLeaf.Of(1), false, before)
				w.pass(3 * time.Hour)
				if restart {
					w.again()
				} else {
					w.fleet.Deaf(w.now)
				}
				w.pass(5 * time.Hour)
				c.then(w, before)
				w.pass(time.Hour)
				w.want(name, c.want)
			})
		}
	}
}

func TestASilentPostIsGone(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.say(telemetry.InfoLeaf, false, telemetry.Info{Head: w.head(), Profile: telemetry.Standard, EVSEs: []telemetry.EVSE{{ID: 1, Code: "A1"}}})
	w.state("available", 0)
	for range 14 {
		w.pass(time.Minute)
		w.fleet.Watch(w.now)
	}
	if !w.post().There {
		t.Error("gone after 14 minutes")
	}
	w.pass(time.Minute) // three times five minutes
	w.fleet.Watch(w.now)
	if w.post().There {
		t.Error("there after a quarter of an hour of silence")
	}
	w.pass(45 * time.Minute)
	w.want("silent", Times{Working: 15 * time.Minute, Away: 45 * time.Minute})
	w.say(telemetry.HealthLeaf, false, telemetry.Health{Head: w.head()})
	w.want("back", Times{Working: 15 * time.Minute, Cut: 45 * time.Minute, Excluded: 45 * time.Minute})
	if !w.post().There {
		t.Error("not there after a word")
	}
}

// A post that connects again is about to say how it stands: what it had said before it
// fell silent shows nothing of the time since.
func TestASilentPostConnectsAgain(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.state("available", 0)
	w.pass(time.Hour)
	w.fleet.Watch(w.now)
	w.pass(2 * time.Hour)
	w.reach(true)
	w.state("faulted", time.Hour, "MET-001")
	w.want("", Times{Working: time.Hour, Away: time.Hour, Down: time.Hour})
}

// Not every broker keeps what is retained, and says who is there.
func TestWhoeverSpeaksIsThere(t *testing.T) {
	w := newWorld(t)
	w.state("available", 0)
	w.pass(time.Hour)
	w.want("", Times{Working: time.Hour})
	if !w.post().There {
		t.Error("it is not there")
	}
}

func TestAnnouncedTimeIsExcluded(t *testing.T) {
	w := newWorld(t)
	w.fleet.Announce([]Window{
		{Tenant: "acme", Post: "A2", From: noon(), To: noon().Add(99 * time.Hour), Cause: "vandalism"},
		{Tenant: "other", From: noon(), To: noon().Add(99 * time.Hour), Cause: "vandalism"},
		{Tenant: "acme", From: noon().Add(time.Hour), To: noon().Add(3 * time.Hour), Cause: "maintenance"},
	})
	w.reach(true)
	w.state("unavailable", 0, "USR-001")
	w.pass(2 * time.Hour)
	w.state("available", 0)
	w.pass(30 * time.Minute)
	w.state("unavailable", 0, "USR-001")
	w.pass(90 * time.Minute)
	w.want("", Times{Working: 30 * time.Minute, Down: 210 * time.Minute, Excluded: 90 * time.Minute})
	var said []string
	for _, o := range w.evse().Outages(w.now) {
		said = append(said, fmt.Sprint(o.To.Sub(o.From), " ", o.Cause))
	}
	if got := strings.Join(said, ", "); got != "1h0m0s , 30m0s maintenance, 1h0m0s maintenance, 1h0m0s " {
		t.Error(got)
	}
}

// A gateway's post sells nothing while the broker is away, whatever it says afterwards.
func TestAPostOfAGatewayDoesNotSellAlone(t *testing.T) {
	for word, want := range map[string]Times{
		"available": {Working: 2 * time.Hour, Away: 3 * time.Hour},
		"charging":  {Working: 2 * time.Hour, Cut: 3 * time.Hour, Excluded: 3 * time.Hour},
	} {
		w := newWorld(t)
		w.reach(true)
		w.say(telemetry.InfoLeaf, false, telemetry.Info{Head: w.head(), Through: "gateway", EVSEs: []telemetry.EVSE{{ID: 1}}})
		w.state(word, 0)
		w.pass(time.Hour)
		w.reach(false)
		w.pass(3 * time.Hour)
		w.reach(true)
		w.state(word, 4*time.Hour)
		w.pass(time.Hour)
		w.want(word, want)
	}
}

// Short troubles make no long ones, however many there are.
func TestAYearOfShortLosses(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.state("available", 0)
	maintained := w.now.Add(48 * time.Hour)
	announced := []Window{{Tenant: "acme", From: maintained, To: maintained.Add(24 * time.Hour), Cause: "maintenance"}}
	w.fleet.Announce(announced)
	for n := range 3 * 365 {
		w.pass(8*time.Hour - 2*time.Minute)
		w.reach(false)
		w.pass(2 * time.Minute)
		w.reach(true)
		w.state("available", 0)
		if n%100 == 0 {
			w.again()
			w.fleet.Announce(announced)
			w.reach(true)
			w.state("available", 0)
		}
	}
	year := w.evse().Year // without its first day, of which only a part is in it
	if want := (Times{Working: year.Working, Away: (3*365 - 1) * 2 * time.Minute, Excluded: 6 * time.Minute}); year != want || year.Working < 364*23*time.Hour {
		t.Errorf("%+v, want %+v", year, want)
	}
	if share, _ := year.NEVI(); share < 0.99 {
		t.Errorf("NEVI %v", share)
	}
	month := w.evse().Month
	if share, _ := month.NEVI(); share < 0.99 || share > 0.999 || month.Working > 30*24*time.Hour {
		t.Errorf("the month: %v, %+v", share, month)
	}
	w.pass(500 * 24 * time.Hour)
	w.state("faulted", 0, "MET-001")
	w.state("available", 0)
	if e := w.fleet.posts["acme/A1"].EVSEs[1]; len(e.Past) > 0 {
		t.Errorf("%d days are kept", len(e.Past))
	}
}

func TestOnePostThatCannotBeKeptEndsNoOther(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		if err := w.fleet.Reach(w.now, "acme", fmt.Sprint("A", n), true); err != nil {
			t.Fatal(err)
		}
	}
	full, tried := errors.New("full"), 0
	fails := func(string, string, []byte) error { tried++; return full }
	if err := w.fleet.Keep(w.now, fails); !errors.Is(err, full) || tried != 5 {
		t.Errorf("%d are tried, %v", tried, err)
	}
}

func TestWhatWasCountedIsKeptByItself(t *testing.T) {
	w := newWorld(t)
	w.reach(true)
	w.say(telemetry.PriceLeaf.Of(1), true, telemetry.Price{Head: w.head(), Currency: "NOK"})
	for _, want := range []int{0, 1, 0} {
		if want > 0 {
			w.event("session.settled", sold)
		}
		kept := 0
		if err := w.fleet.KeepCounts(w.now, func(string, string, []byte) error { kept++; return nil }); err != nil || kept != want {
			t.Errorf("%d are kept, want %d, %v", kept, want, err)
		}
	}
	w.again()
	if p := w.post(); p.Sells != "NOK" {
		t.Errorf("sells in %q", p.Sells)
	}
}
