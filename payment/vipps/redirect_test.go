package vipps

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/payment"
)

const (
	codeTarget = "https://lad.example.no/A12-1"
	allCodes   = "/qr/v1/merchant-redirect"
	oneCode    = "/qr/v1/merchant-redirect/A12-1"
)

// codeJSON is a code as the API tells it.
func codeJSON(id, target, url string) string {
	return fmt.Sprintf(`{"id":%q,"url":%q,"redirectUrl":%q,"expiresIn":-1}`, id, url, target)
}

func TestCodesAreListedMadeRetargetedAndDropped(t *testing.T) {
	const url = "https://qr.vipps.no/x"
	const moved = "https://lad.example.no/B7-1"
	w := newOthers(t).
		at("GET "+allCodes, says(200, "["+codeJSON("A12-1", codeTarget, url)+`,{"id":"old","url":"u","redirectUrl":"r","expiresIn":598}]`)).
		at("GET "+oneCode, says(200, codeJSON("A12-1", codeTarget, url))).
		at("POST "+allCodes, says(200, codeJSON("A12-1", codeTarget+"/", url))).
		at("PUT "+oneCode, says(200, codeJSON("A12-1", moved, url))).
		at("DELETE "+oneCode, says(200, ""))
	c := w.client(t)
	codes, err := c.Codes(t.Context())
	want := []Code{{ID: "A12-1", Target: codeTarget, URL: url, Expires: -1}, {ID: "old", Target: "r", URL: "u", Expires: 598 * time.Second}}
	if diff := cmp.Diff(want, codes); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for p, accept := range map[Picture]string{Text: "text/targetUrl", SVG: "image/svg+xml", PNG: "image/png"} {
		size := map[Picture]string{PNG: "1024"}[p]
		for name, get := range map[string]func() (Code, error){
			"code": func() (Code, error) { return c.Code(t.Context(), "A12-1", p) },
			"add":  func() (Code, error) { return c.AddCode(t.Context(), "A12-1", codeTarget, p) },
		} {
			code, err := get()
			if err != nil || code.ID != "A12-1" || code.URL != url || code.Picture != p || code.Expires >= 0 {
				t.Errorf("%s %d: %+v, %v", name, p, code, err)
			}
			if h := w.last(t, "?").header; h.Get("Accept") != accept || h.Get("Size") != size || h.Get("Idempotency-Key") != "" {
				t.Errorf("%s %d: Accept %q, Size %q", name, p, h.Get("Accept"), h.Get("Size"))
			}
		}
	}
	if got := w.last(t, "?"); got.body != "" && got.body != `{"id":"A12-1","redirectUrl":"`+codeTarget+`"}` {
		t.Errorf("sent %s", got.body)
	}
	code, err := c.Retarget(t.Context(), "A12-1", moved)
	if got := w.last(t, "?"); err != nil || code.Target != moved || got.method != "PUT" || got.body != `{"redirectUrl":"`+moved+`"}` {
		t.Errorf("%+v, %v, %s", code, err, got.body)
	}
	if err := c.DropCode(t.Context(), "A12-1"); err != nil || w.last(t, "?").method != "DELETE" {
		t.Error(err)
	}
}

// Adding again finds what the first time made; somebody else's code stays.
func TestAddingACodeTwice(t *testing.T) {
	for target, good := range map[string]bool{codeTarget: true, "https://lad.example.no/other": false} {
		w := newOthers(t).at("POST "+allCodes, says(409, `{"id":"A12-1"}`)).at("GET "+oneCode, says(200, codeJSON("A12-1", target, "https://qr.vipps.no/x")))
		code, err := w.client(t).AddCode(t.Context(), "A12-1", codeTarget, SVG)
		if good != (err == nil) || good != (code.URL != "") || w.lines() != "POST "+allCodes+"\nGET "+oneCode {
			t.Errorf("%s: %+v, %v, asked\n%s", target, code, err, w.lines())
		}
		if w.last(t, "?").header.Get("Accept") != "image/svg+xml" {
			t.Error("read back in another form")
		}
		if !good && !strings.Contains(err.Error(), target) {
			t.Errorf("where it leads is not told: %v", err)
		}
	}
}

func TestCodeAnswersThatCannotBeUsed(t *testing.T) {
	good := codeJSON("A12-1", codeTarget, "https://qr.vipps.no/x")
	for name, answer := range map[string]http.HandlerFunc{
		"400": says(400, orderNo), "401": says(401, ""), "404": says(404, orderNo), "415": says(415, orderNo), "409": says(409, `{"id":"A12-1"}`),
		"500": says(500, ""), "302": says(302, ""), "lost": hangUp, "html": says(200, "<html>"), "null": says(200, "null"), "list": says(200, "["+good+"]"),
		"another": says(200, codeJSON("A12-2", codeTarget, "https://qr.vipps.no/x")),
		"http":    says(200, codeJSON("A12-1", codeTarget, "http://qr.vipps.no/x")),
		"file":    says(200, codeJSON("A12-1", codeTarget, "file:///etc/passwd")),
		"no url":  says(200, codeJSON("A12-1", codeTarget, "")),
		"user":    says(200, codeJSON("A12-1", codeTarget, "https://a:b@qr.vipps.no/x")),
		"huge":    says(200, good+strings.Repeat(" ", maxBody)),
	} {
		w := newOthers(t)
		for _, at := range []string{"GET " + oneCode, "POST " + allCodes, "PUT " + oneCode} {
			w.at(at, answer)
		}
		c := w.client(t)
		_, err1 := c.Code(t.Context(), "A12-1", Text)
		_, err2 := c.AddCode(t.Context(), "A12-1", codeTarget, Text)
		_, err3 := c.Retarget(t.Context(), "A12-1", codeTarget)
		for _, err := range []error{err1, err2, err3} {
			if err == nil || !strings.HasPrefix(err.Error(), `vipps: code "A12-1": `) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	elsewhere := says(200, codeJSON("A12-1", "https://elsewhere.example/", "https://qr.vipps.no/x"))
	w := newOthers(t).at("PUT "+oneCode, elsewhere).at("POST "+allCodes, elsewhere)
	_, err1 := w.client(t).Retarget(t.Context(), "A12-1", codeTarget)
	_, err2 := w.client(t).AddCode(t.Context(), "A12-1", codeTarget, Text)
	if err1 == nil || err2 == nil {
		t.Error("a code that leads elsewhere is taken for done: ", err1, err2)
	}
}

// That there is no such code is believed in the service's own words only: whoever
// believed a proxy would make a second code for a sticker there is.
func TestNoSuchCode(t *testing.T) {
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		gone   bool
	}{
		"the service": {says(404, orderNo), true},
		"a proxy":     {says(404, "<html>"), false},
		"nobody":      {says(404, ""), false},
		"another no":  {says(400, orderNo), false},
	} {
		w := newOthers(t).at("GET "+oneCode, row.answer).at("PUT "+oneCode, row.answer)
		c := w.client(t)
		_, err1 := c.Code(t.Context(), "A12-1", Text)
		_, err2 := c.Retarget(t.Context(), "A12-1", codeTarget)
		if errors.Is(err1, ErrNoCode) != row.gone || errors.Is(err2, ErrNoCode) != row.gone {
			t.Errorf("%s: %v; %v", name, err1, err2)
		}
	}
	w := newOthers(t).at("POST "+allCodes, says(404, orderNo))
	if _, err := w.client(t).AddCode(t.Context(), "A12-1", codeTarget, Text); err == nil || errors.Is(err, ErrNoCode) {
		t.Errorf("adding where there is no such API: %v", err)
	}
	w.on("token", says(404, orderNo))
	if _, err := w.client(t).Code(t.Context(), "A12-1", Text); err == nil || errors.Is(err, ErrNoCode) {
		t.Errorf("without a token: %v", err)
	}
}

func TestListsOfCodes(t *testing.T) {
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		codes  int
		good   bool
	}{
		"none":     {says(200, "[]"), 0, true},
		"many":     {says(200, "["+strings.Repeat(codeJSON("A", codeTarget, "u")+",", 1000)+codeJSON("A", codeTarget, "u")+"]"), 1001, true},
		"too many": {says(200, "["+strings.Repeat(" ", maxCodes)+"]"), 0, false},
		"null":     {says(200, "null"), 0, false},
		"object":   {says(200, "{}"), 0, false},
		"cut":      {says(200, "["), 0, false},
		"404":      {says(404, orderNo), 0, false},
		"503":      {says(503, ""), 0, false},
		"lost":     {hangUp, 0, false},
	} {
		codes, err := newOthers(t).at("GET "+allCodes, row.answer).client(t).Codes(t.Context())
		if len(codes) != row.codes || (err == nil) != row.good {
			t.Errorf("%s: %d codes, %v", name, len(codes), err)
		}
	}
	if err := newOthers(t).client(t).DropCode(t.Context(), "A12-1"); err == nil || !strings.Contains(err.Error(), "HTTP 404") {
		t.Error("dropping what is not there:", err)
	}
}

// What breaks a rule of the API never leaves the machine, and is told by its
// name.
func TestUnfitCodesAreNotSent(t *testing.T) {
	w := newOthers(t)
	c := w.client(t)
	for _, id := range []string{"", " ", "a/b", "a.b", "..", "a?b", "a#b", "a\xff", "日本", strings.Repeat("a", 129)} {
		_, err1 := c.Code(t.Context(), id, Text)
		_, err2 := c.AddCode(t.Context(), id, codeTarget, Text)
		_, err3 := c.Retarget(t.Context(), id, codeTarget)
		for _, err := range []error{err1, err2, err3, c.DropCode(t.Context(), id)} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("code %q", id)) {
				t.Errorf("id %q: %v", id, err)
			}
		}
	}
	for _, target := range []string{
		"", "http://lad.example.no/", "ftp://lad.example.no/", "lad.example.no", "https://", "https://-a.no/", "https://lad.example.no/a,b", "https://lad.example.no/~a",
		"https://lad.example.no/æ", "https://lad.example.no/a b", "https://lad.example.no/%zz", "https://lad.example.no@evil.example/", "https://:443/",
		"https://lad.example.no/\nx", codeTarget + strings.Repeat("x", maxReturn),
	} {
		_, err1 := c.AddCode(t.Context(), "A12-1", target, Text)
		_, err2 := c.Retarget(t.Context(), "A12-1", target)
		if err1 == nil || err2 == nil || !strings.Contains(err1.Error(), "target") {
			t.Errorf("target %q: %v, %v", target, err1, err2)
		} else if !strings.HasPrefix(target, "https://") && !strings.Contains(err1.Error(), "begins with https://") {
			t.Errorf("target %q: what is wrong with it is not told: %v", target, err1)
		}
	}
	if _, err := c.Code(t.Context(), "A12-1", pictures); err == nil {
		t.Error("a picture that is not known is asked for")
	}
	if w.asked() != "" {
		t.Errorf("asked %q", w.asked())
	}
}

// An id is a part of a path whatever is in it.
func TestIDsStayInsideTheirPath(t *testing.T) {
	for id, path := range map[string]string{
		"Ladeplass 7 æøå": "/Ladeplass%207%20%C3%A6%C3%B8%C3%A5", "a%2Fb": "/a%252Fb", "a+b_c-d": "/a+b_c-d", "%": "/%25", strings.Repeat("a", 128): "/" + strings.Repeat("a", 128),
	} {
		w := newOthers(t)
		w.on("?", says(200, codeJSON(id, codeTarget, "https://qr.vipps.no/x")))
		if _, err := w.client(t).Code(t.Context(), id, Text); err != nil || w.last(t, "?").path != allCodes+path {
			t.Errorf("%q: %v, %s", id, err, w.lines())
		}
	}
	for _, target := range []string{"https://my-site.no", "https://lad.example.no:8443/A12-1?x=1&y=%20#z"} {
		w := newOthers(t).at("POST "+allCodes, says(200, codeJSON("A", target, "https://qr.vipps.no/x")))
		if code, err := w.client(t).AddCode(t.Context(), "A", target, Text); err != nil || code.Target != target {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// A refusal of a code says nothing about the sales unit.
func TestCodesNeverJudgeTheSalesUnit(t *testing.T) {
	for status := 300; status < 600; status++ {
		for _, p := range []problem{{}, {by: service, code: "5060"}, {by: gateway}} {
			for _, op := range []operation{inform, codeCall, hookCall, report} {
				v := judge(op, status, p)
				if v.exists || v.reason != payment.NoReason && v.reason != payment.Rejected || v.status == payment.Missing {
					t.Errorf("%v %d %+v: %+v", op, status, p, v)
				}
			}
		}
	}
}
