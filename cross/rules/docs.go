package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Documented finds exported names without a comment that begins with the name.
// In a group of constants or variables the group's comment or a comment on the
// line is enough.
func Documented(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		for _, f := range p.product() {
			for _, decl := range f.AST.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					if exportedFunc(decl) && !begins(decl.Doc, decl.Name.Name) {
						found = append(found, t.at(decl.Pos(), "%s has no comment that begins with its name", decl.Name.Name))
					}
				case *ast.GenDecl:
					found = append(found, t.undocumented(decl)...)
				}
			}
		}
	}
	return found
}

// exportedFunc says whether other packages can see the function or method.
func exportedFunc(decl *ast.FuncDecl) bool {
	if !decl.Name.IsExported() {
		return false
	}
	if decl.Recv == nil {
		return true
	}
	receiver := decl.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}

func (t *Tree) undocumented(decl *ast.GenDecl) []Finding {
	var found []Finding
	grouped := decl.Lparen.IsValid()
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			doc := spec.Doc
			if !grouped {
				doc = decl.Doc
			}
			if spec.Name.IsExported() && !begins(doc, spec.Name.Name) {
				found = append(found, t.at(spec.Pos(), "%s has no comment that begins with its name", spec.Name.Name))
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				switch {
				case !name.IsExported():
				case !grouped && !begins(decl.Doc, name.Name):
					found = append(found, t.at(spec.Pos(), "%s has no comment that begins with its name", name.Name))
				case grouped && decl.Doc == nil && spec.Doc == nil && spec.Comment == nil:
					found = append(found, t.at(spec.Pos(), "%s has no comment, and neither has its group", name.Name))
				}
			}
		}
	}
	return found
}

func begins(doc *ast.CommentGroup, name string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(doc.Text()), " ")
	return strings.TrimRight(first, ".,:\n") == name || strings.HasPrefix(doc.Text(), name+"\n")
}

// Units finds numbers that do not say what they count: struct fields of a bare
// numeric type, and constants of one, without any comment. A type such as
// hal.Energy says it itself; an int does not. Numbers whose name says
// it, as in seed or EnergyWh, need none.
func Units(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		_, scope := t.resolve(p, p.product())
		for _, f := range p.product() {
			for _, decl := range f.AST.Decls {
				decl, ok := decl.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						found = append(found, t.bareFields(spec)...)
					case *ast.ValueSpec:
						if decl.Tok == token.CONST {
							found = append(found, t.bareConstants(decl, spec, scope)...)
						}
					}
				}
			}
		}
	}
	return found
}

func (t *Tree) bareFields(spec *ast.TypeSpec) []Finding {
	fields, ok := spec.Type.(*ast.StructType)
	if !ok {
		return nil
	}
	var found []Finding
	for _, field := range fields.Fields.List {
		kind, ok := field.Type.(*ast.Ident)
		if ok && numeric(kind.Name) && len(field.Names) > 0 && field.Doc == nil && field.Comment == nil && !label(field.Names[0].Name) {
			found = append(found, t.at(field.Pos(), "%s.%s is %s: of what?", spec.Name.Name, field.Names[0].Name, kind.Name))
		}
	}
	return found
}

func numeric(kind string) bool {
	return slices.Contains([]string{"int", "int8", "int16", "int32", "int64",
		"uint", "uint8", "uint16", "uint32", "uint64", "float32", "float64"}, kind)
}

// label says whether the name of a number is enough: it tells things apart and
// counts nothing, or it ends in its unit.
func label(name string) bool {
	known := []string{"seed", "number", "sequence", "seq", "version", "index", "status", "code",
		"wh", "kwh", "w", "kw", "v", "a", "s", "ms", "minor", "bp", "bytes", "baud"}
	all := words(name)
	return len(all) == 0 || slices.Contains(known, all[len(all)-1])
}

func (t *Tree) bareConstants(decl *ast.GenDecl, spec *ast.ValueSpec, scope *types.Scope) []Finding {
	if decl.Doc != nil || spec.Doc != nil || spec.Comment != nil {
		return nil
	}
	var found []Finding
	for _, name := range spec.Names {
		constant, ok := scope.Lookup(name.Name).(*types.Const)
		if !ok {
			continue
		}
		basic, ok := constant.Type().(*types.Basic)
		if ok && basic.Info()&types.IsNumeric != 0 && basic.Kind() != types.UntypedRune && !label(name.Name) {
			found = append(found, t.at(name.Pos(), "%s is a number: of what?", name.Name))
		}
	}
	return found
}

// PackageComments finds packages without a comment, and packages other than
// programs whose comment does not say why they are as they are.
func PackageComments(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		if len(p.product()) == 0 {
			continue
		}
		var docs []string
		for _, f := range p.product() {
			if f.AST.Doc != nil {
				docs = append(docs, f.AST.Doc.Text())
			}
		}
		switch {
		case len(docs) == 0:
			found = append(found, Finding{p.Dir, "has no package comment"})
		case len(docs) > 1:
			found = append(found, Finding{p.Dir, "has more than one package comment"})
		case p.Main():
		case !strings.HasPrefix(docs[0], "Package "+p.Name+" "):
			found = append(found, Finding{p.Dir, "its comment does not begin with: Package " + p.Name})
		case !strings.Contains(docs[0], "\n# Why\n"):
			found = append(found, Finding{p.Dir, "its comment has no section: # Why"})
		}
	}
	return found
}
