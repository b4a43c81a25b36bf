package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestOnlyWhatNobodyCanHaveWrittenIsLetGo(t *testing.T) {
	maps := `00010000-00910000 r-xp 00000000 b3:02 1337 /usr/bin/stolpe
00910000-011b0000 r--p 00900000 b3:02 1337 /usr/bin/stolpe (deleted)
011b0000-01272000 rw-p 011a0000 b3:02 1337 /usr/bin/stolpe
01272000-032e0000 rw-p 00000000 00:00 0
b6f00000-b6f01000 r--s 00000000 00:05 7 /dev/gpiomem
b6f01000-b6f02000 r-xp 00000000 00:00 0 [sigpage]
`
	want := []stretch{{0x10000, 0x910000}, {0x910000, 0x11b0000}}
	if got := fixed(strings.NewReader(maps)); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestCodeIsLetGoAndComesBack(t *testing.T) {
	before := ofFiles(t)
	if err := letGoOfCode(); err != nil {
		t.Fatal(err)
	}
	if after := ofFiles(t); after >= before*3/4 {
		t.Errorf("%d kB of files are mapped, %d kB before", after, before)
	}
	if code := run([]string{"version"}, io.Discard, io.Discard); code != 0 {
		t.Errorf("afterwards version ends with %d", code)
	}
}

// ofFiles is how much of this process's memory files back, kB.
func ofFiles(t *testing.T) (kB int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	return kB
}
