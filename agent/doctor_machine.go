package main

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/doctor"
	"stolpe/hal"
)

// computer is the machine as doctor looks at it. Tests put another in its place.
type computer struct {
	files fs.FS                                       // the file system, from its root
	run   func(name string, args ...string) string    // what a program prints; empty if it fails
	disk  func(dir string) *doctor.Disk               // nil where nobody can tell
	now   func() (wall hal.Stamp, offsetMilli *int64) // how the clock is
}

// thisComputer is the one that the program runs on.
func thisComputer(ctx context.Context, source *timeSource) computer {
	return computer{
		files: os.DirFS("/"),
		run: func(name string, args ...string) string {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // a firmware that does not answer
			defer cancel()
			out, err := exec.CommandContext(ctx, name, args...).Output()
			if err != nil {
				return ""
			}
			return string(out)
		},
		disk: diskOf,
		now:  func() (hal.Stamp, *int64) { return clock{time.Now(), source}.now().Wall, clockOffset() },
	}
}

// text is what stands in a file, without blanks and zero bytes around it.
func (c computer) text(file string) string {
	b, err := fs.ReadFile(c.files, strings.TrimPrefix(file, "/"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(bytes.Trim(b, "\x00")))
}

// all are the paths that match.
func (c computer) all(pattern string) []string {
	found, err := fs.Glob(c.files, strings.TrimPrefix(pattern, "/"))
	if err != nil {
		return nil
	}
	return found
}

// facts is what the machine tells, also of the state folder of a post and of the lines of
// its contactors.
func (c computer) facts(stateDir string, evses []config.EVSE) doctor.Machine {
	wall, offset := c.now()
	m := doctor.Machine{
		Board: c.text(modelFile), Kernel: c.text("/proc/sys/kernel/osrelease"), OS: c.system(),
		Now: wall.Unix, Clock: wall.Clock.String(), Offset: offset, Throttled: c.throttled(), Watchdog: c.watchdog(), Flash: c.flash(),
	}
	m.RTC, m.RTCName = c.rtc()
	c.bootFacts(&m, evses)
	if stateDir != "" {
		m.Disk = c.disk(stateDir)
	}
	c.storageFacts(&m, stateDir)
	return m
}

var prettyName = regexp.MustCompile(`(?m)^PRETTY_NAME="?([^"\n]*)"?`)

// system is the name of the distribution.
func (c computer) system() string {
	if m := prettyName.FindStringSubmatch(c.text("/etc/os-release")); m != nil {
		return m[1]
	}
	return ""
}

// rtc is what the battery clock says. Boards without one have none in /sys.
func (c computer) rtc() (*int64, string) {
	for _, dir := range c.all("/sys/class/rtc/rtc*") {
		n, err := strconv.ParseInt(c.text(path.Join(dir, "since_epoch")), 10, 64)
		if err != nil {
			continue
		}
		return &n, cmp.Or(c.text(path.Join(dir, "name")), path.Base(dir))
	}
	return nil, ""
}

// throttled is what the firmware of a Raspberry Pi says of power and heat since boot.
func (c computer) throttled() *uint32 {
	said := ""
	for _, file := range c.all("/sys/devices/platform/soc*/soc*:firmware/get_throttled") {
		said = c.text(file)
	}
	if said == "" && strings.HasPrefix(c.text(modelFile), "Raspberry Pi") {
		_, said, _ = strings.Cut(strings.TrimSpace(c.run("vcgencmd", "get_throttled")), "=")
	}
	if n, err := strconv.ParseUint(strings.TrimPrefix(said, "0x"), 16, 32); err == nil {
		bits := uint32(n)
		return &bits
	}
	for _, dir := range c.all("/sys/class/hwmon/hwmon*") { // says so of now, and of since it was last asked
		if c.text(path.Join(dir, "name")) != "rpi_volt" {
			continue
		}
		bits := uint32(0)
		if c.text(path.Join(dir, "in0_lcrit_alarm")) == "1" {
			bits = 1
		}
		return &bits
	}
	return nil
}

// watchdog is the first hardware watchdog. One that the kernel itself plays resets
// nothing when the kernel hangs. Kernels that tell nothing of them leave it to the service
// manager to say whether it keeps one calm.
func (c computer) watchdog() *doctor.Dog {
	for _, dir := range c.all("/sys/class/watchdog/watchdog*") {
		d := doctor.Dog{Name: cmp.Or(c.text(path.Join(dir, "identity")), path.Base(dir))}
		if d.Name == "Software Watchdog" {
			continue
		}
		wanted, said := timeSpan(c.run("systemctl", "show", "--property=RuntimeWatchdogUSec", "--value"))
		d.Wanted, d.Other = int(wanted/time.Second), said && wanted == 0
		switch c.text(path.Join(dir, "state")) {
		case "active":
			d.Armed = true
		case "":
			d.Armed = wanted > 0
		}
		if n, err := strconv.Atoi(c.text(path.Join(dir, "timeout"))); err == nil {
			d.Seconds = n
		}
		return &d
	}
	return nil
}

// timeSpan is a time span as systemctl prints it, such as 1min 30s; 0 for none. It says no
// where nothing was printed.
func timeSpan(text string) (span time.Duration, said bool) {
	text = strings.TrimSpace(text)
	if text == "" || text == "0" || text == "infinity" {
		return 0, text != ""
	}
	span, err := time.ParseDuration(strings.NewReplacer("min", "m", " ", "").Replace(text))
	return span, err == nil
}

// flash are the cards and flash chips of the machine.
func (c computer) flash() []doctor.Flash {
	var all []doctor.Flash
	for _, dir := range c.all("/sys/class/mmc_host/mmc*/mmc*:*") {
		f := doctor.Flash{Name: cmp.Or(c.text(path.Join(dir, "name")), path.Base(dir))}
		const step = 10                                                         // percent of its life for each that it counts (JEDEC 84-B51, DEVICE_LIFE_TIME_EST)
		for _, n := range strings.Fields(c.text(path.Join(dir, "life_time"))) { // of each kind of cell
			if v, err := strconv.ParseUint(strings.TrimPrefix(n, "0x"), 16, 8); err == nil {
				f.Used = max(f.Used, int(v)*step)
			}
		}
		if v, err := strconv.ParseUint(strings.TrimPrefix(c.text(path.Join(dir, "pre_eol_info")), "0x"), 16, 8); err == nil {
			f.Spare = int(v)
		}
		all = append(all, f)
	}
	return all
}
