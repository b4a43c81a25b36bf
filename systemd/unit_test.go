package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unit is a file of systemd's form: the values of each key of each section, in their order.
type unit map[string][]string

// readUnit reads one of the files beside this test.
func readUnit(t *testing.T, name string) unit {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	u, section := unit{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, is := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case is:
			u[section+"."+key] = append(u[section+"."+key], value)
		default:
			t.Errorf("%s: %q is neither section, key nor comment", name, line)
		}
	}
	return u
}

// words are all values of a key, taken apart.
func (u unit) words(key string) []string { return strings.Fields(strings.Join(u[key], " ")) }

func units(t *testing.T) []string {
	t.Helper()
	return named(t, "*.service", 3)
}

func named(t *testing.T, pattern string, least int) []string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) < least {
		t.Fatal(all, err)
	}
	return all
}

// analyze runs systemd-analyze over a unit whose programs are there.
func analyze(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("part systemd: systemd-analyze judges units")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, u := range append(units(t), named(t, "*.timer", 1)...) { // they name each other
		text, err := os.ReadFile(u)
		if err != nil {
			t.Fatal(err)
		}
		text = regexp.MustCompile(`/usr/bin/stolpe(-gateway)?\b`).ReplaceAll(text, []byte(program))
		if err := os.WriteFile(filepath.Join(dir, u), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("systemd-analyze", append(args, filepath.Join(dir, name))...)
	run.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":") // and where they are usually
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s: %v\n%s", strings.Join(args, " "), name, err, out)
	}
	return string(out)
}

// systemd itself has nothing to say against any unit, unknown keys included.
func TestUnitsAreVerified(t *testing.T) {
	for _, name := range append(units(t), named(t, "*.timer", 1)...) {
		if said := analyze(t, name, "verify", "--man=no", "--recursive-errors=no"); strings.TrimSpace(said) != "" {
			t.Errorf("%s:\n%s", name, said)
		}
	}
}

// No unit has more of the machine than an exposure of 1.7 stands for.
func TestUnitsAreNotExposed(t *testing.T) {
	for _, name := range units(t) {
		analyze(t, name, "security", "--offline=true", "--threshold=17", "--no-pager")
	}
}

// What the post relies on is there, and is what it must be. Whoever takes one of these away
// leaves a contactor closed behind a program that is dead, or a post dark.
func TestTheUnitOfThePostHasWhatItReliesOn(t *testing.T) {
	u := readUnit(t, "stolpe.service")
	for key, want := range map[string]string{
		"Service.Type": "notify", "Service.NotifyAccess": "main", "Service.ExecStart": "/usr/bin/stolpe run",
		"Service.ExecStopPost": "-+/usr/bin/stolpe failsafe /usr/bin/stolpe failsafe", "Service.ExecReload": "/bin/kill -HUP $MAINPID",
		"Service.Restart": "always", "Service.OOMPolicy": "", "Unit.OnFailure": "stolpe-failsafe.service",
		"Unit.StartLimitAction": "reboot", "Service.LogNamespace": "stolpe", "Service.DevicePolicy": "closed",
		"Service.User": "stolpe", "Service.LimitCORE": "0", "Service.RuntimeDirectory": "stolpe", "Service.RuntimeDirectoryPreserve": "yes",
		"Service.ProtectSystem": "strict", "Service.NoNewPrivileges": "yes", "Service.MemoryDenyWriteExecute": "yes", "Service.UMask": "0077",
		// Any of these keeps the post from starting when something of the machine is missing.
		"Service.SupplementaryGroups": "", "Service.StateDirectory": "", "Service.ConfigurationDirectory": "",
		"Service.LoadCredentialEncrypted": "", // one that cannot be decrypted keeps the post from starting
		"Unit.Requires":                   "", "Unit.BindsTo": "", "Unit.RequiresMountsFor": "",
		// This one hides the devices that the post is made of, and this one who calls at the socket.
		"Service.PrivateDevices": "", "Service.PrivateUsers": "",
		"Service.ProcSubset": "", // /proc/meminfo is read
	} {
		if got := strings.Join(u[key], " "); got != want {
			t.Errorf("%s=%s, want %q", key, got, want)
		}
	}
	if after := u.words("Unit.After"); !slices.Contains(after, "time-set.target") {
		t.Errorf("After=%v: the clock stands still without power", after)
	}
	for _, key := range []string{"Unit.After", "Unit.Wants"} {
		for _, word := range u.words(key) {
			if strings.HasPrefix(word, "network") || word == "time-sync.target" {
				t.Errorf("%s=%s: a post starts without any network", key, word)
			}
		}
	}
	for _, line := range u["Service.LoadCredential"] {
		if strings.Contains(line, ":") {
			t.Errorf("LoadCredential=%s: with a path, one that is missing keeps the post from starting", line)
		}
	}
	for _, line := range u["Service.ExecStartPre"] {
		if !strings.HasPrefix(line, "+-") {
			t.Errorf("ExecStartPre=%s: if it fails, the post does not start", line)
		}
	}
	for _, line := range u["Service.ReadWritePaths"] {
		for _, path := range strings.Fields(line) {
			if !strings.HasPrefix(path, "-") {
				t.Errorf("ReadWritePaths=%s: if it is missing, the post does not start", path)
			}
		}
	}
}

// Kernel drivers may be loaded when the device is plugged in: systemd looks the names of
// classes up when it starts the unit, so those are loaded before.
func TestDevicesOfThePost(t *testing.T) {
	u := readUnit(t, "stolpe.service")
	var classes []string
	for _, line := range u["Service.DeviceAllow"] {
		class, rights, _ := strings.Cut(line, " ")
		if rights != "rw" {
			t.Errorf("DeviceAllow=%s", line)
		}
		classes = append(classes, strings.TrimPrefix(class, "char-"))
	}
	if want := []string{"ttyUSB", "ttyACM", "ttyAMA", "ttyS", "ttySC", "gpiochip", "i2c", "spi", "fb"}; !slices.Equal(classes, want) {
		t.Errorf("may use %v, want %v", classes, want)
	}
	for _, key := range []string{"Unit.Wants", "Unit.After"} {
		for _, module := range []string{"usbserial", "cdc_acm", "i2c_dev", "spidev"} {
			if !slices.Contains(u.words(key), "modprobe@"+module+".service") {
				t.Errorf("%s has no modprobe@%s.service", key, module)
			}
		}
	}
	failsafe := readUnit(t, "stolpe-failsafe.service")
	if allowed := strings.Join(failsafe["Service.DeviceAllow"], " "); allowed != "char-gpiochip rw" {
		t.Errorf("the failsafe may use %s, want lines and nothing else", allowed)
	}
}

// The groups that own devices are made, the user is in them, and the rules of udev name no
// other.
func TestUserAndGroupsFitEachOther(t *testing.T) {
	sysusers, err := os.ReadFile("stolpe.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("60-stolpe.rules")
	if err != nil {
		t.Fatal(err)
	}
	has := func(line string) bool { return regexp.MustCompile(`(?m)^` + line + `\b`).Match(sysusers) }
	groups := []string{"dialout", "gpio", "i2c", "spi", "video", "stolpe-admin"}
	for _, g := range groups {
		if !has("g "+g) || !has("m stolpe "+g) {
			t.Errorf("group %s is not made, or stolpe is not in it", g)
		}
	}
	if !has(`u stolpe - "[^"]+" /var/lib/stolpe`) {
		t.Error("no user stolpe with that home")
	}
	for _, m := range regexp.MustCompile(`GROUP="([^"]+)"|chgrp -R (\S+)`).FindAllSubmatch(rules, -1) {
		if g := string(m[1]) + string(m[2]); !slices.Contains(groups, g) {
			t.Errorf("a rule gives devices to %s", g)
		}
	}
	for _, want := range []string{`KERNEL=="gpiochip\*", GROUP="gpio"`, `"i2c-dev", GROUP="i2c"`, `"spidev", GROUP="spi"`, `ID_MM_DEVICE_IGNORE`, `SYMLINK\+="stolpe-meter"`} {
		if !regexp.MustCompile(want).Match(rules) {
			t.Errorf("no rule %s", want)
		}
	}
}
