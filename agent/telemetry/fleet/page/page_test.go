package page

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stolpe/agent/telemetry"
)

func paths() []string {
	return []string{"/", "/live", "/posts/acme/A1", "/posts/acme/A1/live", "/evses.csv", "/months.csv", "/outages.csv"}
}

func TestNobodyComesInWithoutALogin(t *testing.T) {
	s := newStage(t)
	for _, path := range append(paths(), "/posts/acme/none") {
		if got := s.ask("", path).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("%s without anything: %d", path, got)
		}
		if got := s.ask("mallory", path).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s as mallory: %d", path, got)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"no secret":      func(r *http.Request) { r.Header.Del(SecretHeader) },
		"another secret": func(r *http.Request) { r.Header.Set(SecretHeader, secret[1:]+"0") },
		"empty secret":   func(r *http.Request) { r.Header.Set(SecretHeader, "") },
		"two secrets":    func(r *http.Request) { r.Header.Add(SecretHeader, secret) },
		"two names":      func(r *http.Request) { r.Header.Add("Remote-User", "everybody") },
		"no name":        func(r *http.Request) { r.Header.Del("Remote-User") },
		"empty name":     func(r *http.Request) { r.Header.Set("Remote-User", "") },
		"a certificate that was not checked": func(r *http.Request) {
			r.Header.Del(SecretHeader)
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "everybody"}}}}
		},
		"a certificate of another": func(r *http.Request) { r.TLS = signedBy("mallory") },
		"a certificate of nobody":  func(r *http.Request) { r.TLS = signedBy("") },
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(SecretHeader, secret)
		r.Header.Set("Remote-User", "everybody")
		w := httptest.NewRecorder()
		if s.pages.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatalf("as it should be: %d", w.Code)
		}
		change(r)
		w = httptest.NewRecorder()
		if s.pages.ServeHTTP(w, r); w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.TLS = signedBy("everybody")
	w := httptest.NewRecorder()
	if s.pages.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("with a certificate: %d", w.Code)
	}
	s.pages.o.Proxy.Secret = ""
	for _, said := range []string{secret, ""} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(SecretHeader, said)
		r.Header.Set("Remote-User", "everybody")
		w := httptest.NewRecorder()
		if s.pages.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
			t.Errorf("as a proxy where there is none, with the secret %q: %d", said, w.Code)
		}
	}
}

func signedBy(name string) *tls.ConnectionState {
	return &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: name}}}}}
}

func TestALoginSeesItsTenantsOnly(t *testing.T) {
	s := newStage(t)
	for _, path := range []string{"/", "/evses.csv", "/months.csv", "/outages.csv", "/?tenant=other", "/?show=down&tenant=other"} {
		if text := s.read("Åse", path); strings.Contains(text, "B1") || strings.Contains(strings.ReplaceAll(text, "another", ""), `"other`) {
			t.Errorf("Åse sees another tenant at %s", path)
		}
		if path != "/?show=down&tenant=other" && !strings.Contains(s.read("everybody", path), "B1") {
			t.Errorf("whoever may see everything does not at %s", path)
		}
		if text := s.read("nobody", path); strings.Contains(text, "A1") || strings.Contains(text, "B1") {
			t.Errorf("somebody of no tenant sees something at %s", path)
		}
	}
	for _, path := range []string{"/posts/other/B1", "/posts/other/B1/live", "/posts/acme/none", "/posts/acme/none/live"} {
		if got := s.ask("Åse", path).StatusCode; got != http.StatusNotFound {
			t.Errorf("Åse asks for %s: %d", path, got)
		}
	}
	if !strings.Contains(s.read("everybody", "/posts/other/B1"), "withdrawn by a technician") {
		t.Error("B1 is not told of")
	}
}

func TestAPageSaysHowThePostsAre(t *testing.T) {
	s := newStage(t)
	text := s.read("Åse", "/")
	for _, want := range []string{
		"2 of 4", "2 of 3 posts online", "A1b: ", ">charging<", ">faulted, MET-001<", ">offline<", "34.0 kWh", "186.84 NOK", ">3 charges<", "never plugged", "meter silent", "Åse, of acme",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	if strings.Index(text, ">A2<") > strings.Index(text, ">A1<") {
		t.Error("the worst is not the first")
	}
	if down := s.read("Åse", "/?show=down"); !strings.Contains(down, ">A2<") || strings.Contains(down, ">A1<") {
		t.Error("what is down is not alone")
	}
	text = s.read("Åse", "/posts/acme/A2")
	for _, want := range []string{"A2", "Kaia 4", "0.00 %", "20 d 0 h", "meter silent", "42 °C", "62.28 NOK", "is there"} {
		if !strings.Contains(text, want) {
			t.Errorf("the post's page does not say %q", want)
		}
	}
}

func TestNothingThatAPostSaysIsCode(t *testing.T) {
	s := newStage(t)
	for _, path := range []string{"/", "/posts/acme/A3", "/?tenant=%22%3E%3Cscript%3E", "/?show=%22%3E%3Cscript%3E", "/?from=-5", "/?from=99999999999999999999"} {
		if text := s.read("everybody", path); strings.Contains(text, "<script>alert") || strings.Contains(text, `"><script>`) {
			t.Errorf("%s has a script of somebody else", path)
		}
	}
	for _, path := range []string{"/evses.csv", "/months.csv", "/outages.csv"} {
		rows, err := csv.NewReader(strings.NewReader(s.read("everybody", path))).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Errorf("%s: %d rows, %v", path, len(rows), err)
		}
		for _, row := range rows {
			for _, c := range row {
				for part := range strings.SplitSeq(c, ";") {
					if part != "" && strings.ContainsRune("=+-@", rune(part[0])) {
						t.Errorf("%s: a spreadsheet would reckon %q", path, c)
					}
				}
			}
		}
	}
	if !strings.Contains(s.read("everybody", "/evses.csv"), "'=HYPERLINK(1)") {
		t.Error("a name is lost")
	}
}

func TestHeadersAreStrict(t *testing.T) {
	s := newStage(t)
	for _, path := range append(paths()[:1], "/evses.csv", "/none") {
		h := s.ask("everybody", path).Header
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.TLS = signedBy("everybody")
	w := httptest.NewRecorder()
	if s.pages.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a post is answered with %d", w.Code)
	}
}

// live reads a stream as somebody.
func (s *stage) live(who, path string) (next func() (event, bool)) {
	s.t.Helper()
	server := httptest.NewServer(s.pages)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	s.t.Cleanup(func() { stop(); server.Close() })
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set(SecretHeader, secret)
	r.Header.Set("Remote-User", who)
	a, err := server.Client().Do(r)
	if err != nil || a.StatusCode != http.StatusOK {
		s.t.Fatalf("%v, %v", a, err)
	}
	s.t.Cleanup(func() { a.Body.Close() })
	lines := bufio.NewScanner(a.Body)
	return func() (e event, ok bool) {
		for lines.Scan() {
			if text, found := strings.CutPrefix(lines.Text(), "data: "); found {
				if err := json.Unmarshal([]byte(text), &e); err != nil {
					s.t.Fatal(err)
				}
				return e, true
			}
		}
		return e, false
	}
}

func TestWhatChangesIsSent(t *testing.T) {
	s := newStage(t)
	next := s.live("Åse", "/live")
	first, _ := next()
	if !strings.Contains(s.read("Åse", "/"), `data-shape="`+first.Shape+`"`) || first.Texts["acme/A1/1"] != "available" || first.Tones["acme/A2/1"] != "bad" || first.Texts["other/B1/1"] != "" {
		t.Fatalf("%+v", first)
	}
	s.fleet.Take(now(), "acme", "A1", telemetry.StateLeaf.Of(1), []byte(`{"v":1,"state":"paying"}`), false) //nolint:errcheck // seen below
	second, ok := next()
	if !ok || second.Shape != first.Shape || second.Texts["acme/A1/1"] != "paying" || second.Texts["acme/A1/2"] != "" || second.Tones != nil {
		t.Errorf("%+v", second)
	}
	if err := s.fleet.Reach(now(), "acme", "A4", true); err != nil {
		t.Fatal(err)
	}
	if third, ok := next(); !ok || third.Shape == first.Shape {
		t.Errorf("with another post the page has the same shape: %+v", third)
	}
	s.pages.Admit([]Login{{Name: "everybody"}})
	s.fleet.Announce(nil)
	if e, ok := next(); ok {
		t.Errorf("who may no more is told %+v", e)
	}
}

func TestLivePagesEnd(t *testing.T) {
	s := newStage(t)
	next := s.live("everybody", "/posts/acme/A1/live")
	if e, ok := next(); !ok || e.Texts["acme/A1/2"] != "charging" {
		t.Fatalf("%+v", e)
	}
	close(s.ends)
	if e, ok := next(); ok {
		t.Errorf("%+v", e)
	}
}

func TestThereIsAnEndOfLivePages(t *testing.T) {
	s := newStage(t)
	for range maxStreams {
		s.pages.streams <- struct{}{}
	}
	if got := s.ask("everybody", "/live").StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("%d", got)
	}
}
