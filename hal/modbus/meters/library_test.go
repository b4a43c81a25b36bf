package meters

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// folder is a directory with these files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMapsAreAddedAndPutInPlaceOfOthers(t *testing.T) {
	text := embedded(t)
	own := strings.Replace(text, "id: eastron_sdm630", "id: workshop_7", 1)
	other := strings.Replace(text, "brand: Eastron", "brand: Somebody", 1)
	dir := folder(t, map[string]string{"workshop_7.yaml": own, "eastron_sdm630.yaml": other, "README": "our meters", ".hidden": "x"})
	l, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if names := l.Names(); !slices.IsSorted(names) || len(names) != len(Names())+1 || !slices.Contains(names, "workshop_7") {
		t.Errorf("names %v", names)
	}
	for _, c := range []struct{ id, brand, origin string }{
		{"workshop_7", "Eastron", filepath.Join(dir, "workshop_7.yaml")},
		{"eastron_sdm630", "Somebody", filepath.Join(dir, "eastron_sdm630.yaml") + ", in place of the built-in map"},
		{"abb_b23_b24", "ABB", "built in"},
	} {
		m, err := l.Find(c.id)
		if err != nil || m.Brand != c.brand {
			t.Errorf("%s: %+v, %v", c.id, m, err)
		}
		if got := l.Origin(c.id); got != c.origin {
			t.Errorf("%s comes from %q, want %q", c.id, got, c.origin)
		}
	}
	if m, err := Find("eastron_sdm630"); err != nil || m.Brand != "Eastron" {
		t.Errorf("the built-in map is now %+v, %v", m, err)
	}
	if _, err := l.Find("workshop_8"); err == nil || !strings.Contains(err.Error(), `meters: no map for "workshop_8": the nearest are workshop_7, `) {
		t.Errorf("an unknown map: %v", err)
	}
}

func TestWithoutADirectoryThereAreTheBuiltInMaps(t *testing.T) {
	l, err := Load("")
	if err != nil || !slices.Equal(l.Names(), Names()) || len(Names()) != 57 {
		t.Errorf("%v, %v", l, err)
	}
	if m, err := l.Find("bauer_bsm_ws36a"); err != nil || m.Brand != "Bauer" || l.Origin(m.ID) != "built in" {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "meters: maps to add: ") {
		t.Errorf("a directory that is not there: %v", err)
	}
	if l, err := Load(t.TempDir()); err != nil || len(l.Names()) != 57 {
		t.Errorf("an empty one: %v, %v", l, err)
	}
}

// All that is wrong is told at once, with file and line.
func TestEveryBadFileIsToldAtOnce(t *testing.T) {
	text := embedded(t)
	dir := folder(t, map[string]string{
		"a.yaml":           strings.Replace(text, "id: eastron_sdm630", "id: b", 1),
		"c.yaml":           "id: c\nfoo: 1\n",
		"d.yml":            text,
		"Big.yaml":         text,
		"with space.yaml":  text,
		".yaml":            text,
		"large.yaml":       strings.Repeat("#", 1<<20),
		"workshop_7.yaml":  strings.Replace(text, "id: eastron_sdm630", "id: workshop_7", 1),
		"empty.yaml":       "",
		"not_a_map.md":     "x",
		"workshop_8.yaml~": "x",
	})
	if err := os.Mkdir(filepath.Join(dir, "folder.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("workshop_7.yaml", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(dir)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"a.yaml: line 3: id: want the name of the file without .yaml, a",
		"c.yaml: line 2: unknown key foo",
		"d.yml: want a name of small letters, digits and underscores that ends in .yaml",
		"Big.yaml: want a name of small letters",
		"with space.yaml: want a name of small letters",
		"/.yaml: want a name of small letters",
		"large.yaml: want at most 65536 bytes",
		"empty.yaml: the file is empty",
		"folder.yaml: not a regular file",
		"link.yaml: not a regular file",
		"pipe.yaml: not a regular file",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 11 {
		t.Errorf("%d lines, want one for each bad file:\n%v", len(lines), err)
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.HasPrefix(line, "meters: "+dir) {
			t.Errorf("not from where: %s", line)
		}
	}
}

func TestADirectoryOfTooManyMapsIsAnother(t *testing.T) {
	files := map[string]string{}
	for n := range maxAdded + 1 {
		id := fmt.Sprintf("meter_%d", n)
		files[id+".yaml"] = strings.Replace(embedded(t), "id: eastron_sdm630", "id: "+id, 1)
	}
	if _, err := Load(folder(t, files)); err == nil || !strings.Contains(err.Error(), "101 maps: want at most 100") {
		t.Errorf("%v", err)
	}
	delete(files, "meter_0.yaml")
	if l, err := Load(folder(t, files)); err != nil || len(l.Names()) != 157 {
		t.Errorf("%v", err)
	}
}
