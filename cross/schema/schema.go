// Package schema holds what posts publish against the schema that is published for
// their fleets, testdata/fleet/schema.json.
//
// # Why
//
// The schema lets members in that it does not know, because a consumer of today must
// not fall over a post of tomorrow. A post of today must be described completely by
// it, though: here it is read so strictly that a member which it does not name, at any
// depth, is an error.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"stolpe/agent/telemetry"
	"stolpe/payment/envelope"
)

// Schema knows every kind of payload.
type Schema struct {
	kinds map[string]*jsonschema.Schema // by their name in $defs
}

// File is where the schema stands, from the folder of go.mod.
func File() string { return filepath.Join("testdata", "fleet", "schema.json") }

// Read reads the schema of the module in that folder as consumers do.
func Read(module string) (*Schema, error) { return read(module, func(any) {}) }

// ReadStrictly reads it so that members are refused which it does not name.
func ReadStrictly(module string) (*Schema, error) { return read(module, closeAll) }

func read(module string, mend func(any)) (*Schema, error) {
	file := filepath.Join(module, File())
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %s: %w", file, err)
	}
	mend(doc)
	const at = "memory:fleet.json"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if root, ok := doc.(map[string]any); ok {
		delete(root, "$id") // or it would be looked for there
	}
	if err := c.AddResource(at, doc); err != nil {
		return nil, fmt.Errorf("read the schema: %s: %w", file, err)
	}
	var parts struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		return nil, fmt.Errorf("read the schema: %s: %w", file, err)
	}
	s := &Schema{kinds: map[string]*jsonschema.Schema{}}
	for name := range parts.Defs {
		if s.kinds[name], err = c.Compile(at + "#/$defs/" + name); err != nil {
			return nil, fmt.Errorf("read the schema: %s: %s: %w", file, name, err)
		}
	}
	return s, nil
}

// closeAll lets no schema of an object take members that it does not name.
func closeAll(part any) {
	switch part := part.(type) {
	case map[string]any:
		_, named := part["properties"]
		if _, said := part["additionalProperties"]; part["type"] == "object" && named && !said {
			part["additionalProperties"] = false
		}
		for _, below := range part {
			closeAll(below)
		}
	case []any:
		for _, below := range part {
			closeAll(below)
		}
	}
}

// Kinds lists what the schema describes, in order.
func (s *Schema) Kinds() []string { return slices.Sorted(maps.Keys(s.kinds)) }

// Check says what is wrong with a payload of that kind; nil if it is one.
func (s *Schema) Check(kind string, payload []byte) error {
	sch := s.kinds[kind]
	if sch == nil {
		return fmt.Errorf("the schema has no %q", kind)
	}
	if kind == envelope.AvailabilityLeaf { // no JSON
		return sch.Validate(string(payload))
	}
	if end := bytes.LastIndexByte(payload, '\n'); end >= 0 && kind == "command" {
		payload = payload[:end] // before its signature
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return err
	}
	return sch.Validate(value)
}

// Message says what is wrong with a message under a leaf of a post's telemetry and
// commands.
func (s *Schema) Message(leaf telemetry.Leaf, payload []byte) error {
	kind := KindOf(leaf)
	if kind == "" {
		return fmt.Errorf("nothing is published under %s", leaf)
	}
	if err := s.Check(kind, payload); err != nil {
		return fmt.Errorf("%s: %s: %w", leaf, payload, err)
	}
	return nil
}

// KindOf is the kind of payload under a leaf; empty for one that is none.
func KindOf(leaf telemetry.Leaf) string {
	own, evse := leaf.Split()
	first, rest, more := strings.Cut(string(own), "/")
	switch l := telemetry.Leaf(first); {
	case evse > 0 && more:
		return ""
	case l == telemetry.EventLeaf && more:
		return "event"
	case l == telemetry.CommandLeaf && strings.HasSuffix(rest, "/"+string(telemetry.ReplyLeaf)):
		return "reply"
	case l == telemetry.CommandLeaf && more:
		return "command"
	case (evse > 0) == slices.Contains([]telemetry.Leaf{telemetry.StateLeaf, telemetry.PriceLeaf, telemetry.SessionLeaf, telemetry.MeterLeaf}, l) && !more:
		return map[telemetry.Leaf]string{
			telemetry.InfoLeaf: "info", telemetry.HealthLeaf: "health", envelope.AvailabilityLeaf: envelope.AvailabilityLeaf,
			telemetry.StateLeaf: "state", telemetry.PriceLeaf: "price", telemetry.SessionLeaf: "session", telemetry.MeterLeaf: "meter",
		}[l]
	}
	return ""
}
