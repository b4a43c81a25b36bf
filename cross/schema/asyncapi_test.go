package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"stolpe/agent/command"
	"stolpe/agent/ledger"
	"stolpe/agent/telemetry"
	"stolpe/payment/envelope"
)

const module = "../.."

type ref struct {
	Ref string `yaml:"$ref"`
}

// name is the last part of a reference.
func (r ref) name() string { return r.Ref[strings.LastIndex(r.Ref, "/")+1:] }

// document is what is looked at of asyncapi.yaml.
type document struct {
	Servers map[string]struct {
		Bindings struct {
			MQTT struct {
				LastWill struct {
					Topic, Message string
					QoS            int `yaml:"qos"`
					Retain         bool
				} `yaml:"lastWill"`
			} `yaml:"mqtt"`
		}
	}
	Channels map[string]struct {
		Address    string
		Parameters map[string]struct {
			Ref  string `yaml:"$ref"`
			Enum []string
		}
		Messages map[string]ref
	}
	Operations map[string]struct {
		Action   string
		Channel  ref
		Bindings struct {
			MQTT struct {
				QoS    *int `yaml:"qos"`
				Retain *bool
			} `yaml:"mqtt"`
		}
		Reply *struct{ Channel ref }
	}
	Components struct {
		Parameters map[string]struct{ Enum []string }
		Messages   map[string]struct {
			Payload  ref
			Examples []struct {
				Name    string
				Payload any
			}
		}
	}
}

func asyncapi(t *testing.T) document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(module, "testdata", "fleet", "asyncapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func strict(t *testing.T) *Schema {
	t.Helper()
	s, err := ReadStrictly(module)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every kind of message has a channel under the topic where it is published, with the
// QoS and the retaining that the post uses there.
func TestChannelsAreThosePostsUse(t *testing.T) {
	doc := asyncapi(t)
	fill := strings.NewReplacer("{tenant}", "acme", "{post}", "A12", "{evse}", "1", "{kind}", "audit", "{command}", "config.set")
	var kinds []string
	for name, c := range doc.Channels {
		kinds = append(kinds, name)
		if name == "discovery" {
			continue // its topic is Home Assistant's
		}
		leaf, ours := strings.CutPrefix(fill.Replace(c.Address), envelope.Base("acme", "A12"))
		if kind := KindOf(telemetry.Leaf(leaf)); !ours || kind != name {
			t.Errorf("channel %s: under %s is %q", name, c.Address, kind)
		}
		if m, ok := c.Messages[name]; !ok || len(c.Messages) != 1 || m.name() != name {
			t.Errorf("channel %s: messages %v", name, c.Messages)
		}
		for p := range strings.SplitSeq(c.Address, "/") {
			if p, ok := strings.CutPrefix(p, "{"); ok && c.Parameters[strings.TrimSuffix(p, "}")].Ref == "" && c.Parameters[strings.TrimSuffix(p, "}")].Enum == nil {
				t.Errorf("channel %s: nothing is said of {%s", name, p)
			}
		}
	}
	slices.Sort(kinds)
	want := []string{"availability", "command", "discovery", "event", "health", "info", "meter", "price", "reply", "session", "state"}
	if !slices.Equal(kinds, want) {
		t.Errorf("channels %v, want %v", kinds, want)
	}
	for name, o := range doc.Operations {
		kind := o.Channel.name()
		c, ok := doc.Channels[kind]
		if !ok || o.Bindings.MQTT.QoS == nil || o.Bindings.MQTT.Retain == nil {
			t.Errorf("operation %s: channel %q, bindings %+v", name, kind, o.Bindings)
			continue
		}
		if wants := map[bool]string{true: "receive", false: "send"}[kind == "command"]; o.Action != wants {
			t.Errorf("operation %s: the post does not %s it", name, o.Action)
		}
		leaf := telemetry.Leaf(strings.TrimPrefix(fill.Replace(c.Address), envelope.Base("acme", "A12")))
		qos := map[bool]int{true: 0, false: 1}[leaf.Once()]
		if *o.Bindings.MQTT.QoS != qos || *o.Bindings.MQTT.Retain != leaf.Retained() {
			t.Errorf("operation %s: QoS %d, retained %t; the post has QoS %d, retained %t", name, *o.Bindings.MQTT.QoS, *o.Bindings.MQTT.Retain, qos, leaf.Retained())
		}
	}
	will := doc.Servers["broker"].Bindings.MQTT.LastWill
	if will.Topic != envelope.Base("acme", "A12")+envelope.AvailabilityLeaf || will.Message != envelope.Offline || will.QoS != 1 || !will.Retain {
		t.Errorf("last will %+v", will)
	}
	if len(doc.Operations) != len(doc.Channels)-1 || doc.Operations["obey"].Reply.Channel.name() != "reply" {
		t.Error("there is not one operation for each channel, of which one has the reply's")
	}
}

// Payloads are those of the schema, and each has examples that fit it.
func TestExamplesFitTheSchema(t *testing.T) {
	s := strict(t)
	for name, m := range asyncapi(t).Components.Messages {
		if m.Payload.Ref != "./schema.json#/$defs/"+name {
			t.Errorf("%s: payload %s", name, m.Payload.Ref)
		}
		if len(m.Examples) == 0 && name != "discovery" {
			t.Errorf("%s: no example", name)
		}
		for _, e := range m.Examples {
			text, err := json.Marshal(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if word, ok := e.Payload.(string); ok {
				text = []byte(word)
			}
			if err := s.Check(name, text); err != nil {
				t.Errorf("%s %s: %v", name, e.Name, err)
			}
		}
	}
}

// kinds are the types of events that a ledger has.
func kinds() []string {
	var all []string
	for _, k := range []ledger.Kind{
		ledger.Sold, ledger.Ended, ledger.Void, ledger.Informed, ledger.RefundIntent, ledger.Refunded, ledger.RefundRefused,
		ledger.SessionCreated, ledger.SessionAuthorised, ledger.SessionStarted, ledger.SessionSuspended, ledger.SessionResumed,
		ledger.SessionEnded, ledger.PaymentFailed, ledger.FaultRaised, ledger.FaultCleared, ledger.CommandAccepted,
		ledger.CommandRefused, ledger.CommandDone, ledger.PostBooted, ledger.PostClock, ledger.PostConfig, ledger.PostCommissioned, ledger.Trimmed,
	} {
		all = append(all, string(k))
	}
	return all
}

func TestListsOfWordsAreTheSchemas(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(module, File()))
	if err != nil {
		t.Fatal(err)
	}
	var parts struct {
		Defs map[string]struct {
			Enum       []string
			Properties map[string]struct{ Enum []string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	doc := asyncapi(t)
	var names, codes []string
	for _, n := range command.Names() {
		names = append(names, string(n))
	}
	for _, c := range []command.Code{command.Done, command.Invalid, command.Unsigned, command.Forbidden, command.Expired, command.Replayed, command.Busy, command.Unsafe, command.Failed} {
		codes = append(codes, string(c))
	}
	same := func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}
	for what, lists := range map[string][2][]string{
		"commands in asyncapi.yaml": {names, doc.Components.Parameters["command"].Enum},
		"commands":                  {names, parts.Defs["commandName"].Enum},
		"codes of replies":          {codes, parts.Defs["replyCode"].Enum},
		"types of events":           {kinds(), parts.Defs["event"].Properties["type"].Enum},
	} {
		if !same(lists[0], lists[1]) {
			t.Errorf("%s: the post has %v, and there stand %v", what, lists[0], lists[1])
		}
	}
	leaves := map[string]bool{}
	for _, typ := range parts.Defs["event"].Properties["type"].Enum {
		leaves[telemetry.KindOf(typ)] = true
	}
	for _, kind := range doc.Channels["event"].Parameters["kind"].Enum {
		if !leaves[kind] {
			t.Errorf("no event is of the kind %s", kind)
		}
		delete(leaves, kind)
	}
	for kind := range leaves {
		t.Errorf("events of the kind %s have no channel", kind)
	}
}

func TestWhatIsNoPayloadIsRefused(t *testing.T) {
	s := strict(t)
	for leaf, text := range map[telemetry.Leaf]string{"availability": "maybe", "health": "{", "pay/ask": "{}", "evt/audit": `{} {}`} {
		if s.Message(leaf, []byte(text)) == nil {
			t.Errorf("%s %s is taken", leaf, text)
		}
	}
	stop := `{"v":1,"id":"01KAG29M60H3W8D1N5Q7R9T0VX","name":"stop","iss":"desk","iat":"2026-11-20T10:20:00Z","exp":"2026-11-20T10:21:00Z"}`
	if err := s.Message("cmd/stop", []byte(stop+"\nsignature")); err != nil {
		t.Error(err)
	}
	if s.Message("cmd/stop", []byte(strings.Replace(stop, `"iss"`, `"args":{"to":1},"iss"`, 1))) == nil {
		t.Error("arguments of another command are taken")
	}
	if s.Check("dream", []byte("{}")) == nil || len(s.Kinds()) < 11 {
		t.Errorf("kinds %v", s.Kinds())
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("there is a schema where there is none")
	}
}
