package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnknownCommandsGetTheUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"tset"}, {"-h"}} {
		var out, errs strings.Builder
		if code := run(args, &out, &errs); code != 2 {
			t.Errorf("run(%q) = %d, want 2", args, code)
		}
		for _, c := range commands() {
			if !strings.Contains(errs.String(), "  "+c.name+" ") || c.what == "" {
				t.Errorf("run(%q) does not tell what %q does:\n%s", args, c.name, errs.String())
			}
		}
	}
}

func TestCommandsExplainTheirFlags(t *testing.T) {
	for _, c := range commands() {
		var errs strings.Builder
		if code := run([]string{c.name, "-h"}, io.Discard, &errs); code != 0 || !strings.Contains(errs.String(), "\n  -") {
			t.Errorf("%s -h = %d, prints %q: want 0 and its flags", c.name, code, errs.String())
		}
	}
}

func TestAnyFolderOfTheModuleWillDo(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(deep)
	if err := enterModule(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("outside a module: %v, want %v", err, os.ErrNotExist)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(deep)
	if err := enterModule(); err != nil {
		t.Fatal(err)
	}
	if dir, err := os.Getwd(); err != nil || dir != root {
		t.Errorf("works in %s, %v, want %s", dir, err, root)
	}
}

// The README's table of what builders use names every command.
func TestReadmeNamesEveryCommand(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if !strings.Contains(string(text), "\n| `go run ./cross "+c.name) {
			t.Errorf("README.md has no row for go run ./cross %s", c.name)
		}
	}
}
