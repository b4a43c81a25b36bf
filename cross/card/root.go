package card

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed first-boot.sh
var firstBoot string

//go:embed stolpe-card.service
var unit string

// dataLabel is that of the data partition.
const dataLabel = "stolpe-data"

// Where things are on the card, from its root.
const (
	fstabFile  = "etc/fstab"
	sealedFile = "etc/fstab.sealed" // as it will be once the post has its configuration
	ownFolder  = "usr/lib/stolpe-card"
	unitFolder = "etc/systemd/system"
)

// bound are the folders that outlast a power cut: of the data partition, and where programs
// look for them. need is what must be there for a program to look at all.
func bound() []struct{ data, at, need string } {
	return []struct{ data, at, need string }{
		{"stolpe", "/var/lib/stolpe", ""},
		{"etc", "/etc/stolpe", ""},
		{"journal", "/var/log/journal", ""},
		{"timesync", "/var/lib/systemd/timesync", ""}, // the time of the last shutdown
		{"NetworkManager", "/var/lib/NetworkManager", "var/lib/NetworkManager"},
		{"dhcpcd", "/var/lib/dhcpcd", "var/lib/dhcpcd"},
	}
}

// folder has a place to mount at: a system that is read-only makes none.
func (m *maker) folder(path string) {
	m.changes = append(m.changes, change{path: filepath.Join(m.Root, path), folder: true})
}

// mounts are the lines that fstab gets. nofail: a machine without its data partition boots
// all the same, so that somebody can look.
func (m *maker) mounts() string {
	b := ""
	for _, x := range []struct{ at, options string }{{"/tmp", "mode=1777,size=32m"}, {"/var/tmp", "mode=1777,size=16m"}, {"/var/log", "mode=0755,size=16m"}} {
		b += fmt.Sprintf("tmpfs %s tmpfs nosuid,nodev,%s 0 0\n", x.at, x.options)
	}
	b += "LABEL=" + dataLabel + " /data ext4 noatime,errors=remount-ro,nofail,x-systemd.device-timeout=30s 0 2\n"
	m.folder("data")
	for _, x := range bound() {
		if x.need == "" || m.has(x.need) {
			b += fmt.Sprintf("/data/%s %s none bind,nofail,x-systemd.requires-mounts-for=/data 0 0\n", x.data, x.at)
			m.folder(x.at)
		}
	}
	return b
}

func (m *maker) has(path string) bool {
	_, err := os.Lstat(filepath.Join(m.Root, path))
	return err == nil
}

// planFstab mounts what the card needs, and prepares the read-only fstab.
func (m *maker) planFstab() error {
	path := filepath.Join(m.Root, fstabFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("-root: %w; want the folder of a Debian", err)
	}
	var open, sealed strings.Builder
	found := 0
	for line := range strings.Lines(withBlock(string(text), m.mounts())) {
		f := strings.Fields(line)
		at := ""
		if len(f) >= 4 && !strings.HasPrefix(f[0], "#") {
			at = f[1]
		}
		switch at {
		case "/":
			found++
			open.WriteString(withOptions(f, "rw", "noatime"))
			sealed.WriteString(withOptions(f, "ro", "noatime"))
			continue
		case "/boot", "/boot/firmware": // the firmware has read it already, and may be the last that can
			line = withOptions(f, "nofail")
		}
		open.WriteString(line)
		sealed.WriteString(line)
	}
	if found != 1 {
		return fmt.Errorf("%s has %d lines for /, want one", path, found)
	}
	m.write(path, open.String(), 0o644)
	m.write(filepath.Join(m.Root, sealedFile), sealed.String(), 0o644)
	return nil
}

// withOptions is a line of fstab with other words before its options, without those that
// say the contrary.
func withOptions(fields []string, words ...string) string {
	f := slices.Clone(fields)
	options := slices.DeleteFunc(strings.Split(f[3], ","), func(o string) bool {
		return slices.Contains([]string{"rw", "ro", "defaults", "noatime", "relatime", "strictatime"}, o) || slices.Contains(words, o)
	})
	f[3] = strings.Join(append(words, options...), ",")
	return strings.Join(f, " ") + "\n"
}

// planPackages puts packages where first-boot finds them.
func (m *maker) planPackages() error {
	var wrong []error
	for _, path := range m.Packages {
		text, err := os.ReadFile(filepath.Clean(path))
		if err == nil && !strings.HasPrefix(string(text), "!<arch>\n") {
			err = fmt.Errorf("%s is no Debian package", path)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("-deb: %w", err))
			continue
		}
		m.write(filepath.Join(m.Root, ownFolder, filepath.Base(path)), string(text), 0o644)
	}
	return errors.Join(wrong...)
}

// masked are units that write on the system's partition again and again, or keep for it
// what the data partition keeps. Updates are made by hand: the README says how.
func masked() []string {
	return []string{
		"apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "man-db.timer", "e2scrub_all.timer",
		"dphys-swapfile.service", "systemd-random-seed.service", // the processor has a generator of its own
		"fake-hwclock.service", "fake-hwclock-load.service", "fake-hwclock-save.service", "fake-hwclock-save.timer",
	}
}

// planSystem has the rest of the system leave the card alone.
func (m *maker) planSystem() {
	in := func(path string) string { return filepath.Join(m.Root, path) }
	m.write(in(ownFolder+"/first-boot"), firstBoot, 0o755)
	m.write(in(unitFolder+"/stolpe-card.service"), unit, 0o644)
	m.link(in(unitFolder+"/multi-user.target.wants/stolpe-card.service"), "/"+unitFolder+"/stolpe-card.service")
	const needs = "# The agent must not begin a new journal where the data partition is missing.\n[Unit]\nRequiresMountsFor=/var/lib/stolpe /etc/stolpe\n"
	m.write(in(unitFolder+"/stolpe.service.d/50-card.conf"), needs, 0o644)
	m.write(in("etc/systemd/journald.conf.d/50-stolpe-card.conf"), "# The log of the system; the post's own is kept (journald@stolpe.conf).\n[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n", 0o644)
	m.write(in("etc/systemd/timesyncd.conf.d/50-stolpe-card.conf"), "# Each time is a write on the card.\n[Time]\nSaveIntervalSec=1h\n", 0o644)
	m.write(in("etc/rpi/swap.conf.d/50-stolpe-card.conf"), "# In memory, packed, and not on the card.\n[Main]\nMechanism=zram\n", 0o644)
	units := masked()
	if m.UART {
		units = append(units, "hciuart.service")
	}
	for _, name := range units {
		m.link(in(unitFolder+"/"+name), "/dev/null")
	}
	if m.has("usr/sbin/NetworkManager") {
		m.link(in("etc/resolv.conf"), "/run/NetworkManager/resolv.conf")
	}
}
