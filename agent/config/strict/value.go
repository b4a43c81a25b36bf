package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
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
func (r *reader) value(k key, n *yaml.Node, path string, line int) any {
	if !r.plain(n, path) {
		return nil
	}
	shape := map[kind]yaml.Kind{section: yaml.MappingNode, list: yaml.SequenceNode, numbers: yaml.SequenceNode}[k.kind]
	if shape == 0 {
		shape = yaml.ScalarNode
	}
	if n.Kind != shape || n.ShortTag() == tagNull {
		r.wrong(line, path, k.show(n), k.allowed())
		return nil
	}
	switch k.kind {
	case section:
		return r.section(k, n, path, line)
	case list:
		return r.sections(k, n, path)
	case numbers:
		return r.numbers(k, n, path)
	}
	v, allowed := k.scalar(n)
	if allowed != "" {
		if quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0; quoted && (k.kind == number || k.kind == flag) {
			allowed += ", without quotes"
		}
		r.wrong(n.Line, path, k.show(n), allowed)
		return nil
	}
	return v
}

// scalar reads a single value, or says what is allowed instead.
func (k key) scalar(n *yaml.Node) (v any, allowed string) {
	switch k.kind {
	case number:
		return k.number(n)
	case flag:
		if n.ShortTag() == tagBool && (n.Value == "true" || n.Value == "false") && (k.legal == nil || k.legal(n.Value)) {
			return n.Value == "true", ""
		}
	case span:
		d, err := time.ParseDuration(n.Value)
		if err == nil && int64(d) >= k.min && int64(d) <= k.max {
			return d, ""
		}
	case secret:
		if _, _, ok := reference(n.Value); ok && n.ShortTag() == tagText {
			return n.Value, ""
		}
	case text:
		return k.text(n)
	}
	return nil, k.allowed()
}

// number reads a whole number in plain digits. YAML's other spellings (0x10,
// 017, 1_000) are refused: too many people read them as something else.
func (k key) number(n *yaml.Node) (any, string) {
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if n.ShortTag() != tagInt || err != nil || strconv.FormatInt(v, 10) != n.Value {
		return nil, "a whole number, " + k.allowed()
	}
	if v < k.min || v > k.max {
		return nil, k.allowed()
	}
	return v, ""
}

// text reads a text. A number without quotes is not one: other programs that
// handle the file would drop its leading zeros.
func (k key) text(n *yaml.Node) (any, string) {
	switch {
	case n.ShortTag() != tagText:
		return nil, "text in quotes: " + k.want
	case n.Value != "" && !visible(n.Value):
		return nil, k.want + ", with no invisible character in it and no space around it"
	case n.Value == "" || !k.legal(n.Value):
		return nil, k.want
	}
	return n.Value, ""
}

// numbers reads a list of whole numbers.
func (r *reader) numbers(k key, n *yaml.Node, path string) any {
	if len(n.Content) < int(k.min) || len(n.Content) > int(k.max) {
		r.wrong(n.Line, path, fmt.Sprintf("%d numbers", len(n.Content)), k.allowed())
		return nil
	}
	one := key{kind: number, min: k.each[0], max: k.each[1], want: k.want}
	var out []any
	for i, item := range n.Content {
		below := fmt.Sprintf("%s[%d]", path, i)
		r.lines[below] = item.Line
		v := r.value(one, item, below, item.Line)
		if v == nil {
			r.bad[path] = true
			continue
		}
		out = append(out, v)
	}
	return out
}

// allowed says what may stand behind the key.
func (k key) allowed() string {
	switch k.kind {
	case section:
		return "a section with " + strings.Join(k.names(), ", ")
	case list:
		return fmt.Sprintf("a list of %d to %d, each with %s", k.min, k.max, strings.Join(k.names(), ", "))
	case numbers:
		return fmt.Sprintf("a list of %d to %d whole numbers, each %d to %d %s", k.min, k.max, k.each[0], k.each[1], k.want)
	case number:
		return strings.TrimSpace(fmt.Sprintf("%d to %d %s", k.min, k.max, k.want))
	case span:
		return fmt.Sprintf("%s to %s, with the unit (s, m, h)", short(time.Duration(k.min)), short(time.Duration(k.max)))
	case secret:
		return "credential:NAME, file:/PATH or env:NAME (the secret itself never stands here)"
	}
	return k.want
}

// show says what stands behind the key. A secret in the wrong place is not shown.
func (k key) show(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != tagNull && (k.quiet || k.kind == secret) {
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
		return quote(n.Value)
	}
	return strings.Trim(quote(n.Value), `"`)
}

// quote puts a text from the file in quotes, shortened.
func quote(s string) string {
	const most = 60 // characters; chosen by us
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "..."
	}
	return strconv.Quote(s)
}
