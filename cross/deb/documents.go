package deb

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"stolpe/cross/deb/sbom"
	"stolpe/cross/man"
)

// listEnds is how the file with the list of modules ends; CycloneDX recommends it.
const listEnds = ".cdx.json"

// documents makes what is the same for all processors: manual pages, completions of shells,
// changelogs.
func (o order) documents(stage string) error {
	if err := man.Write(o.tree, stage, o.log); err != nil {
		return err
	}
	err := filepath.WalkDir(filepath.Join(stage, "man"), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		page, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return pressed(file+".gz", page)
	})
	if err != nil {
		return err
	}
	all, err := o.releases()
	if err != nil {
		return err
	}
	for _, p := range packs() {
		text := debianChangelog(p.name, o.version, o.maintainer, all, o.built)
		if err := pressed(filepath.Join(stage, p.name, "changelog.gz"), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// pressed writes a file as gzip -9n does: without a name and a time.
func pressed(file string, content []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(content); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// contents writes what a package is made of beside its programs in dir: the list of
// modules, and their licences.
func (o order) contents(dir string, p pack) error {
	product := sbom.Product{Name: p.name, Version: o.version, Licence: "Apache-2.0"}
	for _, name := range p.programs {
		product.Programs = append(product.Programs, filepath.Join(dir, name))
	}
	list, err := product.CycloneDX()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, p.name+listEnds), list, 0o644); err != nil {
		return err
	}
	modules, err := product.Modules()
	if err != nil {
		return err
	}
	licences, err := sbom.Licences(modules, o.folderOf)
	if err != nil {
		return err
	}
	fonts, err := os.ReadFile(filepath.Join(o.tree, "display", "panel", "draw", "font", "LICENCES.txt"))
	if err != nil {
		return err
	}
	return pressed(filepath.Join(dir, p.name+".licences.gz"), append([]byte(licences), fonts...))
}

// folderOf finds where a module lies that has been built in.
func (o order) folderOf(m sbom.Module) (string, error) {
	args := []string{"list", "-m", "-f", "{{.Version}} {{.Dir}}", m.Path}
	if m.Sum == "" {
		args = []string{"env", "GOROOT"}
	}
	list := exec.Command("go", args...)
	list.Dir = o.tree
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("look for module %s: %w", m.Path, err)
	}
	said := strings.TrimSpace(string(out))
	if m.Sum == "" {
		return said, nil
	}
	version, dir, _ := strings.Cut(said, " ")
	if version != m.Version || dir == "" {
		return "", fmt.Errorf("look for module %s %s: there is %q", m.Path, m.Version, said)
	}
	return dir, nil
}
