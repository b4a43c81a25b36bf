package legal

import (
	"strings"
	"testing"
)

func TestWhatTextsMayBe(t *testing.T) {
	for name, c := range map[string]struct {
		legal     func(string) bool
		good, bad string // separated by spaces
	}{
		"org_no":    {func(s string) bool { return Digits(s, 8, 9) }, "12345678 123456789", "1234567 1234567890 12345678x ١٢٣٤٥٦٧٨"},
		"state_dir": {Absolute, "/var/lib/stolpe /x", "/ x ./x /var/../x /var/ /var//x ~/x"},
		"listen":    {HostPort, "127.0.0.1:8080 0.0.0.0:80 [::]:80 [::1]:0 localhost:8080 10.0.0.1:65535", ":8080 127.0.0.1 127.0.0.1: 127.0.0.1:http example.no:80 127.0.0.1:65536 127.0.0.1:-1 127.0.0.1:08 ::1:80"},
		"mqtt.url": {Broker, "mqtts://broker:8883 mqtts://10.0.0.7:1 mqtts://[::1]:8883 mqtt://127.0.0.1:1883 mqtt://localhost:1883 mqtt://[::1]:1883",
			"mqtt://broker:1883 mqtt://10.0.0.7:1883 mqtts://broker mqtts://broker: mqtts://broker:0 mqtts://broker:65536 mqtts://:8883 mqtts://me:pw@broker:8883 mqtts://broker:8883/ mqtts://broker:8883?x=1 tcp://127.0.0.1:1883 MQTTS://broker:8883 broker:8883 mqtt://localhost.example.no:1883"},
		"terms_url": {Page, "https://example.no https://example.no/vilkar https://example.no:8443/a/b.html?lang=nb#x", "http://example.no/vilkar http://127.0.0.1/x https:// https:///x https://me:pw@example.no example.no/vilkar javascript:alert(1) https://example.no/<x> https://example.no/'x https://example.no/" + strings.Repeat("a", 200)},
		"public_url": {Origin, "https://lad.example.no https://lad.example.no:8443 http://127.0.0.1:8080 http://localhost:8080 http://[::1]:8080 https://127.0.0.1",
			"http://lad.example.no https://lad.example.no/ https://x/y https://x?y https://x#y https://me:pw@x ftp://127.0.0.1 https:// https://x:0 https://x: //x x HTTPS://x https://a_b http://127.0.0.1.example.no http://localhost.example.no http://10.0.0.1 http://%6cocalhost"},
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

func TestVisible(t *testing.T) {
	for text, want := range map[string]bool{
		"Storgata 1": true, "Grønland 3, Oslo": true, "充电": true,
		" x": false, "x ": false, "a\tb": false, "a\nb": false, "a\u00a0b": false, "a\u200bb": false, "a\u202eb": false, "\ufeffx": false, "a\x00": false, "\xff": false,
	} {
		if Visible(text) != want {
			t.Errorf("Visible(%q) = %v", text, !want)
		}
	}
}
