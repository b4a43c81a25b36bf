package trial

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// begin makes a file with a link to it, and gives the link.
func begin(t *testing.T, text string) (link, file string) {
	t.Helper()
	dir := t.TempDir()
	file, link = filepath.Join(dir, "real.yaml"), filepath.Join(dir, "link.yaml")
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	return link, file
}

func holds(t *testing.T, file, want string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || string(text) != want {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(file), text, err, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%s has mode %v, %v", filepath.Base(file), info.Mode(), err)
	}
}

// left lists what lies in the folder of a file.
func left(t *testing.T, file string) int {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestReplaceKeepsTheVersionBefore(t *testing.T) {
	link, file := begin(t, "one")
	for _, step := range [][2]string{{"one", "two"}, {"two", "three"}} {
		if err := Replace(link, []byte(step[0]), []byte(step[1])); err != nil {
			t.Fatal(err)
		}
		holds(t, file, step[1])
		holds(t, file+".before", step[0])
	}
	if err := Replace(link, []byte("one"), []byte("four")); !errors.Is(err, ErrMoved) {
		t.Errorf("a file that has been changed: %v", err)
	}
	holds(t, file, "three")
	if n := left(t, file); n != 3 {
		t.Errorf("%d files, want the file, the link and the version before", n)
	}
	if got, err := Of(link); err != nil || got.On() {
		t.Errorf("on trial: %+v, %v", got, err)
	}
}

func TestATrialThatIsConfirmed(t *testing.T) {
	link, file := begin(t, "one")
	if err := Try(link, []byte("one"), []byte("two"), time.Minute); err != nil {
		t.Fatal(err)
	}
	got, err := Of(link)
	if err != nil || !got.On() || got.ID != "3fc4ccfe7458" || got.Within != time.Minute {
		t.Fatalf("%+v, %v", got, err)
	}
	if ok, err := got.Begin(); !ok || err != nil {
		t.Errorf("its first start: %v, %v", ok, err)
	}
	if err := got.Confirm(); err != nil {
		t.Error(err)
	}
	holds(t, file, "two")
	if after, err := Of(link); err != nil || after.On() {
		t.Errorf("still on trial: %+v, %v", after, err)
	}
}

func TestATrialThatFails(t *testing.T) {
	link, file := begin(t, "one")
	if err := Try(link, []byte("one"), []byte("two"), time.Minute); err != nil {
		t.Fatal(err)
	}
	first, _ := Of(link)
	if ok, err := first.Begin(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	again, err := Of(link)
	if ok, err2 := again.Begin(); ok || err != nil || err2 != nil {
		t.Errorf("a second start: %v, %v, %v; want no", ok, err, err2)
	}
	for n := range 2 { // a power cut in the middle has it done once more
		if ok, err := again.Back(); ok != (n == 0) || err != nil {
			t.Fatal(ok, err)
		}
		holds(t, file, "one")
	}
	if after, err := Of(link); err != nil || after.On() {
		t.Errorf("still on trial: %+v, %v", after, err)
	}
}

// Wherever the power goes while something is put on trial, the file is whole, and what
// is new never runs without a trial.
func TestPowerCutsWhileSomethingIsPutOnTrial(t *testing.T) {
	link, file := begin(t, "one")
	if err := Try(link, []byte("one"), []byte("two"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("one"), 0o640); err != nil { // the last step has not been taken
		t.Fatal(err)
	}
	got, err := Of(link)
	if err != nil || !got.On() {
		t.Fatalf("%+v, %v", got, err)
	}
	if ok, err := got.Begin(); ok || err != nil {
		t.Errorf("what is not there begins: %v, %v", ok, err)
	}
	if _, err := got.Back(); err != nil {
		t.Error(err)
	}
	holds(t, file, "one")
}

// A technician who has changed the file is not undone by a trial that ends.
func TestWhatSomebodyHasChangedStays(t *testing.T) {
	link, file := begin(t, "one")
	if err := Try(link, []byte("one"), []byte("two"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("three"), 0o640); err != nil {
		t.Fatal(err)
	}
	got, _ := Of(link)
	if ok, err := got.Back(); ok || err != nil {
		t.Errorf("taken back: %v, %v", ok, err)
	}
	holds(t, file, "three")
	if after, err := Of(link); err != nil || after.On() {
		t.Errorf("still on trial: %+v, %v", after, err)
	}
}

func TestATrialThatCannotBeReadIsOver(t *testing.T) {
	link, file := begin(t, "one")
	if err := Try(link, []byte("one"), []byte("two"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".trial", nil, 0o640); err != nil {
		t.Fatal(err)
	}
	got, err := Of(link)
	if ok, _ := got.Begin(); err == nil || ok || !got.On() {
		t.Errorf("%+v, %v, begins %v", got, err, ok)
	}
	for n := range 2 {
		if ok, err := got.Back(); ok != (n == 0) || err != nil {
			t.Error(ok, err)
		}
		holds(t, file, "one")
	}
}

// A text that does not fit leaves no trial of what is not there.
func TestWhatDoesNotFitIsNotOnTrial(t *testing.T) {
	link, file := begin(t, "one")
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	small := was
	small.Cur = 1 << 16 // bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err := Try(link, []byte("one"), make([]byte, 1<<17), time.Minute)
	if err := os.WriteFile(file+".before", []byte("zero"), 0o640); err != nil {
		t.Error(err)
	}
	holdsNot := Replace(link, []byte("one"), make([]byte, 1<<17))
	if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); back != nil || err == nil {
		t.Errorf("it was written: %v; limit: %v", err, back)
	}
	if on, err := Of(link); on.On() || err != nil {
		t.Errorf("on trial: %+v, %v", on, err)
	}
	holds(t, file, "one")
	holds(t, file+".before", "zero")
	if n := left(t, file); holdsNot == nil || n != 3 {
		t.Errorf("%v, and %d files, want the file, the link and the version before", holdsNot, n)
	}
}

// A folder in the way stops root, too.
func TestWhatCannotBeWrittenChangesNothing(t *testing.T) {
	for _, end := range []string{beforeEnd, trialEnd} {
		link, file := begin(t, "one")
		if err := os.MkdirAll(filepath.Join(file+end, "in the way"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := Try(link, []byte("one"), []byte("two"), time.Minute); err == nil {
			t.Errorf("%s: it was written", end)
		}
		holds(t, file, "one")
	}
}
