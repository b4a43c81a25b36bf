package strict

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"stolpe/agent/config/strict/legal"
)

// The tags that YAML gives to plain values (YAML 1.2.2, 10.3).
const (
	tagText = "!!str"
	tagInt  = "!!int"
	tagBool = "!!bool"
	tagNull = "!!null"
)

// value reads what stands behind a key: a map[string]any for a section, a []any
// for a list, else int64, string, bool or time.Duration. It gives nil after an
// error. The line is that of the key.
func (r *Reader) value(k Key, n *yaml.Node, path string, line int) any {
	if !r.plain(n, path) {
		return nil
	}
	if n.Kind != k.shape() || n.ShortTag() == tagNull {
		r.wrong(line, path, k.show(n), k.allowed())
		return nil
	}
	switch k.Kind {
	case Section:
		return r.section(k, n, path, line)
	case List:
		return r.sections(k, n, path)
	case Numbers, Texts, SecretRefs:
		return r.several(k, n, path)
	}
	v, allowed := k.scalar(n)
	if allowed != "" {
		if quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0; quoted && (k.Kind == Number || k.Kind == Flag) {
			allowed += ", without quotes"
		}
		r.wrong(n.Line, path, k.show(n), allowed)
		return nil
	}
	return v
}

// shape is what YAML calls what the key holds.
func (k Key) shape() yaml.Kind {
	switch k.Kind {
	case Section:
		return yaml.MappingNode
	case List, Numbers, Texts, SecretRefs:
		return yaml.SequenceNode
	}
	return yaml.ScalarNode
}

// scalar reads a single value, or says what is allowed instead.
func (k Key) scalar(n *yaml.Node) (v any, allowed string) {
	switch k.Kind {
	case Number:
		return k.number(n)
	case Flag:
		if n.ShortTag() == tagBool && (n.Value == "true" || n.Value == "false") && (k.Legal == nil || k.Legal(n.Value)) {
			return n.Value == "true", ""
		}
	case Span:
		d, err := time.ParseDuration(n.Value)
		if err == nil && int64(d) >= k.Min && int64(d) <= k.Max {
			return d, ""
		}
	case SecretRef:
		if _, _, ok := reference(n.Value); ok && n.ShortTag() == tagText {
			return n.Value, ""
		}
	case Text:
		return k.text(n)
	}
	return nil, k.allowed()
}

// number reads a whole number in plain digits. YAML's other spellings (0x10,
// 017, 1_000) are refused: too many people read them as something else.
func (k Key) number(n *yaml.Node) (any, string) {
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if n.ShortTag() != tagInt || err != nil || strconv.FormatInt(v, 10) != n.Value {
		return nil, "a whole number, " + k.allowed()
	}
	if v < k.Min || v > k.Max {
		return nil, k.allowed()
	}
	return v, ""
}

// text reads a text. A number without quotes is not one: other programs that
// handle the file would drop its leading zeros.
func (k Key) text(n *yaml.Node) (any, string) {
	switch {
	case n.ShortTag() != tagText:
		return nil, "text in quotes: " + k.Want
	case n.Value != "" && !legal.Visible(n.Value):
		return nil, k.Want + ", with no invisible character in it and no space around it"
	case n.Value == "" || !k.Legal(n.Value):
		return nil, k.Want
	}
	return n.Value, ""
}

// several reads a list of single values.
func (r *Reader) several(k Key, n *yaml.Node, path string) any {
	if len(n.Content) < int(k.Min) || len(n.Content) > int(k.Max) {
		entries := "entries"
		if k.Kind == Numbers {
			entries = "numbers"
		}
		r.wrong(n.Line, path, fmt.Sprintf("%d %s", len(n.Content), entries), k.allowed())
		return nil
	}
	var out []any
	for i, item := range n.Content {
		below := fmt.Sprintf("%s[%d]", path, i)
		r.lines[below] = item.Line
		v := r.value(k.one(), item, below, item.Line)
		if v == nil {
			r.bad[path] = true
			continue
		}
		out = append(out, v)
	}
	return out
}

// one is one of the values of a list.
func (k Key) one() Key {
	switch k.Kind {
	case Numbers:
		return Key{Kind: Number, Min: k.Each[0], Max: k.Each[1], Want: k.Want}
	case Texts:
		return Key{Kind: Text, Want: k.Want, Legal: k.Legal, Quiet: k.Quiet}
	}
	return Key{Kind: SecretRef}
}

// notHere stands behind what is allowed for a secret, but not in the reference.
const notHere = " (the secret itself never stands here)"

// allowed says what may stand behind the key.
func (k Key) allowed() string {
	switch k.Kind {
	case Section:
		return "a section with " + strings.Join(k.names(), ", ")
	case List:
		return fmt.Sprintf("a list of %d to %d, each with %s", k.Min, k.Max, strings.Join(k.names(), ", "))
	case Numbers:
		return fmt.Sprintf("a list of %d to %d whole numbers, each %d to %d %s", k.Min, k.Max, k.Each[0], k.Each[1], k.Want)
	case Texts, SecretRefs:
		return fmt.Sprintf("a list of %d to %d, each %s", k.Min, k.Max, k.one().allowed())
	case Number:
		return strings.TrimSpace(fmt.Sprintf("%d to %d %s", k.Min, k.Max, k.Want))
	case Span:
		return fmt.Sprintf("%s to %s, with the unit (s, m, h)", Short(time.Duration(k.Min)), Short(time.Duration(k.Max)))
	case SecretRef:
		return "credential:NAME, file:/PATH or env:NAME" + notHere
	}
	return k.Want
}

// show says what stands behind the key. A secret in the wrong place is not shown.
func (k Key) show(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != tagNull && (k.Quiet || k.Kind == SecretRef || k.Kind == SecretRefs) {
		return "something else (not shown)"
	}
	return describe(n)
}

// describe says what a value is, in one short phrase.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias (*)"
	}
	switch n.ShortTag() {
	case tagNull:
		return "nothing"
	case tagText:
		return Quote(n.Value)
	}
	return strings.Trim(Quote(n.Value), `"`)
}

// Quote puts a text from the file in quotes, shortened.
func Quote(s string) string {
	const most = 60 // characters; chosen by us
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "..."
	}
	return strconv.Quote(s)
}

// Short writes a duration without the zeros that time.Duration adds: 10m, not 10m0s.
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
