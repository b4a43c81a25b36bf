package systemd

import (
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
	}{{Ready, "READY=1"}, {Alive, "WATCHDOG=1"}, {Stopping, "STOPPING=1"}} {
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
