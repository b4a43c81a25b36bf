package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"stolpe/cross/rules"
)

// generated runs `go generate` in a copy of the tree and compares: a generated
// file that is out of date is a failure, and the tree itself stays as it is.
func (r *run) generated() error {
	if !generates(r.tree) {
		r.show("no file of this tree is generated")
		return nil
	}
	original := os.DirFS(r.dir)
	copied, err := os.MkdirTemp("", "cross-generated-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(copied)
	if err := eachFile(original, func(name string) error { return copyFile(original, copied, name) }); err != nil {
		return fmt.Errorf("copy the tree: %w", err)
	}
	there := run{out: r.out, dir: copied, module: r.module}
	if err := there.command(r.show, nil, "go", "generate", "./..."); err != nil {
		return err
	}
	stale := 0
	err = eachFile(os.DirFS(copied), func(name string) error {
		fresh, err := os.ReadFile(filepath.Join(copied, name))
		if err != nil {
			return err
		}
		old, err := fs.ReadFile(original, name)
		if err == nil && bytes.Equal(old, fresh) {
			return nil
		}
		stale++
		r.show(name + " is not what go generate makes of it")
		return nil
	})
	if err == nil && stale > 0 {
		err = errors.New("run `go generate ./...` and look at what changed")
	}
	if err == nil {
		r.tally.add(result{name: "generated files"})
	}
	return err
}

func generates(tree *rules.Tree) bool {
	for _, p := range tree.Packages {
		for _, f := range p.Files {
			if bytes.Contains(f.Source, []byte("\n//go:"+"generate ")) {
				return true
			}
		}
	}
	return false
}

// eachFile calls visit for every regular file of the tree but git's own.
func eachFile(tree fs.FS, visit func(name string) error) error {
	return fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		return visit(name)
	})
}

func copyFile(from fs.FS, to, name string) error {
	content, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	file := filepath.Join(to, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}
