package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"stolpe/agent/config/strict"
)

func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("../../testdata/config/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, referenceFile, simFile) {
		text, _, _ := strings.Cut(readText(f, file), "# want")
		f.Add(text)
	}
}

// FuzzParse holds four promises: no file makes the loader fall over, an error
// is always fit for a terminal, and what is accepted has no key that the schema
// does not know, as seen by YAML's own decoder, and means the same in the newest version.
func FuzzParse(f *testing.F) {
	seeds(f)
	quiet(f)
	known := map[string]bool{}
	schema().Walk(func(path string, _ strict.Key) { known[path] = true })
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseText(text)
		if err != nil {
			checkErrors(t, text, err)
			return
		}
		if err := c.Price.Check(); err != nil {
			t.Errorf("accepted a price that payment refuses: %v", err)
		}
		if len(c.EVSEs) == 0 || c.Post.Zone == nil || (c.Web.Listen == "") != (c.Payment.Through == ThroughGateway) || c.Limits.Longest == 0 {
			t.Errorf("accepted what is not whole: %+v", c)
		}
		var plain map[string]any
		if err := yaml.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &plain); err != nil {
			t.Fatalf("accepted what YAML's decoder refuses: %v", err)
		}
		checkKeys(t, known, "", plain)
		checkMigration(t, text, c)
	})
}

// checkMigration wants a file to mean the same in the newest version, unless only a person
// can rewrite it.
func checkMigration(t *testing.T, text string, was Config) {
	t.Helper()
	to, set, err := schema().Migrate("stolpe.yaml", []byte(text))
	if err != nil {
		return
	}
	is, err := parseText(string(to))
	switch {
	case err != nil:
		t.Errorf("%v in what was accepted before, with %v:\n%s", err, set, to)
	case is.Old():
		t.Errorf("still of an earlier version:\n%s", to)
	case difference(was, is) != "":
		t.Errorf("it means something else: %s", difference(was, is))
	}
}

func checkErrors(t *testing.T, text string, err error) {
	t.Helper()
	var wrong Errors
	if !errors.As(err, &wrong) || len(wrong) == 0 {
		t.Fatalf("error %v: want Errors", err)
	}
	lines := 2 + strings.Count(text, "\n") + strings.Count(text, "\r") + strings.Count(text, "\u0085") + strings.Count(text, "\u2028") + strings.Count(text, "\u2029")
	for i, e := range wrong {
		if e.Found == "" || e.Allowed == "" || e.Line < 0 || e.Line > lines {
			t.Errorf("error without what was found or allowed, or beyond the file: %#v", e)
		}
		if i > 0 && e.Line < wrong[i-1].Line {
			t.Errorf("line %d after line %d", e.Line, wrong[i-1].Line)
		}
		if s := e.Error(); !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(s) > 1000 {
			t.Errorf("not fit for a terminal: %q", s)
		}
	}
}

func checkKeys(t *testing.T, known map[string]bool, path string, value any) {
	t.Helper()
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if below := join(path, name); !known[below] {
				t.Errorf("accepted the key %q", below)
			} else {
				checkKeys(t, known, below, inner)
			}
		}
	case []any:
		for _, inner := range v {
			checkKeys(t, known, path+"[]", inner)
		}
	}
}

// FuzzUnknownKey puts one more key into every section of a sound configuration,
// in turn, and wants it named at its line.
func FuzzUnknownKey(f *testing.F) {
	for _, word := range []string{"prices", "ID", "id ", "a.b", "<<", "~", "ключ", "x\ny", "\u200bid", "post", strings.Repeat("a", 300), ""} {
		f.Add(word, uint8(0))
		f.Add(word, uint8(5))
	}
	quiet(f)
	base := readText(f, referenceFile) + "commissioning:\n  sealed_at: \"2026-11-20T10:00:00Z\"\n  by: kari\n  salt: " + strings.Repeat("A", 22) + "\n  key: " + strings.Repeat("A", 43) + "\n  seal: " + strings.Repeat("A", 86) + "\n"
	type place struct {
		line, indent int
		section      string
		names        []string
	}
	var places []place
	schema().Walk(func(path string, k strict.Key) {
		if k.Kind == strict.Section || k.Kind == strict.List {
			last := path[strings.LastIndex(path, ".")+1:]
			before, _, ok := strings.Cut(base, "\n"+strings.Repeat(" ", 2*strings.Count(strings.ReplaceAll(path, "[]", "."), "."))+last+":")
			if !ok {
				f.Fatalf("no section %s in the reference", path)
			}
			p := place{line: strings.Count(before, "\n") + 2, indent: 2 + 2*strings.Count(strings.ReplaceAll(path, "[]", "."), "."), section: path, names: names(k.Keys)}
			if k.Kind == strict.List {
				p.line, p.indent, p.section = p.line+1, 4, path+"[0]" // behind the first key of the first entry
			}
			places = append(places, p)
		}
	})
	f.Fuzz(func(t *testing.T, word string, which uint8) {
		p := places[int(which)%len(places)]
		for _, n := range p.names {
			if n == word {
				return
			}
		}
		quoted := strconv.QuoteToASCII(word)
		if len(quoted) > 1000 || !utf8.ValidString(word) {
			return // YAML has keys of at most 1024 characters
		}
		lines := strings.SplitAfter(base, "\n")
		lines[p.line-1] += strings.Repeat(" ", p.indent) + quoted + ": 1\n"
		_, err := parseText(strings.Join(lines, ""))
		want := fmt.Sprintf("stolpe.yaml:%d: %s", p.line+1, join(strings.Replace(p.section, "evses[].", "evses[0].", 1), ""))
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), ": found an unknown key; want one of ") {
			t.Errorf("key %q in %s:\n%v\nwant %s", word, p.section, err, want)
		}
	})
}
