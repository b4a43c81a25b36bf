package kiosk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"stolpe/display"
	"stolpe/display/panel"
)

// frame is a picture of one shade that says one word.
func frame(shade uint8, word string) panel.Frame {
	m := image.NewRGBA(image.Rect(0, 0, 80, 48))
	for i := range m.Pix {
		m.Pix[i] = shade
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return panel.Frame{Image: m, Page: panel.Page{Big: panel.Said{word, word + " in English"}}}
}

// serving opens a page at a free port, or at one that is given.
func serving(t *testing.T, address string) *Device {
	t.Helper()
	d, err := Open(address, [2]display.Lang{display.NB, display.EN}, frame(1, "STENGT"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// get asks for a path under the first name of the page.
func get(t *testing.T, d *Device, path string) (*http.Response, string) {
	t.Helper()
	r, err := http.Get("http://" + d.names[0] + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

func shade(t *testing.T, picture string) uint8 {
	t.Helper()
	m, err := png.Decode(strings.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	return color.GrayModel.Convert(m.At(3, 3)).(color.Gray).Y
}

func show(t *testing.T, d *Device, f panel.Frame) {
	t.Helper()
	if err := d.Show(f); err != nil {
		t.Fatal(err)
	}
}

func TestThePageHasThePictureAndItsWords(t *testing.T) {
	d := serving(t, "127.0.0.1:0")
	_, page := get(t, d, "/")
	if !strings.Contains(page, `alt="STENGT"`) {
		t.Errorf("before anything is shown, the page says:\n%s", page)
	}
	show(t, d, frame(90, "LEDIG"))
	r, page := get(t, d, "/")
	for _, want := range []string{`<html lang="nb"`, `alt="LEDIG"`, `lang="en">LEDIG in English<`, `alt="STENGT"`, `src="data:image/png;base64,`, "<noscript>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s:\n%s", want, page)
		}
	}
	if got := r.Header.Get("Content-Security-Policy"); got != policy || strings.Contains(got, "unsafe") {
		t.Errorf("the policy is %q", got)
	}
	if _, picture := get(t, d, "/picture.png"); shade(t, picture) != 90 {
		t.Error("the picture is not the one that is shown")
	}
	for path, want := range map[string]string{"/page.js": "javascript", "/page.css": "text/css", "/picture.png": "image/png", "/": "text/html"} {
		r, body := get(t, d, path)
		if r.StatusCode != 200 || !strings.Contains(r.Header.Get("Content-Type"), want) || body == "" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, %v", path, r.Status, r.Header)
		}
	}
}

func TestOnlyThisMachineIsServed(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "lad.example.no:80", "127.0.0.1"} {
		d, err := Open(address, [2]display.Lang{}, frame(1, "STENGT"))
		if err == nil {
			d.Close()
		}
		if elsewhere := !strings.HasPrefix(address, "127."); err == nil || elsewhere && strings.Contains(err.Error(), "listen") {
			t.Errorf("%s: opened, or tried: %v", address, err)
		}
	}
	d := serving(t, "127.0.0.1:0")
	for _, ask := range []struct {
		method, host, path string
		want               int
	}{
		{"GET", d.names[0], "/", 200},
		{"HEAD", d.names[0], "/events", 200},
		{"GET", d.names[1], "/picture.png", 200},
		{"GET", "evil.example", "/", 421},
		{"GET", "evil.example", "/events", 421},
		{"POST", d.names[0], "/", 405},
		{"GET", d.names[0], "/page.html", 404},
		{"GET", d.names[0], "/..%2fkiosk.go", 404},
	} {
		r, err := http.NewRequest(ask.method, "http://"+d.names[0]+ask.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = ask.host
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != ask.want {
			t.Errorf("%s %s as %s: %s, want %d", ask.method, ask.path, ask.host, got.Status, ask.want)
		}
	}
}

// A browser of the post may have another page open, or one of somebody else's.
func TestNoPageElsewhereHasAPartOfIt(t *testing.T) {
	d := serving(t, "127.0.0.1:0")
	for _, ask := range []struct {
		site, mode, path string
		want             int
	}{
		{"cross-site", "no-cors", "/picture.png", 403},
		{"same-site", "cors", "/events", 403}, // another port of this machine
		{"cross-site", "no-cors", "/page.js", 403},
		{"cross-site", "navigate", "/picture.png", 403},
		{"cross-site", "no-cors", "/", 403},
		{"cross-site", "navigate", "/", 200}, // a start page leads there
		{"none", "navigate", "/", 200},
		{"same-origin", "no-cors", "/picture.png", 200},
	} {
		r, err := http.NewRequest("HEAD", "http://"+d.names[0]+ask.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", ask.site)
		r.Header.Set("Sec-Fetch-Mode", ask.mode)
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != ask.want || got.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s, %s: %s: %s, want %d", ask.site, ask.mode, ask.path, got.Status, ask.want)
		}
	}
}

func TestNamesAtTheUsualPort(t *testing.T) {
	for _, c := range []struct{ host, port, want string }{
		{"127.0.0.1", "8090", "127.0.0.1:8090 localhost:8090"},
		{"127.0.0.1", "80", "127.0.0.1:80 localhost:80 127.0.0.1 localhost"},
		{"::1", "80", "[::1]:80 localhost:80 [::1] localhost"},
	} {
		if got := strings.Join(names(c.host, c.port), " "); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.host, c.port, got, c.want)
		}
	}
}

// stream reads events one by one.
type stream struct {
	t     *testing.T
	body  io.ReadCloser
	lines *bufio.Scanner
}

func listen(t *testing.T, d *Device) *stream {
	t.Helper()
	r, err := http.Get("http://" + d.names[0] + "/events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	return &stream{t, r.Body, bufio.NewScanner(r.Body)}
}

// next waits for an event; none means that the stream has ended.
func (s *stream) next() (told, bool) {
	s.t.Helper()
	for s.lines.Scan() {
		if text, ok := strings.CutPrefix(s.lines.Text(), "data: "); ok {
			var e told
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				s.t.Fatal(err)
			}
			return e, true
		}
	}
	return told{}, false
}

func TestEventsTellOfEachPicture(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer http.DefaultClient.CloseIdleConnections()
	d := serving(t, "127.0.0.1:0")
	s := listen(t, d)
	first, _ := s.next()
	if first.Said != "STENGT" || first.Name != d.end.name {
		t.Errorf("at first %+v", first)
	}
	show(t, d, frame(90, "LEDIG"))
	wrote := d.Wrote()
	show(t, d, frame(90, "LEDIG")) // no event of its own
	dark := frame(90, "LEDIG")
	dark.Night = true
	show(t, d, dark)
	got, _ := s.next()
	if !got.Night { // it may have come before the night, or with it
		if got.Said != "LEDIG" || got.Also != "LEDIG in English" || got.Page != d.page || got.Name == first.Name {
			t.Errorf("told %+v", got)
		}
		got, _ = s.next()
	}
	if got.Said != "LEDIG" || !got.Night {
		t.Errorf("at night %+v", got)
	}
	other := frame(90, "KLAR") // in other words
	other.Night = true
	show(t, d, other)
	if got, _ := s.next(); got.Said != "KLAR" || got.Name == first.Name {
		t.Errorf("the same picture in other words: %+v", got)
	}
	if d.Wrote() != 3*wrote {
		t.Errorf("%d bytes of three pictures of %d", d.Wrote(), wrote)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if e, more := s.next(); more {
		t.Errorf("closed, it tells %+v", e)
	}
	if err := d.Show(frame(2, "LADER")); err == nil {
		t.Error("shown on a page that is closed")
	}
	again := serving(t, d.names[0])
	if again.page != d.page {
		t.Errorf("the same program has the page %s, and had %s", again.page, d.page)
	}
	again.Close()
}

func TestThereIsAnEndToBrowsers(t *testing.T) {
	d := serving(t, "127.0.0.1:0")
	var last *stream
	for range streamsMost {
		last = listen(t, d)
		last.next()
	}
	if r, _ := get(t, d, "/events"); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more: %s", r.Status)
	}
	last.body.Close() // as a browser goes away
	for free := false; !free; runtime.Gosched() {
		d.mu.Lock()
		free = d.streams < streamsMost
		d.mu.Unlock()
	}
	if e, ok := listen(t, d).next(); !ok || e.Said != "STENGT" {
		t.Errorf("there is no room again: %+v", e)
	}
}

func TestWhatCannotBeServed(t *testing.T) {
	d := serving(t, "127.0.0.1:0")
	if other, err := Open(d.names[0], [2]display.Lang{}, frame(1, "STENGT")); err == nil {
		other.Close()
		t.Error("two pages at one address")
	}
	if err := d.Show(panel.Frame{Lines: []string{"LEDIG"}}); err == nil {
		t.Error("a frame without dots was shown")
	}
	if other, err := Open("127.0.0.1:0", [2]display.Lang{}, panel.Frame{}); err == nil {
		other.Close()
		t.Error("opened without a last picture")
	}
}

// TestWordsOfEverySample: whoever cannot see the picture hears all that stands there.
func TestWordsOfEverySample(t *testing.T) {
	for _, s := range panel.Samples(display.NB, display.EN) {
		p := s.Scene.Page()
		for which, heard := range []string{p.Spoken(0), p.Spoken(1)} {
			for _, want := range []string{p.Energy, p.Cost, p.Price, p.Power, p.Fault, p.Help, p.Title[which], p.Do[which]} {
				if !strings.Contains(heard, strings.TrimSuffix(want, ".")) {
					t.Errorf("%s: %q is not said in %q", s.Name, want, heard)
				}
			}
			if strings.Contains(heard, "..") || strings.Contains(heard, "  ") {
				t.Errorf("%s: %q", s.Name, heard)
			}
		}
	}
}

func TestAPictureIsAskedForByName(t *testing.T) {
	d := serving(t, "127.0.0.1:0")
	show(t, d, frame(90, "LEDIG"))
	free, _ := d.newest()
	show(t, d, frame(120, "LADER"))
	if _, body := get(t, d, "/picture.png?n="+free.name); shade(t, body) != 90 {
		t.Error("the picture before is not the one of that name")
	}
	show(t, d, frame(120, "LADER FORTSATT"))
	if _, body := get(t, d, "/picture.png?n="+free.name); shade(t, body) != 90 {
		t.Error("the same picture in other words has driven out the one before")
	}
	show(t, d, frame(60, "FERDIG"))
	if r, _ := get(t, d, "/picture.png?n="+free.name); r.StatusCode != http.StatusNotFound {
		t.Errorf("a picture that is long over: %s", r.Status)
	}
	show(t, d, frame(90, "LEDIG"))
	if again, _ := d.newest(); again.name != free.name {
		t.Error("the same picture has another name")
	}
}

// TestThePictureIsWhatOtherScreensShow: nothing is lost on the way.
func TestThePictureIsWhatOtherScreensShow(t *testing.T) {
	d := serving(t, "127.0.0.1:0")
	f := frame(0, "LADER")
	m := f.Image.(*image.RGBA)
	for i := range 80 {
		m.SetRGBA(i, i%48, color.RGBA{uint8(3 * i), uint8(200 - i), uint8(i), 255})
	}
	show(t, d, f)
	_, body := get(t, d, "/picture.png")
	got, err := png.Decode(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	for y := range 48 {
		for x := range 80 {
			fmt.Fprintln(&a, color.RGBAModel.Convert(got.At(x, y)))
			fmt.Fprintln(&b, m.At(x, y))
		}
	}
	if a.String() != b.String() {
		t.Error("the picture has changed on its way")
	}
}
