package deb

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// force is what lets money be forgotten.
var force = []string{"STOLPE_FORCE=1"}

// TestLifeOfAPackage goes through what is done to an installation in its life. All of it is
// one test, as the packages are the same.
func TestLifeOfAPackage(t *testing.T) {
	newMachine(t) // skips
	older, newer, post := light(t, "1.0.0-rc1"), light(t, "1.0.0"), packs()[0]
	const cuts = "deb-systemd-invoke stop; deb-systemd-invoke restart; systemctl stop; systemctl restart"

	t.Run("first installation", func(t *testing.T) {
		m := newMachine(t)
		said := m.does(true, nil, newer.install(post),
			"systemd-sysusers --root="+m.root+" stolpe.conf; systemd-tmpfiles; deb-systemd-helper --quiet was-enabled; deb-systemd-helper enable stolpe.service; deb-systemd-helper enable stolpe-provision.service; udevadm control; systemctl daemon-reload",
			"deb-systemd-invoke; stolpe ")
		if !strings.Contains(said, "stolpe setup") {
			t.Errorf("does not say what to do next:\n%s", said)
		}
		m.put("etc/stolpe/stolpe.yaml", "")
		m.put("var/lib/stolpe/removed", "")
		m.does(true, nil, newer.install(post), "deb-systemd-invoke start stolpe.service", "stolpe ")
	})

	t.Run("installation into an image", func(t *testing.T) {
		m := newMachine(t)
		if err := os.Remove(filepath.Join(m.root, "run/systemd/system")); err != nil {
			t.Fatal(err)
		}
		m.does(true, nil, newer.install(post), "systemd-sysusers; deb-systemd-helper enable", "systemctl; udevadm; deb-systemd-invoke; stolpe ")
		m.does(true, nil, []string{"-r", "stolpe"}, "stolpe owed", "systemctl; udevadm; deb-systemd-invoke")
	})

	t.Run("upgrade and downgrade never cut a charge", func(t *testing.T) {
		m := installed(t, older)
		m.put("owed", "11\n")
		m.does(true, nil, newer.install(post), "systemctl daemon-reload; stolpe restart", cuts+"; deb-systemd-invoke; stolpe owed")
		m.does(true, nil, older.install(post), "stolpe restart", cuts+"; deb-systemd-invoke")
		m.put("restart", "5\n")
		if said := m.does(true, nil, newer.install(post), "stolpe restart", cuts); !strings.Contains(said, "goes on with the old program") {
			t.Errorf("does not say that the old program goes on:\n%s", said)
		}
		m.put("active", "inactive\n")
		m.does(true, nil, older.install(post), "systemctl is-active", cuts+"; deb-systemd-invoke; stolpe ")
		m.put("active", "failed\n")
		m.does(true, nil, newer.install(post), "deb-systemd-invoke start", cuts+"; stolpe ")
	})

	t.Run("removal and installation again", func(t *testing.T) {
		m := installed(t, newer)
		m.does(true, nil, []string{"-r", "stolpe"}, "stolpe owed; deb-systemd-invoke stop stolpe.service stolpe-secrets-again.timer; stolpe owed; systemctl daemon-reload", "")
		if m.has("usr/bin/stolpe") || !m.has("etc/stolpe/stolpe.yaml") || !m.has("var/lib/stolpe/ledger") {
			t.Error("want the program gone, and configuration and ledger there")
		}
		m.does(true, nil, newer.install(post), "deb-systemd-invoke start stolpe.service", "stolpe ")
		if m.has("var/lib/stolpe/removed") {
			t.Error("the answer of an old removal is left")
		}
	})

	t.Run("removal while money is owed", func(t *testing.T) {
		for _, code := range []string{"11\n", "1\n"} {
			m := installed(t, newer)
			m.put("owed", code)
			said := m.does(false, nil, []string{"-r", "stolpe"}, "stolpe owed", cuts)
			if !m.has("usr/bin/stolpe") || !strings.Contains(said, "549 of 35000") || !strings.Contains(said, "STOLPE_FORCE=1") {
				t.Errorf("exit code %s of owed: want a refusal that says why and what to do:\n%s", code, said)
			}
		}
		m := installed(t, newer)
		m.put("owed", "0\n11\n")
		m.does(false, nil, []string{"-r", "stolpe"}, "deb-systemd-invoke stop; stolpe owed; deb-systemd-invoke start", "")
	})

	t.Run("removal that is broken off", func(t *testing.T) { brokenOff(t, newer) })

	t.Run("links in a folder of the agent", func(t *testing.T) { links(t, newer) })

	t.Run("gateway", func(t *testing.T) {
		m, gateway := newMachine(t), packs()[1]
		m.does(true, nil, older.install(gateway), "systemd-sysusers; deb-systemd-helper enable; systemctl daemon-reload; deb-systemd-invoke start stolpe-gateway.service", "")
		m.put("etc/stolpe-gateway/gateway.yaml", "")
		m.put("etc/stolpe/stolpe.yaml", "")
		m.put("var/lib/stolpe-gateway/fleet", "")
		m.put("etc/credstore.encrypted/relay-key", "")
		m.does(true, nil, newer.install(gateway), "deb-systemd-invoke restart stolpe-gateway.service", "deb-systemd-invoke stop")
		m.does(true, nil, []string{"-P", "stolpe-gateway"}, "deb-systemd-invoke stop stolpe-gateway.service; deb-systemd-helper purge", "")
		if m.has("etc/stolpe-gateway") || m.has("var/lib/stolpe-gateway") || !m.has("etc/credstore.encrypted/relay-key") || !m.has("etc/stolpe/stolpe.yaml") {
			t.Error("want its folders gone, and the key of the fleet and the post's configuration there")
		}
	})

	t.Run("purge", func(t *testing.T) { purge(t, newer) })
}

// A removal of which nothing comes leaves a post that goes on.
func brokenOff(t *testing.T, o order) {
	for state, want := range map[string]string{"active\n": "deb-systemd-invoke start", "inactive\n": ""} {
		m := installed(t, o)
		m.put("active", state)
		put(t, filepath.Join(m.bin, "mktemp"), "#!/bin/sh\nexit 1\n", 0o755) // as on a full disk
		never := ""
		if want == "" {
			never = "deb-systemd-invoke start"
		}
		m.does(false, nil, []string{"-r", "stolpe"}, "deb-systemd-invoke stop; stolpe owed; "+want, never)
		if !m.has("usr/bin/stolpe") {
			t.Error("the program is gone")
		}
	}
}

// What the agent, or whoever has taken it over, puts into its folder leads root nowhere.
func links(t *testing.T, o order) {
	m := installed(t, o)
	const secret = "root:!"
	m.put("etc/shadow", secret)
	link := filepath.Join(m.root, "var/lib/stolpe/removed")
	for _, code := range []string{"0\n", "11\n"} {
		m.put("owed", code)
		if err := os.Symlink(filepath.Join(m.root, "etc/shadow"), link); err != nil {
			t.Fatal(err)
		}
		m.does(true, force, []string{"-r", "stolpe"}, "stolpe owed", "")
		if text, err := os.ReadFile(filepath.Join(m.root, "etc/shadow")); err != nil || string(text) != secret {
			t.Errorf("root was led to another file: %q, %v", text, err)
		}
		m.does(true, nil, o.install(packs()[0]), "", "")
	}
	m.does(true, force, []string{"-r", "stolpe"}, "", "")
	if err := errors.Join(os.Remove(link), os.Symlink(filepath.Join(m.root, "etc/shadow"), link)); err != nil {
		t.Fatal(err)
	}
	if said := m.does(false, nil, []string{"-P", "stolpe"}, "", ""); strings.Contains(said, secret) {
		t.Errorf("tells what is in another file:\n%s", said)
	}
}

// books lists what the machine has kept of what was sold.
func (m machine) books() []string {
	m.t.Helper()
	kept, err := filepath.Glob(filepath.Join(m.root, "var/backups/stolpe-*.tar.gz"))
	if err != nil || len(kept) != 1 {
		m.t.Fatalf("books %q, %v, want one", kept, err)
	}
	info, err := os.Stat(kept[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		m.t.Errorf("%s may be read by others, %v", kept[0], err)
	}
	out, err := exec.Command("tar", "-tzf", kept[0]).Output()
	if err != nil {
		m.t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func purge(t *testing.T, o order) {
	purging := []string{"-P", "stolpe"}

	t.Run("nothing owed", func(t *testing.T) {
		m := installed(t, o)
		m.put("etc/credstore.encrypted/vipps-client-id", "")
		m.put("run/credstore/vipps-client-id", "")
		m.put("run/stolpe-secrets/vipps-client-id", "")
		m.put("etc/credstore.encrypted/other", "")
		m.put("var/log/journal/1234.stolpe/system.journal", "")
		m.put("var/log/journal/1234/system.journal", "")
		m.does(true, nil, purging, "stolpe owed; deb-systemd-invoke stop stolpe.service stolpe-secrets-again.timer; stolpe owed; sync "+m.root+"/var/backups/stolpe-; all is there yet; deb-systemd-helper purge stolpe.service", "")
		for _, gone := range []string{"etc/stolpe", "var/lib/stolpe", "etc/credstore.encrypted/vipps-client-id", "run/credstore/vipps-client-id", "run/stolpe-secrets", "var/log/journal/1234.stolpe", "etc/systemd/journald@stolpe.conf"} {
			if m.has(gone) {
				t.Errorf("%s is left", gone)
			}
		}
		if !m.has("etc/credstore.encrypted/other") || !m.has("var/log/journal/1234/system.journal") {
			t.Error("what is not ours is gone")
		}
		if all := strings.Join(m.books(), " "); !strings.Contains(all, "stolpe/ledger") {
			t.Errorf("the books hold %s", all)
		}
	})

	t.Run("never used", func(t *testing.T) {
		m := newMachine(t)
		m.does(true, nil, o.install(packs()[0]), "", "")
		m.does(true, nil, purging, "deb-systemd-helper purge", "")
		if m.has("var/backups") || m.has("var/lib/stolpe") {
			t.Error("want nothing kept, and nothing left")
		}
	})

	t.Run("owed", func(t *testing.T) {
		m := installed(t, o)
		m.put("owed", "11\n")
		m.does(false, nil, purging, "stolpe owed", "deb-systemd-invoke stop")
		m.does(true, force, []string{"-r", "stolpe"}, "stolpe owed; deb-systemd-invoke stop", "deb-systemd-invoke start")
		if info, err := os.Stat(filepath.Join(m.root, "var/lib/stolpe/removed")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others may read what is owed: %v", err)
		}
		if said := m.does(false, nil, purging, "", ""); !m.has("var/lib/stolpe/ledger") || !m.has("etc/stolpe/stolpe.yaml") || !strings.Contains(said, "549 of 35000") {
			t.Errorf("want a refusal that says why, and nothing gone:\n%s", said)
		}
		m.does(true, force, purging, "", "")
		if all := strings.Join(m.books(), " "); m.has("var/lib/stolpe") || !strings.Contains(all, "stolpe/ledger") || !strings.Contains(all, "stolpe/removed") {
			t.Errorf("the books hold %s", all)
		}
	})

	t.Run("owed, in a folder elsewhere", func(t *testing.T) {
		m := installed(t, o)
		if err := os.Remove(filepath.Join(m.root, "var/lib/stolpe/ledger")); err != nil {
			t.Fatal(err)
		}
		m.put("owed", "11\n")
		m.does(true, force, []string{"-r", "stolpe"}, "", "")
		if said := m.does(false, nil, purging, "", ""); !m.has("etc/stolpe/stolpe.yaml") || !strings.Contains(said, "549 of 35000") {
			t.Errorf("want a refusal that says why:\n%s", said)
		}
		m.does(true, force, purging, "", "")
	})

	t.Run("broken off", func(t *testing.T) { purgeBrokenOff(t, o) })

	t.Run("no word of what was owed", func(t *testing.T) {
		m := installed(t, o)
		m.does(true, nil, []string{"-r", "stolpe"}, "", "")
		if err := os.Remove(filepath.Join(m.root, "var/lib/stolpe/removed")); err != nil {
			t.Fatal(err)
		}
		m.does(false, nil, purging, "", "")
		if !m.has("var/lib/stolpe/ledger") {
			t.Error("the ledger is gone")
		}
	})

	t.Run("books cannot be kept", func(t *testing.T) {
		m := installed(t, o)
		m.does(true, nil, []string{"-r", "stolpe"}, "", "")
		m.put("var/backups", "a file where a folder should be")
		m.does(false, force, purging, "", "")
		if !m.has("var/lib/stolpe/ledger") {
			t.Error("the ledger is gone")
		}
	})
}

// A purge that is broken off can be tried again, and knows then what it knew before.
func purgeBrokenOff(t *testing.T, o order) {
	m := installed(t, o)
	m.does(true, nil, []string{"-r", "stolpe"}, "", "")
	m.put("var/lib/stolpe/journal", "")
	// Of three deletions the first does what it can: the disk errs, or the power goes.
	put(t, filepath.Join(m.bin, "find"), `#!/bin/sh
case "$*" in *-delete) folder=$1; shift; "$FIND" "$folder" ! -name journal "$@"; exit 1 ;; esac
exec "$FIND" "$@"
`, 0o755)
	find, err := exec.LookPath("find")
	if err != nil {
		t.Fatal(err)
	}
	purging := []string{"-P", "stolpe"}
	m.does(false, []string{"FIND=" + find}, purging, "", "")
	if err := os.Remove(filepath.Join(m.bin, "find")); err != nil {
		t.Fatal(err)
	}
	m.does(true, nil, purging, "", "")
}
