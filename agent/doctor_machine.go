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
		Board: c.text(modelFile), Kernel: c.text("/proc/sys/kernel/osrelease"), System: c.system(),
		Now: wall.Unix, Clock: wall.Clock.String(), Offset: offset, Throttled: c.throttled(), Watchdog: c.watchdog(), Flash: c.flash(),
	}
	m.Pi = strings.HasPrefix(m.Board, "Raspberry Pi")
	m.RTC, m.RTCName = c.rtc()
	m.Persist = c.persist(m.Board)
	boot := ""
	m.BootConfig, boot = c.bootConfig()
	m.Strict = hasParam(boot, "strict_gpiod")
	if stateDir != "" {
		m.Disk = c.disk(stateDir)
	}
	for _, e := range evses {
		if k := e.Contactor; k.Line != "" {
			m.Lines = append(m.Lines, lineFacts(e.ID, k, boot, m.Pi))
		}
	}
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
		switch c.text(path.Join(dir, "state")) {
		case "active":
			d.Armed = true
		case "":
			every := strings.TrimSpace(c.run("systemctl", "show", "--property=RuntimeWatchdogUSec", "--value"))
			d.Armed = every != "" && every != "0" && every != "infinity"
		}
		if n, err := strconv.Atoi(c.text(path.Join(dir, "timeout"))); err == nil {
			d.Seconds = n
		}
		return &d
	}
	return nil
}

// ofFive matches the boards whose header hangs on an RP1.
var ofFive = regexp.MustCompile(`(Pi|Module) 5`)

// persist is what the kernel's driver of the header's lines says of released outputs. One
// kernel has the drivers of all boards, and only that of this board counts.
func (c computer) persist(board string) string {
	module := "pinctrl_bcm2835"
	if ofFive.MatchString(board) {
		module = "pinctrl_rp1"
	}
	switch c.text("/sys/module/" + module + "/parameters/persist_gpio_outputs") {
	case "Y", "1":
		return "Y"
	case "N", "0":
		return "N"
	}
	return ""
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

// bootConfig is what the firmware of a Raspberry Pi goes by at boot.
func (c computer) bootConfig() (file, text string) {
	for _, file := range []string{"/boot/firmware/config.txt", "/boot/config.txt"} {
		if text := c.text(file); text != "" {
			return file, text
		}
	}
	return "", ""
}

// hasParam says whether a line of config.txt switches a parameter on.
func hasParam(boot, name string) bool {
	on := false
	for line := range strings.Lines(boot) {
		if rest, is := strings.CutPrefix(strings.TrimSpace(line), "dtparam="); is {
			for p := range strings.SplitSeq(rest, ",") {
				key, value, said := strings.Cut(strings.TrimSpace(p), "=")
				if key == name {
					on = !said || value == "on" || value == "true" || value == "1" || value == "yes"
				}
			}
		}
	}
	return on
}

// pulledUp are the lines of a Raspberry Pi's header that are pulled up at power-on; the
// others, up to headerEnd, are pulled down (BCM2835 ARM Peripherals, 6.2; RP1
// Peripherals, table 3).
const (
	pulledUp  = 8
	headerEnd = 27
)

var headerLine = regexp.MustCompile(`^GPIO(\d+)$`)

// lineFacts is what a line does before the program has it.
func lineFacts(evse int, k config.Contactor, boot string, pi bool) doctor.Line {
	l := doctor.Line{EVSE: evse, Name: k.Line, ActiveLow: k.ActiveLow}
	m := headerLine.FindStringSubmatch(k.Line)
	if m == nil || !pi {
		return l
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > headerEnd {
		return l
	}
	l.Known, l.PulledUp, l.Written = true, n <= pulledUp, writtenFor(n, boot)
	return l
}

// writtenFor is where config.txt puts a line: gpio=17=op,dl or gpio=0-8,17=pd. The last
// word about it counts.
func writtenFor(n int, boot string) string {
	said := ""
	for line := range strings.Lines(boot) {
		rest, is := strings.CutPrefix(strings.TrimSpace(line), "gpio=")
		which, what, both := strings.Cut(rest, "=")
		if !is || !both || !among(n, which) {
			continue
		}
		for word := range strings.SplitSeq(what, ",") {
			switch strings.TrimSpace(word) {
			case "dl", "pd":
				said = "down"
			case "dh", "pu":
				said = "up"
			}
		}
	}
	return said
}

// among says whether a number is in a list such as 0-8,17.
func among(n int, list string) bool {
	for part := range strings.SplitSeq(list, ",") {
		from, to, span := strings.Cut(strings.TrimSpace(part), "-")
		a, err := strconv.Atoi(from)
		if err != nil {
			continue
		}
		b := a
		if span {
			if b, err = strconv.Atoi(to); err != nil {
				continue
			}
		}
		if n >= a && n <= b {
			return true
		}
	}
	return false
}
