package telemetry_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stolpe/agent/session"
	. "stolpe/agent/telemetry"
	"stolpe/cross/schema"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/envelope"
)

const module = "../.."

func strict(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.ReadStrictly(module)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var noon = hal.Stamp{Unix: 1_795_780_800, Clock: hal.ClockSynced}

func of[T any](v T) *T { return &v }

// full is a payload of each kind with everything in it that there can be.
func full() map[Leaf][]any {
	head, since := HeadAt(noon), noon.Time()
	ref := "A12-1-000012"
	evse := EVSE{ID: 1, Code: "A12", MaxPower: 22_000}
	evse.Meter.Model, evse.Meter.Serial = "eastron_sdm630", "22110345"
	var faults []Fault
	session.EachFault(func(f session.Faults) {
		faults = append(faults, Fault{f.Code(), ClassOf(f.Code()), since, f.String()})
	})
	var states, sessions []any
	for s := range display.LastState + 1 {
		states = append(states, State{head, 12, s.String(), since, &ref, "closed", hal.PlugIn.String(), faults})
		sessions = append(sessions, Session{head, &ref, s.String(), &since, of(int64(11344)), of(int64(5400)), of(int64(6228)), of(int64(35_000)), "NOK"})
	}
	return map[Leaf][]any{
		InfoLeaf: {Info{head, "A12", "acme", "Storgata 1", "1.0.0", "linux/arm64", "Raspberry Pi Zero 2 W", "01JD3M9Q7T", "0123456789ab", "Europe/Oslo", "NO",
			[]EVSE{evse}, Frugal, "gateway", []string{"identify", "config.set"}, []Display{{"oled", "oled", []int{1}}, {"oled-2", "oled", []int{1, 2}}}}},
		HealthLeaf: {Health{head, 60, of(41.5), []int64{120, 512}, of(3), of(-71), of(int64(-12)), Outbox{3, 60}, of(int64(12)), of(1), 2, 60, "the disk is full",
			[]DisplayHealth{{"oled", "", "", 12, 0}, {"oled-2", "DIS-001", "remote I/O error", 0, 12}}},
			Health{Head: HeadAt(hal.Stamp{})}},
		StateLeaf.Of(1):   append(states, State{head, 0, "available", since, nil, "open", "unknown", []Fault{}}),
		PriceLeaf.Of(1):   {Price{head, "NOK", 2500, 549, 0, 0, []OtherPrice{{"idle", 100, 900, 20_000}}}, Price{Head: head, Currency: "EUR"}},
		SessionLeaf.Of(9): append(sessions, Session{Head: head, Phase: "none"}),
		MeterLeaf.Of(99):  {Meter{head, of(int64(10_345_678)), of(int64(-7)), "ok"}, Meter{Head: head, Quality: "missing"}},
	}
}

func TestEveryPayloadFitsTheSchema(t *testing.T) {
	s := strict(t)
	for leaf, all := range full() {
		for _, v := range all {
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Message(leaf, text); err != nil {
				t.Error(err)
			}
		}
	}
	for _, word := range []string{envelope.Online, envelope.Offline} {
		if err := s.Message(envelope.AvailabilityLeaf, []byte(word)); err != nil {
			t.Error(err)
		}
	}
}

// What the schema requires is required, and what it does not name is refused where
// nothing but the post speaks.
func TestTheSchemaIsStrict(t *testing.T) {
	s := strict(t)
	open, err := schema.Read(module)
	if err != nil {
		t.Fatal(err)
	}
	for leaf, all := range full() {
		text, _ := json.Marshal(all[0]) //nolint:errcheck // it has been done above
		kind := schema.KindOf(leaf)
		for _, bad := range []string{`{}`, `[]`, `{"v":2,` + string(text[len(`{"v":1,`):])} {
			if open.Check(kind, []byte(bad)) == nil {
				t.Errorf("%s: %s is taken", leaf, bad)
			}
		}
		more := []byte(`{"news":1,` + string(text[1:]))
		if s.Check(kind, more) == nil {
			t.Errorf("%s: a member that nobody knows passes for what a post publishes", leaf)
		}
		if err := open.Check(kind, more); err != nil {
			t.Errorf("%s: a consumer falls over a member that it does not know: %v", leaf, err)
		}
	}
	for leaf, bad := range map[Leaf][]string{
		StateLeaf.Of(1):   {`"state":"dreaming"`, `"contactor":"ajar"`, `"since":"2026-11-27T12:00:00.5Z"`, `"since":"2026-11-27T12:00:00+01:00"`, `"since":"2026-11-31T12:00:00Z"`, `"seq":-1`, `"clk":"sync"`},
		MeterLeaf.Of(99):  {`"e_wh":1.5`, `"e_wh":null`, `"q":"good"`},
		SessionLeaf.Of(9): {`"id":null`, `"phase":"none"`, `"cost":-1`},
		HealthLeaf:        {`"outbox":[1,2]`, `"disk_pct":101`},
	} {
		text, _ := json.Marshal(full()[leaf][0]) //nolint:errcheck // it has been done above
		for _, b := range bad {
			spoiled := string(text[:len(text)-1]) + "," + b + "}" // the last of two wins
			if s.Check(schema.KindOf(leaf), []byte(spoiled)) == nil {
				t.Errorf("%s: %s is taken", leaf, b)
			}
		}
	}
}

// Each member of the structs is somewhere in the schema, and the other way round.
func TestTheSchemaNamesWhatThereIs(t *testing.T) {
	known := membersInSchema(t)
	for kind, v := range map[string]any{"info": Info{}, "health": Health{}, "state": State{}, "price": Price{}, "session": Session{}, "meter": Meter{}, "event": Event{}} {
		members := membersOf(reflect.TypeOf(v))
		for m := range known[kind] {
			if !members[m] {
				t.Errorf("%s: the schema has %s, and no payload has", kind, m)
			}
			delete(members, m)
		}
		for m := range members {
			t.Errorf("%s: the schema does not have %s", kind, m)
		}
	}
}

// membersInSchema are the members of each kind of payload.
func membersInSchema(t *testing.T) map[string]map[string]any {
	t.Helper()
	var doc struct {
		Defs map[string]struct {
			Properties map[string]any
		} `json:"$defs"`
	}
	text, err := os.ReadFile(filepath.Join(module, schema.File()))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for kind, d := range doc.Defs {
		all[kind] = d.Properties
	}
	return all
}

func membersOf(t reflect.Type) map[string]bool {
	all := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for m := range membersOf(f.Type) {
				all[m] = true
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[name] = true
	}
	return all
}

// Where the schema lists words, they are those that there are.
func TestTheSchemaHasTheWords(t *testing.T) {
	var doc struct {
		Defs map[string]struct {
			Enum []string
		} `json:"$defs"`
	}
	text, err := os.ReadFile(filepath.Join(module, schema.File()))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for s := range display.LastState + 1 {
		want["states"] = append(want["states"], s.String())
	}
	for e := range display.LastEnd {
		want["ends"] = append(want["ends"], (e + 1).String())
	}
	for r := range payment.LastReason {
		want["troubles"] = append(want["troubles"], (r + 1).String())
	}
	for _, c := range []hal.Clock{hal.ClockSynced, hal.ClockHoldover, hal.ClockUnknown} {
		want["clock"] = append(want["clock"], c.String())
	}
	for _, c := range []payment.Currency{payment.NOK, payment.DKK, payment.EUR} {
		want["currency"] = append(want["currency"], string(c))
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if diff := cmp.Diff(want[name], doc.Defs[name].Enum); diff != "" {
			t.Errorf("%s (-said by the post +in the schema):\n%s", name, diff)
		}
	}
}

func TestLeavesHaveTheirKinds(t *testing.T) {
	for leaf, kind := range map[Leaf]string{
		InfoLeaf: "info", HealthLeaf: "health", "availability": "availability", StateLeaf.Of(1): "state", MeterLeaf.Of(2): "meter",
		EventLeaf + "/session": "event", CommandLeaf + "/config.set": "command", CommandLeaf + "/config.set/res": "reply",
		StateLeaf: "", InfoLeaf.Of(1): "", EventLeaf: "", "pay/ask": "", "evse/1/state/x": "", "evse/01/state": "",
	} {
		if got := schema.KindOf(leaf); got != kind {
			t.Errorf("%s is %q, want %q", leaf, got, kind)
		}
	}
}

func TestHomeAssistantIsTold(t *testing.T) {
	info := full()[InfoLeaf][0].(Info)
	h := HomeAssistant{Prefix: "homeassistant", Base: "stolpe/v1/acme/A12/", Offline: envelope.AvailabilityLeaf, Info: info, Currency: "NOK", Plugs: []int{1}, Streams: true}
	if got := h.Topic(); got != "homeassistant/device/stolpe-acme_A12/config" {
		t.Error(got)
	}
	other, another := HomeAssistant{Info: Info{Tenant: "a-b", Post: "c"}}, HomeAssistant{Info: Info{Tenant: "a", Post: "b-c"}}
	if other.Topic() == another.Topic() {
		t.Errorf("two posts at %s", other.Topic())
	}
	if got := h.Birth(); got != "homeassistant/status" {
		t.Error(got)
	}
	text := h.Message()
	if err := strict(t).Check("discovery", text); err != nil {
		t.Error(err)
	}
	var got struct {
		Components map[string]map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	ids, members := map[any]bool{}, membersInSchema(t)
	for key, e := range got.Components {
		ids[e["unique_id"]] = true
		leaf, ours := strings.CutPrefix(fmt.Sprint(e["state_topic"]), h.Base)
		if kind := schema.KindOf(Leaf(leaf)); !ours || kind == "" {
			t.Errorf("%s looks at %s", key, e["state_topic"])
		}
		for _, m := range regexp.MustCompile(`value_json\.(\w+)`).FindAllStringSubmatch(fmt.Sprint(e["value_template"]), -1) {
			if _, ok := members[schema.KindOf(Leaf(leaf))][m[1]]; !ok {
				t.Errorf("%s looks for %s under %s", key, m[1], leaf)
			}
		}
		if e["device_class"] == "enum" && e["state_class"] != nil || e["device_class"] == "monetary" && e["state_class"] == "measurement" {
			t.Errorf("%s: Home Assistant refuses %v", key, e)
		}
	}
	if len(ids) != len(got.Components) || len(ids) != 15 {
		t.Errorf("%d entities with %d ids, want 15", len(got.Components), len(ids))
	}
	if strings.Contains(string(text), "command_topic") {
		t.Error("there is something that acts")
	}
	h.Streams, h.Plugs, h.Info.Displays = false, nil, nil
	for _, no := range []string{"plug", "meter", "session", "displays"} {
		if strings.Contains(string(h.Message()), no) {
			t.Errorf("%s is not published, and an entity waits for it", no)
		}
	}
}

// A post with as many EVSEs as there can be still fits into one message.
func TestHomeAssistantOfABigPost(t *testing.T) {
	info := full()[InfoLeaf][0].(Info)
	one := info.EVSEs[0]
	for n := range 7 {
		one.ID = n + 2
		info.EVSEs = append(info.EVSEs, one)
	}
	info.Tenant = "åse & co"
	for i := range info.EVSEs {
		info.EVSEs[i].Code = fmt.Sprint("C", i)
	}
	h := HomeAssistant{Prefix: "ha", Base: "stolpe/v1/" + strings.Repeat("x", 64) + "/A12/", Offline: "availability", Info: info, Currency: "EUR", Plugs: []int{1, 8}, Streams: true}
	text := h.Message()
	if err := strict(t).Check("discovery", text); err != nil {
		t.Error(err)
	}
	var got struct {
		Components map[string]struct{ Name string }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, e := range got.Components {
		names[e.Name] = true
	}
	if len(names) != len(got.Components) {
		t.Errorf("%d entities have %d names", len(got.Components), len(names))
	}
	if most := 64 << 10; len(text) > most {
		t.Errorf("%d bytes: want at most %d", len(text), most)
	}
	if strings.ContainsAny(h.Topic(), " &å") {
		t.Error(h.Topic())
	}
}

func TestEventsFitTheSchema(t *testing.T) {
	e := Event{Head: HeadAt(noon), ID: "01JD3MB8Y5W2M9T0K6X4C1R7ZP", Seq: 18_413, Type: "receipt.void", EVSE: 1,
		Data: json.RawMessage(`{"from":3,"to":4,"why":"lost with a card"}`)}
	s := strict(t)
	check := func(e Event) error {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return s.Message(e.Leaf(), text)
	}
	if err := check(e); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]func(*Event){
		"another type's data": func(e *Event) { e.Type = "receipt.told" },
		"no type":             func(e *Event) { e.Type = "session.dreamt" },
		"no number":           func(e *Event) { e.Seq = 0 },
		"no id":               func(e *Event) { e.ID = "81JD3MB8Y5W2M9T0K6X4C1R7ZP" },
		"more in it":          func(e *Event) { e.Data = json.RawMessage(`{"from":3,"to":4,"why":"","who":"me"}`) },
	} {
		spoiled := e
		bad(&spoiled)
		if check(spoiled) == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
