// Package sbom writes what programs are made of: a list of modules for machines, in
// CycloneDX 1.6, and the licences of those modules for people.
//
// # Why
//
// Both are made of what the linker wrote into the programs, not of go.mod: that names
// modules of which nothing is in the product, and the list would tell of their faults too.
//
// The list has neither a time nor a serial number, which CycloneDX allows: the same
// programs have the same list.
package sbom

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Product is what the list is of.
type Product struct {
	Name     string
	Version  string
	Licence  string   // an SPDX identifier
	Programs []string // files, built by Go
}

// Module is one module that is linked into a program.
type Module struct {
	Path    string
	Version string
	Sum     string // as in go.sum; empty for the standard library
}

// Modules lists what is linked into the programs, each once, the standard library first.
// The error tells which program cannot be read, or holds a module of no version.
func (p Product) Modules() ([]Module, error) {
	var all []Module
	for _, program := range p.Programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", program, err)
		}
		all = append(all, Module{"std", strings.TrimPrefix(info.GoVersion, "go"), ""})
		for _, m := range info.Deps {
			m = cmp.Or(m.Replace, m)
			if m.Version == "" || m.Sum == "" {
				return nil, fmt.Errorf("%s holds module %s of no version", program, m.Path)
			}
			all = append(all, Module{m.Path, m.Version, m.Sum})
		}
	}
	slices.SortFunc(all, func(a, b Module) int {
		return cmp.Or(cmp.Compare(min(len(a.Sum), 1), min(len(b.Sum), 1)), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	return slices.Compact(all), nil
}

// packageURL names the module as CycloneDX has it, https://github.com/package-url/purl-spec:
// what is written golang there has no capitals.
func (m Module) packageURL() string {
	return "pkg:golang/" + strings.ToLower(m.Path) + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
}

// The parts of CycloneDX 1.6 that are used here.
type (
	list struct {
		Schema       string       `json:"$schema"`
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Version      int          `json:"version"` // of the list, not of the product
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Component component `json:"component"`
	}
	component struct {
		Type       string      `json:"type"`
		Ref        string      `json:"bom-ref"`
		Name       string      `json:"name"`
		Version    string      `json:"version"`
		Hashes     []hash      `json:"hashes,omitempty"`
		Licenses   []licence   `json:"licenses,omitempty"`
		PackageURL string      `json:"purl,omitempty"`
		Properties []property  `json:"properties,omitempty"`
		Components []component `json:"components,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	licence struct {
		License struct {
			ID string `json:"id"`
		} `json:"license"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

// CycloneDX is the list of a product's modules.
func (p Product) CycloneDX() ([]byte, error) {
	modules, err := p.Modules()
	if err != nil {
		return nil, err
	}
	main := component{Type: "application", Ref: p.Name + "@" + p.Version, Name: p.Name, Version: p.Version, Licenses: make([]licence, 1)}
	main.Licenses[0].License.ID = p.Licence
	depends := dependency{Ref: main.Ref}
	l := list{Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Version: 1}
	for _, program := range p.Programs {
		c, err := programOf(program, p.Version)
		if err != nil {
			return nil, err
		}
		main.Components = append(main.Components, c)
	}
	for _, m := range modules {
		c := component{Type: "library", Ref: m.packageURL(), Name: m.Path, Version: m.Version, PackageURL: m.packageURL()}
		if m.Sum != "" {
			c.Properties = []property{{"go:sum", m.Sum}}
		}
		l.Components = append(l.Components, c)
		depends.DependsOn = append(depends.DependsOn, c.Ref)
	}
	l.Metadata.Component = main
	l.Dependencies = []dependency{depends}
	text, err := json.MarshalIndent(l, "", "  ")
	return append(text, '\n'), err
}

// programOf tells of one program: its checksum, and how it was built.
func programOf(file, version string) (component, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return component{}, err
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return component{}, err
	}
	name := filepath.Base(file)
	c := component{Type: "application", Ref: "program:" + name, Name: name, Version: version, Hashes: []hash{{"SHA-256", fmt.Sprintf("%x", sha256.Sum256(content))}}}
	for _, s := range info.Settings {
		c.Properties = append(c.Properties, property{"go:build:" + s.Key, s.Value})
	}
	return c, nil
}

// Licences gives the licences and notices of the modules, as they came with them. Each
// module's folder is found by dirOf. The error names a module that has none.
func Licences(modules []Module, dirOf func(Module) (string, error)) (string, error) {
	var text strings.Builder
	for _, m := range modules {
		dir, err := dirOf(m)
		if err != nil {
			return "", err
		}
		files, err := licenceFiles(dir)
		if err != nil {
			return "", fmt.Errorf("licence of %s %s: %w", m.Path, m.Version, err)
		}
		fmt.Fprintf(&text, "%s\n%s %s\n", strings.Repeat("=", 72), m.Path, m.Version)
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&text, "\n%s:\n\n%s\n", filepath.Base(file), strings.TrimSpace(string(content)))
		}
		text.WriteString("\n")
	}
	return text.String(), nil
}

// licenceFiles lists the files of a folder that tell under which terms it comes.
func licenceFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		for _, word := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"} {
			if e.Type().IsRegular() && strings.HasPrefix(name, word) {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	if len(files) == 0 {
		return nil, errors.New("there is none in " + dir)
	}
	return files, nil
}
