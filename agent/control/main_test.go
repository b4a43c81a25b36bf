package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if mask := os.Getenv(actorEnv); mask != "" {
		os.Exit(act(mask))
	}
	goleak.VerifyTestMain(m)
}

// actorEnv makes the test's program play a part in a test with several users.
const actorEnv = "CONTROL_TEST_PART"

// book is a ledger in memory.
type book struct {
	mu   sync.Mutex
	all  []Record
	err  error
	hang chan struct{} // nothing is written before it is closed; nil for at once
}

func (b *book) note(r Record) error {
	if b.hang != nil {
		<-b.hang
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.all = append(b.all, r)
	}
	return b.err
}

// written are the records so far: kind, route, code, text.
func (b *book) written() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, r := range b.all {
		all = append(all, strings.Join([]string{string(r.Kind), r.Route, string(r.Code), r.Text}, "|"))
	}
	return all
}

// post is a server that runs.
type post struct {
	*Server
	dir  string
	book *book
	log  *bytes.Buffer
	end  func()
}

// folderOf makes a folder whose name is short enough for a socket's.
func folderOf(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// start starts a server; whoever calls through its control socket has a role.
func start(t testing.TB, role Role, routes ...Route) *post {
	t.Helper()
	p := &post{dir: folderOf(t), book: &book{}, log: new(bytes.Buffer)}
	s, err := Listen(Options{Dir: p.dir, Routes: routes, Note: p.book.note, Log: slog.New(slog.NewTextHandler(p.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.who = func(uid, _ int) Caller { return Caller{UID: uid, Name: "kari", Role: role} }
	p.Server = s
	p.run(t)
	return p
}

func (p *post) run(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run(ctx) }()
	p.end = func() { cancel(); <-ended }
	t.Cleanup(p.end)
	until(t, "the server answers", func() bool { return Dial(p.dir).Get(t.Context(), "", nil, nil) == nil })
}

// until waits until something has come true.
func until(t testing.TB, what string, true func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !true() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// through calls one of the sockets by its name.
func through(dir, socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socket))
	}}}
}

// codeOf is the code of a refusal; done without one.
func codeOf(err error) Code {
	var no Refusal
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &no):
		return no.Code
	}
	return Code("no refusal: " + err.Error())
}

// answering is a route that counts how often it was done.
func answering(name string, least Role, changes bool, done *[]string) Route {
	var mu sync.Mutex
	return Route{Name: name, Least: least, Changes: changes, Do: func(_ context.Context, c Caller, args json.RawMessage) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		if done != nil {
			*done = append(*done, name+" "+c.String()+" "+string(args))
		}
		return map[string]any{"name": name, "role": c.Role.String()}, nil
	}}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
