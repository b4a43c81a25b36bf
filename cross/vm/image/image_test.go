package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// readCPIO reads an archive as the kernel does (init/initramfs.c): every part begins at a
// multiple of four bytes.
func readCPIO(b []byte) ([]entry, error) {
	var found []entry
	at := 0
	for {
		if at%4 != 0 || len(b) < at+110 || string(b[at:at+6]) != "070701" {
			return found, fmt.Errorf("no header at %d of %d", at, len(b))
		}
		var n [13]int
		for i := range n {
			v, err := strconv.ParseUint(string(b[at+6+8*i:at+14+8*i]), 16, 32)
			if err != nil {
				return found, err
			}
			n[i] = int(v)
		}
		mode, size, major, minor, named := n[1], n[6], n[9], n[10], n[11]
		name := string(b[at+110 : at+110+named])
		at = (at + 110 + named + 3) &^ 3
		if !strings.HasSuffix(name, "\x00") {
			return found, fmt.Errorf("the name %q has no end", name)
		}
		name = strings.TrimSuffix(name, "\x00")
		if name == "TRAILER!!!" {
			return found, nil
		}
		found = append(found, entry{name, uint32(mode), uint32(major), uint32(minor), b[at : at+size]})
		at = (at + size + 3) &^ 3
	}
}

func TestCPIOIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) entry {
			return entry{
				name:  rapid.StringMatching(`[a-z]{1,9}(/[a-z]{1,9})?`).Draw(t, "name"),
				mode:  rapid.SampledFrom([]uint32{folder | 0o755, regular | 0o644, character | 0o600}).Draw(t, "mode"),
				major: rapid.Uint32Range(0, 255).Draw(t, "major"), minor: rapid.Uint32Range(0, 255).Draw(t, "minor"),
				data: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "data"),
			}
		}), 0, 5).Draw(t, "entries")
		var b bytes.Buffer
		if err := writeCPIO(&b, want); err != nil {
			t.Fatal(err)
		}
		got, err := readCPIO(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 && len(want) == 0 {
			return
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{}), cmp.Transformer("data", func(b []byte) string { return string(b) })); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAKeyDiffersWhenAnythingDoes(t *testing.T) {
	keys := map[string]string{}
	for name, k := range map[string]string{
		"nothing":           key(nil),
		"a recipe":          key([]byte("r")),
		"an input":          key(nil, "r"),
		"two inputs":        key([]byte("r"), "ab", "c"),
		"two inputs, other": key([]byte("r"), "a", "bc"),
		"one input":         key([]byte("r"), "abc"),
		"an empty input":    key([]byte("r"), "abc", ""),
	} {
		if other, ok := keys[k]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		keys[k] = name
	}
	if one, two := key([]byte("r"), "a"), key([]byte("r"), "a"); one != two {
		t.Errorf("the same has the keys %s and %s", one, two)
	}
}

// TestAPartIsMadeOnce makes a part, asks for it again, and fails to make another.
func TestAPartIsMadeOnce(t *testing.T) {
	b := &builder{dir: t.TempDir(), log: io.Discard}
	made := 0
	fill := func(dir string) error {
		made++
		return os.WriteFile(filepath.Join(dir, "file"), []byte(fmt.Sprint(made)), 0o644)
	}
	first, err := b.once(t.Context(), "part", "base.go", []string{"a"}, fill)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.once(t.Context(), "part", "base.go", []string{"a"}, fill)
	if err != nil || again != first || made != 1 {
		t.Errorf("asked again: %s, %v, made %d times; want %s, made once", again, err, made, first)
	}
	for name, other := range map[string]func() (string, error){
		"another input":  func() (string, error) { return b.once(t.Context(), "part", "base.go", []string{"b"}, fill) },
		"another recipe": func() (string, error) { return b.once(t.Context(), "part", "root.go", []string{"a"}, fill) },
	} {
		if dir, err := other(); err != nil || dir == first {
			t.Errorf("%s: %s, %v; want another part", name, dir, err)
		}
	}
	half := func(dir string) error {
		fill(dir)
		return io.ErrUnexpectedEOF
	}
	if dir, err := b.once(t.Context(), "half", "base.go", nil, half); err == nil {
		t.Errorf("half a part is %s", dir)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if dir, err := b.once(cancelled, "late", "base.go", nil, fill); err == nil {
		t.Errorf("a part that nobody waits for is %s", dir)
	}
	left, err := os.ReadDir(b.dir)
	if err != nil || len(left) != 3 {
		t.Errorf("%d folders, %v; want the three whole parts: %v", len(left), err, left)
	}
}

func TestTheNewestKernelIsReadFromAPackage(t *testing.T) {
	k, err := newest("Package: linux-image-6.12-amd64\nVersion: 6.12.9-2\nDepends: linux-image-6.12.9+deb12-amd64 (= 6.12.9-2~x1)\nSize: 1\n")
	if err != nil || k.release != "6.12.9+deb12-amd64" || k.version != "6.12.9-2~x1" {
		t.Errorf("%+v, %v", k, err)
	}
	if k, err := newest("Package: linux-image-6.12-amd64\nDepends: something\n"); err == nil {
		t.Errorf("a package that depends on no kernel gave %+v", k)
	}
}

func TestEditsFitOrSayWhichDoesNot(t *testing.T) {
	source := "int a;\nint b;\n"
	got, err := apply(source, []edit{{"int a;", "int c;", 1}, {"int", "long", 2}})
	if err != nil || got != "long c;\nlong b;\n" {
		t.Errorf("%q, %v", got, err)
	}
	for _, e := range []edit{{"int d;", "", 1}, {"int", "", 1}} {
		if _, err := apply(source, []edit{e}); err == nil || !strings.Contains(err.Error(), e.old) {
			t.Errorf("%q is not there %d times: %v", e.old, e.times, err)
		}
	}
}

// TestAKernelThatIsNoneIsAnError has compressed kernels whose header points anywhere.
func TestAKernelThatIsNoneIsAnError(t *testing.T) {
	b := &builder{dir: t.TempDir(), log: io.Discard}
	header := func(offset, length uint32) []byte {
		packed := make([]byte, 4096)
		packed[sectsAt] = 1
		binary.LittleEndian.PutUint32(packed[offsetAt:], offset)
		binary.LittleEndian.PutUint32(packed[lengthAt:], length)
		return packed
	}
	for name, packed := range map[string][]byte{
		"short": make([]byte, 100), "past its end": header(3000, 2000), "nothing": header(10, trailer), "huge": header(1<<31, 1<<31),
	} {
		err := b.unpackImage(t.Context(), packed, filepath.Join(b.dir, "vmlinux"))
		if err == nil || strings.Contains(err.Error(), "unpack") {
			t.Errorf("%s: %v; want an error about its header", name, err)
		}
	}
}

func TestWhatIsListedIsListedOnce(t *testing.T) {
	for name, list := range map[string][]string{"modules": append(debianModules(), ourModules()...), "packages": packages(), "masked": masked(), "generators": generators()} {
		list = slices.Clone(list)
		slices.Sort(list)
		if n := len(slices.Compact(slices.Clone(list))); n != len(list) || n == 0 {
			t.Errorf("%s: %d names, %d of them different", name, len(list), n)
		}
	}
}

func TestWhatIsMaskedIsNoLongerThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "units")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/lib/systemd/system/b.service", filepath.Join(dir, "b.service")); err != nil {
		t.Fatal(err)
	}
	if err := mask(dir, []string{"a.timer", "b.service"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.timer", "b.service"} {
		if to, err := os.Readlink(filepath.Join(dir, name)); err != nil || to != "/dev/null" {
			t.Errorf("%s leads to %q, %v", name, to, err)
		}
	}
}
