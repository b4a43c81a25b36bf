package strict

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// text is a file that is being edited.
type text struct{ data []byte }

func (t text) replace(from, to int, by []byte) []byte {
	return slices.Concat(t.data[:from], by, t.data[to:])
}

// line is where a line begins, from 1; of one behind the last, where the file ends.
func (t text) line(n int) int {
	at := 0
	for ; n > 1; n-- {
		i := bytes.IndexByte(t.data[at:], '\n')
		if i < 0 {
			return len(t.data)
		}
		at += i + 1
	}
	return at
}

// begins is where a node begins.
func (t text) begins(n *yaml.Node) int {
	at := t.line(n.Line)
	if n.Line == 1 {
		at += len(t.data) - len(bytes.TrimPrefix(t.data, []byte("\ufeff")))
	}
	for range n.Column - 1 { // in characters
		_, size := utf8.DecodeRune(t.data[at:])
		at += size
	}
	return at
}

// span is where a value begins and ends: one word, something in quotes, or something
// in brackets, on one line.
func (t text) span(n *yaml.Node) (from, to int, err error) {
	from = t.begins(n)
	rest := t.data[from:]
	if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
		rest = rest[:i]
	}
	length := -1
	switch {
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		length = quoted(rest)
	case n.Style&yaml.FlowStyle != 0:
		length = bracketed(rest)
	case n.Kind == yaml.ScalarNode && n.Value != "" && bytes.HasPrefix(rest, []byte(n.Value)):
		length = len(n.Value)
	}
	if length < 0 {
		return 0, 0, errByHand
	}
	return from, from + length, nil
}

// quoted is how long the quotes are that a text begins with; below 0 for none.
func quoted(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] == '"':
			i++
		case s[i] != s[0]:
		case s[0] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// bracketed is how long the brackets are that a text begins with; below 0 for none.
func bracketed(s []byte) int {
	for i, depth := 0, 0; i < len(s); i++ {
		switch s[i] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"', '\'':
			n := quoted(s[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		}
	}
	return -1
}
