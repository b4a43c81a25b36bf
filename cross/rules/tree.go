// Package rules reads the Go source of a repository and says where it breaks the
// rules of the house: who may import whom, how long things may be, what needs a
// comment, and where time, chance and goroutines may come in. Each rule is a
// function from the Tree to Findings; the tables that belong to this repository
// stand with the test that runs the rules.
//
// # Why
//
// The rules are ordinary Go tests, because then `go test ./...` is all anybody
// needs to know. Linters were weighed: none knows our import table or our words,
// and each is one more version to pin.
//
// Packages are type-checked without what they import. That is enough to tell a
// package's own variables and constants from local ones, takes a second for the
// whole tree, and works before the tree compiles.
package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is the Go source of one module.
type Tree struct {
	Root     string // folder of go.mod
	Module   string // module path, as in an import
	Packages []*Package
	fset     *token.FileSet
}

// Package is one folder with Go files.
type Package struct {
	Dir   string // from the root, with slashes; "." for the root itself
	Name  string
	Files []*File // in order of their names, test files included
}

// File is one Go file.
type File struct {
	Path   string // from the root, with slashes
	Test   bool   // its name ends in _test.go
	Source []byte
	AST    *ast.File
}

// Finding is one place where a rule is broken.
type Finding struct {
	Place string // path:line, or a path
	What  string
}

// String gives the finding as compilers do, so that editors can jump to it.
func (f Finding) String() string { return f.Place + ": " + f.What }

// Load reads the module in folder root. Folders named testdata, folders whose
// name begins with a dot or an underscore, and other modules are left out, as the go
// command does.
// The error tells which file cannot be read or parsed.
func Load(root, module string) (*Tree, error) {
	t := &Tree{Root: root, Module: module, fset: token.NewFileSet()}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && file != root && (skipDir(entry.Name()) || ownModule(file)) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(file, ".go") {
			return nil
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		return t.add(filepath.ToSlash(rel), source)
	})
	if err != nil {
		return nil, fmt.Errorf("rules: read the tree: %w", err)
	}
	return t, nil
}

// ownModule says whether a folder is another module.
func ownModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func skipDir(name string) bool {
	return name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// add parses one file and puts it into its package.
func (t *Tree) add(file string, source []byte) error {
	parsed, err := parser.ParseFile(t.fset, file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := &File{Path: file, Test: strings.HasSuffix(file, "_test.go"), Source: source, AST: parsed}
	dir := path.Dir(file)
	p := t.Find(dir)
	if p == nil {
		p = &Package{Dir: dir}
		t.Packages = append(t.Packages, p)
	}
	if name := parsed.Name.Name; p.Name == "" || !f.Test {
		p.Name = strings.TrimSuffix(name, "_test")
	}
	p.Files = append(p.Files, f)
	return nil
}

// Find gives the package in folder dir, or nil.
func (t *Tree) Find(dir string) *Package {
	i := slices.IndexFunc(t.Packages, func(p *Package) bool { return p.Dir == dir })
	if i < 0 {
		return nil
	}
	return t.Packages[i]
}

// Main says whether the package is a program.
func (p *Package) Main() bool { return p.Name == "main" }

// product gives the files that go into a program, without the tests.
func (p *Package) product() []*File {
	return slices.DeleteFunc(slices.Clone(p.Files), func(f *File) bool { return f.Test })
}

// imports gives the import paths of the file with their places.
func (f *File) imports() map[string]token.Pos {
	paths := make(map[string]token.Pos)
	for _, spec := range f.AST.Imports {
		paths[strings.Trim(spec.Path.Value, `"`)] = spec.Pos()
	}
	return paths
}

// at makes a finding at a position.
func (t *Tree) at(pos token.Pos, format string, args ...any) Finding {
	place := t.fset.Position(pos)
	return Finding{fmt.Sprintf("%s:%d", place.Filename, place.Line), fmt.Sprintf(format, args...)}
}

// lines is how many lines a node takes, its first and last included.
func (t *Tree) lines(n ast.Node) int {
	return t.fset.Position(n.End()).Line - t.fset.Position(n.Pos()).Line + 1
}
