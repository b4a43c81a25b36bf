package telemetry

import (
	"encoding/json"
	"strconv"
	"strings"

	"stolpe/display"
	"stolpe/payment"
)

// HomeAssistant is what a post says of itself to Home Assistant's MQTT discovery: one
// message for the whole device, with what can be seen and nothing that acts. It cannot
// sign, so no command is offered to it.
type HomeAssistant struct {
	Prefix   string           // of discovery topics; homeassistant unless it was set otherwise
	Base     string           // of the post's topics, with a slash at the end
	Offline  string           // leaf of availability
	Info     Info             // who the post is
	Currency payment.Currency // of prices and costs
	Plugs    []int            // EVSEs whose plug is sensed, by number
	Streams  bool             // session and meter are published, see Pace
}

// Birth is where Home Assistant says Born when it has started, and whatever was
// discovered may be told again.
func (h HomeAssistant) Birth() string { return h.Prefix + "/status" }

// Born is what it says there.
const Born = "online"

// Topic is where the message is published, retained. An empty message there makes Home
// Assistant forget the post.
func (h HomeAssistant) Topic() string { return h.Prefix + "/device/" + h.node() + "/config" }

// node names the device in ids, which have letters, digits, - and _ only.
func (h HomeAssistant) node() string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '_'
	}, "stolpe-"+h.Info.Tenant+"_"+h.Info.Post) // neither has a _
}

// entity is one thing that is seen, in the words of Home Assistant.
type entity struct {
	Platform  string   `json:"platform"` // sensor or binary_sensor
	ID        string   `json:"unique_id"`
	Name      string   `json:"name"`
	Topic     string   `json:"state_topic"`
	Template  string   `json:"value_template"` // None is unknown
	Class     string   `json:"device_class,omitempty"`
	Kind      string   `json:"state_class,omitempty"`
	Unit      string   `json:"unit_of_measurement,omitempty"`
	Options   []string `json:"options,omitempty"`
	Category  string   `json:"entity_category,omitempty"`
	Precision *int     `json:"suggested_display_precision,omitempty"` // decimals
}

// device is a part of the message.
type device struct {
	IDs      []string `json:"identifiers"`
	Name     string   `json:"name"`
	Maker    string   `json:"manufacturer"`
	Model    string   `json:"model"`
	Version  string   `json:"sw_version"`
	Hardware string   `json:"hw_version,omitempty"`
}

type origin struct {
	Name    string `json:"name"`
	Version string `json:"sw_version"`
}

// Message is the message.
func (h HomeAssistant) Message() []byte {
	name := h.Info.Name
	if name == "" {
		name = h.Info.Post
	}
	all := map[string]entity{}
	add := func(leaf Leaf, key string, e entity) {
		e.ID, e.Topic = h.node()+"-"+key, h.Base+string(leaf)
		all[key] = e
	}
	for _, v := range h.Info.EVSEs {
		h.ofEVSE(v, func(leaf Leaf, key string, e entity) {
			if len(h.Info.EVSEs) > 1 {
				e.Name = v.Code + " " + e.Name
			}
			add(leaf.Of(v.ID), "evse-"+strconv.Itoa(v.ID)+"-"+key, e)
		})
	}
	h.ofPost(add)
	text, err := json.Marshal(struct {
		Device    device            `json:"device"`
		Origin    origin            `json:"origin"`
		Available string            `json:"availability_topic"`
		Entities  map[string]entity `json:"components"`
	}{
		device{[]string{h.node()}, name, "Stolpe", "Charging post " + h.Info.Post, h.Info.Version, h.Info.Hardware},
		origin{"Stolpe", h.Info.Version}, h.Base + h.Offline, all,
	})
	if err != nil {
		return nil // texts alone: it cannot be
	}
	return text
}

// ofEVSE adds what is seen of one EVSE.
func (h HomeAssistant) ofEVSE(v EVSE, add func(Leaf, string, entity)) {
	cur, cents := string(h.Currency), 2
	add(StateLeaf, "state", entity{Platform: "sensor", Name: "State", Template: value("state"), Class: "enum", Options: stateWords()})
	add(StateLeaf, "problem", entity{Platform: "binary_sensor", Name: "Problem", Template: onIf("value_json.faults | count > 0"), Class: "problem"})
	add(StateLeaf, "charging", entity{Platform: "binary_sensor", Name: "Charging", Template: onIf("value_json.state == '" + display.Charging.String() + "'"), Class: "battery_charging"})
	add(StateLeaf, "contactor", entity{Platform: "binary_sensor", Name: "Contactor", Template: whereOn("contactor", "closed", "open"), Class: "power", Category: diagnostic})
	for _, n := range h.Plugs {
		if n == v.ID {
			add(StateLeaf, "plug", entity{Platform: "binary_sensor", Name: "Plug", Template: whereOn("plug", "in", "out"), Class: "plug"})
		}
	}
	add(PriceLeaf, "price", entity{Platform: "sensor", Name: "Price per kWh", Template: money("kwh"), Unit: cur + "/kWh", Precision: &cents})
	if !h.Streams {
		return
	}
	add(MeterLeaf, "power", entity{Platform: "sensor", Name: "Power", Template: known("p_w"), Class: "power", Kind: "measurement", Unit: "W"})
	add(MeterLeaf, "energy", entity{Platform: "sensor", Name: "Energy meter", Template: known("e_wh"), Class: "energy", Kind: "total_increasing", Unit: "Wh"})
	add(SessionLeaf, "session-energy", entity{Platform: "sensor", Name: "Session energy", Template: known("e_wh"), Class: "energy", Kind: "total_increasing", Unit: "Wh"})
	add(SessionLeaf, "session-cost", entity{Platform: "sensor", Name: "Session cost", Template: money("cost"), Class: "monetary", Kind: "total", Unit: cur, Precision: &cents})
}

// ofPost adds what is seen of the machine, and of the displays.
func (h HomeAssistant) ofPost(add func(Leaf, string, entity)) {
	add(HealthLeaf, "temperature", entity{Platform: "sensor", Name: "Processor temperature", Template: known("cpu_c"), Class: "temperature", Kind: "measurement", Unit: "°C", Category: diagnostic})
	add(HealthLeaf, "signal", entity{Platform: "sensor", Name: "Signal", Template: known("rssi_dbm"), Class: "signal_strength", Kind: "measurement", Unit: "dBm", Category: diagnostic})
	add(HealthLeaf, "outbox", entity{Platform: "sensor", Name: "Events not sent", Template: value("outbox.events"), Kind: "measurement", Category: diagnostic})
	add(HealthLeaf, "unsettled", entity{Platform: "sensor", Name: "Unsettled charges", Template: value("unsettled"), Kind: "measurement", Category: diagnostic})
	if len(h.Info.Displays) > 0 {
		add(HealthLeaf, "displays", entity{Platform: "binary_sensor", Name: "Displays", Template: onIf("value_json.displays | selectattr('fault', 'defined') | list | count > 0"), Class: "problem", Category: diagnostic})
	}
}

const diagnostic = "diagnostic"

// The templates. Home Assistant takes None for unknown.

func value(member string) string { return "{{ value_json." + member + " }}" }

func known(member string) string { return "{{ value_json." + member + " | default(none) }}" }

// money is an amount in major units.
func money(member string) string {
	return "{{ value_json." + member + " / 100 if value_json." + member + " is defined else none }}"
}

func onIf(what string) string { return "{{ 'ON' if " + what + " else 'OFF' }}" }

// whereOn is on at one word, off at another, and unknown at any other.
func whereOn(member, on, off string) string {
	return "{{ {'" + on + "': 'ON', '" + off + "': 'OFF'}.get(value_json." + member + ", none) }}"
}

// stateWords lists what a state may be.
func stateWords() []string {
	var words []string
	for s := range display.LastState + 1 {
		words = append(words, s.String())
	}
	return words
}
