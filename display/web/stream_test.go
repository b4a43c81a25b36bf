package web

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/display"
)

// events are the numbers of a stream so far.
func events(t *testing.T, text string) []numbers {
	t.Helper()
	var all []numbers
	for line := range strings.SplitSeq(text, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var n numbers
		if err := json.Unmarshal([]byte(data), &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, n)
	}
	return all
}

// listen opens a stream in a bubble; end closes it and gives what came.
func (s site) listen(path string) (end func() *httptest.ResponseRecorder) {
	ctx, cancel := context.WithCancel(context.Background())
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	}()
	return func() *httptest.ResponseRecorder {
		cancel()
		<-done
		return w
	}
}

func TestAStreamDrawsAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twin := newTwin()
		twin.set(secret, running())
		site := newSite(t, twin)
		end := site.listen("/en/A12/" + secret + "/live")
		synctest.Wait()
		before := twin.looked()
		for i := range 200 { // 20 changes a second for 10 s
			v := running()
			v.Charge.Elapsed += time.Duration(i) * time.Minute
			twin.set(secret, v)
			<-time.After(50 * time.Millisecond)
		}
		looks := twin.looked() - before
		got := events(t, end().Body.String())
		if looks > 10 || len(got) > 11 || len(got) < 10 {
			t.Errorf("10 s of changes: %d drawings, %d events", looks, len(got))
		}
	})
}

func TestAQuietStreamBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twin := newTwin()
		twin.set(secret, running())
		end := newSite(t, twin).listen("/en/A12/" + secret + "/live")
		<-time.After(time.Minute + time.Millisecond)
		w := end()
		got := events(t, w.Body.String())
		if len(got) != 7 {
			t.Errorf("%d events in a minute without changes, want one every 10 s", len(got))
		}
		n := got[0]
		if n.Scene != "charge" || n.Energy != "8.64" || n.Cost != "47.43" || n.Bar != 4743 || n.Title != "Charging – A12" || n.Tone != flow {
			t.Errorf("the numbers are %+v", n)
		}
		if kind := w.Header().Get("Content-Type"); kind != "text/event-stream" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("the stream is %q, %q", kind, w.Header().Get("Cache-Control"))
		}
	})
}

func TestACountdownIsDrawnEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twin := newTwin()
		v := running()
		v.State, v.Charge.Left = display.Authorised, time.Minute
		twin.set(secret, v)
		end := newSite(t, twin).listen("/en/A12/" + secret + "/live")
		<-time.After(5*time.Second + time.Millisecond)
		if end(); twin.looked() < 6 {
			t.Errorf("%d drawings in 5 s of a countdown", twin.looked())
		}
	})
}

func TestAStreamEndsWithTheSettledCharge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twin := newTwin()
		twin.set(secret, running())
		end := newSite(t, twin).listen("/en/A12/" + secret + "/live")
		synctest.Wait()
		twin.set(secret, ended(display.CarFull))
		<-time.After(2 * time.Second)
		twin.set(secret, settled(display.CarFull))
		<-time.After(2 * time.Second)
		before := twin.looked()
		<-time.After(time.Minute)
		if twin.looked() != before {
			t.Error("the stream goes on after the charge is settled")
		}
		got := events(t, end().Body.String())
		if len(got) != 3 || got[0].Scene != "charge" || got[1].Scene == got[0].Scene || got[2].Scene == got[1].Scene {
			t.Errorf("the events are %+v", got)
		}
	})
}

func TestAStreamOfNobodyIsAPage(t *testing.T) {
	site := newSite(t, newTwin())
	w := site.get("/en/A12/" + secret + "/live")
	if w.Code != http.StatusNotFound || strings.Contains(w.Header().Get("Content-Type"), "event-stream") {
		t.Errorf("answers %d as %s", w.Code, w.Header().Get("Content-Type"))
	}
}

// serve serves on the loopback; stop closes it and gives what Serve returned.
func (s site) serve(t *testing.T) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, s) }()
	return "http://" + l.Addr().String(), func() error {
		cancel()
		return <-served
	}
}

// open opens a stream over a real wire and reads its first event.
func open(t *testing.T, client *http.Client, url string) (*bufio.Reader, func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // a test that hangs ends
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(answer.Body)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("no event came: %v", err)
		}
		if strings.HasPrefix(line, "data: ") {
			return in, func() { cancel(); answer.Body.Close() }
		}
	}
}

func TestAStreamOverAWireEndsWithTheChargeThePhoneAndTheServer(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	site := newSite(t, twin)
	address, stop := site.serve(t)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	url := address + "/A12/" + secret + "/live"

	in, leave := open(t, client, url)
	full, err := client.Get(url)
	if err != nil || full.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a second stream, with room for one, answers %v, %v", full, err)
	}
	full.Body.Close()
	twin.set(secret, settled(display.Unplugged))
	rest, err := io.ReadAll(in)
	if got := events(t, string(rest)); err != nil || len(got) != 1 || !strings.HasPrefix(got[0].Scene, "done") {
		t.Errorf("after the end came %+v, %v", got, err)
	}
	leave()

	twin.set(secret, running())
	site.streams <- struct{}{} // waits until the stream above has given its place back
	<-site.streams
	_, leave = open(t, client, url)
	leave()
	site.streams <- struct{}{} // and this one, whose phone has gone
	<-site.streams

	in, leave = open(t, client, url)
	defer leave()
	if err := stop(); err != nil {
		t.Errorf("Serve returns %v", err)
	}
	if _, err := io.ReadAll(in); err != nil {
		t.Errorf("the stream is cut off: %v", err)
	}
}

func TestAConnectionOnWhichNothingWasAskedDoesNotHoldUpTheEnd(t *testing.T) {
	address, stop := newSite(t, newTwin()).serve(t)
	silent, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	answer, err := http.Get(address + "/A12") // the listener gives connections in their order
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Errorf("Serve returns %v", err)
	}
}

func TestServeTellsWhenItsListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), l, newSite(t, newTwin())); err == nil {
		t.Error("Serve returns nil on a closed listener")
	}
}

func TestNumbersOnThePageAndInTheStreamAreTheSame(t *testing.T) {
	twin := newTwin()
	twin.set(secret, running())
	site := newSite(t, twin)
	page := text(site.get("/nb/A12/" + secret))
	h, _ := holderOf(secret)
	at, _ := parse("/nb/A12/" + secret)
	n, over := site.look(t.Context(), at, twin.post, h)
	contains(t, page, `data-scene="`+n.Scene+`"`, `data-n="energy">`+n.Energy+"<", `data-n="cost">`+n.Cost+"<",
		`data-n="power">`+strings.ReplaceAll(n.Power, "\u00a0", " ")+"<", "<title>"+n.Title+"</title>", `data-n="word">`+n.Word+"<", ">"+n.Say+"<")
	if over {
		t.Error("a running charge counts as over")
	}
}
