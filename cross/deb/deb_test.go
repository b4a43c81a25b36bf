package deb

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPackages makes the packages of one processor as a release does, and looks at them
// from all sides. All of it is one test, as making them is dear.
func TestPackages(t *testing.T) {
	for _, program := range []string{"dpkg-deb", "lintian"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("part lintian: no lintian and dpkg-deb in PATH")
		}
	}
	o := order{tree: filepath.Join("..", ".."), out: t.TempDir(), log: t.Output(), maintainer: nobody}
	if err := o.complete("amd64"); err != nil {
		t.Fatal(err)
	}
	if err := o.make(io.Discard); err != nil {
		t.Fatal(err)
	}
	post, gateway := packs()[0].file(o, o.arches[0]), packs()[1].file(o, o.arches[0])
	t.Run("lintian", func(t *testing.T) { critics(t, post, gateway) })
	t.Run("sums", func(t *testing.T) {
		check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
		check.Dir = o.out
		if said, err := check.CombinedOutput(); err != nil || strings.Count(string(said), ": OK\n") != 4 {
			t.Errorf("%v\n%s", err, said)
		}
	})
	t.Run("files", func(t *testing.T) { filesOf(t, post, gateway) })
	t.Run("control", func(t *testing.T) {
		for _, file := range []string{post, gateway} {
			said := output(t, "dpkg-deb", "-f", file, "Version", "Architecture", "Depends")
			if said != "Version: "+o.version+"\nArchitecture: amd64\nDepends: "+dependsOn(file)+"\n" {
				t.Errorf("%s says\n%s", filepath.Base(file), said)
			}
		}
		if conffiles := output(t, "dpkg-deb", "-I", post, "conffiles"); conffiles != "/etc/systemd/journald@stolpe.conf\n" {
			t.Errorf("conffiles %q", conffiles)
		}
	})
	t.Run("list of modules", func(t *testing.T) { lists(t, o, post) })
}

// critics has lintian look. It opens each manual page, which takes as long as all the rest;
// the tests of the pages do that.
func critics(t *testing.T, files ...string) {
	lintian := exec.Command("lintian", append([]string{"--allow-root", "--no-cfg", "--fail-on", "error,warning", "-X", "documentation/manual"}, files...)...)
	if said, err := lintian.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\nMend it, or override it in cross/deb/*.lintian-overrides with the reason.", err, said)
	}
}

func dependsOn(file string) string {
	if strings.HasPrefix(filepath.Base(file), "stolpe_") {
		return "systemd (>= 252), init-system-helpers (>= 1.54), procps, udev, ca-certificates"
	}
	return "systemd (>= 252), init-system-helpers (>= 1.54), procps, ca-certificates"
}

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatalf("%s %q: %v", program, args, err)
	}
	return string(out)
}

// filesOf looks what is where, for whom.
func filesOf(t *testing.T, post, gateway string) {
	owner := map[string]string{} // a file may be in one package only
	line := regexp.MustCompile(`^(\S+) root/root +(\d+) \S+ \S+ \.(/\S*)`)
	for file, want := range map[string][]string{
		post: {
			"/usr/bin/stolpe", "/usr/bin/stolpe-wizard", "/usr/lib/systemd/system/stolpe.service", "/usr/lib/systemd/system/stolpe-failsafe.service", "/usr/lib/systemd/system/stolpe-provision.service",
			"/usr/lib/systemd/system/stolpe-secrets.service", "/usr/lib/systemd/system/stolpe-secrets-again.timer", "/usr/lib/stolpe/secrets",
			"/usr/lib/sysusers.d/stolpe.conf", "/usr/lib/tmpfiles.d/stolpe.conf", "/usr/lib/udev/rules.d/60-stolpe.rules",
			"/usr/lib/systemd/system.conf.d/50-stolpe.conf", "/etc/systemd/journald@stolpe.conf",
			"/usr/share/man/man1/stolpe.1.gz", "/usr/share/man/nb/man1/stolpe-doctor.1.gz", "/usr/share/man/man1/stolpe-wizard.1.gz",
			"/usr/share/bash-completion/completions/stolpe", "/usr/share/zsh/vendor-completions/_stolpe", "/usr/share/fish/vendor_completions.d/stolpe.fish",
			"/usr/share/doc/stolpe/changelog.gz", "/usr/share/doc/stolpe/copyright", "/usr/share/doc/stolpe/licences.gz", "/usr/share/doc/stolpe/stolpe.cdx.json",
		},
		gateway: {
			"/usr/bin/stolpe-gateway", "/usr/lib/systemd/system/stolpe-gateway.service", "/usr/lib/sysusers.d/stolpe-gateway.conf", "/usr/lib/tmpfiles.d/stolpe-gateway.conf",
			"/usr/share/man/man8/stolpe-gateway.8.gz", "/usr/share/doc/stolpe-gateway/copyright", "/usr/share/doc/stolpe-gateway/stolpe-gateway.cdx.json", "/usr/share/doc/stolpe-gateway/examples/gateway.yaml",
		},
	} {
		for entry := range strings.Lines(output(t, "dpkg-deb", "-c", file)) {
			m := line.FindStringSubmatch(entry)
			if m == nil {
				t.Fatalf("%s: not root's, or not understood: %s", filepath.Base(file), entry)
			}
			mode := "-rw-r--r--"
			if other := owner[m[3]]; other != "" && !strings.HasSuffix(m[3], "/") {
				t.Errorf("%s is in %s and in %s", m[3], filepath.Base(other), filepath.Base(file))
			}
			owner[m[3]] = file
			switch name := m[3]; {
			case strings.HasSuffix(name, "/"):
				mode = "drwxr-xr-x"
			case strings.HasPrefix(name, "/usr/bin/"), name == "/usr/lib/stolpe/secrets":
				mode = "-rwxr-xr-x"
			case strings.Contains(entry, " -> "):
				mode = "lrwxrwxrwx"
			case m[2] == "0":
				t.Errorf("%s is empty", name)
			}
			if m[1] != mode {
				t.Errorf("%s has mode %s, want %s", m[3], m[1], mode)
			}
			want = slices.DeleteFunc(want, func(w string) bool { return w == m[3] })
		}
		if len(want) > 0 {
			t.Errorf("%s lacks %q", filepath.Base(file), want)
		}
	}
}

// lists looks whether the list of modules is that of the programs, and is in the package as
// well as beside it.
func lists(t *testing.T, o order, post string) {
	dir := t.TempDir()
	output(t, "dpkg-deb", "-x", post, dir)
	inside, err := os.ReadFile(filepath.Join(dir, "usr/share/doc/stolpe/stolpe.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	beside, err := os.ReadFile(strings.TrimSuffix(post, ".deb") + ".cdx.json")
	if err != nil || string(beside) != string(inside) {
		t.Errorf("the list beside the package is another: %v", err)
	}
	var list struct {
		Components []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(inside, &list); err != nil {
		t.Fatal(err)
	}
	of := map[string]string{}
	for _, c := range list.Components {
		of[c.Name] = c.Version
	}
	cobra := strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Version}}", "github.com/spf13/cobra"))
	if of["github.com/spf13/cobra"] != cobra || of["std"] == "" || of["github.com/charmbracelet/huh"] == "" {
		t.Errorf("%v: want cobra %s, what the wizard is made of, and the standard library", of, cobra)
	}
	for _, builder := range []string{"pgregory.net/rapid", "github.com/chromedp/chromedp", "github.com/goreleaser/nfpm/v2"} {
		if of[builder] != "" {
			t.Errorf("%s is in what a post gets", builder)
		}
	}
	if said := output(t, filepath.Join(dir, "usr/bin/stolpe"), "version"); !strings.HasPrefix(said, "stolpe "+o.version+" (") {
		t.Errorf("the program calls itself %s", said)
	}
	licences := exec.Command("gzip", "-dc", filepath.Join(dir, "usr/share/doc/stolpe/licences.gz"))
	if text, err := licences.Output(); err != nil || !strings.Contains(string(text), "github.com/spf13/cobra "+cobra) || !strings.Contains(string(text), "SIL OPEN FONT LICENSE") {
		t.Errorf("the licences are not there: %v\n%.200s", err, text)
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	for want, args := range map[string][]string{
		"not defined":           {"-no"},
		"not understand":        {"more"},
		"-arch mips":            {"-arch", "arm64,mips"},
		"-version v1":           {"-version", "v1"},
		"SOURCE_DATE_EPOCH: \"": {"-arch", "arm64"},
	} {
		if strings.HasPrefix(want, "SOURCE") {
			t.Setenv("SOURCE_DATE_EPOCH", "today")
		}
		var errs strings.Builder
		if code := Run(args, io.Discard, &errs); code != 2 || !strings.Contains(strings.ReplaceAll(errs.String(), "does not", "not"), want) {
			t.Errorf("Run(%q) = %d, prints %q: want 2 and %q", args, code, errs.String(), want)
		}
	}
}

func TestTimeOfPackages(t *testing.T) {
	day := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	if got, err := builtAt(t.TempDir(), day); err != nil || !got.Equal(day) {
		t.Errorf("outside a checkout %v, %v, want %v", got, err, day)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	if got, err := builtAt(".", day); err != nil || got.Unix() != 1_000_000_000 {
		t.Errorf("with SOURCE_DATE_EPOCH %v, %v", got, err)
	}
}

func TestEveryNameInADescriptionHasAValue(t *testing.T) {
	if got, err := fill("a ${B} c", map[string]string{"B": "b"}); err != nil || got != "a b c" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := fill("${A} ${B}", map[string]string{"B": "b"}); err == nil || !strings.Contains(err.Error(), "no value for A") {
		t.Errorf("%v, want an error that names A", err)
	}
}
