package main

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stolpe/agent/doctor"
	"stolpe/hal"
	"stolpe/hal/sim"
)

// What is wrong with the machine is named first, with what to do; none of it keeps a
// driver from charging but a clock that is wrong.
func TestFaultsOfTheMachine(t *testing.T) {
	t.Parallel()
	c := admit(t, plan{setup: sim.Setup{Serial: "22110345", Register: 1_000_000}})
	c.settles(t)
	file := func(name, text string) func() {
		return func() { c.files[name] = &fstest.MapFile{Data: []byte(text)} }
	}
	without := func(names ...string) func() {
		return func() {
			for _, n := range names {
				delete(c.files, n)
			}
		}
	}
	const (
		throttled = "sys/devices/platform/soc/soc:firmware/get_throttled"
		persist   = "sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs"
		dog       = "sys/class/watchdog/watchdog0/"
		card      = "sys/class/mmc_host/mmc0/mmc0:0001/"
		boot      = "boot/firmware/config.txt"
		mounts    = "proc/self/mountinfo"
	)
	sound := maps.Clone(c.files)
	disk := *c.disk
	for _, x := range []struct {
		name   string
		plant  func()
		want   string // beginning of the first finding
		remedy string
		why    string // in the first blocker; empty if there is none
	}{
		{"clock in 1970", func() { c.clock = hal.Stamp{Unix: 100, Clock: hal.ClockUnknown} }, "FAIL clock: the clock says 1970-01-01", "timedatectl set-time", "clock: the clock says 1970"},
		{"no battery clock", without("sys/class/rtc/rtc0/since_epoch"), "WARN rtc: no battery clock, and nothing keeps the time", "DS3231", ""},
		{"no battery clock but a file", func() {
			without("sys/class/rtc/rtc0/since_epoch")()
			file("etc/fake-hwclock.data", "2026-11-28 12:00:00\n")()
		}, "WARN rtc: no battery clock: after a power cut the clock is a guess (fake-hwclock)", "DS3231", ""},
		{"battery clock is empty", file("sys/class/rtc/rtc0/since_epoch", "7200\n"), "WARN rtc: the battery clock (rtc-ds1307 1-0068) says 1970-01-01", "hwclock -w", ""},
		{"undervoltage now", file(throttled, "50005\n"), "FAIL undervoltage: the board's supply voltage is too low now", "power supply", ""},
		{"undervoltage before", file(throttled, "0x50000\n"), "WARN undervoltage: the board's supply voltage has been too low", "power supply", ""},
		{"too hot", file(throttled, "0x8\n"), "WARN undervoltage: the processor is held back now", "heat sink", ""},
		{"watchdog not armed", file(dog+"state", "inactive\n"), "FAIL watchdog: the hardware watchdog (Broadcom BCM2835 Watchdog timer) is not armed", "RuntimeWatchdogSec=14s", ""},
		{"watchdog too long", file(dog+"timeout", "60\n"), "WARN watchdog: the hardware watchdog counts 60 s", "RuntimeWatchdogSec=14s", ""},
		{"only the kernel's own watchdog", file(dog+"identity", "Software Watchdog\n"), "FAIL watchdog: no hardware watchdog", "dtparam=watchdog=on", ""},
		{"outputs stay on", func() { file(persist, "Y\n")(); file(boot, "# nothing\n")() }, "FAIL gpio.strict: outputs stay on if the program dies", "write dtparam=strict_gpiod in /boot/firmware/config.txt", ""},
		{"outputs stay on until the reboot", file(persist, "Y\n"), "FAIL gpio.strict: outputs stay on", "sudo reboot", ""},
		{"outputs that will stay on", file(boot, "[pi5]\ndtparam=strict_gpiod\n"), "WARN gpio.strict: outputs are let go of if the program dies, but /boot/firmware/config.txt does not ask for that", "write dtparam=strict_gpiod in /boot/firmware/config.txt", ""},
		{"kernel that says nothing", without(persist), "WARN gpio.strict: the kernel does not say", "apt full-upgrade", ""},
		{"kernel that does not tell of its watchdog", without(dog+"state", dog+"identity"), "FAIL watchdog: the hardware watchdog (watchdog0) is not armed", "RuntimeWatchdogSec=14s", ""},
		{"line that config.txt drives high", file(boot, "dtparam=strict_gpiod\ngpio=2-4,17=op,dh\n"), "FAIL gpio.boot: from power-on until the program has it, the line is pulled to where the contactor closes: GPIO17 (EVSE 1)", "gpio=N=op,dl", ""},
		{"line that config.txt drives high in another file", func() {
			file(boot, "dtparam=strict_gpiod\n[pi4]\ninclude post.txt\n")()
			file("boot/firmware/post.txt", "gpio=17=op,dh\n")()
		}, "FAIL gpio.boot", "gpio=N=op,dl", ""},
		{"system that is written all the time", file(mounts, "24 1 179:2 / / rw,relatime - ext4 /dev/mmcblk0p2 rw\n"), "WARN root: the system writes on the card when it reads", "noatime", ""},
		{"swap on the card", file("proc/swaps", "Filename Type Size Used Priority\n/var/swap file 102396 0 -2\n"), "WARN swap: memory is put aside on the card (/var/swap)", "dphys-swapfile", ""},
		{"log that is not kept", func() {
			file("run/log/journal/0123456789abcdef.stolpe/system.journal", "")()
			without("var/log/journal/0123456789abcdef.stolpe/system.journal")()
		}, "WARN logs: the log of the program is gone", "Storage=persistent", ""},
		{"disk full", func() { c.disk.Free, c.disk.Used = 3<<20, 100 }, "FAIL disk: the disk is full: 3 MB free", "journalctl --vacuum-size", ""},
		{"disk nearly full", func() { c.disk.Free, c.disk.Used = 150<<20, 97 }, "WARN disk: 150 MB free", "journalctl --vacuum-size", ""},
		{"disk set read-only", func() { c.disk.ReadOnly = true }, "FAIL disk: /var/lib/stolpe is read-only", "sudo reboot", ""},
		{"disk that errs", func() { c.disk.Wrong = "input/output error" }, "FAIL disk: nothing can be written in /var/lib/stolpe: input/output error", "replace the card", ""},
		{"flash worn", file(card+"life_time", "0x03 0x09\n"), "WARN flash: BJTD4R: 90 % of its life is used", "replace it before it fails", ""},
		{"flash worn out", file(card+"life_time", "0x0b 0x01\n"), "FAIL flash: BJTD4R: 110 %", "support bundle", ""},
		{"no spare blocks", file(card+"pre_eol_info", "0x03\n"), "FAIL flash: BJTD4R", "support bundle", ""},
	} {
		maps.DeleteFunc(c.files, func(string, *fstest.MapFile) bool { return true })
		maps.Copy(c.files, sound)
		*c.disk, c.clock = disk, hal.Stamp{}
		x.plant()
		c.settles(t)
		first, why := foremost(c.look(t.Context()))
		if !strings.HasPrefix(first, x.want) || !strings.Contains(first, x.remedy) {
			t.Errorf("%s: doctor says first\n%s\nwant %s ... %s", x.name, first, x.want, x.remedy)
		}
		if (x.why == "") != (why == "") || !strings.Contains(why, x.why) {
			t.Errorf("%s: why says first %q, want %q", x.name, why, x.why)
		}
	}
}

// A line that is pulled up from power-on closes a contactor that closes on high, and
// keeps one open that closes on low.
func TestLinesAtBoot(t *testing.T) {
	for _, x := range []struct {
		line      string
		activeLow bool
		boot      string
		want      doctor.Status
	}{
		{"GPIO17", false, "", doctor.Pass}, {"GPIO17", true, "", doctor.Fail}, {"GPIO5", false, "", doctor.Fail}, {"GPIO5", true, "", doctor.Pass},
		{"GPIO5", false, "gpio=5=op,dl", doctor.Pass}, {"GPIO5", false, "gpio=0-8=pd\ngpio=5=pu", doctor.Fail}, {"GPIO5", false, "#gpio=5=op,dl", doctor.Fail},
		{"GPIO17", true, "gpio=17=op,dh", doctor.Pass}, {"GPIO5", false, "[pi4]\ngpio=5=op,dl", doctor.Fail}, {"GPIO5", false, "[pi5]\ngpio=5=op,dl", doctor.Pass}, {"GPIO5", false, "[none]\ngpio=5=op,dl\n[all]", doctor.Fail},
		{"GPIO5", false, "[board-type=0x17]\ngpio=5=op,dl", doctor.Pass}, {"GPIO17", false, "gpio=4=dh,17=dh", doctor.Pass}, {"gpiochip0/17", false, "", doctor.Skip}, {"GPIO40", false, "", doctor.Skip},
	} {
		c := computer{files: fstest.MapFS{
			"proc/device-tree/model": {Data: []byte("Raspberry Pi 5 Model B Rev 1.0\x00")}, "boot/firmware/config.txt": {Data: []byte("[all]\n" + x.boot + "\n")},
		}, run: func(string, ...string) string { return "" }, disk: func(string) *doctor.Disk { return nil }, now: func() (hal.Stamp, *int64) { return hal.Stamp{}, nil }}
		cfg := onePostWith(t, x.line, x.activeLow)
		all, _ := doctor.Judge(doctor.Facts{Machine: c.facts("", cfg.EVSEs)}, "gpio.boot")
		if len(all) != 1 || all[0].Status != x.want {
			t.Errorf("%s, active low %v, %q: %+v, want %s", x.line, x.activeLow, x.boot, all, x.want)
		}
	}
}

// What a firmware says through a program, or a sensor, is understood as well.
func TestUndervoltageIsFoundByThreeWays(t *testing.T) {
	pi := fstest.MapFS{"proc/device-tree/model": {Data: []byte("Raspberry Pi 4\x00")}}
	c := computer{files: pi, run: func(name string, _ ...string) string {
		if name != "vcgencmd" {
			return ""
		}
		return "throttled=0x10001\n"
	}}
	if bits := c.throttled(); bits == nil || *bits != 0x10001 {
		t.Errorf("by vcgencmd: %v", bits)
	}
	c.run = func(string, ...string) string { return "" }
	if bits := c.throttled(); bits != nil {
		t.Errorf("by nothing: %v", *bits)
	}
	pi["sys/class/hwmon/hwmon1/name"], pi["sys/class/hwmon/hwmon1/in0_lcrit_alarm"] = &fstest.MapFile{Data: []byte("rpi_volt\n")}, &fstest.MapFile{Data: []byte("1\n")}
	if bits := c.throttled(); bits == nil || *bits != 1 {
		t.Errorf("by the sensor: %v", bits)
	}
}

// The machine that this runs on is looked at without a fault of our own.
func TestThisMachine(t *testing.T) {
	m := thisComputer(t.Context(), machineTime()).facts("", nil)
	if now := time.Now().Unix(); m.Now < now-5 || m.Now > now+5 || m.Clock == "" {
		t.Errorf("%+v", m)
	}
	if d := diskOf(t.TempDir()); d == nil || d.Free == 0 || d.Wrong != "" || d.ReadOnly {
		t.Errorf("%+v", d)
	}
	if d := diskOf("/nowhere/at/all"); d != nil {
		t.Errorf("%+v", d)
	}
}
