package rules

import (
	"errors"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sources is a small tree: file names and what stands in them.
type sources map[string]string

func (s sources) tree(t *testing.T) *Tree {
	t.Helper()
	tree := &Tree{Module: "stolpe", fset: token.NewFileSet()}
	var names []string
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := tree.add(name, []byte(s[name])); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func layers() Layers {
	return Layers{
		Words:   map[string][]string{"hal": {}, "payment": {"hal"}, "agent/session": {"hal", "payment"}},
		Builder: "cross",
	}
}

func modules() []Module {
	return []Module{
		{Path: "example.org/bus", In: []string{"hal/bus"}, Why: "the bus"},
		{Path: "example.org/cmp", Why: "differences in tests"},
	}
}

// ruleCase says what a rule must find in some sources. Whatever else stands in
// them it must leave alone.
type ruleCase struct {
	name  string
	check func(*Tree) []Finding
	in    sources
	want  []string // findings, in any order
}

// cases are the rules about imports and sizes.
func cases() []ruleCase {
	twoLines := "package a\n\nfunc f() {\n}\n"
	return []ruleCase{
		{"a doer imports another doer", layers().Imports,
			sources{"hal/bus/b.go": "package bus\nimport _ \"stolpe/hal\"\nimport _ \"stolpe/payment/bank\"\nimport _ \"stolpe/hal/bus/maps\""},
			[]string{"hal/bus/b.go:3: hal/bus imports payment/bank"}},
		{"a part imports its whole", layers().Imports,
			sources{"hal/bus/maps/b.go": "package maps\nimport _ \"stolpe/hal/bus\""},
			[]string{"hal/bus/maps/b.go:2: hal/bus/maps imports hal/bus"}},
		{"words import words above them", layers().Imports,
			sources{"hal/h.go": "package hal\nimport _ \"stolpe/payment\"", "payment/p.go": "package payment\nimport _ \"stolpe/hal\""},
			[]string{"hal/h.go:2: hal imports payment"}},
		{"only neighbours see the core", layers().Imports,
			sources{"agent/loop/l.go": "package loop\nimport _ \"stolpe/agent/session\"", "hal/bus/b.go": "package bus\nimport _ \"stolpe/agent/session\""},
			[]string{"hal/bus/b.go:2: hal/bus imports agent/session"}},
		{"programs, tools and tests import anything", layers().Imports,
			sources{"agent/a.go": "package main\nimport _ \"stolpe/hal/bus\"", "cross/worlds/w.go": "package worlds\nimport _ \"stolpe/agent/loop\"",
				"agent/loop/l_test.go": "package loop\nimport _ \"stolpe/hal/bus\""}, nil},
		{"modules belong to one package", Modules(modules(), []string{"example.org/bus", "example.org/cmp"}, "cross"),
			sources{"hal/bus/b.go": "package bus\nimport _ \"example.org/bus/v2\"", "payment/p.go": "package payment\nimport _ \"example.org/bus\"",
				"hal/h.go": "package hal\nimport _ \"example.org/cmp\"", "hal/h_test.go": "package hal\nimport _ \"example.org/cmp\"",
				"cross/c.go": "package main\nimport _ \"example.org/cmp\"", "hal/x_test.go": "package hal\nimport _ \"example.org/new\""},
			[]string{"hal/h.go:2: hal imports example.org/cmp, which belongs to []", "payment/p.go:2: payment imports example.org/bus, which belongs to [hal/bus]",
				"hal/x_test.go:2: imports example.org/new, which is not in the table"}},
		{"the table of modules and go.mod agree", Modules([]Module{{Path: "example.org/old", Why: "was nice"}, {Path: "example.org/cmp"}}, []string{"example.org/cmp", "example.org/new"}, "cross"),
			sources{}, []string{"go.mod: the table lists example.org/old, go.mod does not: remove the row",
				"go.mod: the table does not say why example.org/cmp is worth its weight", "go.mod: requires example.org/new, which is not in the table"}},
		{"long functions", Functions(1, 2),
			sources{"a/a.go": twoLines, "a/a_test.go": twoLines, "a/b_test.go": "package a\n\nfunc g() {\n\tf()\n}\n"},
			[]string{"a/a.go:3: f has 2 lines, the most is 1", "a/b_test.go:3: g has 3 lines, the most is 2"}},
		{"long files", Files(3, 4),
			sources{"a/a.go": twoLines, "a/a_test.go": twoLines, "a/b_test.go": twoLines + "\n"},
			[]string{"a/a.go: 4 lines, the most is 3", "a/b_test.go: 5 lines, the most is 4"}},
		{"wide packages", Surface(1, map[string]Allowance{"b": {3, "because"}, "c": {2, "does not need it"}}),
			sources{"a/a.go": "package a\ntype T int\nconst (\nA T = iota\nB\n)\nfunc F() {}\nfunc (T) M() {}",
				"b/b.go": "package b\nvar A, B = 1, 2\nconst C = 1", "c/c.go": "package c\nfunc F() {}"},
			[]string{"a: 2 exported names, the most is 1", "c: has an allowance it does not need, or without a reason"}},
		{"init functions", Init,
			sources{"a/a.go": "package a\nfunc init() {}\ntype t int\nfunc (t) init() {}"},
			[]string{"a/a.go:2: init function"}},
	}
}

func TestRulesFindWhatTheyAreFor(t *testing.T) {
	for _, c := range slices.Concat(cases(), stateCases(), textCases(), formCases()) {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range c.check(c.in.tree(t)) {
				got = append(got, f.String())
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(c.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlacesAreFoundInAnyText(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"README.md":   "fine\nsee /desk/notes\n",
		".ci/run":     "cd /desk/main\n",
		".git/config": "/desk/",
		"a.bin":       "\x00/desk/",
		"desk.txt":    "my desk\n",
	} {
		write(t, root, name, text)
	}
	var got []string
	for _, f := range Places(regexp.MustCompile(`/desk/`))(&Tree{Root: root}) {
		got = append(got, f.String())
	}
	want := []string{`.ci/run:1: says "/desk/"`, `README.md:2: says "/desk/"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadmeTreeIsCompared(t *testing.T) {
	tree := sources{"agent/a.go": "package main", "agent/loop/l.go": "package loop", "hal/bus/maps/m.go": "package maps"}.tree(t)
	tree.Root = t.TempDir()
	for _, name := range []string{"agent/a.go", "agent/loop/l.go", "hal/bus/maps/m.go"} {
		write(t, tree.Root, name, "")
	}
	for _, c := range []struct {
		name, readme string
		want         []string
	}{
		{"complete", "```sh\ngo run\n```\n```\nagent/    the program\n  loop/   a loop\nhal/\n├── bus/  wires\n│   └── maps/\n```\n", nil},
		{"one missing, one gone", "```\nagent/\n  lop/\nhal/\n  bus/\n```\n",
			[]string{"agent/loop: holds Go files and is not in the README's tree", "README.md: its tree names agent/lop, which is not there"}},
		{"wrong parent", "```\nagent/\n  bus/\n  loop/\nhal/\n```\n",
			[]string{"hal/bus: holds Go files and is not in the README's tree", "README.md: its tree names agent/bus, which is not there"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := ReadmeTree(tree, c.readme)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := ReadmeTree(tree, "agent/ is not in a block\n```\nls\n```\n"); !errors.Is(err, ErrNoTree) {
		t.Errorf("without a tree: %v, want ErrNoTree", err)
	}
}

func TestLoadLeavesOutWhatTheGoCommandLeavesOut(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a/a.go", "a/testdata/b.go", ".hidden/c.go", "_old/d.go"} {
		write(t, root, name, "package a\n")
	}
	tree, err := Load(root, "stolpe")
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Packages) != 1 || tree.Packages[0].Dir != "a" || len(tree.Packages[0].Files) != 1 {
		t.Errorf("packages %+v, want only a with one file", tree.Packages)
	}
	write(t, root, "a/bad.go", "package\n")
	if _, err := Load(root, "stolpe"); err == nil || !strings.Contains(err.Error(), "a/bad.go") {
		t.Errorf("with a broken file: %v, want an error that names it", err)
	}
}

func TestConcurrentPackagesAreFound(t *testing.T) {
	tree := sources{
		"a/a.go":      "package a\nfunc f() { go f() }",
		"b/b.go":      "package b\nimport _ \"sync\"",
		"c/c_test.go": "package c\nfunc f() { go f() }",
		"d/d.go":      "package d\nimport _ \"strings\"",
	}.tree(t)
	if diff := cmp.Diff([]string{"a", "b", "c"}, tree.Concurrent()); diff != "" {
		t.Error(diff)
	}
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
