package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// daemonUser is no user of this machine.
const daemonUser = 12345

// belongs demands that a file belongs to somebody, where root can have that so, and who may
// do what with it.
func belongs(t *testing.T, path string, uid uint32, mode fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && (s.Uid != uid || s.Gid != uid) {
		t.Errorf("%s belongs to %d:%d, want %d", path, s.Uid, s.Gid, uid)
	}
	if info.Mode().Perm() != mode {
		t.Errorf("%s: %v, want %v", path, info.Mode().Perm(), mode)
	}
}

// daemons gives a folder that belongs to the daemon, where root can have that so.
func daemons(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "stolpe")
	err := os.Mkdir(dir, 0o750)
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(dir, daemonUser, daemonUser)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Root sets a post up whose daemon is another user: what is made belongs to that one, and
// the configuration is for it and its group.
func TestSetupByRootIsTheDaemons(t *testing.T) {
	t.Parallel()
	dir := daemons(t)
	file, state := filepath.Join(dir, "stolpe.yaml"), filepath.Join(dir, "state", "a12")
	got := command("setup", "--config", file, "--simulated", "--first-charge", "--yes", "--state-dir", state)
	if os.Geteuid() == 0 && (got.code != exitNoDaemon || !strings.Contains(got.stderr, "belongs to another user, as whom the daemon runs")) {
		t.Fatalf("%+v: want that root does not run the daemon's post", got)
	}
	belongs(t, file, daemonUser, 0o640)
	belongs(t, filepath.Dir(state), daemonUser, 0o700)
	belongs(t, state, daemonUser, 0o700)
}

// What the daemon's own file names is no reason for root to give it folders that are not
// among its own.
func TestRootGivesNoFolderAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("giving folders away is for root only")
	}
	t.Parallel()
	dir, others := daemons(t), t.TempDir()
	if err := os.Symlink(others, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{filepath.Join(others, "cron.d"), filepath.Join(others, "a", "b"), filepath.Join(dir, "link", "cron.d"), filepath.Join(dir, "..", "cron.d")} {
		if err := makeFolder(state, dir); !errors.Is(err, errNotTheirs) || !strings.Contains(err.Error(), "make "+state+" by hand") {
			t.Errorf("%s: %v", state, err)
		}
		if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", state, err)
		}
	}
	if err := makeFolder(others, dir); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	belongs(t, others, 0, 0o755)
}

func TestSecretsOfRootAreTheDaemons(t *testing.T) {
	dir := daemons(t)
	key := filepath.Join(dir, "secrets", "vipps", "key")
	if err := writeSecret(key, "s3cret"); err != nil {
		t.Fatal(err)
	}
	belongs(t, filepath.Join(dir, "secrets"), daemonUser, 0o700)
	belongs(t, filepath.Dir(key), daemonUser, 0o700)
	belongs(t, key, daemonUser, 0o600)
}

// What root leaves in the state folder is given back, and nothing else: a second name of
// somebody's file, or a way to it, could be anybody's.
func TestGiveBackLeavesOthersFilesAlone(t *testing.T) {
	dir, elsewhere := daemons(t), filepath.Join(t.TempDir(), "shadow")
	own, second, link := filepath.Join(dir, "evse-1.a"), filepath.Join(dir, "second"), filepath.Join(dir, "link")
	for _, path := range []string{own, elsewhere} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(elsewhere, second); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	if err := giveBack(dir); err != nil {
		t.Fatal(err)
	}
	belongs(t, own, daemonUser, 0o600)
	belongs(t, elsewhere, 0, 0o600)
}
