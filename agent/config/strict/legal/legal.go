// Package legal says what texts in a configuration may be.
//
// # Why
//
// What a text may be is a question of the text alone. It is answered here, where
// it can be tried with all that people have ever written, and used by the tables
// of every file.
package legal

import (
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Only says whether s consists of ASCII letters, digits and the extra characters.
func Only(s, extra string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune(extra, r)
	})
}

// Word says whether s is letters, digits and hyphens, beginning with none of these last.
func Word(s string) bool { return s != "" && s[0] != '-' && Only(s, "-") }

// Visible says whether every character of s can be seen, with no space around.
func Visible(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Digits says whether s is digits, from least to most of them.
func Digits(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

// Shorter wants at most that many characters.
func Shorter(most int) func(string) bool {
	return func(s string) bool { return utf8.RuneCountInString(s) <= most }
}

// OneOf wants one of the words.
func OneOf(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

// Absolute says whether s is an absolute path in its shortest form, other than that of everything.
func Absolute(s string) bool { return filepath.IsAbs(s) && filepath.Clean(s) == s && s != "/" }

// HostPort wants an address, not a name: a name would need the network at start.
func HostPort(s string) bool {
	host, p, err := net.SplitHostPort(s)
	if err != nil || !Port(p, 0) {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil || host == "localhost"
}

// Port says whether s is the number of a port, from least on.
func Port(s string, least int) bool { return Plain(s, least, 65535) }

// Plain says whether s is a number in its shortest form, from least to most.
func Plain(s string, least, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= least && n <= most && strconv.Itoa(n) == s
}

// Origin says whether s is https://host[:port] and no more, or the same with
// http towards this machine.
func Origin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme+"://"+u.Host != s || !Only(u.Hostname(), ".-:") || u.Hostname() == "" {
		return false
	}
	if u.Host != u.Hostname() && !strings.HasSuffix(u.Host, "]") && !Port(u.Port(), 1) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && Loopback(u.Hostname())
}

// Broker says whether s is mqtts://host:port and no more, or the same with mqtt
// towards this machine.
func Broker(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme+"://"+u.Host != s || !Only(u.Hostname(), ".-:") || u.Hostname() == "" || !Port(u.Port(), 1) {
		return false
	}
	return u.Scheme == "mqtts" || u.Scheme == "mqtt" && Loopback(u.Hostname())
}

// Page says whether s is the address of a page that everybody may be sent to.
func Page(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 200 && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && Only(s, "-._~:/?#@!$&()*+,;=%")
}

// Hexadecimal says whether s is that many hexadecimal digits.
func Hexadecimal(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// Loopback says whether host is this machine.
func Loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
