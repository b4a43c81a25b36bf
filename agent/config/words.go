package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"stolpe/agent/config/strict/legal"
	"stolpe/display"
	"stolpe/payment"
)

// postID keeps references apart from each other and from plain numbers, which
// other systems of the same sales unit use.
func postID(s string) bool {
	return len(s) <= payment.MaxPostID && legal.Word(s) && strings.Trim(s, "0123456789") != ""
}

// code refuses the first words of other addresses: languages, and pages that
// belong to no EVSE.
func code(s string) bool {
	if _, language := display.ParseLang(strings.ToLower(s)); language {
		return false
	}
	taken := []string{"nn", "no", "static", "assets", "terms", "privacy", "help", "health", "healthz", "metrics", "status", "api", "sim", "vipps", "webhooks"}
	return len(s) <= maxCode && legal.Word(s) && !slices.Contains(taken, strings.ToLower(s))
}

func mapName(s string) bool {
	return len(s) <= maxName && s[0] != '_' && legal.Only(s, "_") && s == strings.ToLower(s)
}

// zone says whether the zone is known here. "Local" would be whatever the
// machine happens to be set to.
func zone(s string) bool {
	_, err := time.LoadLocation(s)
	return err == nil && s != "Local"
}

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
			if !legal.OneOf("baud", "parity", "stop")(name) || len(q[name]) != 1 {
				return false
			}
		}
		return err == nil && legal.Absolute(u.Path) && s == "rtu://"+strings.TrimSuffix(u.Path+"?"+u.RawQuery, "?")
	}
	return (u.Scheme == "tcp" || u.Scheme == "rtuovertcp") && s == u.Scheme+"://"+u.Host && u.Hostname() != "" && u.User == nil && legal.Port(u.Port(), 1)
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
		return chip != "" && len(chip) <= maxName && legal.Only(chip, "-_.:@") && legal.Plain(n, 0, maxLine)
	}
	n, ok := strings.CutPrefix(text, "GPIO")
	return ok && legal.Plain(n, 0, maxLine)
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

func someText(most int) string { return fmt.Sprintf("a text of at most %d characters", most) }

func phone(s string) bool {
	plain := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimPrefix(s, "+"))
	return legal.Digits(plain, 3, 15) // at most 15: ITU-T E.164
}

// email checks no more than that a mail program would know what is meant.
func email(s string) bool {
	name, host, _ := strings.Cut(s, "@")
	return len(s) <= 100 && name != "" && legal.Only(name, "._+-") && strings.Contains(host, ".") && legal.Only(host, ".-")
}

// listensOnLoopback says whether nobody outside the machine reaches host:port.
func listensOnLoopback(s string) bool {
	host, _, err := net.SplitHostPort(s)
	return err == nil && legal.Loopback(host)
}

// day is written as in ISO 8601.
func day(s string) bool {
	_, err := time.Parse("2006-01-02", s)
	return err == nil
}
