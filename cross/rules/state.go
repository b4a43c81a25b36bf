package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// Init finds init functions.
func Init(t *Tree) []Finding {
	var found []Finding
	t.eachFunc(func(f *File, decl *ast.FuncDecl) {
		if decl.Recv == nil && decl.Name.Name == "init" {
			found = append(found, t.at(decl.Pos(), "init function"))
		}
	})
	return found
}

// Variables finds package variables that can change, or that are not what a
// package variable may be: an error, a table, an embedded file, a compiled
// pattern.
func Variables(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		found = append(found, t.declared(p)...)
		found = append(found, t.assigned(p)...)
	}
	return found
}

// declared judges the declarations of package variables in product code.
func (t *Tree) declared(p *Package) []Finding {
	var found []Finding
	own := ownFuncs(p)
	for _, f := range p.product() {
		for _, decl := range f.AST.Decls {
			decl, ok := decl.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, spec := range decl.Specs {
				spec := spec.(*ast.ValueSpec)
				if spec.Names[0].Name == "_" {
					continue // an assertion that a type has some methods
				}
				if wrong := judge(decl, spec, own); wrong != "" {
					found = append(found, t.at(spec.Pos(), "%s %s", spec.Names[0].Name, wrong))
				}
			}
		}
	}
	return found
}

func ownFuncs(p *Package) []string {
	var names []string
	for _, f := range p.product() {
		for _, decl := range f.AST.Decls {
			if decl, ok := decl.(*ast.FuncDecl); ok && decl.Recv == nil {
				names = append(names, decl.Name.Name)
			}
		}
	}
	return names
}

// judge says what is wrong with a package variable, or nothing.
func judge(decl *ast.GenDecl, spec *ast.ValueSpec, own []string) string {
	doc := spec.Doc
	if doc == nil {
		doc = decl.Doc
	}
	if len(spec.Values) == 0 {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return ""
		}
		return "has no value, so something must set it later"
	}
	for _, value := range spec.Values {
		switch value := value.(type) {
		case *ast.BasicLit:
			if strings.Contains(doc.Text(), "-ldflags -X") {
				continue // the linker sets it, and only variables can be set so
			}
			return "is a constant: say const"
		case *ast.FuncLit, *ast.SelectorExpr:
			return "is a function or a borrowed variable that a test could swap: pass it in"
		case *ast.CallExpr:
			name, _ := value.Fun.(*ast.Ident)
			switch {
			case name == nil:
			case name.Name == "make" || name.Name == "new":
				return "is made empty, so something must fill it later"
			case slices.Contains(own, name.Name):
				return "is computed at every start of the program: write it as a table, or compute it where it is needed"
			}
		}
	}
	return ""
}

// assigned finds statements that change a package variable after its
// declaration, in tests too.
func (t *Tree) assigned(p *Package) []Finding {
	var found []Finding
	uses, scope := t.resolve(p, p.Files)
	global := func(e ast.Expr) (string, bool) {
		id := root(e)
		if id == nil {
			return "", false
		}
		v, ok := uses[id].(*types.Var)
		return id.Name, ok && v.Parent() == scope
	}
	flag := func(n ast.Node, targets ...ast.Expr) {
		for _, target := range targets {
			if name, ok := global(target); ok {
				found = append(found, t.at(n.Pos(), "changes the package variable %s", name))
			}
		}
	}
	for _, f := range p.Files {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				flag(n, n.Lhs...)
			case *ast.IncDecStmt:
				flag(n, n.X)
			case *ast.RangeStmt:
				flag(n, n.Key, n.Value)
			case *ast.CallExpr:
				name, _ := n.Fun.(*ast.Ident)
				if name != nil && slices.Contains([]string{"delete", "clear", "copy"}, name.Name) && len(n.Args) > 0 {
					flag(n, n.Args[0])
				}
			}
			return true
		})
	}
	return found
}

// root is the variable that an expression changes a part of, or nil.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// resolve type-checks some files of a package as far as that goes without its
// imports, and gives what each identifier stands for.
func (t *Tree) resolve(p *Package, files []*File) (map[*ast.Ident]types.Object, *types.Scope) {
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: nothing{}, Error: func(error) {}, IgnoreFuncBodies: false}
	var trees []*ast.File
	for _, f := range files {
		if f.AST.Name.Name == p.Name {
			trees = append(trees, f.AST)
		}
	}
	// The error only repeats what is missing from the imports.
	checked, _ := config.Check(p.Dir, t.fset, trees, info)
	return info.Uses, checked.Scope()
}

// nothing imports every package as one without content.
type nothing struct{}

// Import gives the empty package.
func (nothing) Import(imported string) (*types.Package, error) {
	p := types.NewPackage(imported, path.Base(imported))
	p.MarkComplete()
	return p, nil
}
