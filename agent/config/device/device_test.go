package device

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// gpio knows lines as GPIO17 only.
func gpio(s string) bool { return strings.HasPrefix(s, "GPIO") }

func TestAddressesAreTakenApart(t *testing.T) {
	for text, want := range map[string]Address{
		"i2c:///dev/i2c-1?address=0x3c":                       {Bus: I2C, Path: "/dev/i2c-1", Target: 0x3c},
		"i2c:///dev/i2c-1?address=0x3D&reset=GPIO4":           {Bus: I2C, Path: "/dev/i2c-1", Target: 0x3d, Lines: map[string]string{"reset": "GPIO4"}},
		"spi:///dev/spidev0.0?dc=GPIO6":                       {Bus: SPI, Path: "/dev/spidev0.0", Lines: map[string]string{"dc": "GPIO6"}},
		"lines:?red=GPIO6&green=GPIO12":                       {Bus: Lines, Lines: map[string]string{"red": "GPIO6", "green": "GPIO12"}},
		"pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=31": {Bus: PWM, Path: "/sys/class/pwm/pwmchip0", Channels: map[string]int{"red": 0, "green": 1, "blue": 31}},
		"fb:///dev/fb0":                                       {Bus: Framebuffer, Path: "/dev/fb0"},
		"file:///run/stolpe/display.png?size=800x480":         {Bus: File, Path: "/run/stolpe/display.png", Width: 800, Height: 480},
		"http://127.0.0.1:8090":                               {Bus: Page, Path: "127.0.0.1:8090"},
		"http://[::1]:1":                                      {Bus: Page, Path: "[::1]:1"},
		"lines:?red=!GPIO6&green=!GPIO12":                     {Bus: Lines, Lines: map[string]string{"red": "!GPIO6", "green": "!GPIO12"}},
		"http://127.0.0.1:65535":                              {Bus: Page, Path: "127.0.0.1:65535"},
	} {
		got, err := Parse(text, gpio)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
}

func TestWhatIsNoAddress(t *testing.T) {
	for _, text := range []string{
		"", "i2c", "/dev/i2c-1", "i2c:/dev/i2c-1", "i2c://dev/i2c-1", "i2c:///dev/../dev/i2c-1", "i2c:///", "i2c:///dev/i2c-1#1", "i2c:///dev/i2c%2d1",
		"I2C:///dev/i2c-1", "usb:///dev/usb0", "i2c:///dev/i2c-1?address=60", "i2c:///dev/i2c-1?address=0x3", "i2c:///dev/i2c-1?address=0x03c",
		"i2c:///dev/i2c-1?address=0x07", "i2c:///dev/i2c-1?address=0x78", "i2c:///dev/i2c-1?address=0xg0", "i2c:///dev/i2c-1?address=", "i2c:///dev/i2c-1?",
		"i2c:///dev/i2c-1?address=0x3c&address=0x3d", "i2c:///dev/i2c-1?adress=0x3c", "i2c:///dev/i2c-1?dc=GPIO6", "i2c:///dev/i2c-1?address=0x3c;reset=GPIO4",
		"spi:///dev/spidev0.0?dc=", "spi:///dev/spidev0.0?dc=17", "spi:///dev/spidev0.0?dc=!GPIO6", "spi:///dev/spidev0.0?speed=1000000", "spi://host/dev/spidev0.0",
		"lines:///dev/gpiochip0?red=GPIO6", "lines://?red=GPIO6", "lines:red=GPIO6", "lines:?red=!", "lines:?rs=!GPIO6", "lines:?red=!!GPIO6", "pwm:///sys/class/pwm/pwmchip0?red=!0", "lines:?white=GPIO6",
		"pwm:///sys/class/pwm/pwmchip0?red=32", "pwm:///sys/class/pwm/pwmchip0?red=-1", "pwm:///sys/class/pwm/pwmchip0?red=01", "pwm:///sys/class/pwm/pwmchip0?red=GPIO6",
		"fb:///dev/fb0?size=800x480", "fb://fb0", "file:///run/display.jpg?size=800x480", "file:///run/display.png?size=800", "file:///run/display.png?size=0x480",
		"file:///run/display.png?size=800x4097", "file://run/display.png?size=800x480", "file:///.png/?size=1x1",
		"http://127.0.0.1", "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:8090/", "http://127.0.0.1:8090?x=1", "http://kari@127.0.0.1:8090",
		"http://192.168.1.20:8090", "http://0.0.0.0:8090", "https://127.0.0.1:8090", "http://post.example.no:8090", "http://:8090", "http://localhost:8090", "http://127.0.0.1:08090",
	} {
		if got, err := Parse(text, gpio); err == nil || !cmp.Equal(got, Address{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestWhichOptionsAnAddressHas(t *testing.T) {
	for text, want := range map[string][]string{
		"i2c:///dev/i2c-1?reset=GPIO4&address=0x3c":          {"address", "reset"},
		"pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=2": {"blue", "green", "red"},
		"file:///run/stolpe/display.png?size=800x480":        {"size"},
		"fb:///dev/fb0": nil,
	} {
		if a, err := Parse(text, gpio); err != nil || !slices.Equal(a.Said(), want) {
			t.Errorf("%s: %v, %v", text, a.Said(), err)
		}
	}
}

// Two displays are on one bus, and never are one device.
func TestSameDevice(t *testing.T) {
	for _, x := range []struct {
		a, b string
		same bool
	}{
		{"i2c:///dev/i2c-1?address=0x3c", "i2c:///dev/i2c-1?address=0x3c&reset=GPIO4", true},
		{"i2c:///dev/i2c-1?address=0x3c", "i2c:///dev/i2c-1?address=0x3d", false},
		{"i2c:///dev/i2c-1?address=0x3c", "i2c:///dev/i2c-0?address=0x3c", false},
		{"spi:///dev/spidev0.0?dc=GPIO6", "spi:///dev/spidev0.0?dc=GPIO7", true},
		{"spi:///dev/spidev0.0?dc=GPIO6", "spi:///dev/spidev0.1?dc=GPIO7", false},
		{"lines:?red=GPIO6", "lines:?red=GPIO7", false},
		{"pwm:///a?red=0&green=1", "pwm:///a?red=2&green=3", false},
		{"pwm:///a?red=0&green=1", "pwm:///a?red=1&green=2", true},
		{"fb:///dev/fb0", "file:///dev/fb0.png?size=1x1", false},
		{"http://127.0.0.1:8090", "http://127.0.0.1:8091", false},
	} {
		a, err := Parse(x.a, gpio)
		b, err2 := Parse(x.b, gpio)
		if err != nil || err2 != nil || a.Same(b) != x.same || b.Same(a) != x.same {
			t.Errorf("%s and %s: %v (%v, %v)", x.a, x.b, !x.same, err, err2)
		}
	}
}
