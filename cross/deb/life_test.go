package deb

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// machine is a folder into which dpkg installs, as into a machine. The scripts of packages
// run for it (DPKG_ROOT). The programs of systemd that they call are stubs, which write down
// what they are told; and so is the agent.
type machine struct {
	t    *testing.T
	root string
	bin  string // of the stubs
}

// stub is every program that the scripts call. It writes its arguments into the file called.
const stub = `#!/bin/sh
echo "$(basename "$0") $*" >>"$DPKG_ROOT/called"
case "$(basename "$0") $1 $2" in
"sync "*) [ ! -e "$DPKG_ROOT/var/lib/stolpe/ledger" ] || echo "all is there yet" >>"$DPKG_ROOT/called" ;;
"systemctl is-active "*) cat "$DPKG_ROOT/active"; grep -qx active "$DPKG_ROOT/active" ;;
"systemd-tmpfiles "*) mkdir -p "$DPKG_ROOT/etc/stolpe" "$DPKG_ROOT/var/lib/stolpe" "$DPKG_ROOT/etc/stolpe-gateway" ;;
esac
`

// agentStub answers "stolpe owed" with the exit codes in the file owed, one a line, the last
// one for ever, and "stolpe restart" with that in the file restart.
const agentStub = `#!/bin/sh
echo "stolpe $*" >>"$DPKG_ROOT/called"
file="$DPKG_ROOT/$1"
code=$(head -n 1 "$file")
if [ "$(wc -l <"$file")" -gt 1 ]; then
	sed -i 1d "$file"
fi
[ "$code" = 0 ] || echo "ACME-A12-1-7 549 of 35000 NOK"
exit "$code"
`

// newMachine is a machine that runs systemd, on which nothing of ours is.
func newMachine(t *testing.T) machine {
	t.Helper()
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("part dpkg: no dpkg in PATH")
	}
	if os.Geteuid() != 0 {
		t.Skip("dpkg gives files to root, which only root may")
	}
	m := machine{t, t.TempDir(), t.TempDir()}
	for _, name := range []string{"systemctl", "systemd-sysusers", "systemd-tmpfiles", "udevadm", "deb-systemd-helper", "deb-systemd-invoke", "sync"} {
		put(t, filepath.Join(m.bin, name), stub, 0o755)
	}
	for _, folder := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "run/systemd/system"} {
		if err := os.MkdirAll(filepath.Join(m.root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.put("var/lib/dpkg/status", "")
	m.put("owed", "0\n")
	m.put("restart", "0\n")
	m.put("active", "active\n")
	return m
}

// put writes a file of the machine.
func (m machine) put(name, content string) {
	m.t.Helper()
	put(m.t, filepath.Join(m.root, name), content, 0o644)
}

func put(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// has says whether the machine has a file or folder.
func (m machine) has(name string) bool {
	_, err := os.Stat(filepath.Join(m.root, name))
	return err == nil
}

// dpkg runs dpkg and gives what it printed, what was called meanwhile, and whether it went
// well.
func (m machine) dpkg(env []string, args ...string) (said string, called []string, well bool) {
	m.t.Helper()
	m.put("called", "")
	force := []string{"--root=" + m.root, "--force-script-chrootless", "--force-depends", "--force-bad-path", "--force-unsafe-io"}
	cmd := exec.Command("dpkg", append(force, args...)...)
	cmd.Env = append(append(os.Environ(), "PATH="+m.bin+":"+os.Getenv("PATH")+":/usr/sbin:/sbin", "STOLPE_FORCE="), env...)
	out, err := cmd.CombinedOutput()
	log, readErr := os.ReadFile(filepath.Join(m.root, "called"))
	if readErr != nil {
		m.t.Fatal(readErr)
	}
	return string(out), strings.Split(strings.TrimSpace(string(log)), "\n"), err == nil
}

// does runs dpkg, which must go well or not, and checks what was called: all of want, in
// that order, and none of never.
func (m machine) does(well bool, env []string, args []string, want, never string) string {
	m.t.Helper()
	said, called, went := m.dpkg(env, args...)
	if went != well {
		m.t.Errorf("dpkg %q went well: %v, want %v\n%s", args, went, well, said)
	}
	rest := called
	for _, w := range strings.Split(want, "; ") {
		i := slices.IndexFunc(rest, func(c string) bool { return strings.HasPrefix(c, w) })
		if w != "" && i < 0 {
			m.t.Errorf("dpkg %q calls %q: want %q\n%s", args, called, w, said)
			break
		}
		rest = rest[i+1:]
	}
	for _, n := range strings.Split(never, "; ") {
		if n != "" && slices.ContainsFunc(called, func(c string) bool { return strings.HasPrefix(c, n) }) {
			m.t.Errorf("dpkg %q calls %q: never %q", args, called, n)
		}
	}
	return said
}

// noticed reads what nfpm packs, so that the go command notices when it has changed and does
// not believe an earlier result.
func noticed(t *testing.T) {
	t.Helper()
	for _, folder := range []string{".", "nfpm", filepath.Join("..", "..", "systemd")} {
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if _, err := os.ReadFile(filepath.Join(folder, f.Name())); err != nil && !f.IsDir() {
				t.Fatal(err)
			}
		}
	}
}

// light makes packages of a version that are as the real ones, but for programs and
// documents, and gives the folder of their files.
func light(t *testing.T, version string) order {
	t.Helper()
	noticed(t)
	stage := t.TempDir()
	for _, name := range []string{"stolpe", "stolpe-wizard", "stolpe-gateway"} {
		put(t, filepath.Join(stage, "amd64", name), agentStub, 0o755)
	}
	for _, name := range []string{
		"amd64/stolpe.cdx.json", "amd64/stolpe.licences.gz", "amd64/stolpe-gateway.cdx.json", "amd64/stolpe-gateway.licences.gz",
		"man/man1/stolpe.1.gz", "man/nb/man1/stolpe.1.gz", "man/man8/stolpe-gateway.8.gz", "stolpe/changelog.gz", "stolpe-gateway/changelog.gz",
		"completions/stolpe.bash", "completions/stolpe.zsh", "completions/stolpe.fish",
		"completions/stolpe-gateway.bash", "completions/stolpe-gateway.zsh", "completions/stolpe-gateway.fish",
	} {
		put(t, filepath.Join(stage, name), name, 0o644)
	}
	o := order{tree: filepath.Join("..", ".."), out: t.TempDir(), version: version, maintainer: nobody, built: time.Unix(1_800_000_000, 0).UTC(), arches: arches()[2:], log: t.Output()}
	if _, err := o.packed(stage); err != nil {
		t.Fatal(err)
	}
	return o
}

// install are the arguments that install a package.
func (o order) install(p pack) []string { return []string{"-i", p.file(o, o.arches[0])} }

// installed is a machine on which a post runs, and has sold something.
func installed(t *testing.T, o order) machine {
	t.Helper()
	m := newMachine(t)
	m.does(true, nil, o.install(packs()[0]), "deb-systemd-helper", "")
	m.put("etc/stolpe/stolpe.yaml", "post: {id: A12}\n")
	m.put("var/lib/stolpe/ledger", "sold\n")
	return m
}

func TestPackagesOfOneCommitAreTheSame(t *testing.T) {
	var sums [2]string
	for i := range sums {
		o := light(t, "1.2.3")
		all, err := os.ReadFile(filepath.Join(o.out, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(all)
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") != 4 {
		t.Errorf("packages of the same files differ, or are not four files:\n%s\n%s", sums[0], sums[1])
	}
}
