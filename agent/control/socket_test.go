package control

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func listenAt(dir string, routes ...Route) (*Server, error) {
	return Listen(Options{Dir: dir, Group: "no-such-group-here", Routes: routes, Log: slog.New(slog.DiscardHandler)})
}

// What an earlier life has left behind is taken over; where somebody listens, or where
// something else stands, nothing is touched.
func TestOldSocketIsTakenOverOnlyIfNobodyListens(t *testing.T) {
	dir := folderOf(t)
	path := filepath.Join(dir, controlSocket)
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false)
	if _, err := listenAt(dir); err == nil || !strings.Contains(err.Error(), "another program listens on "+path) {
		t.Errorf("while somebody listens: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, statusSocket)); err == nil {
		t.Error("a status socket is left, though nobody serves it")
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("whoever listens has lost the socket: %v", err)
	} else {
		c.Close()
	}
	old.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Fatalf("there is no old file to take over: %v", err)
	}
	s, err := listenAt(dir)
	if err != nil {
		t.Fatalf("after that: %v", err)
	}
	for _, one := range []*socket{s.status, s.control} {
		if err := one.remove(); err != nil {
			t.Error(err)
		}
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenAt(dir); err == nil || !strings.Contains(err.Error(), "is no socket, and is left alone") {
		t.Errorf("where a file stands: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

// A server that ends takes away its own sockets, and not those of the next one.
func TestServerLeavesTheNextOnesSocketsAlone(t *testing.T) {
	dir := folderOf(t)
	s, err := listenAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{statusSocket, controlSocket} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	next, err := listenAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []*socket{s.status, s.control} {
		if err := one.remove(); err != nil {
			t.Error(err)
		}
	}
	if left := names(t, dir); len(left) != 2 {
		t.Errorf("left: %v, want the next one's two", left)
	}
	for _, one := range []*socket{next.status, next.control} {
		if err := one.remove(); err != nil {
			t.Error(err)
		}
	}
}

// Where everybody can put a file, everybody can put a socket.
func TestFolderForEverybodyIsRefused(t *testing.T) {
	dir := folderOf(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := listenAt(dir); err == nil || !strings.Contains(err.Error(), "can be written by everybody: chmod o-w it") {
		t.Errorf("%v", err)
	}
}

// Mistakes of ours in the table of routes are found before anything is served.
func TestRoutesThatCannotBe(t *testing.T) {
	fine := answering("work/at", Technician, true, nil)
	for name, change := range map[string]func(*Route){
		"a name with capitals":  func(r *Route) { r.Name = "Work" },
		"no name":               func(r *Route) { r.Name = "" },
		"an empty word":         func(r *Route) { r.Name = "work/" },
		"nothing to do":         func(r *Route) { r.Do = nil },
		"a change by viewers":   func(r *Route) { r.Least = Viewer },
		"urgent, and no change": func(r *Route) { r.Changes, r.Urgent = false, true },
		"hardware for viewers":  func(r *Route) { r.Changes, r.Least, r.Hardware = false, Viewer, true },
	} {
		r := fine
		change(&r)
		if _, err := listenAt(folderOf(t), r); err == nil {
			t.Errorf("%s: nothing is wrong", name)
		}
	}
	if _, err := listenAt(folderOf(t), fine, fine); err == nil || !strings.Contains(err.Error(), "route work/at stands there twice") {
		t.Errorf("the same twice: %v", err)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		all = append(all, f.Name())
	}
	return all
}
