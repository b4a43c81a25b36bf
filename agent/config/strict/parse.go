package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"stolpe/payment"
)

// parse makes a tree of the file.
func parse(name string, data []byte) (*yaml.Node, *Error) {
	wrong := func(line int, found, allowed string) (*yaml.Node, *Error) {
		return nil, &Error{File: name, Line: line, Found: found, Allowed: allowed}
	}
	if len(data) > maxFile {
		return wrong(0, "more than "+strconv.Itoa(maxFile>>10)+" KiB", "a configuration: this is another file")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Windows editors put it there
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return wrong(0, "bytes that are not text", "text in UTF-8")
	}
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	err := d.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		return wrong(0, "an empty file", schema().allowed())
	case err != nil:
		line, why := syntax(data, err)
		return wrong(line, why, "YAML: look at colons, quotes and indentation here and just above")
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return wrong(more.Line, "a second document (---)", "one document")
	}
	return doc.Content[0], nil
}

// syntax says in which line the YAML breaks, and how. It leaves out what the
// parser quotes from the file, which may be a secret.
func syntax(data []byte, err error) (line int, why string) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i, text := range lines {
		if indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]; bytes.ContainsRune(indent, '\t') {
			return i + 1, "a tab before the key (YAML wants spaces)"
		}
	}
	why = strings.TrimPrefix(err.Error(), "yaml: ")
	if number, rest, ok := strings.Cut(strings.TrimPrefix(why, "line "), ": "); ok {
		line, _ = strconv.Atoi(number)
		why = rest
	}
	if before, _, quotes := strings.Cut(why, "anchor '"); quotes {
		why = before + "anchor"
	}
	return breaks(lines, line), "text that is not YAML (" + why + ")"
}

// breaks gives the line where what cannot be read begins, given what the parser
// says, which is often the beginning of the section. Once YAML is broken, more
// lines do not mend it; so it breaks after the longest beginning that is whole.
func breaks(lines [][]byte, said int) int {
	const mostLines, mostBytes = 400, 32 << 10 // chosen by us: each line costs a parse of all before it
	if len(lines) > mostLines || len(bytes.Join(lines, nil)) > mostBytes {
		return said
	}
	for n := len(lines) - 1; n > 0; n-- {
		var part yaml.Node
		if yaml.Unmarshal(bytes.Join(lines[:n], nil), &part) == nil {
			return n + 1
		}
	}
	return 1
}

func newReader(name string, root *yaml.Node) *reader {
	minor, major := "øre", "kr"
	if find(root, "price", "currency") == string(payment.EUR) { // only messages need it
		minor, major = "cent", "euro"
	}
	return &reader{
		file: name, lines: map[string]int{}, from: map[string]string{}, bad: map[string]bool{}, excused: map[string]bool{},
		money: strings.NewReplacer(minorUnits, minor, majorUnit, major),
	}
}

// find gives the text at a path, or "" where there is none. It follows nothing
// and checks nothing.
func find(n *yaml.Node, path ...string) string {
	if len(path) == 0 {
		return n.Value
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == path[0] {
			return find(n.Content[i+1], path[1:]...)
		}
	}
	return ""
}

// root reads the whole tree, and the environment. It gives nil if the tree is no
// section at all.
func (r *reader) root(n *yaml.Node) map[string]any {
	top := schema()
	said, _ := r.value(top, n, "", n.Line).(map[string]any)
	top.walk("", func(path string, k key) {
		value := os.Getenv(k.env)
		if k.env == "" || value == "" {
			return
		}
		r.from[path] = k.env
		if !visible(value) || !k.legal(value) {
			r.fail(path, quote(value), k.want)
		}
	})
	return said
}

// The units of money in messages and documentation; newReader and Reference put
// in those of the currency.
const (
	minorUnits = "<minor units>"
	majorUnit  = "<major unit>"
)

// amount writes an amount as it stands in the file and as people say it.
func (r *reader) amount(a payment.Amount) string {
	return r.money.Replace(fmt.Sprintf("%d (%s %s)", a, a, majorUnit))
}
