package rules

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Formatted finds Go files that gofmt would change.
func Formatted(t *Tree) []Finding {
	var found []Finding
	for _, p := range t.Packages {
		for _, f := range p.Files {
			formatted, err := format.Source(f.Source)
			if err != nil || !bytes.Equal(formatted, f.Source) {
				found = append(found, Finding{f.Path, "gofmt would change it"})
			}
		}
	}
	return found
}

// Places finds text files, of any kind, that match the pattern: names of the
// machine where somebody worked, which mean nothing anywhere else. Folders whose
// names begin with a dot are searched too, but for .git.
func Places(pattern *regexp.Regexp) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		var found []Finding
		err := filepath.WalkDir(t.Root, func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.Name() == ".git" {
				if entry.IsDir() {
					return filepath.SkipDir
				}
				return nil // of a second work tree: it names the first
			}
			if !entry.Type().IsRegular() {
				return nil
			}
			rel, err := filepath.Rel(t.Root, file)
			if err != nil {
				return err
			}
			matches, err := matches(file, filepath.ToSlash(rel), pattern)
			found = append(found, matches...)
			return err
		})
		if err != nil {
			found = append(found, Finding{t.Root, err.Error()})
		}
		return found
	}
}

// matches searches one file, under the name it has in the tree.
func matches(file, name string, pattern *regexp.Regexp) ([]Finding, error) {
	text, err := os.ReadFile(file)
	if err != nil || bytes.IndexByte(text, 0) >= 0 {
		return nil, err // not text
	}
	var found []Finding
	for i, line := range bytes.Split(text, []byte("\n")) {
		if match := pattern.Find(line); match != nil {
			found = append(found, Finding{fmt.Sprintf("%s:%d", name, i+1), fmt.Sprintf("says %q", match)})
		}
	}
	return found, nil
}

// ErrNoTree is what ReadmeTree wraps while the README has no tree to compare.
var ErrNoTree = errors.New("no fenced block names a folder with Go files")

// ReadmeTree compares the tree in the README, a fenced block with one folder a
// line, each ending in a slash, with the folders of the first and second level
// that hold Go files. The error wraps ErrNoTree when there is no such block.
func ReadmeTree(t *Tree, readme string) ([]Finding, error) {
	folders := topFolders(t)
	named := fencedTree(readme, folders)
	if len(named) == 0 {
		return nil, fmt.Errorf("README.md: %w", ErrNoTree)
	}
	var found []Finding
	for _, dir := range folders {
		if !slices.Contains(named, dir) {
			found = append(found, Finding{dir, "holds Go files and is not in the README's tree"})
		}
	}
	for _, dir := range named {
		if info, err := os.Stat(filepath.Join(t.Root, filepath.FromSlash(dir))); err != nil || !info.IsDir() {
			found = append(found, Finding{"README.md", "its tree names " + dir + ", which is not there"})
		}
	}
	return found, nil
}

// topFolders lists the folders of the first and second level in which Go files
// lie, at any depth.
func topFolders(t *Tree) []string {
	var folders []string
	for _, p := range t.Packages {
		parts := strings.Split(p.Dir, "/")
		for depth := 1; depth <= min(2, len(parts)); depth++ {
			dir := strings.Join(parts[:depth], "/")
			if dir != "." && !slices.Contains(folders, dir) {
				folders = append(folders, dir)
			}
		}
	}
	slices.Sort(folders)
	return folders
}

// fencedTree gives the folders that the first fenced block with a known folder
// names. Folders stand under their parents by indentation.
func fencedTree(readme string, known []string) []string {
	blocks := strings.Split(readme, "```")
	for i := 1; i < len(blocks); i += 2 {
		named := treeLines(blocks[i])
		if slices.ContainsFunc(named, func(dir string) bool { return slices.Contains(known, dir) }) {
			return named
		}
	}
	return nil
}

func treeLines(block string) []string {
	type level struct {
		indent int // columns
		dir    string
	}
	var open []level
	var named []string
	for line := range strings.Lines(block) {
		text := strings.TrimLeft(line, " │├└─|`-\u00a0")
		indent := len([]rune(line)) - len([]rune(text))
		fields := strings.Fields(text)
		if len(fields) == 0 || !strings.HasSuffix(fields[0], "/") {
			continue
		}
		for len(open) > 0 && open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		dir := strings.TrimSuffix(fields[0], "/")
		if len(open) > 0 {
			dir = open[len(open)-1].dir + "/" + dir
		}
		open = append(open, level{indent, dir})
		named = append(named, dir)
	}
	return named
}
