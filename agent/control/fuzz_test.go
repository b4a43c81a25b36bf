package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzControl sends whatever comes to mind to both sockets, as callers of each role.
// Nothing is done that the caller may not, nothing is done through the status socket,
// what is done was written down, each answer is one, and the server lives on.
func FuzzControl(f *testing.F) {
	for _, seed := range []string{
		"GET /v1/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/look HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"POST /v1/work HTTP/1.1\r\nHost: x\r\nStolpe-As: kari\r\nContent-Length: 10\r\n\r\n{\"evse\":1}",
		"POST /v1/work HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"POST /v1/tune HTTP/1.1\r\nHost: x\r\n\r\nPOST /v1/tune HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/tell HTTP/1.0\r\n\r\n", "GET /v1/%2e%2e/v1/work HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n", "\x16\x03\x01",
	} {
		for role := range 3 {
			f.Add([]byte(seed), uint8(role), false)
			f.Add([]byte(seed), uint8(role), true)
		}
	}
	var now Role // of whoever calls
	tell := Route{Name: "tell", Least: Technician, Follow: func(_ context.Context, c Caller, _ json.RawMessage, send func(any) error) error {
		return send(c.Role.String())
	}}
	var done []string
	p := start(f, Admin, answering("look", Viewer, false, &done), answering("peek", Technician, false, &done), answering("work", Technician, true, &done), answering("tune", Admin, true, &done), tell)
	p.who = func(uid, _ int) Caller { return Caller{UID: uid, Role: now} }
	f.Fuzz(func(t *testing.T, text []byte, role uint8, looking bool) {
		now = Role(role % 3)
		p.rates.begin()
		done, p.book.all = nil, nil
		socket := controlSocket
		if looking {
			socket = statusSocket
		}
		exchange(t, filepath.Join(p.dir, socket), text)
		if err := Dial(p.dir).Get(t.Context(), "", nil, nil); err != nil {
			t.Fatalf("after that nobody is answered: %v", err)
		}
		changed := 0
		for _, what := range done {
			name, _, _ := strings.Cut(what, " ")
			least := p.routes[name].Least
			if least > now || looking && least > Viewer {
				t.Errorf("%s was done for a %v, status socket: %v", what, now, looking)
			}
			if p.routes[name].Changes {
				changed++
			}
		}
		accepted := 0
		for _, what := range p.book.written() {
			if strings.HasPrefix(what, "accepted|") {
				accepted++
			}
		}
		if accepted != changed {
			t.Errorf("%d changes were done, %d are written down: %q", changed, accepted, p.book.written())
		}
		if strings.Contains(p.log.String(), "panic") {
			t.Errorf("log: %s", p.log)
		}
	})
}

// exchange sends bytes, and reads whatever is answered: whole answers whose bodies are JSON.
func exchange(t *testing.T, path string, text []byte) {
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(text); err != nil {
		t.Log(err) // it is refused before all of it has been read
	}
	c.(*net.UnixConn).CloseWrite() //nolint:errcheck // the same
	all, err := io.ReadAll(c)
	if ne, is := err.(net.Error); is && ne.Timeout() {
		t.Fatal("no end of the answer")
	}
	for r := bufio.NewReader(bytes.NewReader(all)); ; {
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(a.Body)
		if strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") && len(body) > 0 && !json.Valid(body) {
			t.Errorf("answer %d: %q", a.StatusCode, body)
		}
	}
}
