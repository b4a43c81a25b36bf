package sim

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// ServeAt serves meters where a post's configuration would look for them, until
// ctx is done: at tcp://host:port, at rtuovertcp://host:port, or at
// rtu:///path?baud=9600&parity=N&stop=1, where path becomes a symbolic link to a
// pseudo terminal. Port 0 takes a free one, and no path means no link. It calls
// ready with the URL that came of it. It returns an error when the URL is none of
// these or cannot be had, and nil when ctx is done.
func ServeAt(ctx context.Context, at string, units Units, ready func(url string)) error {
	u, err := url.Parse(at)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	var served interface {
		URL() string
		Close() error
	}
	switch bare := (url.URL{Scheme: u.Scheme, Host: u.Host}); {
	case u.Scheme == "rtu" && u.Host == "":
		var serial Serial
		if serial, err = serialAt(u); err == nil {
			served, err = ServeRTU(units, serial)
		}
	case u.Scheme == "tcp" && *u == bare:
		served, err = ServeTCP(u.Host, units)
	case u.Scheme == "rtuovertcp" && *u == bare:
		served, err = ServeRTUOverTCP(u.Host, units)
	default:
		err = fmt.Errorf("sim: serve at %q: want tcp://host:port, rtuovertcp://host:port or rtu:///path?baud=9600&parity=N&stop=1", at)
	}
	if err != nil {
		return err
	}
	ready(served.URL())
	<-ctx.Done()
	return served.Close()
}

// serialAt is the line that a URL describes.
func serialAt(u *url.URL) (Serial, error) {
	var s Serial
	if u.Path != "/" {
		s.Link = u.Path
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return s, fmt.Errorf("sim: serve at %q: %w", u, err)
	}
	for key, values := range query {
		err := errors.New("want baud, parity or stop")
		switch key {
		case "baud":
			s.Baud, err = positive(values[0])
		case "parity":
			s.Parity, err = values[0], nil
		case "stop":
			s.StopBits, err = positive(values[0])
		}
		if err != nil {
			return s, fmt.Errorf("sim: serve at %q: parameter %s: %w", u, key, err)
		}
		if len(values) > 1 {
			return s, fmt.Errorf("sim: serve at %q: parameter %s: %d times", u, key, len(values))
		}
	}
	return s, nil
}

// positive reads a number above 0, because a Serial takes 0 for its default.
func positive(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && n <= 0 {
		err = fmt.Errorf("%d: want more than 0", n)
	}
	return n, err
}
