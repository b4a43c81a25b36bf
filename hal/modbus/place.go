package modbus

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The schemes of a bus's URL.
const (
	schemeTCP        = "tcp"
	schemeRTU        = "rtu"
	schemeRTUOverTCP = "rtuovertcp"
)

// place says where a bus is found.
type place struct {
	scheme  string
	address string  // host and port, or the path of a serial port
	line    setting // of a serial port, as far as the URL says
}

// rtu says whether RTU frames go over the bus.
func (p place) rtu() bool { return p.scheme != schemeTCP }

// Shapes of URLs, for errors.
const (
	wantURL    = "want tcp://host:port, rtuovertcp://host:port or rtu:///dev/NAME"
	wantHost   = "://host:port, such as 192.168.1.20:502"
	wantPath   = "want rtu:///dev/NAME, such as rtu:///dev/serial/by-id/usb-FTDI_FT232R?baud=9600&parity=N&stop=1"
	wantParity = "want N (none), E (even) or O (odd)"
)

// parseURL reads the URL of a bus strictly: what it does not know is an error.
func parseURL(text string) (place, error) {
	u, err := url.Parse(text)
	if err != nil {
		return place{}, fmt.Errorf("meter url %q: %s", text, wantURL)
	}
	p := place{scheme: u.Scheme}
	switch u.Scheme {
	case schemeTCP, schemeRTUOverTCP:
		p.address, err = parseHost(u)
	case schemeRTU:
		p.address, err = parsePath(u, text)
		if err == nil {
			p.line, err = parseLine(u.RawQuery)
		}
	default:
		err = errors.New(wantURL)
	}
	if err != nil {
		return place{}, fmt.Errorf("meter url %q: %w", text, err)
	}
	return p, nil
}

func parseHost(u *url.URL) (string, error) {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	bare := url.URL{Scheme: u.Scheme, Host: u.Host}
	if err != nil || port == 0 || u.Hostname() == "" || *u != bare {
		return "", errors.New("want " + u.Scheme + wantHost)
	}
	return net.JoinHostPort(u.Hostname(), u.Port()), nil
}

func parsePath(u *url.URL, text string) (string, error) {
	bare := url.URL{Scheme: u.Scheme, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if !strings.HasPrefix(text, schemeRTU+":///") || *u != bare || u.Path == "/" || filepath.Clean(u.Path) != u.Path {
		return "", errors.New(wantPath)
	}
	return u.Path, nil
}

// parseLine reads the settings of a serial line.
func parseLine(query string) (s setting, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return s, fmt.Errorf("query %q: %s", query, wantPath)
	}
	for key, all := range values {
		value := all[0]
		number, _ := strconv.Atoi(value) // 0, which is wrong for every key, where it is none
		switch {
		case len(all) > 1:
			return s, fmt.Errorf("%s is given %d times: want it once", key, len(all))
		case key == "baud" && slices.Contains(bauds(), number):
			s.baud = number
		case key == "baud":
			return s, fmt.Errorf("baud %q: want one of %v", value, bauds())
		case key == "parity" && slices.Contains(parities(), value):
			s.parity = value
		case key == "parity":
			return s, fmt.Errorf("parity %q: %s", value, wantParity)
		case key == "stop" && (value == "1" || value == "2"):
			s.stop = number
		case key == "stop":
			return s, fmt.Errorf("stop %q: want 1 or 2", value)
		default:
			return s, fmt.Errorf("unknown key %q: want baud, parity or stop", key)
		}
	}
	return s, nil
}

// bauds lists the speeds of a serial line.
func bauds() []int { return []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200} }

// parities lists none, even and odd.
func parities() []string { return []string{"N", "E", "O"} }

// Advice gives a sentence for the log about a URL that works and may yet fail
// some day; empty if there is nothing to say. The kernel numbers USB adapters as
// it meets them, so the same name may stand for another one after the next start.
func (b *Bus) Advice() string {
	if b.place.scheme != schemeRTU || !regexp.MustCompile(`^/dev/tty(USB|ACM)\d+$`).MatchString(b.place.address) {
		return ""
	}
	return b.place.address + " may be another adapter after the next start: better is its name under /dev/serial/by-id"
}
