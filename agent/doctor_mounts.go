package main

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"stolpe/agent/doctor"
)

// mounted is a line of mountinfo (proc_pid_mountinfo(5)).
type mounted struct {
	device  string // major:minor
	at      string
	kind    string
	options []string // of the mount and of its file system
}

// mounts are what is mounted, in the order in which it was: what is mounted later over the
// same folder hides what was there.
func (c computer) mounts() (all []mounted) {
	const before = 6 // fields, and then optional ones up to a hyphen
	for line := range strings.Lines(c.text("/proc/self/mountinfo")) {
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-")
		if dash < before || len(fields) < dash+4 {
			continue
		}
		at := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4])
		all = append(all, mounted{fields[2], at, fields[dash+1], append(strings.Split(fields[5], ","), strings.Split(fields[dash+3], ",")...)})
	}
	return all
}

// beneath is what a folder lies on: the longest path above it, and of those the newest.
func beneath(all []mounted, dir string) *mounted {
	var best *mounted
	for i := range all {
		m := &all[i]
		inside := dir == m.at || strings.HasPrefix(dir, strings.TrimSuffix(m.at, "/")+"/")
		if inside && (best == nil || len(m.at) >= len(best.at)) {
			best = m
		}
	}
	return best
}

// mountFacts is what a folder lies on, beside what the system lies on.
func mountFacts(m, root *mounted) *doctor.Mount {
	if m == nil {
		return nil
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(m.options, func(o string) bool { return slices.Contains(words, o) })
	}
	return &doctor.Mount{At: m.at, Kind: m.kind, ReadOnly: has("ro"), NoATime: has("noatime"), NoFlush: has("nobarrier", "barrier=0"), Own: root == nil || m.device != root.device}
}

// away are the places where fstab mounts something that the folders of a post lie on, and
// where nothing is mounted.
func (c computer) away(all []mounted, stateDir string) (missing []string) {
	for line := range strings.Lines(c.text("/etc/fstab")) {
		f := strings.Fields(line)
		if len(f) < 4 || strings.HasPrefix(f[0], "#") || f[1] == "/" {
			continue
		}
		want := []mounted{{at: f[1]}}
		if beneath(want, stateDir) == nil && beneath(want, path.Dir(defaultConfig)) == nil {
			continue
		}
		if !slices.ContainsFunc(all, func(m mounted) bool { return m.at == f[1] }) {
			missing = append(missing, f[1])
		}
	}
	return missing
}

// storageFacts is where the system and the state folder lie, and what else is written on
// the card.
func (c computer) storageFacts(m *doctor.Machine, stateDir string) {
	all := c.mounts()
	root := beneath(all, "/")
	m.System = mountFacts(root, root)
	if m.Disk != nil { // else the folder is not there
		m.State = mountFacts(beneath(all, path.Clean(stateDir)), root)
	}
	m.Away = c.away(all, cmp.Or(stateDir, defaultState))
	for line := range strings.Lines(c.text("/proc/swaps")) {
		if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(name, "/") {
			m.Swap = append(m.Swap, doctor.Swap{Name: strings.Fields(name)[0], RAM: strings.HasPrefix(name, "/dev/zram")})
		}
	}
	kept, volatile := c.all("/var/log/journal/*.stolpe"), c.all("/run/log/journal/*.stolpe")
	if len(kept)+len(volatile) > 0 {
		on := beneath(all, "/var/log/journal")
		m.Logs = &doctor.Logs{Kept: len(kept) > 0 && len(volatile) == 0 && (on == nil || on.kind != "tmpfs")}
	}
	if m.RTC == nil {
		m.ClockFile = c.clockFile()
	}
}

// clockFile is the program that keeps the time over a power cut on a machine without a
// battery clock.
func (c computer) clockFile() string {
	for _, x := range []struct{ file, program string }{{"/etc/fake-hwclock.data", "fake-hwclock"}, {"/var/lib/systemd/timesync/clock", "systemd-timesyncd"}, {"/var/lib/private/systemd/timesync/clock", "systemd-timesyncd"}} {
		if len(c.all(x.file)) > 0 {
			return x.program
		}
	}
	return ""
}
