package rules

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
)

// Functions finds functions of product code with more than most lines, and
// functions of tests with more than mostInTests.
func Functions(most, mostInTests int) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		var found []Finding
		t.eachFunc(func(f *File, decl *ast.FuncDecl) {
			limit := most
			if f.Test {
				limit = mostInTests
			}
			if lines := t.lines(decl); lines > limit {
				found = append(found, t.at(decl.Pos(), "%s has %d lines, the most is %d", decl.Name.Name, lines, limit))
			}
		})
		return found
	}
}

// Files finds product files with more than most lines, and test files with more
// than mostInTests.
func Files(most, mostInTests int) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		var found []Finding
		for _, p := range t.Packages {
			for _, f := range p.Files {
				limit := most
				if f.Test {
					limit = mostInTests
				}
				if lines := bytes.Count(f.Source, []byte("\n")); lines > limit {
					found = append(found, Finding{f.Path, fmt.Sprintf("%d lines, the most is %d", lines, limit)})
				}
			}
		}
		return found
	}
}

// Allowance is room that one package has beyond the limit of all, and why.
type Allowance struct {
	Most int // exported names
	Why  string
}

// Surface finds packages with more than most exported names, where wider gives
// the few that may have more. Methods and fields belong to their types, and so
// do the values of an enumeration: a reader learns them together.
func Surface(most int, wider map[string]Allowance) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		var found []Finding
		for _, p := range t.Packages {
			limit, n := most, len(surface(p))
			if a, ok := wider[p.Dir]; ok {
				limit = a.Most
			}
			if n > limit {
				found = append(found, Finding{p.Dir, fmt.Sprintf("%d exported names, the most is %d", n, limit)})
			}
		}
		for dir, a := range wider {
			if p := t.Find(dir); p == nil || len(surface(p)) <= most || a.Why == "" {
				found = append(found, Finding{dir, "has an allowance it does not need, or without a reason"})
			}
		}
		return found
	}
}

// surface lists the exported functions, types, variables and constants, without
// the values of enumerations.
func surface(p *Package) []string {
	var names []string
	for _, f := range p.product() {
		for _, decl := range f.AST.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil && decl.Name.IsExported() {
					names = append(names, decl.Name.Name)
				}
			case *ast.GenDecl:
				names = append(names, surfaceOf(decl)...)
			}
		}
	}
	return names
}

func surfaceOf(decl *ast.GenDecl) []string {
	var names []string
	enumeration := false
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() {
				names = append(names, spec.Name.Name)
			}
		case *ast.ValueSpec:
			if spec.Type != nil || len(spec.Values) > 0 {
				typed, _ := spec.Type.(*ast.Ident)
				enumeration = decl.Tok == token.CONST && typed != nil && typed.IsExported()
			}
			for _, name := range spec.Names {
				if name.IsExported() && !enumeration {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// eachFunc calls visit for every function and method of the tree.
func (t *Tree) eachFunc(visit func(*File, *ast.FuncDecl)) {
	for _, p := range t.Packages {
		for _, f := range p.Files {
			for _, decl := range f.AST.Decls {
				if decl, ok := decl.(*ast.FuncDecl); ok {
					visit(f, decl)
				}
			}
		}
	}
}
