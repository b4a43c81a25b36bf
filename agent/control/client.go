package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
)

// Client calls a daemon on this machine. Make one with Dial.
type Client struct {
	dir  string
	http *http.Client
}

type asKey struct{}

// As is a context in which a client says who its caller is, where several share an
// account. The name is as CheckAs wants it; the empty one says nothing.
func As(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, asKey{}, name)
}

// Dial makes a client for the sockets in a folder. Nothing is opened yet.
func Dial(dir string) *Client {
	c := &Client{dir: dir}
	c.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", filepath.Join(dir, controlSocket))
		if errors.Is(err, fs.ErrPermission) { // then as somebody who looks
			conn, err = d.DialContext(ctx, "unix", filepath.Join(dir, statusSocket))
		}
		return conn, err
	}}}
	return c
}

// Get looks at something: what comes is read into what into points at. The error is a
// Refusal, wraps ErrNoDaemon, or is that of ctx.
func (c *Client) Get(ctx context.Context, name string, args, into any) error {
	return c.call(ctx, http.MethodGet, name, args, into)
}

// Do does something. Errors are those of Get.
func (c *Client) Do(ctx context.Context, name string, args, into any) error {
	return c.call(ctx, http.MethodPost, name, args, into)
}

// Follow calls each with everything that a route tells, until ctx ends, each fails or the
// route has no more to tell. Errors are those of Get, and those of each.
func (c *Client) Follow(ctx context.Context, name string, args any, each func(json.RawMessage) error) error {
	a, err := c.open(ctx, http.MethodGet, name, args)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	for d := json.NewDecoder(a.Body); ; {
		var v json.RawMessage
		switch err := d.Decode(&v); {
		case errors.Is(err, io.EOF):
			var no Refusal
			if why := a.Trailer.Get(refusedAs); why != "" && json.Unmarshal([]byte(why), &no) == nil {
				return no
			}
			return nil
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("%w any more in %s: %w", ErrNoDaemon, c.dir, err)
		}
		if err := each(v); err != nil {
			return err
		}
	}
}

func (c *Client) call(ctx context.Context, method, name string, args, into any) error {
	a, err := c.open(ctx, method, name, args)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, a.Body)
	} else {
		err = json.NewDecoder(a.Body).Decode(into)
	}
	if err != nil {
		return fmt.Errorf("answer of the daemon to %s: %w", name, err)
	}
	return nil
}

func (c *Client) open(ctx context.Context, method, name string, args any) (*http.Response, error) {
	var text []byte
	if args != nil {
		var err error
		if text, err = json.Marshal(args); err != nil {
			return nil, err
		}
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://stolpe"+root+name, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if as, _ := ctx.Value(asKey{}).(string); as != "" {
		q.Header.Set(asHeader, as)
	}
	a, err := c.http.Do(q)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w in %s", ErrNoDaemon, c.dir)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return nil, Refuse(Busy, "the daemon has closed the connection: too many are open at once, or it is ending; try again")
	case err != nil:
		return nil, fmt.Errorf("call the daemon: %w", err)
	case a.StatusCode == http.StatusOK:
		return a, nil
	}
	defer a.Body.Close()
	var no Refusal
	if err := json.NewDecoder(io.LimitReader(a.Body, maxBody)).Decode(&no); err != nil {
		return nil, fmt.Errorf("the daemon answers %s", a.Status)
	}
	return nil, no
}
