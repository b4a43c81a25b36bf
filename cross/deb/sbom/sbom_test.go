package sbom

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// product is one whose only program is this test, of which the linker tells no modules but
// the standard library. Those of a whole product are looked at where packages are made.
func product(t *testing.T) Product {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Product{Name: "thing", Version: "1.2.3", Licence: "Apache-2.0", Programs: []string{self, self}}
}

func TestModulesAreThoseOfTheProgram(t *testing.T) {
	modules, err := product(t).Modules()
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) != 1 || modules[0] != (Module{"std", strings.TrimPrefix(runtime.Version(), "go"), ""}) {
		t.Errorf("%+v, want the standard library, once", modules)
	}
	p := product(t)
	p.Programs[1] = filepath.Join(t.TempDir(), "none")
	if _, err := p.Modules(); err == nil || !strings.Contains(err.Error(), p.Programs[1]) {
		t.Errorf("%v, want an error that names the program", err)
	}
}

// What the specification of CycloneDX 1.6 asks of any list, and that each reference leads
// somewhere.
func TestListKeepsToItsForm(t *testing.T) {
	first, err := product(t).CycloneDX()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := product(t).CycloneDX(); err != nil || string(first) != string(second) {
		t.Errorf("another list of the same program: %v\n%s", err, cmp.Diff(string(first), string(second)))
	}
	var l list
	if err := json.Unmarshal(first, &l); err != nil {
		t.Fatal(err)
	}
	if l.Format != "CycloneDX" || l.Spec != "1.6" || l.Version < 1 || strings.Contains(string(first), "timestamp") {
		t.Errorf("head %+v", l)
	}
	refs := map[string]bool{}
	for _, c := range append(append(l.Components, l.Metadata.Component), l.Metadata.Component.Components...) {
		if c.Type == "" || c.Name == "" || c.Ref == "" || c.Version == "" {
			t.Errorf("component %+v lacks something", c)
		}
		refs[c.Ref] = true
	}
	for _, d := range l.Dependencies {
		for _, ref := range append(d.DependsOn, d.Ref) {
			if !refs[ref] {
				t.Errorf("%s is not in the list", ref)
			}
		}
	}
	if program := l.Metadata.Component.Components[0]; len(program.Hashes) != 1 || len(program.Hashes[0].Content) != 64 {
		t.Errorf("program %+v has no checksum", program)
	}
}

func TestPackageURL(t *testing.T) {
	m := Module{Path: "github.com/BurntSushi/toml", Version: "v2.0.0+incompatible"}
	if got, want := m.packageURL(), "pkg:golang/github.com/burntsushi/toml@v2.0.0%2Bincompatible"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestLicencesOfEveryModule(t *testing.T) {
	dir := t.TempDir()
	modules := []Module{{Path: "example.org/a", Version: "v1.0.0", Sum: "h1:"}}
	folder := func(Module) (string, error) { return dir, nil }
	if _, err := Licences(modules, folder); err == nil || !strings.Contains(err.Error(), "example.org/a v1.0.0") {
		t.Errorf("%v, want an error that names the module without a licence", err)
	}
	for name, text := range map[string]string{"LICENSE.md": "may be used", "NOTICE": "made by A", "main.go": "package main"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := Licences(modules, folder)
	if err != nil || !strings.Contains(text, "example.org/a v1.0.0\n\nLICENSE.md:\n\nmay be used\n\nNOTICE:\n\nmade by A\n") || strings.Contains(text, "package main") {
		t.Errorf("%v\n%s", err, text)
	}
}
