package card

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"stolpe/hal/raspberry"
)

// image is a mounted Raspberry Pi OS Lite, as far as a card is made of it.
func image(t *testing.T) Options {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"boot/firmware/config.txt":  "dtparam=audio=on\n[cm4]\notg_mode=1\n[pi4]\narm_boost=1",
		"boot/firmware/cmdline.txt": "console=serial0,115200 console=tty1 root=PARTUUID=4e63-02 rootfstype=ext4 rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot systemd.run=/boot/firstrun.sh\n",
		"etc/fstab":                 "proc            /proc           proc    defaults          0       0\nPARTUUID=4e63-01  /boot/firmware  vfat    defaults          0       2\nPARTUUID=4e63-02  /               ext4    defaults,noatime  0       1\n# a swapfile is not a swap partition, no line here\n",
		"etc/resolv.conf":           "nameserver 192.0.2.1\n",
		"usr/sbin/NetworkManager":   "",
	} {
		put(t, filepath.Join(root, name), text)
	}
	if err := os.MkdirAll(filepath.Join(root, "var/lib/NetworkManager"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Options{Root: root, Boot: filepath.Join(root, "boot/firmware"), Lines: []string{"GPIO17", "!GPIO5"}}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree is every file and link below a folder, with its mode.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		if to, err := os.Readlink(path); err == nil {
			all[name] = "-> " + to
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		all[name] = info.Mode().Perm().String() + " " + string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func made(t *testing.T, o Options) map[string]string {
	t.Helper()
	if _, err := Make(o); err != nil {
		t.Fatal(err)
	}
	return tree(t, o.Root)
}

// What the firmware reads holds contactors open and lets go of them, on every board and
// whatever section the file ended in.
func TestWhatTheFirmwareReads(t *testing.T) {
	o := image(t)
	o.UART, o.SPI, o.RTC = true, true, "ds3231"
	all := made(t, o)
	for _, model := range []string{"Raspberry Pi Zero Rev 1.3", "Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 5 Model B Rev 1.0", "Raspberry Pi 17"} {
		s, _ := raspberry.Read(os.DirFS(o.Root), raspberry.Board{Model: model})
		for _, p := range []string{"strict_gpiod", "watchdog", "i2c_arm", "spi", "audio"} {
			if !s.Param(p) {
				t.Errorf("%s: %s is not on", model, p)
			}
		}
		if low, high := s.Rest(17), s.Rest(5); low != (raspberry.Rest{Driven: true}) || high != (raspberry.Rest{High: true, Driven: true}) {
			t.Errorf("%s: lines rest %+v %+v", model, low, high)
		}
		if five := strings.Contains(model, "Pi 5"); s.Param("uart0") != five || !s.Overlay("disable-bt") || s.Value("enable_uart") != "1" || !s.Overlay("i2c-rtc") {
			t.Errorf("%s: %v", model, s)
		}
	}
	if got := all["boot/firmware/cmdline.txt"]; !strings.HasSuffix(got, " console=tty1 root=PARTUUID=4e63-02 rootfstype=ext4 rootwait quiet systemd.run=/boot/firstrun.sh fsck.repair=yes\n") {
		t.Error(got)
	}
	if all["etc/systemd/system/hciuart.service"] != "-> /dev/null" {
		t.Error("Bluetooth's service is not masked")
	}
}

// The boot partition has one mode for all files, and refuses another.
func TestModesOfTheBootPartition(t *testing.T) {
	o := image(t)
	config := filepath.Join(o.Boot, "config.txt")
	if err := os.Chmod(config, 0o755); err != nil {
		t.Fatal(err)
	}
	made(t, o)
	if err := os.Chmod(config, 0o755); err != nil {
		t.Fatal(err)
	}
	if changed, err := Make(o); err != nil || len(changed) != 0 {
		t.Errorf("changed %v, %v", changed, err)
	}
}

// Without a meter on the serial port the console stays, and nothing is switched on that
// was not asked for.
func TestNothingThatWasNotAskedFor(t *testing.T) {
	o := image(t)
	put(t, filepath.Join(o.Boot, "cmdline.txt"), "console=serial0,115200 root=x resize overlayroot=tmpfs boot=overlay fsck.repair=yes init=/sbin/init\n")
	all := made(t, o)
	if got := all["boot/firmware/cmdline.txt"]; !strings.HasSuffix(got, " console=serial0,115200 root=x fsck.repair=yes init=/sbin/init\n") {
		t.Error(got)
	}
	config := all["boot/firmware/config.txt"]
	for _, word := range []string{"uart", "i2c", "spi", "disable-bt", "rtc"} {
		if strings.Contains(config, word) {
			t.Errorf("%s is on: %s", word, config)
		}
	}
	if _, masked := all["etc/systemd/system/hciuart.service"]; masked {
		t.Error("Bluetooth is off")
	}
}

// The system can be written until it is sealed; then / is read-only, and nothing else
// differs. What must last is on the data partition.
func TestFstab(t *testing.T) {
	o := image(t)
	all := made(t, o)
	for _, dir := range []string{"data", "etc/stolpe", "var/lib/stolpe", "var/log/journal"} {
		if info, err := os.Stat(filepath.Join(o.Root, dir)); err != nil || !info.IsDir() {
			t.Errorf("there is no %s to mount at", dir)
		}
	}
	open, sealed := all["etc/fstab"], all["etc/fstab.sealed"]
	const rw, ro = "\nPARTUUID=4e63-02 / ext4 rw,noatime 0 1\n", "\nPARTUUID=4e63-02 / ext4 ro,noatime 0 1\n"
	if !strings.Contains(open, rw) || strings.Replace(open, rw, ro, 1) != sealed {
		t.Errorf("%s\n%s", open, sealed)
	}
	for _, want := range []string{
		"\nPARTUUID=4e63-01 /boot/firmware vfat nofail 0 2\n",
		"\nLABEL=stolpe-data /data ext4 noatime,errors=remount-ro,nofail,x-systemd.device-timeout=30s 0 2\n",
		"\n/data/stolpe /var/lib/stolpe none bind,nofail,", "\n/data/etc /etc/stolpe none bind,nofail,", "\n/data/journal /var/log/journal none bind,", "\n/data/NetworkManager /var/lib/NetworkManager none bind,",
		"\ntmpfs /var/log tmpfs ", "\ntmpfs /tmp tmpfs ",
	} {
		if !strings.Contains(sealed, want) {
			t.Errorf("%q is missing in\n%s", want, sealed)
		}
	}
	if strings.Contains(sealed, "dhcpcd") {
		t.Error("a folder of a program that is not there is mounted")
	}
	if all["etc/resolv.conf"] != "-> /run/NetworkManager/resolv.conf" || all["etc/systemd/system/apt-daily.timer"] != "-> /dev/null" || all["etc/systemd/system/multi-user.target.wants/stolpe-card.service"] != "-> /etc/systemd/system/stolpe-card.service" {
		t.Errorf("%v", all)
	}
	if !strings.HasPrefix(all["usr/lib/stolpe-card/first-boot"], "-rwxr-xr-x #!/bin/sh\n") {
		t.Error("first-boot cannot be run")
	}
}

// Done twice is done once, also with other answers, and on a card that is sealed.
func TestTwiceIsOnce(t *testing.T) {
	o := image(t)
	once := made(t, o)
	if changed, err := Make(o); err != nil || len(changed) != 0 {
		t.Errorf("the second time changed %v, %v", changed, err)
	}
	o.UART, o.Lines = true, []string{"GPIO22"}
	made(t, o)
	if err := os.Rename(filepath.Join(o.Root, sealedFile), filepath.Join(o.Root, fstabFile)); err != nil {
		t.Fatal(err)
	}
	o.UART, o.Lines = false, []string{"GPIO17", "!GPIO5"}
	again := made(t, o)
	delete(again, "etc/systemd/system/hciuart.service") // what was switched off stays off
	again["boot/firmware/cmdline.txt"] = once["boot/firmware/cmdline.txt"]
	for name := range once {
		if once[name] != again[name] {
			t.Errorf("%s: first\n%s\nthen\n%s", name, once[name], again[name])
		}
	}
	if len(once) != len(again) {
		t.Errorf("%d files, then %d", len(once), len(again))
	}
}

// What cannot be made is told whole, and then nothing is changed.
func TestRefused(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(o *Options)
		want []string
	}{
		{"lines", func(o *Options) { o.Lines = []string{"17", "!GPIO28"} }, []string{"-lines 17:", "-lines !GPIO28:"}},
		{"no boot partition", func(o *Options) { o.Boot = o.Root }, []string{"-boot: open", "cmdline.txt"}},
		{"no Debian", func(o *Options) { o.Root = filepath.Join(o.Root, "usr") }, []string{"-root: open"}},
		{"clock", func(o *Options) { o.RTC = "ds3231\ngpio=17=op,dh" }, []string{"-rtc"}},
		{"packages", func(o *Options) {
			o.Packages = []string{filepath.Join(o.Root, fstabFile), filepath.Join(o.Root, "none.deb")}
		}, []string{"fstab is no Debian package", "none.deb"}},
	} {
		o := image(t)
		before := tree(t, o.Root)
		top := o.Root
		x.do(&o)
		changed, err := Make(o)
		if err == nil || len(changed) > 0 {
			t.Errorf("%s: %v changed %v", x.name, err, changed)
			continue
		}
		for _, want := range x.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", x.name, err, want)
			}
		}
		for name, text := range tree(t, top) {
			if before[name] != text {
				t.Errorf("%s: %s was changed", x.name, name)
			}
		}
	}
	o := image(t)
	put(t, filepath.Join(o.Root, fstabFile), "proc /proc proc defaults 0 0\n")
	if _, err := Make(o); err == nil || !strings.Contains(err.Error(), "0 lines for /") {
		t.Error(err)
	}
	put(t, filepath.Join(o.Root, fstabFile), "/dev/a / ext4 defaults 0 0\n/dev/b / ext4 defaults 0 0\n")
	if _, err := Make(o); err == nil || !strings.Contains(err.Error(), "2 lines for /") {
		t.Error(err)
	}
}

func TestRun(t *testing.T) {
	o := image(t)
	deb := filepath.Join(t.TempDir(), "stolpe_0.9.0_arm64.deb")
	put(t, deb, "!<arch>\nand so on")
	for _, x := range []struct {
		args string
		code int
		out  string
	}{
		{"-root " + o.Root + " -lines GPIO17,!GPIO5 -deb " + deb, 0, "files and folders changed"},
		{"-root " + o.Root + " -lines GPIO17,!GPIO5 -deb " + deb, 0, "0 files and"},
		{"-root " + o.Root + " -lines 17", 1, "-lines 17: want a line"}, {"", 2, "usage"}, {"-root " + o.Root + " now", 2, "usage"}, {"-wrong", 2, "not defined"}, {"-h", 0, "stolpe-data"},
	} {
		var out bytes.Buffer
		if code := Run(strings.Fields(x.args), &out, &out); code != x.code || !strings.Contains(out.String(), x.out) {
			t.Errorf("%s: %d\n%s", x.args, code, out.String())
		}
	}
	if text := tree(t, o.Root)["usr/lib/stolpe-card/stolpe_0.9.0_arm64.deb"]; !strings.HasSuffix(text, "and so on") {
		t.Errorf("%q", text)
	}
}

// The first boot installs what came along, and seals the card when, and only when, the post
// has all it needs. Each step may be broken off and done again.
func TestFirstBoot(t *testing.T) {
	o := image(t)
	made(t, o)
	deb := filepath.Join(o.Root, ownFolder, "stolpe.deb")
	put(t, deb, "!<arch>\n")
	put(t, filepath.Join(o.Root, "etc/ssh/sshd_config"), "")
	tools := t.TempDir()
	log := filepath.Join(tools, "log")
	for name, does := range map[string]string{"dpkg": "", "systemctl": `[ "$2" != "$(cat ` + tools + `/fails)" ]`, "sync": "", "mountpoint": "test -e " + tools + "/mounted"} {
		put(t, filepath.Join(tools, name), "#!/bin/sh\necho "+name+" \"$@\" >>"+log+"\n"+does+"\n")
		if err := os.Chmod(filepath.Join(tools, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	boot := func() (said, did string) {
		t.Helper()
		put(t, log, "")
		c := exec.Command("sh", filepath.Join(o.Root, ownFolder, "first-boot"), o.Root)
		c.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(out), string(text)
	}
	put(t, filepath.Join(tools, "fails"), "stolpe-provision.service\n")
	said, did := boot()
	if !strings.Contains(said, "could not be taken in") || !strings.Contains(did, "dpkg -i "+deb) || strings.Contains(did, "reboot") {
		t.Errorf("%s%s", said, did)
	}
	put(t, filepath.Join(tools, "fails"), "nothing\n")
	for _, step := range []struct{ missing, file, text string }{
		{"the post has no configuration", "etc/stolpe/stolpe.yaml", "post: {}\n"},
		{"the machine has no id", "etc/machine-id", "uninitialized\n"}, {"the machine has no id", "etc/machine-id", "0123456789abcdef\n"},
		{"the machine has no ssh keys", "etc/ssh/ssh_host_ed25519_key", "key\n"},
		{"there is no data partition", "", ""},
	} {
		said, did := boot()
		if !strings.Contains(said, step.missing) || strings.Contains(did, "dpkg -i") || strings.Contains(did, "reboot") {
			t.Errorf("want %q: %s%s", step.missing, said, did)
		}
		if _, err := os.Stat(filepath.Join(o.Root, sealedFile)); err != nil {
			t.Fatalf("%s, and it is sealed", step.missing)
		}
		if step.file != "" {
			put(t, filepath.Join(o.Root, step.file), step.text)
		}
	}
	put(t, filepath.Join(tools, "mounted"), "")
	said, did = boot()
	all := tree(t, o.Root)
	if _, left := all[sealedFile]; left || !strings.Contains(all[fstabFile], "/ ext4 ro,noatime") || !strings.Contains(did, "systemctl --no-block reboot") || !strings.Contains(said, "read-only from the next boot on") {
		t.Errorf("%s%s%s", said, did, all[fstabFile])
	}
}
