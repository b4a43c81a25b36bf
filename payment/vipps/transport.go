package vipps

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Chosen by us. The API's documentation names no time-outs; its own kits wait
// about as long.
const (
	askTimeout    = 20 * time.Second // one asking: a token, a read and a change
	dialTimeout   = 5 * time.Second
	tlsTimeout    = 5 * time.Second
	headerTimeout = 15 * time.Second // from the request sent to the first line of the answer
	idleTimeout   = 30 * time.Second // shorter than what gateways and mobile networks allow, so an old connection is ours to end

	// maxConns is how many connections there may be, all of which may idle. A post
	// never has more than one or two; a gateway for many posts has this many.
	maxConns   = 128
	maxHeaders = 32 << 10         // bytes of an answer's headers
	maxBody    = 64 << 10         // bytes of an answer's body; real ones have about 1 KiB
	maxWait    = 15 * time.Minute // the longest Retry-After that is believed
)

// newTransport makes the connections of one client.
func newTransport() *http.Transport {
	only1 := new(http.Protocols)
	only1.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxConnsPerHost:        maxConns,
		MaxIdleConns:           maxConns,
		MaxIdleConnsPerHost:    maxConns,
		MaxResponseHeaderBytes: maxHeaders,
		Protocols:              only1,
	}
}

// stay follows no redirect: the API sends none, and keys must not travel to
// another address.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// reply is a whole answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

var errLong = errors.New("answer is too long")

// roundTrip sends a request and reads the whole answer, or as much as is allowed.
// It returns the status with errLong, and also when the connection broke in the
// middle of the body.
func roundTrip(client *http.Client, r *http.Request) (reply, error) {
	return roundTripUpTo(client, r, maxBody)
}

// roundTripUpTo is roundTrip with so many bytes of body allowed.
func roundTripUpTo(client *http.Client, r *http.Request, most int64) (reply, error) {
	resp, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("%w: more than %d bytes", errLong, most)
	}
	if err != nil {
		body = nil
	}
	return reply{resp.StatusCode, resp.Header, body}, err
}

// retryAfter is how long the service asks to be left alone. A date is compared
// with the service's own clock, never with ours.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxWait/time.Second))) * time.Second
	}
	until, err1 := http.ParseTime(value)
	now, err2 := http.ParseTime(h.Get("Date"))
	if errors.Join(err1, err2) != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxWait)
}
