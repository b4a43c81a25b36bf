package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"stolpe/display"
	"stolpe/payment"
)

// only says whether s consists of ASCII letters, digits and the extra characters.
func only(s, extra string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune(extra, r)
	})
}

// word says whether s is letters, digits and hyphens, beginning with none of these last.
func word(s string) bool { return s != "" && s[0] != '-' && only(s, "-") }

// visible says whether every character of s can be seen, with no space around.
func visible(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func digits(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

func someText(most int) string { return fmt.Sprintf("a text of at most %d characters", most) }

func shorter(most int) func(string) bool {
	return func(s string) bool { return utf8.RuneCountInString(s) <= most }
}

func oneOf(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

// postID keeps references apart from each other and from plain numbers, which
// other systems of the same sales unit use.
func postID(s string) bool {
	return len(s) <= payment.MaxPostID && word(s) && strings.Trim(s, "0123456789") != ""
}

// code refuses the first words of other addresses: languages, and pages that
// belong to no EVSE.
func code(s string) bool {
	if _, language := display.ParseLang(strings.ToLower(s)); language {
		return false
	}
	taken := []string{"nn", "no", "static", "assets", "terms", "privacy", "help", "health", "healthz", "metrics", "status", "api", "sim", "vipps", "webhooks"}
	return len(s) <= maxCode && word(s) && !slices.Contains(taken, strings.ToLower(s))
}

func mapName(s string) bool {
	return len(s) <= maxName && s[0] != '_' && only(s, "_") && s == strings.ToLower(s)
}

func phone(s string) bool {
	plain := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimPrefix(s, "+"))
	return digits(plain, 3, 15) // at most 15: ITU-T E.164
}

// email checks no more than that a mail program would know what is meant.
func email(s string) bool {
	name, host, _ := strings.Cut(s, "@")
	return len(s) <= 100 && name != "" && only(name, "._+-") && strings.Contains(host, ".") && only(host, ".-")
}

// zone says whether the zone is known here. "Local" would be whatever the
// machine happens to be set to.
func zone(s string) bool {
	_, err := time.LoadLocation(s)
	return err == nil && s != "Local"
}

func absolute(s string) bool { return filepath.IsAbs(s) && filepath.Clean(s) == s && s != "/" }

// meterURL checks the form of an address. What stands behind baud, parity and
// stop is for the package that opens the line.
func meterURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	if u.Scheme == "rtu" {
		q, err := url.ParseQuery(u.RawQuery)
		for name := range q {
			if !oneOf("baud", "parity", "stop")(name) || len(q[name]) != 1 {
				return false
			}
		}
		return err == nil && absolute(u.Path) && s == "rtu://"+strings.TrimSuffix(u.Path+"?"+u.RawQuery, "?")
	}
	return (u.Scheme == "tcp" || u.Scheme == "rtuovertcp") && s == u.Scheme+"://"+u.Host && u.Hostname() != "" && u.User == nil && port(u.Port(), 1)
}

// busOf names the bus that an address leads to, whatever is said of its speed
// and frames.
func busOf(s string) string {
	scheme, rest, _ := strings.Cut(s, "://")
	if scheme == "rtu" {
		rest, _, _ = strings.Cut(rest, "?")
		return rest
	}
	return strings.ToLower(rest)
}

// Output says whether text can name a line: GPIO17, or line 17 of a chip that is
// named as the kernel numbers it or as its driver labels it, gpiochip0/17 or
// pinctrl-bcm2711/17.
func Output(text string) bool {
	if chip, n, ok := strings.Cut(text, "/"); ok {
		return chip != "" && len(chip) <= maxName && only(chip, "-_.:@") && plain(n, 0, maxLine)
	}
	n, ok := strings.CutPrefix(text, "GPIO")
	return ok && plain(n, 0, maxLine)
}

// input checks the name of a line that is read, which may begin with !.
func input(s string) bool { return Output(strings.TrimPrefix(s, "!")) }

// lineOf names a line the same way however it is written. The processor's own chip
// is meant where none is named; it is labelled pinctrl-, and the first on a
// Raspberry Pi. What escapes this, the kernel refuses as a second use of a line.
func lineOf(s string) string {
	s = strings.TrimPrefix(s, "!")
	chip, n, ok := strings.Cut(s, "/")
	if !ok {
		n = strings.TrimPrefix(s, "GPIO")
	}
	if !ok || chip == "gpiochip0" || strings.HasPrefix(chip, "pinctrl-") {
		return "GPIO" + n
	}
	return s
}

// hostPort wants an address, not a name: a name would need the network at start.
func hostPort(s string) bool {
	host, p, err := net.SplitHostPort(s)
	if err != nil || !port(p, 0) {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil || host == "localhost"
}

func port(s string, least int) bool { return plain(s, least, 65535) }

// plain says whether s is a number in its shortest form, from least to most.
func plain(s string, least, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= least && n <= most && strconv.Itoa(n) == s
}

// origin says whether s is https://host[:port] and no more, or the same with
// http towards this machine.
func origin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme+"://"+u.Host != s || !only(u.Hostname(), ".-:") || u.Hostname() == "" {
		return false
	}
	if u.Host != u.Hostname() && !strings.HasSuffix(u.Host, "]") && !port(u.Port(), 1) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// listensOnLoopback says whether nobody outside the machine reaches host:port.
func listensOnLoopback(s string) bool {
	host, _, err := net.SplitHostPort(s)
	return err == nil && loopback(host)
}

// short writes a duration without the zeros that time.Duration adds: 10m, not 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
