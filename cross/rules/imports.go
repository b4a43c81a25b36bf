package rules

import (
	"maps"
	"slices"
	"strings"
)

// Layers says which packages of the module may import which others.
type Layers struct {
	// Words are packages without I/O, each with the packages it may import.
	// Every doer may import a word that stands in a folder above all others, and
	// one that stands beside it.
	Words map[string][]string
	// Builder is the folder of the tools, which may import anything.
	Builder string
}

// Imports finds packages that import what their layer may not: words import the
// words under them, doers import words and the parts in their own folder, and
// only programs import anything. Tests may import whatever they need.
func (l Layers) Imports(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		if p.Main() || inside(p.Dir, l.Builder) {
			continue
		}
		for _, f := range p.product() {
			imports := f.imports()
			for _, imported := range slices.Sorted(maps.Keys(imports)) {
				dir, ours := strings.CutPrefix(imported, t.Module+"/")
				if ours && !l.mayImport(p.Dir, dir) {
					found = append(found, t.at(imports[imported], "%s imports %s", p.Dir, dir))
				}
			}
		}
	}
	return found
}

func (l Layers) mayImport(from, to string) bool {
	if under, isWord := l.Words[from]; isWord {
		return slices.Contains(under, to)
	}
	if _, isWord := l.Words[to]; isWord {
		parent, _, nested := cutLast(to)
		return !nested || inside(from, parent)
	}
	return inside(to, from)
}

// inside says whether dir is folder, or lies somewhere below it.
func inside(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}

// cutLast splits a path before its last element.
func cutLast(dir string) (parent, name string, nested bool) {
	i := strings.LastIndex(dir, "/")
	if i < 0 {
		return "", dir, false
	}
	return dir[:i], dir[i+1:], true
}

// Module is a module from outside and the packages of ours that use it.
type Module struct {
	Path string
	In   []string // folders that may import it in product code; none means tests and the builder's tool only
	Why  string   // it is worth its weight
}

// Modules finds imports of outside modules that the table does not allow, and
// rows of the table that nothing needs. Required are the modules that go.mod
// asks for directly.
func Modules(table []Module, required []string, builder string) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		found := unlisted(t, table, builder)
		for _, m := range table {
			if !slices.Contains(required, m.Path) {
				found = append(found, Finding{"go.mod", "the table lists " + m.Path + ", go.mod does not: remove the row"})
			}
			if m.Why == "" {
				found = append(found, Finding{"go.mod", "the table does not say why " + m.Path + " is worth its weight"})
			}
		}
		for _, r := range required {
			if !slices.ContainsFunc(table, func(m Module) bool { return m.Path == r }) {
				found = append(found, Finding{"go.mod", "requires " + r + ", which is not in the table"})
			}
		}
		return found
	}
}

func unlisted(t *Tree, table []Module, builder string) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		for _, f := range p.Files {
			for imported, pos := range f.imports() {
				if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
					continue // the standard library, or ours
				}
				i := slices.IndexFunc(table, func(m Module) bool { return inside(imported, m.Path) })
				switch {
				case i < 0:
					found = append(found, t.at(pos, "imports %s, which is not in the table", imported))
				case !f.Test && !inside(p.Dir, builder) && !slices.Contains(table[i].In, p.Dir):
					found = append(found, t.at(pos, "%s imports %s, which belongs to %v", p.Dir, imported, table[i].In))
				}
			}
		}
	}
	return found
}
