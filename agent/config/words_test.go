package config

import (
	"strings"
	"testing"
)

func TestWhatTextsMayBe(t *testing.T) {
	for name, c := range map[string]struct {
		legal     func(string) bool
		good, bad string // separated by spaces
	}{
		"post.id":  {postID, "A12 a A-1 1A 12-34-x ABCDEFGHIJKLMNOP", "-A12 12 A_1 A.1 Å1 ABCDEFGHIJKLMNOPQ A/1 0"},
		"code":     {code, "A12 1 12 norge x-y EN1 terms2", "nb NB en sv da fi de static Terms -a a_b a.b æ 12345678901234567"},
		"model":    {mapName, "eastron_sdm630 x 3phase", "Eastron _x a-b a/b ../x"},
		"helpdesk": {phone, "+4722000000 22000000 112 04800 +47-22-00-00-00", "22 + ++4722000000 1234567890123456 ring 22000000x 22+00"},
		"timezone": {zone, "Europe/Oslo UTC Europe/Copenhagen Europe/Helsinki", "Local Oslo Europe/Olso ../etc/passwd /etc/localtime"},
		"email":    {email, "post@example.no a.b+c@d.e-f.no", "post post@ @example.no post@example a@b@c.no"},
		"meter.url": {meterURL, "tcp://127.0.0.1:502 tcp://meter.local:1502 tcp://[::1]:502 rtuovertcp://10.0.0.7:4001 rtu:///dev/ttyUSB0?baud=9600&parity=N rtu:///dev/serial/by-id/usb-1a86_USB_Serial-if00-port0?baud=19200&parity=E&stop=2 rtu:///dev/x",
			"tcp://127.0.0.1 tcp://:502 tcp://h:0 tcp://h:65536 tcp://h:502/ tcp://h:502?x=1 tcp://h:502#x tcp://me:pw@h:502 udp://h:502 h:502 tcp:h:502 rtu://dev/x?baud=9600 rtu:/dev/x?baud=9600 rtu:///dev/../x?baud=9600 rtu:///dev/x?speed=9600 rtu:///dev/x?baud=9600&baud=19200 rtu:///dev/x?baud=9600#x rtu:///dev/x?a=%zz rtu:///?baud=9600 rtuovertcp://h rtuovertcp://h:502?baud=9600"},
		"line":   {Output, "GPIO0 GPIO17 GPIO999 gpiochip0/0 gpiochip4/27 pinctrl-bcm2711/17 1f000d0000.gpio/17", "GPIO GPIO1000 GPIO017 GPIO-1 GPIO+1 gpio17 17 !GPIO17 gpiochip0 /1 gpiochip0/ gpiochip0/x gpiochip0/01 gpiochip0/1/2 /dev/gpiochip0/1 GPIO1,GPIO2"},
		"sense":  {input, "GPIO17 !GPIO17 gpiochip0/0 !gpiochip0/0", "! !!GPIO17 GPIO17! -GPIO17 !17 !gpio17"},
		"colour": {colour, "#000000 #0b5d3b #0B5D3B #757575 #767676", "#777777 #ff0000 #ffffff #0b5d3 #0b5d3bb 0b5d3b #0b5d3g green #+b5d3b"},
		"logo":   {picture, "/etc/stolpe/logo.svg /x.png", "logo.svg /etc/stolpe/logo.jpg /etc/../logo.svg /etc/stolpe/logo.SVG /"},
	} {
		for _, s := range strings.Fields(c.good) {
			if !c.legal(s) {
				t.Errorf("%s: %q is refused", name, s)
			}
		}
		for _, s := range strings.Fields(c.bad) {
			if c.legal(s) {
				t.Errorf("%s: %q is let through", name, s)
			}
		}
	}
}

func TestLinesAreTheSameHoweverTheyAreWritten(t *testing.T) {
	for _, row := range [][]string{
		{"GPIO17", "!GPIO17", "gpiochip0/17", "!gpiochip0/17", "pinctrl-bcm2711/17", "pinctrl-rp1/17"},
		{"gpiochip1/17", "!gpiochip1/17"}, {"pcf8574/17"}, {"GPIO1", "gpiochip0/1"},
	} {
		for _, spec := range row {
			if lineOf(spec) != lineOf(row[0]) {
				t.Errorf("%s is %s, and %s is %s", spec, lineOf(spec), row[0], lineOf(row[0]))
			}
		}
		if row[0] != "GPIO17" && lineOf(row[0]) == lineOf("GPIO17") {
			t.Errorf("%s is GPIO17", row[0])
		}
	}
}
