package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Pure finds I/O, chance and clocks in packages that must have none: imports of
// os, net, random numbers or logs, and calls that read or wait for the clock.
func Pure(dirs []string) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		var found []Finding
		for _, dir := range dirs {
			p := t.Find(dir)
			if p == nil {
				found = append(found, Finding{dir, "is listed as pure and does not exist"})
				continue
			}
			for _, f := range p.product() {
				found = append(found, t.impure(f)...)
			}
		}
		return found
	}
}

func (t *Tree) impure(f *File) []Finding {
	var found []Finding
	for imported, pos := range f.imports() {
		if impurePackage(imported) {
			found = append(found, t.at(pos, "imports %s", imported))
		}
	}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}
	for _, name := range clock {
		for _, pos := range f.selectors("time", name) {
			found = append(found, t.at(pos, "time.%s", name))
		}
	}
	return found
}

func impurePackage(imported string) bool {
	if imported == "net/url" || imported == "net/netip" {
		return false // arithmetic on addresses
	}
	for _, banned := range []string{"os", "net", "math/rand", "crypto/rand", "log", "syscall"} {
		if inside(imported, banned) {
			return true
		}
	}
	return false
}

// selectors gives the places where the file uses a name of an imported package.
func (f *File) selectors(imported, name string) []token.Pos {
	local := f.localName(imported)
	if local == "" {
		return nil
	}
	var places []token.Pos
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == name {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
				places = append(places, s.Pos())
			}
		}
		return true
	})
	return places
}

// localName is what the file calls an imported package; empty if it does not
// import it.
func (f *File) localName(imported string) string {
	for _, spec := range f.AST.Imports {
		if spec.Path.Value != strconv.Quote(imported) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return imported[strings.LastIndex(imported, "/")+1:]
	}
	return ""
}

// Sleeps finds time.Sleep in tests outside synctest bubbles. A function counts
// as inside one when it calls synctest.Test, or synctest.Wait, which panics
// anywhere else.
func Sleeps(t *Tree) []Finding {
	var found []Finding
	t.eachFunc(func(f *File, decl *ast.FuncDecl) {
		if !f.Test || slices.ContainsFunc([]string{"Test", "Wait"}, func(name string) bool {
			return slices.ContainsFunc(f.selectors("testing/synctest", name), within(decl))
		}) {
			return
		}
		for _, pos := range f.selectors("time", "Sleep") {
			if within(decl)(pos) {
				found = append(found, t.at(pos, "time.Sleep in %s", decl.Name.Name))
			}
		}
	})
	return found
}

func within(n ast.Node) func(token.Pos) bool {
	return func(pos token.Pos) bool { return n.Pos() <= pos && pos < n.End() }
}

// Goroutines finds goroutines started in product code of packages that are not in
// the table, which gives the reason for each, and rows nothing needs.
func Goroutines(reasons map[string]string) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		var found []Finding
		started := make(map[string]bool)
		for _, p := range t.Packages {
			for _, f := range p.product() {
				for _, pos := range f.goStatements() {
					started[p.Dir] = true
					if reasons[p.Dir] == "" {
						found = append(found, t.at(pos, "%s starts a goroutine", p.Dir))
					}
				}
			}
		}
		for dir := range reasons {
			if !started[dir] {
				found = append(found, Finding{dir, fmt.Sprintf("the table gives %s a reason for goroutines, and it starts none", dir)})
			}
		}
		return found
	}
}

// goStatements gives the places where the file starts goroutines, with the go
// statement or a method Go.
func (f *File) goStatements() []token.Pos {
	var places []token.Pos
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			places = append(places, n.Pos())
		case *ast.CallExpr: // as of a sync.WaitGroup
			if method, ok := n.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Go" && len(n.Args) == 1 {
				places = append(places, n.Pos())
			}
		}
		return true
	})
	return places
}

// Concurrent lists the folders of packages where goroutines meet, in product
// code or tests: they start one, or import what only matters with several.
func (t *Tree) Concurrent() []string {
	var dirs []string
	for _, p := range t.Packages {
		if slices.ContainsFunc(p.Files, func(f *File) bool {
			imports := f.imports()
			for _, shared := range []string{"sync", "sync/atomic", "net/http", "net", "testing/synctest"} {
				if _, ok := imports[shared]; ok {
					return true
				}
			}
			return len(f.goStatements()) > 0
		}) {
			dirs = append(dirs, p.Dir)
		}
	}
	return dirs
}
