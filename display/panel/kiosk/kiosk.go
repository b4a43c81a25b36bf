// Package kiosk shows pictures in a browser on the post itself, which fills the screen with
// one page and nothing else.
//
// # Why
//
// A screen with a window system has no frame buffer that is ours, but it can run a browser.
// The page is the same picture that other screens show, with its words for people who cannot
// see it. It listens on the loopback address alone, and only to the names of that: it shows
// what everybody in front of the post may see, but whose post it is to be found on is not for
// any page elsewhere to ask.
//
// What the browser shows must end with the program: a price and a code on a dead post take
// people's money and time. So the page brings the picture of a post that is out of order
// along and shows it by itself as soon as the connection ends, or after three beats of
// silence. Without script the page is fetched again and again; what it shows then ends with
// the style sheet, which covers it after the same time.
//
// The package has a goroutine, unlike other devices: a server has to serve.
package kiosk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"stolpe/display"
	"stolpe/display/panel"
)

//go:embed page.html page.css page.js
var files embed.FS

// Time-outs of the server. Chosen by us: the browser runs on the same machine.
const (
	headerTime = 5 * time.Second
	writeTime  = 10 * time.Second // for an answer, and for one event
	idleTime   = time.Minute
	headers    = 8 << 10 // bytes
)

// Device is the page. Make one with Open.
type Device struct {
	server *http.Server
	names  []string // by which the page may be asked for
	langs  [2]display.Lang
	page   string // tells one version of the page from another
	end    picture
	failed chan error // of serving; closed at its end

	mu      sync.Mutex
	now     picture
	before  picture       // the one before: a browser may just be asking for it
	changed chan struct{} // closed when there is a newer one
	wrote   int64         // bytes of pictures
	streams int           // browsers that listen
}

// picture is one page with its words.
type picture struct {
	name       string // the same for the same dots, and for no others: browsers keep pictures by name
	png        []byte
	said, also string // in the first language, and in the second
	night      bool
}

// Open serves the page at an address such as "127.0.0.1:8090". It shows end until there is
// something else, and whenever the program is gone.
func Open(address string, langs [2]display.Lang, end panel.Frame) (*Device, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("address of the kiosk's page: %w", err)
	}
	if !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("address of the kiosk's page: %s can be reached from elsewhere; 127.0.0.1 cannot", address)
	}
	last, err := made(end)
	if err != nil {
		return nil, err
	}
	page, err := version(last)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the kiosk's page: %w", err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	d := &Device{
		names: []string{net.JoinHostPort(at.Addr().String(), port), net.JoinHostPort("localhost", port)},
		langs: langs, page: page, end: last, now: last, failed: make(chan error, 1), changed: make(chan struct{}),
	}
	d.server = &http.Server{
		Handler: d, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headers,
	}
	go func() {
		d.failed <- d.server.Serve(l)
		close(d.failed)
	}()
	return d, nil
}

// made encodes a frame.
func made(f panel.Frame) (picture, error) {
	if f.Image == nil {
		return picture{}, errors.New("the kiosk's page: a frame without dots")
	}
	var b bytes.Buffer
	if err := png.Encode(&b, f.Image); err != nil {
		return picture{}, fmt.Errorf("encode the kiosk's picture: %w", err)
	}
	sum := sha256.Sum256(b.Bytes())
	return picture{name: hex.EncodeToString(sum[:8]), png: b.Bytes(), said: f.Page.Spoken(0), also: f.Page.Spoken(1), night: f.Night}, nil
}

// version tells one page from another: a browser that has an old one loads it anew.
func version(end picture) (string, error) {
	sum := sha256.New()
	for _, name := range []string{"page.html", "page.css", "page.js"} {
		text, err := files.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("the kiosk's page: %w", err)
		}
		sum.Write(text)
	}
	sum.Write(end.png)
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// Show puts the picture of the frame on the page.
func (d *Device) Show(f panel.Frame) error {
	p, err := made(f)
	if err != nil {
		return err
	}
	select {
	case err, ok := <-d.failed:
		if !ok {
			err = http.ErrServerClosed
		}
		return fmt.Errorf("serve the kiosk's page: %w", err)
	default:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.name == d.now.name && p.night == d.now.night {
		return nil
	}
	d.before, d.now = d.now, p
	d.wrote += int64(len(p.png))
	close(d.changed)
	d.changed = make(chan struct{})
	return nil
}

// Wrote says how many bytes of pictures there have been since Open.
func (d *Device) Wrote() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wrote
}

// Close ends the page: whoever shows it shows a post that is out of order.
func (d *Device) Close() error {
	err := d.server.Close()
	for range d.failed { // until it serves no more
	}
	if err != nil {
		return fmt.Errorf("close the kiosk's page: %w", err)
	}
	return nil
}

// address is a picture that stands in the page itself.
func (p picture) address() string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(p.png)
}
