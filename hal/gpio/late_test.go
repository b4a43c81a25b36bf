package gpio

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A chip that was there, under whatever name, is not too late; one that came is; and one that
// cannot be opened yet will be.
func TestAChipThatCameIsTooLate(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	pattern := at("gpiochip*")
	if late(nil, pattern) {
		t.Error("too late, where there is none")
	}
	make := func(name string) {
		t.Helper()
		if err := os.WriteFile(at(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	make("gpiochip0")
	if !late(nil, pattern) {
		t.Error("the first one is not seen")
	}
	if err := os.Symlink("gpiochip0", at("gpiochip4")); err != nil {
		t.Fatal(err)
	}
	found := usable(pattern)
	if !slices.Equal(found, []string{at("gpiochip0")}) || late(found, pattern) {
		t.Errorf("found %v: want a chip under two names once", found)
	}
	if err := os.Symlink("none", at("gpiochip5")); err != nil {
		t.Fatal(err)
	}
	if late(found, pattern) {
		t.Error("one that cannot be opened counts")
	}
	make("none")
	if !late(found, pattern) {
		t.Error("one that can be opened now does not count")
	}
}

// On this machine nothing comes while the tests run.
func TestNothingIsTooLateHere(t *testing.T) {
	if TooLate() {
		t.Error("a chip has come since the program began")
	}
}
