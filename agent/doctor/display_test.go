package doctor

import (
	"strings"
	"testing"
)

const (
	onI2C = "i2c:///dev/i2c-1?reset=GPIO4&address=0x3c"
	onSPI = "spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13"
)

// What a display that fails wants depends on how it is connected, and on what was said.
func TestDisplayThatFails(t *testing.T) {
	for _, x := range []struct {
		d      Display
		remedy string // what it has
	}{
		{Display{URL: onI2C, Wrong: "remote I/O error"}, "something answers"},
		{Display{URL: onI2C, Wrong: "remote I/O error"}, "i2cdetect -y 1;"},
		{Display{URL: onI2C, Wrong: "remote I/O error"}, "at 0x3c:"},
		{Display{URL: onI2C, Wrong: "open /dev/i2c-1: permission denied"}, "usermod -aG i2c stolpe"},
		{Display{URL: onI2C, Wrong: "open /dev/i2c-1: no such file or directory", Missing: "/dev/i2c-1"}, "dtparam=i2c_arm=on"},
		{Display{URL: onSPI, Wrong: "the panel is busy for longer than 5s"}, "SPI does not tell"},
		{Display{URL: onSPI, Wrong: "open /dev/spidev0.0: permission denied"}, "usermod -aG spi stolpe"},
		{Display{URL: onSPI, Missing: "/dev/spidev0.0"}, "dtparam=spi=on"},
		{Display{URL: "lines:?rs=GPIO6", Wrong: "line GPIO6: device or resource busy"}, "gpioinfo"},
		{Display{URL: "fb:///dev/fb0", Wrong: "permission denied"}, "usermod -aG video stolpe"},
		{Display{URL: "fb:///dev/fb0", Missing: "/dev/fb0"}, "ls /dev/*"},
		{Display{URL: "pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=2", Wrong: "invalid argument"}, "dtoverlay=i2c-pwm-pca9685a"},
		{Display{URL: "file:///run/stolpe/display.png?size=800x480", Wrong: "no such file or directory"}, "install -d -o stolpe /run/stolpe/"},
		{Display{URL: "file:///run/stolpe/display.png?size=800x480", Wrong: "no space left on device"}, "stolpe doctor disk"},
		{Display{URL: "http://127.0.0.1:8090", Wrong: "listen: address already in use", Index: 2}, "'display[2].url'"},
		{Display{URL: "http://127.0.0.1:8090", Wrong: "something else"}, "stolpe logs"},
	} {
		x.d.Name, x.d.Code = "it", displayFails
		got := judgedDisplay(t, Facts{Daemon: &Daemon{Displays: []Display{x.d}}})
		if got.Status != Warn || !strings.Contains(got.Remedy.EN, x.remedy) || !strings.Contains(got.What.EN, "charging goes on") {
			t.Errorf("%s: %s: %+v: want %q", x.d.URL, x.d.Wrong, got, x.remedy)
		}
	}
}

func judgedDisplay(t *testing.T, f Facts) Finding {
	t.Helper()
	all, _ := Judge(f, "display")
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	return all[0]
}

func TestDisplayThatWorks(t *testing.T) {
	ago := int64(2)
	for _, x := range []struct {
		d      Display
		status Status
		what   string
	}{
		{Display{Pages: 1, Shown: &ago}, Pass, "1 pages, 0 failures"},
		{Display{}, Pass, "has just started"},
		{Display{Pages: 1000, Failures: 19}, Pass, "1000 pages, 19 failures"},
		{Display{Pages: 1000, Failures: 20}, Warn, "failed 20 of 1020 times"},
		{Display{Pages: 1001, Failures: 20}, Pass, "20 failures"},
		{Display{Pages: 9, Code: displayRests, Wrong: "panel has -3 °C"}, Warn, "too cold to be drawn, and rests until it is warmer (DIS-002); panel has -3 °C"},
		{Display{Pages: 9, Missing: "/dev/i2c-1"}, Pass, "9 pages"}, // it is drawn all the same
	} {
		x.d.Name, x.d.URL = "oled", onI2C
		got := judgedDisplay(t, Facts{Daemon: &Daemon{Displays: []Display{x.d}}})
		if got.Status != x.status || !strings.Contains(got.What.EN, x.what) || got.ID != "display.oled" || got.Group != Hardware {
			t.Errorf("%+v: %+v: want %s, %q", x.d, got, x.status, x.what)
		}
	}
}

// Without a daemon nobody tries a display, and what is seen to be missing is told.
func TestDisplayWithoutADaemon(t *testing.T) {
	if got := judgedDisplay(t, Facts{Displays: []Display{{Name: "oled", URL: onI2C}}}); got.Status != Skip {
		t.Errorf("%+v", got)
	}
	if got := judgedDisplay(t, Facts{Displays: []Display{{Name: "oled", URL: onI2C, Missing: "/dev/i2c-1"}}}); got.Status != Warn || !strings.Contains(got.Remedy.EN, "i2c_arm") {
		t.Errorf("%+v", got)
	}
}

// Whatever is wrong with a display, everybody may charge.
func TestDisplaysKeepNobodyFromCharging(t *testing.T) {
	f := Facts{Machine: Machine{Now: 1_800_000_000, Clock: "synced"}, Daemon: &Daemon{EVSEs: []EVSE{{ID: 1, Phase: "idle", Dead: true}}}}
	if why := Why(f); len(why) != 0 {
		t.Fatalf("before: %+v", why)
	}
	for _, code := range DisplayCodes() {
		f.Daemon.Displays = append(f.Daemon.Displays, Display{Name: code, URL: onI2C, Code: code, Failures: 9, Missing: "/dev/i2c-1"})
	}
	if why := Why(f); len(why) != 0 {
		t.Errorf("%+v", why)
	}
	if all, _ := Judge(f, "display"); len(all) != len(DisplayCodes()) || howMany(all, Fail) != 0 {
		t.Errorf("%+v", all)
	}
}

func howMany(all []Finding, s Status) (n int) {
	for _, x := range all {
		if x.Status == s {
			n++
		}
	}
	return n
}

func TestDisplayCodesAreToldOf(t *testing.T) {
	told := map[string]bool{}
	for _, code := range DisplayCodes() {
		what, remedy := Told(code)
		if what.EN == "fault "+code || remedy.EN == "" || told[what.EN] {
			t.Errorf("%s: %v, %v", code, what, remedy)
		}
		told[what.EN] = true
	}
}
