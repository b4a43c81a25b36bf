package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"stolpe/agent/config"
	"stolpe/display"
	"stolpe/display/web"
)

// A driver in front of a post behind a gateway, whose display shows a rotating code: the
// display is read as a phone reads it, the page is the gateway's, and the post decides.
func TestTheRotatingCodeLeadsThroughAGateway(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Skip("part zbar-tools: no zbarimg in PATH")
	}
	g, address := newAcross(t)
	picture := filepath.Join(t.TempDir(), "display.png")
	text := strings.Replace(fmt.Sprintf(relayedPost, t.TempDir(), address), `key: "env:KEY"`, `key: "env:KEY", pages: "https://lad.example.no"`, 1) +
		fmt.Sprintf("display: [{kind: png, url: \"file://%s?size=250x122\", code: rotating}]\n", picture)
	file := write(t, "stolpe.yaml", text)
	cfg, err := config.Parse(file, strings.NewReader(text), func(string, string) (string, error) { return g.key.Hex(), nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log, ended := new(paper), make(chan error, 1)
	go func() { ended <- daemon(ctx, setTime(), cfg, origin{file: file}, log) }()
	shows := func(what string, right func(display.View) bool) {
		t.Helper()
		until(t, what, func() bool { v, ok := g.pages.Public("A12"); return ok && right(v) })
	}
	shows("a free post with a pass", func(v display.View) bool { return v.State == display.Available && v.Pass })
	pages, err := web.New(g.pages, web.Options{PublicURL: "https://lad.example.no"})
	if err != nil {
		t.Fatal(err)
	}
	d := &driveBy{t, pages}

	sticker, body := d.send("/A12", nil)
	if sticker.Code != http.StatusOK || strings.Contains(body, `name="amount"`) || !strings.Contains(body, "5,49") {
		t.Errorf("the sticker leads to %d:\n%s", sticker.Code, body)
	}
	var path string
	until(t, "a code on the display", func() bool { path = readOff(t, picture); return path != "" })
	if !regexp.MustCompile(`^/A12/[0-9A-HJKMNP-TV-Z]{6}$`).MatchString(path) {
		t.Fatalf("the display leads to %q\n%s", path, log)
	}
	_, body = d.send(path, nil)
	form := url.Values{"amount": {"35000"}}
	for _, m := range fieldOnPage.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], m[2])
	}
	made, body := d.send("/A12/000000", form) // made up
	if made.Code != http.StatusForbidden || !strings.Contains(body, "E27") {
		t.Errorf("a pass that was made up is answered %d:\n%s", made.Code, body)
	}
	taken, body := d.send(path, form)
	if own := taken.Header().Get("Location"); taken.Code != http.StatusSeeOther || strings.Contains(own, path) {
		t.Fatalf("the pass of the display is answered %d to %q:\n%s\n%s", taken.Code, own, body, log)
	}
	shows("somebody pays", func(v display.View) bool { return v.Busy })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	if last := readOff(t, picture); last != "" {
		t.Errorf("what stays on the display leads to %q", last)
	}
}

// driveBy is a phone with nothing but a browser.
type driveBy struct {
	*testing.T
	pages http.Handler
}

func (d *driveBy) send(path string, form url.Values) (*httptest.ResponseRecorder, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if form != nil {
		r = httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	return w, strings.ReplaceAll(w.Body.String(), "\u00a0", " ")
}

// readOff is the path that a picture leads a phone to; empty where it has no code. It
// waits for a picture.
func readOff(t *testing.T, picture string) string {
	t.Helper()
	until(t, "a picture", func() bool { _, err := os.Stat(picture); return err == nil })
	var out []byte
	until(t, "the picture is read", func() bool {
		var err error
		out, err = exec.Command("zbarimg", "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", picture).Output()
		var exit *exec.ExitError
		return err == nil || errors.As(err, &exit) && exit.ExitCode() == 4 // no code in it
	})
	u, err := url.Parse(strings.TrimSpace(string(out)))
	if err != nil || len(out) > 0 && !strings.EqualFold(u.Host, "lad.example.no") {
		t.Errorf("the code says %q", out)
	}
	return u.Path
}
