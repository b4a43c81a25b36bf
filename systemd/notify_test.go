package systemd

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
)

func TestTheManagerHearsEachWord(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	for _, word := range []struct {
		say  func() error
		want string
	}{{Ready, "READY=1"}, {Alive, "WATCHDOG=1"}, {Stopping, "STOPPING=1"}, {func() error { return Status("A12 free\nREADY=1") }, "STATUS=A12 free READY=1"}, {func() error { return Unchanged("not valid") }, "STATUS=not valid\nREADY=1"}} {
		if err := word.say(); err != nil {
			t.Fatal(err)
		}
		heard := make([]byte, 64)
		n, err := manager.Read(heard)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(heard[:n]); got != word.want {
			t.Errorf("heard %q, want %q", got, word.want)
		}
	}
}

func TestTheManagerHearsWhenAReloadBegan(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	before, err := monotonic()
	if err != nil {
		t.Fatal(err)
	}
	if err := Reloading(); err != nil {
		t.Fatal(err)
	}
	after, err := monotonic()
	if err != nil {
		t.Fatal(err)
	}
	heard := make([]byte, 64)
	n, err := manager.Read(heard)
	if err != nil {
		t.Fatal(err)
	}
	var at int64 // µs
	if _, err := fmt.Sscanf(string(heard[:n]), "RELOADING=1\nMONOTONIC_USEC=%d", &at); err != nil || at < before.Microseconds() || at > after.Microseconds() {
		t.Errorf("heard %q, %v; want a time from %d to %d", heard[:n], err, before.Microseconds(), after.Microseconds())
	}
}

func TestWithoutAManagerNothingIsSaid(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Ready(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestADeadSocketIsAnError(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	if err := Ready(); err == nil {
		t.Error("nobody listens, and that is no error")
	}
}
