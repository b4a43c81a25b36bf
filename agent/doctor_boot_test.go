package main

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"stolpe/agent/config"
	"stolpe/agent/doctor"
	"stolpe/hal"
)

// bareBoard is a Raspberry Pi that has nothing but what a test gives it. A text that begins
// with -> is a link.
func bareBoard(model string, files map[string]string) computer {
	all := fstest.MapFS{"proc/device-tree/model": {Data: []byte(model + "\x00")}}
	for name, text := range files {
		f := &fstest.MapFile{Data: []byte(text)}
		if to, is := strings.CutPrefix(text, "->"); is {
			f.Data, f.Mode = []byte(to), fs.ModeSymlink
		}
		all[name] = f
	}
	return computer{
		files: all, run: func(string, ...string) string { return "" }, disk: func(string) *doctor.Disk { return &doctor.Disk{Free: 1 << 40} },
		now: func() (hal.Stamp, *int64) { return hal.Stamp{}, nil },
	}
}

// verdictOf is the only finding of a check, its status and words in a line.
func verdictOf(t *testing.T, f doctor.Facts, check string) string {
	t.Helper()
	all, unknown := doctor.Judge(f, check)
	if len(all) != 1 || unknown != "" {
		t.Fatalf("%s: %+v %q", check, all, unknown)
	}
	x := all[0]
	if (x.Status == doctor.Warn || x.Status == doctor.Fail) != (x.Remedy.EN != "") {
		t.Errorf("%s: %s without a remedy, or %q for what is well", check, x.Status, x.Remedy.EN)
	}
	return string(x.Status) + " " + x.What.EN + " -> " + x.Remedy.EN
}

const (
	four = "Raspberry Pi 4 Model B Rev 1.4"
	five = "Raspberry Pi 5 Model B Rev 1.0"
)

// A meter on the board's own serial line: whatever of the board stands in its way is told.
func TestOwnSerialLine(t *testing.T) {
	at := func(console, next, boot, link string) map[string]string {
		m := map[string]string{"proc/cmdline": "root=x " + console, "boot/firmware/cmdline.txt": "root=x " + next, "boot/firmware/config.txt": boot}
		if link != "" {
			m["dev/serial0"], m["dev/"+link] = "->"+link, ""
		}
		return m
	}
	const (
		serial0 = "rtu:///dev/serial0?baud=9600&parity=N"
		even    = "rtu:///dev/serial0?baud=9600&parity=E"
	)
	for _, x := range []struct {
		name, model, url string
		files            map[string]string
		want, remedy     string
	}{
		{"well", four, even, at("console=tty1", "console=tty1", "enable_uart=1\ndtoverlay=disable-bt\n", "ttyAMA0"), "PASS /dev/serial0 (ttyAMA0)", ""},
		{"console", four, serial0, at("console=ttyAMA0,115200", "console=serial0,115200", "enable_uart=1\n", "ttyAMA0"), "FAIL the kernel writes to the meter: /dev/serial0 is a console", "take console=ttyAMA0 out of cmdline.txt"},
		{"console until the reboot", four, serial0, at("console=ttyAMA0,115200", "console=tty1", "enable_uart=1\n", "ttyAMA0"), "FAIL the kernel writes to the meter: /dev/serial0 is a console; cmdline.txt is right", "sudo reboot"},
		{"console of another line", four, serial0, at("console=ttyS0,115200", "console=ttyS0", "enable_uart=1\n", "ttyAMA0"), "PASS", ""},
		{"small UART", four, serial0, at("", "", "enable_uart=1\n", "ttyS0"), "WARN /dev/serial0 is the small UART (ttyS0)", "dtoverlay=disable-bt"},
		{"small UART and parity", four, even, at("", "", "enable_uart=1\n", "ttyS0"), "FAIL the meter wants a parity", "dtoverlay=disable-bt"},
		{"off", four, serial0, at("", "", "[pi5]\nenable_uart=1\n", ""), "FAIL the board's serial port (/dev/serial0) is not switched on", "enable_uart=1"},
		{"on and away", four, serial0, at("", "", "enable_uart=1\n", ""), "FAIL the board's serial port (/dev/serial0) is not there", "reboot"},
		{"off on a five", five, "rtu:///dev/ttyAMA0?parity=E", at("", "", "enable_uart=1\n", ""), "FAIL the board's serial port (/dev/ttyAMA0) is not switched on", "dtparam=uart0=on"},
		{"no small one on a five", five, "rtu:///dev/ttyS0?parity=E", map[string]string{"dev/ttyS0": ""}, "PASS", ""},
		{"on on a five", five, "rtu:///dev/ttyAMA0?parity=E", map[string]string{"dev/ttyAMA0": "", "boot/firmware/config.txt": "dtparam=uart0=on"}, "PASS", ""},
	} {
		cfg := config.EVSE{ID: 1, Meter: config.Meter{URL: x.url}}
		f := doctor.Facts{Machine: bareBoard(x.model, x.files).facts("", []config.EVSE{cfg})}
		if got := verdictOf(t, f, "serial"); !strings.HasPrefix(got, x.want) || !strings.Contains(got, x.remedy) {
			t.Errorf("%s: %s\nwant %s ... %s", x.name, got, x.want, x.remedy)
		}
	}
	for _, url := range []string{"rtu:///dev/serial/by-id/usb-FTDI", "tcp://127.0.0.1:502", ""} {
		if m := bareBoard(four, nil).facts("", []config.EVSE{{ID: 1, Meter: config.Meter{URL: url}}}); m.Serial != nil {
			t.Errorf("%q: %+v", url, m.Serial)
		}
	}
}

// What the state folder lies on decides whether the post knows after a power cut whom it
// owes money.
func TestWhereTheStateLies(t *testing.T) {
	const root = "24 1 179:2 / / rw,relatime - ext4 /dev/root rw\n"
	for _, x := range []struct {
		name, model, mounts, pay, want string
	}{
		{"own partition", four, root + "30 24 179:3 / /var/lib/stolpe rw,noatime - ext4 /dev/mmcblk0p3 rw\n", "vipps", "PASS ext4 at /var/lib/stolpe, a partition of its own"},
		{"bound from one", four, root + "30 24 179:3 /stolpe /var/lib/stolpe rw,noatime shared:3 master:1 - ext4 /dev/mmcblk0p3 rw\n", "vipps", "PASS ext4 at /var/lib/stolpe"},
		{"partition of the system", four, root, "vipps", "WARN the state folder shares a partition"},
		{"that of a PC", "", root, "vipps", "PASS ext4, on the partition of the system"},
		{"memory", four, root + "31 24 0:30 / /var rw - tmpfs tmpfs rw\n", "gateway", "FAIL the state folder lies on tmpfs (/var)"},
		{"overlay", four, "24 1 0:28 / / rw - overlay overlayroot rw,lowerdir=/ro,upperdir=/rw/upper\n", "vipps", "FAIL the state folder lies on overlay (/)"},
		{"overlay over a partition of its own", four, root + "30 24 179:3 / /var/lib/stolpe rw - ext4 /dev/mmcblk0p3 rw\n40 30 0:33 / /var/lib/stolpe rw - overlay over rw\n", "vipps", "FAIL the state folder lies on overlay (/var/lib/stolpe)"},
		{"overlay with play money", four, "24 1 0:28 / / rw - overlay overlayroot rw\n", "sim", "SKIP"},
		{"FAT", four, root + "30 24 179:1 / /var/lib rw - vfat /dev/mmcblk0p1 rw\n", "vipps", "FAIL the state folder lies on vfat"},
		{"no barriers", four, root + "30 24 179:3 / /var/lib/stolpe rw - ext4 /dev/mmcblk0p3 rw,nobarrier\n", "vipps", "FAIL /var/lib/stolpe is mounted without barriers"},
		{"a neighbour's", four, root + "30 24 179:3 / /var/lib/stolpe2 rw - ext4 /dev/mmcblk0p3 rw\n", "vipps", "WARN the state folder shares"},
		{"nobody knows", four, "24 1 179:2 / /\n", "vipps", "SKIP"},
	} {
		f := doctor.Facts{Machine: bareBoard(x.model, map[string]string{"proc/self/mountinfo": x.mounts}).facts("/var/lib/stolpe", nil), File: doctor.File{Pay: x.pay}}
		if got := verdictOf(t, f, "state"); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s: %s\nwant %s", x.name, got, x.want)
		}
	}
}

// A partition that fstab has for the post and that did not come is told before all else:
// without it there is no configuration either.
func TestPartitionThatDidNotCome(t *testing.T) {
	const fstab = "proc /proc proc defaults 0 0\n# LABEL=x /etc/stolpe ext4 defaults 0 0\nPARTUUID=1-02 / ext4 ro 0 1\nLABEL=stolpe-data /data ext4 nofail 0 2\n/data/stolpe /var/lib/stolpe none bind,nofail 0 0\n/data/etc /etc/stolpe none bind,nofail 0 0\n/dev/sdb1 /mnt/usb ext4 nofail 0 0\nshort\n"
	const root = "24 1 179:2 / / ro,noatime - ext4 /dev/root ro\n"
	f := doctor.Facts{Absent: "nobody", Machine: bareBoard(four, map[string]string{"etc/fstab": fstab, "proc/self/mountinfo": root}).facts("", nil)}
	all, _ := doctor.Judge(f)
	if first, _ := doctor.First(all); first.ID != "mounts" || !strings.Contains(first.What.EN, "fstab mounts /var/lib/stolpe, /etc/stolpe, and nothing") {
		t.Errorf("%+v", first)
	}
	if all := bareBoard(four, map[string]string{"etc/fstab": fstab, "proc/self/mountinfo": root + "30 24 179:3 /stolpe /var/lib/stolpe rw - ext4 /dev/x rw\n31 24 179:3 /etc /etc/stolpe rw - ext4 /dev/x rw\n"}).facts("", nil).Away; all != nil {
		t.Errorf("%v", all)
	}
}

// The system of a card is read-only, below an overlay, or at least does not write when it
// reads.
func TestWhatTheSystemLiesOn(t *testing.T) {
	for mounts, want := range map[string]string{
		"24 1 179:2 / / ro,relatime - ext4 /dev/root ro\n":                                                  "PASS read-only",
		"24 1 179:2 / / rw,noatime - ext4 /dev/root rw\n":                                                   "PASS may be written; reading writes nothing",
		"24 1 179:2 / / rw,relatime - ext4 /dev/root rw\n":                                                  "WARN the system writes on the card",
		"24 1 0:28 / / rw,relatime - overlay overlayroot rw\n":                                              "PASS the card is read-only, below overlay",
		"24 1 0:1 / / rw - rootfs rootfs rw\n25 1 179:2 / / ro,noatime - ext4 /dev/root ro\nno line at all": "PASS read-only",
	} {
		f := doctor.Facts{Machine: bareBoard(four, map[string]string{"proc/self/mountinfo": mounts}).facts("", nil)}
		if got := verdictOf(t, f, "root"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s\nwant %s", mounts, got, want)
		}
	}
	f := doctor.Facts{Machine: bareBoard("", map[string]string{"proc/self/mountinfo": "24 1 179:2 / / rw,relatime - ext4 /dev/root rw\n", "proc/swaps": "Filename Type\n/dev/sda5 partition 1 0 -2\n"}).facts("", nil)}
	if root, swap := verdictOf(t, f, "root"), verdictOf(t, f, "swap"); !strings.HasPrefix(root, "SKIP") || !strings.HasPrefix(swap, "PASS") {
		t.Errorf("of a PC: %s; %s", root, swap)
	}
}

// A watchdog is what the kernel says of it and what systemd asks of it.
func TestWatchdogs(t *testing.T) {
	const dog = "sys/class/watchdog/watchdog0/"
	for _, x := range []struct {
		name, state, timeout, wanted string
		want                         string
	}{
		{"as it should be", "active", "14", "14s", "PASS Broadcom is armed, 14 s -> "},
		{"fifteen", "active", "15", "15s", "PASS Broadcom is armed, 15 s"},
		{"kept by another program", "active", "14", "0", "PASS Broadcom is armed, 14 s; another program than systemd"},
		{"refused by the driver", "inactive", "15", "1min 30s", "FAIL the hardware watchdog (Broadcom) is not armed: systemd asks for 90 s, more than it can count"},
		{"not asked for", "inactive", "15", "infinity", "FAIL the hardware watchdog (Broadcom) is not armed: a machine"},
		{"longer than it can count", "active", "15", "1min", "WARN the hardware watchdog counts 60 s"},
		{"hasty", "active", "5", "5s", "WARN the hardware watchdog counts 5 s only"},
		{"only systemd tells", "", "", "14s", "PASS Broadcom is armed"},
		{"nobody tells", "", "", "", "FAIL the hardware watchdog (Broadcom) is not armed"},
	} {
		c := bareBoard(four, map[string]string{dog + "identity": "Broadcom", dog + "state": x.state, dog + "timeout": x.timeout})
		c.run = func(name string, _ ...string) string {
			if name != "systemctl" {
				return ""
			}
			return x.wanted + "\n"
		}
		if got := verdictOf(t, doctor.Facts{Machine: c.facts("", nil)}, "watchdog"); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s: %s\nwant %s", x.name, got, x.want)
		}
	}
}

// Outputs are let go of by config.txt, or by the command line, for the driver of the board.
func TestLetGo(t *testing.T) {
	for _, x := range []struct {
		name, model, module, now, boot, next, want string
	}{
		{"by config.txt", four, "pinctrl_bcm2835", "N", "dtparam=strict_gpiod", "", "PASS"},
		{"by the command line", four, "pinctrl_bcm2835", "N", "", "pinctrl_bcm2835.persist_gpio_outputs=n", "PASS"},
		{"by the command line of another board", five, "pinctrl_rp1", "N", "", "pinctrl_bcm2835.persist_gpio_outputs=n", "WARN outputs are let go of"},
		{"five", five, "pinctrl_rp1", "N", "", "pinctrl_rp1.persist_gpio_outputs=0", "PASS"},
		{"the other driver says so", five, "pinctrl_bcm2835", "N", "dtparam=strict_gpiod", "", "WARN the kernel does not say"},
		{"asked for another board", four, "pinctrl_bcm2835", "Y", "[pi5]\ndtparam=strict_gpiod", "", "FAIL outputs stay on if the program dies -> write"},
		{"after the reboot", four, "pinctrl_bcm2835", "Y", "", "pinctrl_bcm2835.persist_gpio_outputs=N", "FAIL outputs stay on if the program dies; /boot/config.txt is right"},
	} {
		c := bareBoard(x.model, map[string]string{"sys/module/" + x.module + "/parameters/persist_gpio_outputs": x.now, "boot/config.txt": x.boot, "boot/cmdline.txt": x.next})
		f := doctor.Facts{Machine: c.facts("", []config.EVSE{{ID: 1, Contactor: config.Contactor{Line: "GPIO17"}}})}
		if got := verdictOf(t, f, "gpio.strict"); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s: %s\nwant %s", x.name, got, x.want)
		}
	}
}

// A device that config.txt asks for already needs a reboot, and not a line more.
func TestDeviceThatIsAskedFor(t *testing.T) {
	for boot, want := range map[string]string{
		"dtparam=i2c_arm=on": "/boot/firmware/config.txt asks for it: sudo reboot",
		"":                   "write dtparam=i2c_arm=on into config.txt",
	} {
		f := doctor.Facts{Machine: bareBoard(four, map[string]string{"boot/firmware/config.txt": boot + "\n#\n"}).facts("", nil),
			Displays: []doctor.Display{{Name: "oled", Kind: "oled", URL: "i2c:///dev/i2c-1?address=0x3c", Missing: "/dev/i2c-1"}}}
		if got := verdictOf(t, f, "display"); !strings.Contains(got, want) {
			t.Errorf("%q: %s", boot, got)
		}
	}
}
