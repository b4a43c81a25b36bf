package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What somebody with curl sees: the method, the status and the code of each request.
func TestStatusesForCurl(t *testing.T) {
	refusing := func(name string, c Code) Route {
		return Route{Name: name, Do: func(context.Context, Caller, json.RawMessage) (any, error) {
			return nil, fmt.Errorf("in a wrapper: %w", Refuse(c, "because"))
		}}
	}
	p := start(t, Technician,
		answering("look", Viewer, false, nil), answering("work", Technician, true, nil), answering("tune", Admin, true, nil),
		refusing("invalid", Invalid), refusing("unsafe", Unsafe), refusing("busy", Busy), refusing("device", Device), refusing("remote", Remote), refusing("lost", NotFound),
		Route{Name: "broken", Do: func(context.Context, Caller, json.RawMessage) (any, error) { return nil, errors.New("it broke") }},
		Route{Name: "odd", Do: func(context.Context, Caller, json.RawMessage) (any, error) { return func() {}, nil }},
		Route{Name: "strict", Do: func(_ context.Context, _ Caller, args json.RawMessage) (any, error) {
			var a struct{ N int }
			return a, Read(args, &a)
		}},
	)
	large := `{"n": "` + strings.Repeat("x", maxBody) + `"}`
	for _, row := range []struct {
		method, path, body string
		status             int
		want               string // in the answer
	}{
		{"GET", "/v1/look", "", 200, `"role":"technician"`},
		{"GET", "/v1/look", "{}", 200, `"name":"look"`},
		{"GET", "/v1/look", "[]", 400, "want a JSON object"},
		{"GET", "/v1/look", "{", 400, "want a JSON object"},
		{"GET", "/v1/look", large, 400, "more than 65536 bytes"},
		{"POST", "/v1/look", "", 405, "look is asked for with GET"},
		{"DELETE", "/v1/look", "", 405, "look is asked for with GET"},
		{"GET", "/v1/work", "", 405, "work is asked for with POST"},
		{"POST", "/v1/work", "", 200, `"name":"work"`},
		{"POST", "/v1/tune", "", 403, "tune is for a role from admin on, and here this is a technician; use sudo"},
		{"GET", "/v1/nothing", "", 404, `there is nothing at \"/v1/nothing\": GET /v1/ lists what there is`},
		{"GET", "/v2/look", "", 404, "GET /v1/ lists what there is"},
		{"GET", "/v1/", "", 200, `{"name":"tune","method":"POST","least":"admin","may":false}`},
		{"GET", "/v1/strict", `{"n": 1}`, 200, `"N":1`},
		{"GET", "/v1/strict", `{"m": 1}`, 400, `unknown field \"m\"`},
		{"GET", "/v1/invalid", "", 400, `{"code":"invalid","text":"because"}`},
		{"GET", "/v1/lost", "", 404, `"not_found"`},
		{"GET", "/v1/unsafe", "", 409, `"unsafe"`},
		{"GET", "/v1/busy", "", 503, `"busy"`},
		{"GET", "/v1/device", "", 502, `"device"`},
		{"GET", "/v1/remote", "", 502, `"remote"`},
		{"GET", "/v1/broken", "", 500, `{"code":"failed","text":"it broke"}`},
		{"GET", "/v1/odd", "", 500, "the answer cannot be written"},
	} {
		q, err := http.NewRequestWithContext(t.Context(), row.method, "http://stolpe"+row.path, strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		a, err := through(p.dir, controlSocket).Do(q)
		if err != nil {
			t.Errorf("%s %s: %v", row.method, row.path, err)
			continue
		}
		text, _ := io.ReadAll(a.Body)
		a.Body.Close()
		var object map[string]any
		if a.StatusCode != row.status || !strings.Contains(string(text), row.want) || a.Header.Get("Content-Type") != "application/json" || json.Unmarshal(text, &object) != nil {
			t.Errorf("%s %s %.20s: %d %v %s\nwant %d, %s", row.method, row.path, row.body, a.StatusCode, a.Header, text, row.status, row.want)
		}
		p.rates.begin()
	}
}

// Whoever comes through the status socket looks, whoever they are.
func TestStatusSocketIsForLooking(t *testing.T) {
	var done []string
	p := start(t, Admin, answering("look", Viewer, false, &done), answering("peek", Technician, false, &done), answering("work", Technician, true, &done))
	c := &Client{dir: p.dir, http: through(p.dir, statusSocket)}
	var role struct{ Role string }
	if err := c.Get(t.Context(), "look", nil, &role); err != nil || role.Role != "viewer" {
		t.Errorf("%+v, %v", role, err)
	}
	for _, err := range []error{c.Get(t.Context(), "peek", nil, nil), c.Do(t.Context(), "work", nil, nil)} {
		if codeOf(err) != NotPermitted || !strings.Contains(err.Error(), "use sudo") {
			t.Errorf("%v", err)
		}
	}
	p.end()
	if len(done) != 1 || len(p.book.written()) != 0 {
		t.Errorf("done %v, written down %v", done, p.book.written())
	}
}

// Nobody keeps others out by opening connections, or by saying nothing on them.
func TestConnectionsAreFew(t *testing.T) {
	p := start(t, Technician, answering("look", Viewer, false, nil))
	var open []net.Conn
	for range maxEach {
		c, err := net.Dial("unix", filepath.Join(p.dir, statusSocket))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	status := &Client{dir: p.dir, http: through(p.dir, statusSocket)}
	until(t, "one too many is turned away", func() bool { return codeOf(status.Get(t.Context(), "look", nil, nil)) == Busy })
	if err := Dial(p.dir).Get(t.Context(), "look", nil, nil); err != nil {
		t.Errorf("through the other socket: %v", err)
	}
	for _, c := range open {
		c.Close()
	}
	until(t, "there is room again", func() bool { return status.Get(t.Context(), "look", nil, nil) == nil })
	c, err := net.Dial("unix", filepath.Join(p.dir, statusSocket))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET /v1/look HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 2*maxHead)); err != nil {
		t.Log(err) // it is refused before it has been sent
	}
	if text, _ := io.ReadAll(c); !strings.HasPrefix(string(text), "HTTP/1.1 431 ") {
		t.Errorf("a head that is too large: %.60s", text)
	}
}

// A program that asks all the time is told to wait, and nobody else is.
func TestRequestsAreFew(t *testing.T) {
	urgent := answering("off", Technician, true, nil)
	urgent.Urgent = true
	other := answering("open", Technician, true, nil)
	other.Urgent = true
	p := start(t, Technician, answering("look", Viewer, false, nil), urgent, other)
	c, busy := Dial(p.dir), 0
	for range mostAsked + 20 {
		if codeOf(c.Get(t.Context(), "look", nil, nil)) == Busy {
			busy++
		}
	}
	if busy == 0 {
		t.Error("nobody was told to wait")
	}
	if err := p.rates.take(4711); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	for i := range mostChanged + 20 {
		if err := c.Do(t.Context(), "off", nil, nil); err != nil {
			t.Fatalf("what is urgent, time %d: %v", i, err)
		}
	}
	if err := c.Do(t.Context(), "open", map[string]int{"evse": 2}, nil); err != nil {
		t.Fatal(err)
	}
	p.end()
	all := p.book.written()
	if n := len(all); n > 2*(mostChanged+2)+2 {
		t.Errorf("%d records", n)
	}
	// Nothing is done unseen by doing something else often before.
	n, each := 0, 0
	for _, line := range all {
		var times int
		if _, err := fmt.Sscanf(line, "done|off||%d times, too fast to be written down each", &times); err == nil {
			n += times
		} else if strings.HasPrefix(line, "done|off|") {
			each++
		}
	}
	if n == 0 || n+each != mostChanged+20 || !slices.ContainsFunc(all, func(line string) bool { return strings.HasPrefix(line, "done|open||1 times, too fast") }) {
		t.Errorf("%d and %d together are written down\n%s", each, n, strings.Join(all, "\n"))
	}
}

// What is told together has not more entries than there is room for, and forgets no deed.
func TestTallyHasRoomForAll(t *testing.T) {
	y := tally{news: make(chan struct{}, 1)}
	for i := range 3 * mostTold {
		y.add(Record{Kind: Done, Route: []string{"off", "open"}[i%2], Caller: Caller{UID: 7, As: fmt.Sprint(i)}})
	}
	y.add(Record{Kind: Done, Route: "late"})
	n, last := 0, Record{}
	for r, more := y.take(); more; r, more = y.take() {
		var times int
		if _, err := fmt.Sscanf(r.Text, "%d times", &times); err != nil {
			t.Fatal(err)
		}
		n, last = n+times, r
	}
	if n != 3*mostTold+1 || last.Route != "late" || len(y.news) != 1 {
		t.Errorf("%d deeds, the last is %+v", n, last)
	}
}

// A bucket empties at once, and fills up again by and by, and not above its brim.
func TestBucketFills(t *testing.T) {
	var b bucket
	now := time.Unix(1000, 0)
	draws := func() (n int) {
		for b.draw(now, 3, time.Second) {
			n++
		}
		return n
	}
	for i, row := range []struct {
		pass time.Duration
		want int
	}{{0, 3}, {0, 0}, {900 * time.Millisecond, 0}, {100 * time.Millisecond, 1}, {1500 * time.Millisecond, 1}, {500 * time.Millisecond, 1}, {time.Hour, 3}, {2 * time.Second, 2}} {
		now = now.Add(row.pass)
		if got := draws(); got != row.want {
			t.Errorf("step %d: %d, want %d", i, got, row.want)
		}
	}
}

// Of many users all are served; what is known of them does not grow without end.
func TestManyUsersAreNotRemembered(t *testing.T) {
	var r rates
	r.begin()
	for uid := range 10 * mostUsers {
		if err := r.take(uid); err != nil {
			t.Fatal(err)
		}
		if len(r.asked) > mostUsers {
			t.Fatalf("%d users are remembered", len(r.asked))
		}
	}
}
