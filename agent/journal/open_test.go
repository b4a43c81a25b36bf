package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// install gives a directory with a new journal evse-1.
func install(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := Install(dir, "evse-1", owner); err != nil {
		t.Fatal(err)
	}
	return dir
}

// open1 opens the journal evse-1 in dir until the test ends.
func open1(t testing.TB, dir string) (*Journal, Recovered) {
	t.Helper()
	j, r, err := Open(dir, "evse-1", owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // some tests have closed it already
	return j, r
}

func TestRealFilesKeepEverything(t *testing.T) {
	dir := install(t)
	last := uint64(0)
	for _, more := range []uint64{0, 1, 3, Slots, Slots, 5} {
		j, r := open1(t, dir)
		want := Sound
		if last == 0 {
			want = New
		}
		expect(t, r, want, last)
		last += more
		add(t, j, last)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, r := open1(t, dir)
	expect(t, r, Sound, last)
	for _, name := range filenames("evse-1") {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() != Slots*SlotSize || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v bytes, %v, %v", name, info.Size(), info.Mode(), err)
		}
	}
}

func TestInstallTouchesNothingThatIsInUse(t *testing.T) {
	for _, used := range []string{"evse-1.a", "evse-1.b"} {
		t.Run(used, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, used)
			held := append(make([]byte, 5000), 1)
			if err := os.WriteFile(path, held, 0o600); err != nil {
				t.Fatal(err)
			}
			err := Install(dir, "evse-1", owner)
			if !errors.Is(err, fs.ErrExist) {
				t.Fatalf("got %v", err)
			}
			want := fmt.Sprintf("journal: install evse-1 in %s: %s: something is in it: file already exists", dir, used)
			if err.Error() != want {
				t.Errorf("message %q, want %q", err, want)
			}
			if now, err := os.ReadFile(path); !bytes.Equal(now, held) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
	dir := install(t)
	j, _ := open1(t, dir)
	add(t, j, 3)
	if err := Install(dir, "evse-1", owner); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("got %v", err)
	}
	add(t, j, 4)
	_ = j.Close() // reopened below
	_, r := open1(t, dir)
	expect(t, r, Sound, 4)
}

func TestInstallRefusesFilesThatAreTooLong(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "evse-1.b"), make([]byte, Slots*SlotSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Install(dir, "evse-1", owner); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}

func TestInstallCompletesWhatWasCutShort(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "evse-1.a"), make([]byte, 3*SlotSize+7), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Install(dir, "evse-1", owner); err != nil {
		t.Fatal(err)
	}
	_, r := open1(t, dir)
	expect(t, r, New, 0)
}

func TestInstallSaysWhereItFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if err := Install(dir, "evse-1", owner); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestJournalThatIsNotThereIsNotNew(t *testing.T) {
	dir := t.TempDir()
	_, _, err := Open(dir, "evse-1", owner)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	want := fmt.Sprintf("journal: open evse-1 in %s: open %s: no such file or directory", dir, filepath.Join(dir, "evse-1.a"))
	if err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

func TestOpenAsksForAnOwner(t *testing.T) {
	if _, _, err := Open(install(t), "evse-1", ""); err == nil {
		t.Error("opened for nobody")
	}
}

func TestDamagedFilesAreReadButNotWritten(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(a, b string) error
		newest uint64
		detail string
	}{
		{"one gone", func(a, b string) error { return os.Remove(a) }, Slots + 40, "evse-1.a is missing or empty"},
		{"newer one gone", func(a, b string) error { return os.Remove(b) }, Slots - 1, "evse-1.b is missing or empty"},
		{"one cut off", func(a, b string) error { return os.Truncate(b, 35*SlotSize+700) }, Slots + 34,
			"evse-1.b ends in the middle of slot 35"},
		{"one grown", func(a, b string) error { return os.Truncate(a, 200*SlotSize) }, Slots + 40,
			"evse-1.a has 200 slots and evse-1.b has 128"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := install(t)
			j, _ := open1(t, dir)
			add(t, j, Slots+40)
			_ = j.Close() // nothing is left to flush
			names := filenames("evse-1")
			if err := tt.damage(filepath.Join(dir, names[0]), filepath.Join(dir, names[1])); err != nil {
				t.Fatal(err)
			}
			j, r := open1(t, dir)
			expect(t, r, Rotten, tt.newest)
			if r.Detail != tt.detail {
				t.Errorf("says %q, want %q", r.Detail, tt.detail)
			}
			if err := j.Append(state(1)); !errors.Is(err, ErrFailed) {
				t.Errorf("append: %v", err)
			}
		})
	}
}

func TestOnlyOneProcessHasTheJournal(t *testing.T) {
	dir := install(t)
	j, _ := open1(t, dir)
	if _, _, err := Open(dir, "evse-1", owner); !errors.Is(err, ErrInUse) {
		t.Fatalf("opened twice: %v", err)
	}
	_ = j.Close() // opened again below
	open1(t, dir)
}

func TestReadOnlyFilesAreReadAndAppendSaysWhy(t *testing.T) {
	dir := install(t)
	j, _ := open1(t, dir)
	add(t, j, 9)
	_ = j.Close() // nothing is left to flush
	for _, name := range filenames("evse-1") {
		protect(t, filepath.Join(dir, name))
	}
	j, r := open1(t, dir)
	expect(t, r, Sound, 9)
	err := j.Append(state(10))
	if !errors.Is(err, ErrFailed) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("append: %v", err)
	}
	if want := fmt.Sprintf("open %s: ", filepath.Join(dir, "evse-1.a")); !strings.Contains(err.Error(), want) {
		t.Errorf("message %q does not say %q", err, want)
	}
}

// protect takes away the right to write to a file, even from root.
func protect(t *testing.T, path string) {
	t.Helper()
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		return
	}
	if out, err := exec.Command("chattr", "+i", path).CombinedOutput(); err != nil {
		t.Skipf("root may write to everything here: chattr: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("chattr", "-i", path).CombinedOutput(); err != nil {
			t.Errorf("chattr: %v %s", err, out)
		}
	})
}

// Root installs and opens journals, too. A link that the daemon has put there must not lead it
// to another file.
func TestALinkIsNoJournal(t *testing.T) {
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, filepath.Join(dir, "evse-1.a")); err != nil {
		t.Fatal(err)
	}
	if err := Install(dir, "evse-1", owner); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("install: %v", err)
	}
	if _, _, err := openDisk(filepath.Join(dir, "evse-1.a")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("open: %v", err)
	}
	if info, err := os.Stat(other); err != nil || info.Size() != 0 {
		t.Errorf("the other file is now %v, %v", info, err)
	}
}
