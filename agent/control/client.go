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
	As   string // the caller's own name, where several share an account
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

// Follow calls each with everything that a route tells, until ctx ends, each fails or
// the daemon goes.
func (c *Client) Follow(ctx context.Context, name string, args any, each func(json.RawMessage) error) error {
	body, err := c.open(ctx, http.MethodGet, name, args)
	if err != nil {
		return err
	}
	defer body.Close()
	for d := json.NewDecoder(body); ; {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := each(v); err != nil {
			return err
		}
	}
}

func (c *Client) call(ctx context.Context, method, name string, args, into any) error {
	body, err := c.open(ctx, method, name, args)
	if err != nil {
		return err
	}
	defer body.Close()
	if into == nil {
		return nil
	}
	return json.NewDecoder(body).Decode(into)
}

func (c *Client) open(ctx context.Context, method, name string, args any) (io.ReadCloser, error) {
	var text []byte
	if args != nil {
		var err error
		if text, err = json.Marshal(args); err != nil {
			return nil, err
		}
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://stolpe/v1/"+name, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	a, err := c.http.Do(q)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w in %s", ErrNoDaemon, c.dir)
	case err != nil:
		return nil, err
	case a.StatusCode == http.StatusOK:
		return a.Body, nil
	}
	defer a.Body.Close()
	var no Refusal
	if err := json.NewDecoder(io.LimitReader(a.Body, maxBody)).Decode(&no); err != nil {
		return nil, fmt.Errorf("the daemon answers %s", a.Status)
	}
	return nil, no
}
