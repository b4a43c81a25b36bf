package vipps

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// Advice is what a technician does next about an error of this package, in one
// sentence; empty if nothing is known.
func Advice(err error) string {
	var f *failure
	if !errors.As(err, &f) {
		return ""
	}
	for i := range reactions {
		if reactions[i].code == f.code {
			return reactions[i].do
		}
	}
	return f.advice
}

// What is told of keys. Others tell by it what is wrong.
const (
	turnedAway  = "keys not accepted by the gateway in front of the service"
	notAccepted = "keys or token not accepted"
	notAllowed  = "not allowed for this sales unit"

	// notOurs is a token endpoint's word for keys that belong to another sales unit
	// (RFC 6749, 5.2).
	notOurs = "unauthorized_client"
)

// BadKeys says whether an error of this package is that the service does not take the
// keys.
func BadKeys(err error) bool {
	var f *failure
	return errors.As(err, &f) && !BadUnit(err) && (f.plain == notAccepted || f.plain == turnedAway)
}

// BadUnit says whether an error of this package is that the keys are good, and not for
// this sales unit.
func BadUnit(err error) bool {
	var f *failure
	return errors.As(err, &f) && (f.plain == notAllowed || f.plain == notAccepted && strings.Contains(f.detail, notOurs))
}

// explain tells apart what looks alike from far away: who failed, and how; and
// what to do about it.
func explain(got reply, p problem, err error) (plain, advice string) {
	if got.status == 0 {
		return unreached(err)
	}
	switch status := got.status; {
	case errors.Is(err, errNotJSON):
		return strange()
	case status/100 == 2 && errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke in the middle of the answer", "nothing: it is asked again; look at the mobile signal if it is told often"
	case status/100 == 2 && !errors.Is(err, errNonsense):
		return unreached(err)
	case status/100 == 2:
		return "", "nothing: it is asked again; if it goes on, report it with this line"
	case status == http.StatusLocked:
		return "locked: the payment is being worked on", "nothing: it is asked again"
	case status == http.StatusTooManyRequests:
		return fmt.Sprintf("too many calls: asked to wait %v", retryAfter(got.header)), "nothing: it is asked again when it may be; if it is told often, another program uses these keys"
	case p.by == gateway && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		return turnedAway, "look at subscription_key, and whether it belongs to this base_url"
	case status == http.StatusUnauthorized && (p.by == service || len(got.body) == 0):
		return notAccepted, "look at client_id, client_secret, subscription_key and msn: do they belong together, and to this base_url?"
	case status == http.StatusForbidden && p.by != nobody:
		return notAllowed, "ask the service which products sales unit and keys are for"
	case p.by == nobody && status/100 == 5:
		return "the service is not well, or something in front of it", "nothing: it is asked again; status.vippsmobilepay.com tells of outages"
	case p.by == nobody:
		return strange()
	case status/100 == 5:
		return "the service has a fault of its own", "nothing: it is asked again; status.vippsmobilepay.com tells of outages"
	case p.by == gateway:
		return "turned away by the gateway in front of the service", "look at base_url, and at the subscription key"
	}
	return "", ""
}

// strange is for an answer in nobody's words.
func strange() (plain, advice string) {
	return "not in the service's words: a proxy or a login page answered", "look at the network of the post: does it let programs out to the service?"
}

// unreached tells why there was no answer at all.
func unreached(err error) (plain, advice string) {
	var unnamed *net.DNSError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	var slow net.Error
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the service's certificate is not valid at " + time.Now().UTC().Format(time.RFC3339) + ", which is what the clock of this machine says",
			"compare it with a watch, and set the clock: timedatectl; without a network time source a post with no battery clock starts in the past"
	case errors.As(err, &unknown), errors.As(err, &other), errors.As(err, &invalid):
		return "whoever answered is not the service: its certificate is not trusted", "look at base_url, at the proxy, and whether ca-certificates is installed"
	case errors.As(err, &unnamed):
		return "the name of the service cannot be found", "look at the network and its name server: resolvectl status"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there", "look at base_url, and at the proxy if there is one"
	case errors.Is(err, errLong):
		return "the answer is too long to be the service's", "look at base_url, and at the proxy if there is one"
	case errors.Is(err, context.Canceled):
		return "given up by this program, which is stopping", "nothing: it is asked again"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return "no answer in time", "nothing: it is asked again; look at the mobile signal if it is told often"
	case err != nil:
		return "the connection broke", "nothing: it is asked again; look at the mobile signal if it is told often"
	}
	return "", ""
}
