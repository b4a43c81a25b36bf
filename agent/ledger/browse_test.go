package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// What is browsed is what is read, over several files, and the disk stays as it is.
func TestBrowse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	for month := range 3 {
		add(t, l, sale(uint64(month+1)).on(day(40*month)), talk(uint64(month+1)).on(day(40*month)))
	}
	want, err := read(l)
	if err != nil || len(want) != 6 {
		t.Fatal(len(want), err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	torn, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.WriteString(`{"seq":7,"at":`); err != nil {
		t.Fatal(err)
	}
	if err := torn.Close(); err != nil {
		t.Fatal(err)
	}
	before := contentsOf(t, path)
	var got []Entry
	if err := Browse(path, func(e Entry) error { got = append(got, e); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if i >= len(got) || got[i].Seq != want[i].Seq || got[i].Kind != want[i].Kind || got[i].Ref != want[i].Ref {
			t.Fatalf("%+v\nwant %+v", got, want)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
	if after := contentsOf(t, path); after != before {
		t.Errorf("the disk has changed:\n%s\nwas\n%s", after, before)
	}
}

// contentsOf is everything in the folder of a book.
func contentsOf(t *testing.T, path string) (all string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all += f.Name() + "\n" + string(text)
	}
	return all
}

func TestBrowseTellsOfDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	l, _ := open(t, path)
	add(t, l, sale(1), sale(2), sale(3))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = Browse(path, func(Entry) error { n++; return nil })
	var damage Damage
	if !errors.As(err, &damage) || len(damage) == 0 || n != 2 {
		t.Errorf("%d entries, %v", n, err)
	}
	enough := errors.New("enough")
	if err := Browse(path, func(Entry) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v: want the error of whoever reads", err)
	}
}

func TestBrowseWithoutABook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := Browse(path, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a book was begun")
	}
}
