// Package modbus reads energy meters over Modbus TCP. A Meter gives the import
// register, the power and the serial of one meter, as often as it is asked.
//
// # Why
//
// What is read here is billed, so a reading is either whole, from the right
// meter, and the answer to this very request, or it is an error. It is never a
// zero standing for "unknown", and never an older answer.
//
// goburrow/modbus makes the requests and verifies the frames; the transport is
// ours. Its own transport takes the rest of an earlier exchange for the answer
// to a later one or never recovers, accepts answers shorter than what was asked,
// and knows no deadline for a whole answer.
//
// A request for a meter never changes, so it is encoded once, when the meter is
// opened, and only its transaction id is written per exchange. Going through
// goburrow's client for every exchange would allocate seven times; this way a
// read allocates nothing and takes less time (BenchmarkTransaction).
//
// Any error closes the connection, except an exception answer: that is a whole
// and timely answer, and gateways give it each second while a meter is off. The
// next read connects again by itself, so a caller only ever calls Read again.
//
// A meter on an RS-485 line is reached through a gateway here. The silence such a
// meter needs before a request is kept over TCP too, because a gateway passes a
// request on at once.
package modbus

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// coarse is assumed as the step of an import register whose map names none, in
// Wh. Chosen by us: meters for billing show at least 0.01 kWh, and a float32 in
// kWh has steps below 8 Wh up to 131 MWh, which no post reaches in its life.
const coarse hal.Energy = 10

// Config says which meter to read, and where.
type Config struct {
	Model   string               // one of Models
	URL     string               // tcp://host:port
	Unit    int                  // 1 to 247; 255 for a meter that is its own gateway
	Now     func() time.Duration // the clock of hal.Reading.At; it never goes backwards
	Timeout time.Duration        // for one whole answer, and for connecting; 0: what the map says
}

// Models lists the meters that can be read, sorted.
func Models() []string { return meters.Names() }

// Open prepares a meter. It does not connect: the first Read does, so that a
// post starts without its meter. It returns an error when the model is unknown
// or the configuration cannot be right, and says what could be.
func Open(c Config) (*Meter, error) {
	m, err := meters.Find(c.Model)
	if err != nil {
		return nil, fmt.Errorf("modbus: open meter: %w", err)
	}
	address, err := parseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("modbus: open meter: %w", err)
	}
	if c.Unit != 255 && (c.Unit < 1 || c.Unit > 247) {
		return nil, fmt.Errorf("modbus: open meter: unit %d: want 1 to 247, or 255", c.Unit)
	}
	if c.Now == nil {
		return nil, errors.New("modbus: open meter: no clock: want the function Now")
	}
	if c.Timeout < 0 {
		return nil, fmt.Errorf("modbus: open meter: timeout %v: want more than 0, or 0 for what the map says", c.Timeout)
	}
	if c.Timeout == 0 {
		c.Timeout = time.Duration(m.Limits.MaxResponse) * time.Millisecond
	}
	meter, err := newMeter(m, uint8(c.Unit), newLine(address, c.Timeout), c.Now)
	if err != nil {
		return nil, fmt.Errorf("modbus: open meter %s: %w", c.Model, err)
	}
	return meter, nil
}

// parseURL gives the host and port to connect to.
func parseURL(text string) (address string, err error) {
	const want = "want tcp://host:port, such as tcp://192.168.1.20:502"
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("meter url %q: %s", text, want)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	bare := url.URL{Scheme: "tcp", Host: u.Host}
	if err != nil || port == 0 || u.Hostname() == "" || *u != bare {
		return "", fmt.Errorf("meter url %q: %s", text, want)
	}
	return net.JoinHostPort(u.Hostname(), u.Port()), nil
}
