package vipps

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"stolpe/payment"
)

// Fixed by the API's description (ePayment 1.8.1).
const (
	maxSystem      = 30   // characters of a Vipps-System-* header
	maxKey         = 50   // characters of an Idempotency-Key
	maxReturn      = 2500 // characters of a returnUrl
	maxMetadata    = 500  // characters of a value in metadata
	minDescription = 3    // characters of a paymentDescription
	maxDescription = 100
)

// maxSecret is the longest key taken for one, in bytes. Chosen by us: real ones
// are shorter than 100, and a whole file pasted by mistake is longer.
const maxSecret = 512

// Config says which sales unit to ask for, and where.
type Config struct {
	BaseURL         string // scheme and host alone; http only towards loopback
	MSN             string // merchant serial number of the sales unit
	ClientID        string
	ClientSecret    string
	SubscriptionKey string // Ocp-Apim-Subscription-Key, the primary or the secondary

	SystemName    string // what calls itself so, at most 30 characters; not sent if empty
	SystemVersion string // its version, at most 30 characters; not sent if empty

	// Push allows payment.ByPush, for which the sales unit needs an approval.
	Push bool

	// Description is the line the payer sees in the app, 3 to 100 characters. It
	// should name the post and say that the amount is only held and that the real
	// use is what is paid. An English sentence if nil.
	Description func(payment.Terms) string
}

// Format writes the config without its keys, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "vipps sales unit %q at %q", c.MSN, c.BaseURL)
}

// LogValue is the config in a log: without its keys.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// describe is the description in use where none is configured.
func describe(t payment.Terms) string {
	return "Charging at " + t.EVSE + ". Temporary hold of a maximum; you only pay for what you use."
}

var msnPattern = regexp.MustCompile(`^[0-9]{4,10}$`) // schema MSN

// check gives the base address, or everything that is wrong with the config.
func (c Config) check() (*url.URL, error) {
	longest := payment.Terms{EVSE: strings.Repeat("W", payment.MaxPostID) + "/99"}
	base, err := parseBase(c.BaseURL)
	problems := []error{
		err,
		checkSecret("client_id", c.ClientID),
		checkSecret("client_secret", c.ClientSecret),
		checkSecret("subscription_key", c.SubscriptionKey),
		checkSystem("system_name", c.SystemName),
		checkSystem("system_version", c.SystemVersion),
		checkDescription(c.Description(longest)),
	}
	if !msnPattern.MatchString(c.MSN) {
		problems = append(problems, fmt.Errorf("msn %q: want 4 to 10 digits", c.MSN))
	}
	return base, errors.Join(problems...)
}

// parseBase does not repeat the address: somebody may have put a password in it.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("base_url: want an address such as https://api.vipps.no")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, errors.New("base_url: want scheme and host alone, as in https://api.vipps.no")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("base_url: http is for a simulator on this machine only; want https for host %q", u.Hostname())
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("base_url: scheme %q: want https", u.Scheme)
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkSecret finds what pasting brings along: spaces, line ends, and characters
// nobody can see. It says where, never what.
func checkSecret(field, value string) error {
	if value == "" || len(value) > maxSecret {
		return fmt.Errorf("%s: has %d bytes: want 1 to %d", field, len(value), maxSecret)
	}
	if i := strings.IndexFunc(value, hidden); i >= 0 {
		return fmt.Errorf("%s: byte %d of %d is a space or not plain ASCII: was something pasted along with it?", field, i+1, len(value))
	}
	return nil
}

func hidden(r rune) bool { return r <= ' ' || r > '~' }

func checkSystem(field, value string) error {
	if len(value) > maxSystem || strings.IndexFunc(value, hidden) >= 0 {
		return fmt.Errorf("%s %q: want at most %d ASCII characters without spaces", field, value, maxSystem)
	}
	return nil
}

func checkDescription(s string) error {
	n := utf8.RuneCountInString(s)
	if n < minDescription || n > maxDescription || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("description %q: has %d characters: want %d to %d, in one line", s, n, minDescription, maxDescription)
	}
	return nil
}
