package store

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// all loads everything, and counts what is amiss.
func all(t *testing.T, s *Store, old ...string) (map[string]string, []error) {
	t.Helper()
	found := map[string]string{}
	var wrong []error
	err := s.Load(func(tenant, post string, text []byte) (bool, error) {
		found[tenant+"/"+post] = string(text)
		return slices.Contains(old, post), nil
	}, func(err error) { wrong = append(wrong, err) })
	if err != nil {
		t.Fatal(err)
	}
	return found, wrong
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir)
	for _, x := range [][3]string{{"acme", "A1", "one"}, {"acme", "A2", ""}, {"other", "A1", "three"}, {"acme", "A1", "four\n"}} {
		if err := s.Save(x[0], x[1], []byte(x[2])); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{"acme/A1": "four\n", "acme/A2": "", "other/A1": "three"}
	if got, wrong := all(t, open(t, dir), "A2"); !maps.Equal(got, want) || wrong != nil {
		t.Errorf("%v, %v", got, wrong)
	}
	delete(want, "acme/A2")
	if got, _ := all(t, open(t, dir)); !maps.Equal(got, want) {
		t.Errorf("what is old stays: %v", got)
	}
	for _, name := range []string{"", ".", "..", "a/b", ".x", "a\x00"} {
		if s.Save(name, "A1", nil) == nil || s.Save("acme", name, nil) == nil {
			t.Errorf("%q is the name of a file", name)
		}
	}
}

func TestWhatRotsIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, post := range []string{"A1", "A2", "A3", "A4", "A5"} {
		if err := s.Save("acme", post, []byte("what is known of "+post)); err != nil {
			t.Fatal(err)
		}
	}
	place := func(post string) string { return filepath.Join(dir, "acme", post+ending) }
	text, err := os.ReadFile(place("A1"))
	if err != nil {
		t.Fatal(err)
	}
	text[3] ^= 1
	for name, text := range map[string]string{
		place("A1"): string(text), place("A2"): "", place("A3"): "what is known of A3\n", place("A4"): strings.Repeat("x", 2000),
		filepath.Join(dir, "acme", ".new-A6"): "half", filepath.Join(dir, "acme", "notes.txt"): "somebody's own", filepath.Join(dir, "file"): "no folder",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, wrong := all(t, s)
	if len(got) != 1 || got["acme/A5"] == "" || len(wrong) != 4 {
		t.Errorf("%v, %v", got, wrong)
	}
	for _, err := range wrong {
		if !errors.Is(err, ErrRotten) {
			t.Error(err)
		}
	}
	if err := s.Save("acme", "A1", []byte("again")); err != nil {
		t.Fatal(err)
	}
	if got, _ := all(t, s); got["acme/A1"] != "again" {
		t.Error("a rotten file is not replaced")
	}
}
