package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"stolpe/agent/plain"
)

// look looks at the journal evse-1 in dir, and demands that nothing there is another after it.
func look(t *testing.T, dir string) (string, Recovered) {
	t.Helper()
	before := everything(t, dir)
	who, r, err := Peek(dir, "evse-1")
	if err != nil {
		t.Fatal(err)
	}
	if after := everything(t, dir); after != before {
		t.Error("looking at it has changed it")
	}
	return who, r
}

// everything is all that is in a folder: names, modes and content.
func everything(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		info, missing := f.Info()
		if err != nil || missing != nil {
			t.Fatal(err, missing)
		}
		all.WriteString(f.Name() + info.Mode().String() + info.ModTime().String() + string(text))
	}
	return all.String()
}

// Somebody else has it open, and goes on writing.
func TestPeekSeesTheNewestRecordOfAnyOwner(t *testing.T) {
	dir := install(t)
	if who, r := look(t, dir); who != owner || r.Doubt != New || len(r.Payload) != 0 {
		t.Errorf("%q, %+v", who, r)
	}
	j, _ := open1(t, dir)
	for _, last := range []uint64{1, 5, Slots, 2*Slots + 3} {
		add(t, j, last)
		who, r := look(t, dir)
		if who != owner {
			t.Errorf("it belongs to %q, want %q", who, owner)
		}
		expect(t, r, Sound, last)
	}
}

func TestPeekTellsDamageFromNothing(t *testing.T) {
	for name, row := range map[string]struct {
		make  func(t *testing.T, dir string)
		doubt Doubt
		why   string
	}{
		"cut short in the first file": {func(t *testing.T, dir string) { lay(t, dir, "evse-1.a", make([]byte, 1000)) }, New, "nothing was ever written"},
		"two files of zeros": {func(t *testing.T, dir string) {
			lay(t, dir, "evse-1.a", make([]byte, Slots*SlotSize))
			lay(t, dir, "evse-1.b", make([]byte, Slots*SlotSize))
		}, New, "nothing was ever written"},
		"no journal": {func(t *testing.T, dir string) {
			lay(t, dir, "evse-1.a", []byte("Dear diary"))
			lay(t, dir, "evse-1.b", nil)
		}, Rotten, "ends in the middle of slot 0"},
		"one file gone": {func(t *testing.T, dir string) {
			whole(t, dir, 5)
			if err := os.Remove(filepath.Join(dir, "evse-1.b")); err != nil {
				t.Fatal(err)
			}
		}, Rotten, "evse-1.b is missing or empty"},
		"a later format": {func(t *testing.T, dir string) {
			whole(t, dir, 5)
			text, err := os.ReadFile(filepath.Join(dir, "evse-1.a"))
			if err != nil {
				t.Fatal(err)
			}
			copy(text[5*SlotSize:], sealedSlot(func(b []byte) { b[atVersion] = version + 1 }))
			lay(t, dir, "evse-1.a", text)
		}, Foreign, "format 2, this is 1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			row.make(t, dir)
			if _, r := look(t, dir); r.Doubt != row.doubt || !strings.Contains(r.Detail, row.why) {
				t.Errorf("%v, %q: want %v, %q", r.Doubt, r.Detail, row.doubt, row.why)
			}
		})
	}
	if _, _, err := Peek(t.TempDir(), "evse-1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no journal: %v", err)
	}
}

// lay makes a file.
func lay(t *testing.T, dir, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// whole makes the journal evse-1 with so many records.
func whole(t *testing.T, dir string, last uint64) {
	t.Helper()
	if err := Install(dir, "evse-1", owner); err != nil {
		t.Fatal(err)
	}
	j, _, err := Open(dir, "evse-1", owner)
	if err != nil {
		t.Fatal(err)
	}
	add(t, j, last)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// Root looks before a package is removed. What is no file neither keeps it waiting nor passes
// for an empty journal.
func TestPeekAtWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "evse-9.a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Peek(dir, "evse-9"); !errors.Is(err, plain.ErrNot) {
		t.Error(err)
	}
}
