package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"stolpe/cross/chromium"
	"stolpe/display"
)

// everyPage looks at every page in one language, in every view.
func everyPage(t *testing.T, b browser, l display.Lang) {
	x := b.tab(t)
	phone, dark, narrow, large := views()
	for _, s := range screens() {
		t.Run(s.name, func(t *testing.T) {
			x.become(t)
			x.show(s, l)
			x.alone()
			if *updateScreens {
				x.picture(s, l)
			}
			x.measure("390 px", l)
			eval[chromedp.Void](x, x.axe)
			x.hearAxe("390 px", chromium.AA)
			x.look(narrow)
			x.measure("320 px", l)
			if l == display.NB { // colours and their grounds are the same in all
				x.hearAxe("320 px", chromium.Looks)
				x.look(dark)
				x.hearAxe("dark", chromium.Looks)
			}
			x.look(large)
			x.measure("text of twice the size", l)
			x.look(phone)
			x.quiet()
		})
	}
	x.become(t)
	x.leavesNothing()
}

// become makes another test the one that fails.
func (x *tab) become(t *testing.T) { x.t = t }

// show opens the screen.
func (x *tab) show(s screen, l display.Lang) {
	x.t.Helper()
	twin := newTwin()
	if s.set != nil {
		s.set(twin)
	}
	x.stage.play(x.t, twin)
	path := "/" + l.Tag() + s.path
	for range s.sent {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(s.form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		x.stage.played().pages.ServeHTTP(httptest.NewRecorder(), r)
	}
	if s.form == nil {
		x.open(path)
		return
	}
	form := url.Values{"to": {path}}
	for name, values := range s.form {
		form[name] = values
	}
	x.open(sender + "?" + form.Encode())
	x.follow("send the form", chromedp.Evaluate[chromedp.Void]("document.forms[0].submit()"))
}

// follow does what leads to another page, and waits for that page.
func (x *tab) follow(what string, a chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	run(x, what, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.RunResponse(ctx, a)
		return chromedp.Void{}, err
	})
}

// measure fails for what is wrong with the page that is open.
func (x *tab) measure(view string, l display.Lang) {
	x.t.Helper()
	for _, bad := range eval[[]string](x, chromium.Measuring) {
		x.t.Errorf("%s: %s", view, bad)
	}
	if lang := eval[string](x, "document.documentElement.lang"); lang != l.Tag() {
		x.t.Errorf("the language is said to be %q", lang)
	}
}
