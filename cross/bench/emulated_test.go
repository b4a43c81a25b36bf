package bench

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Of an emulator's memory, what lies in its program's piece counts, and nothing else.
func TestAnEmulatorsOwnMemoryIsNotTheProgramsMemory(t *testing.T) {
	const smaps = `00400000-00600000 r-xp 00000000 00:00 1    /usr/bin/qemu-arm-static
Size:               2048 kB
Rss:                2000 kB
7f0000010000-7f0000800000 r--p 00000000 00:00 2    /tmp/stolpe
Rss:                1000 kB
Shared_Clean:        900 kB
7f0040000000-7f0041000000 rw-p 00000000 00:00 0
Rss:                3000 kB
VmFlags: rd wr mr mw me nr
7f0100000000-7f0101000000 rw-p 00000000 00:00 0
Rss:               50000 kB
`
	const first = 0x10000
	if got, err := guestResident(smaps, "/tmp/stolpe", first); err != nil || got != 4000*1024/1e6 {
		t.Errorf("%v MB, %v: want %v", got, err, 4000*1024/1e6)
	}
	if _, err := guestResident(smaps, "/tmp/other", first); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a program that is not there: %v", err)
	}
	if _, err := guestResident(strings.Replace(smaps, "1000 kB", "many kB", 1), "/tmp/stolpe", first); err == nil {
		t.Error("many kB are a number")
	}
}

func TestAProgramKnowsWhereItIsLoaded(t *testing.T) {
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if at, err := firstAddress(me); err != nil || at%4096 != 0 {
		t.Errorf("%#x, %v", at, err)
	}
	if _, err := firstAddress("emulated_test.go"); err == nil {
		t.Error("a text is loaded somewhere")
	}
}

// What a post is measured in: it connects, and a driver's charge begins.
func TestAPostIsMeasuredConnectedAndCharging(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: builds the program")
	}
	l := &lab{tmp: t.TempDir()}
	file := filepath.Join(l.tmp, "stolpe")
	build := exec.Command("go", "build", "-o", file, agentPackage) // of what other tests have compiled
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	at, err := l.openPlace()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := at.close(); err != nil {
			t.Error(err)
		}
	}()
	post, err := at.launch(file)
	if err != nil {
		t.Fatal(err)
	}
	defer post.kill()
	if err := at.charge(); err != nil {
		t.Error(err)
	}
}
