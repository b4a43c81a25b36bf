package deb

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stolpe/cross/build"
)

// copyOfTree copies what a build needs of this module into a folder that is no git checkout.
func copyOfTree(t *testing.T) string {
	t.Helper()
	root, dir := filepath.Join("..", ".."), t.TempDir()
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(rel, ".") && rel != "."
		switch {
		case entry.IsDir() && (hidden || rel == "testdata"):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(dir, rel), 0o755)
		case hidden || !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, rel), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The smallest program stands for all: each goes through the same function. With a cache of
// its own, the second build compiles every package again; that is dear, so the first one
// has what TestPackages has compiled.
func TestSameSourceMakesTheSameProgram(t *testing.T) {
	wizard := build.Programs("1.2.3")[1]
	var sums [2][sha256.Size]byte
	for i := range sums {
		dir, file := copyOfTree(t), filepath.Join(t.TempDir(), "program")
		if i > 0 {
			t.Setenv("GOCACHE", t.TempDir())
		}
		if err := build.One(dir, wizard, arches()[2].target, file); err != nil {
			t.Fatal(err)
		}
		program, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = sha256.Sum256(program)
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds of one source differ: sha256 %x and %x", sums[0], sums[1])
	}
}
