package strict

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"stolpe/agent/config/strict/legal"
)

// parse makes a tree of the file.
func (f Format) parse(name string, data []byte) (*yaml.Node, *Error) {
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
		return wrong(0, "an empty file", f.top().allowed())
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

// root reads the whole tree, and the environment. It gives nil if the tree is no
// section at all.
func (r *Reader) root(n *yaml.Node) map[string]any {
	said, _ := r.value(r.format.top(), n, "", n.Line).(map[string]any)
	r.format.Walk(func(path string, k Key) {
		value := os.Getenv(k.Env)
		if k.Env == "" || value == "" {
			return
		}
		r.from[path], r.over[path] = k.Env, value
		if !legal.Visible(value) || !k.Legal(value) {
			r.Fail(path, Quote(value), k.Want)
		}
	})
	return said
}
