package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

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
			x.hearAxe("390 px", wcag22aa)
			x.look(narrow)
			x.measure("320 px", l)
			if l == display.NB { // colours and their grounds are the same in all
				x.hearAxe("320 px", looks)
				x.look(dark)
				x.hearAxe("dark", looks)
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

// sizes are the least sizes of what is tapped, in CSS px. WCAG 2.5.8 asks for 24;
// 48 is our own goal for the height, which cold fingers must hit.
const sizes = `{width: 24, height: 48}`

// measuring gives what is wrong with the page that is open, as it is shown now.
const measuring = `(() => {
const bad = [], sizes = ` + sizes + `, wide = document.documentElement.clientWidth;
const name = e => e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined ? "." + e.className : "") + " «" + (e.textContent || e.name || "").trim().replace(/\s+/g, " ").slice(0, 40) + "»";
if (document.documentElement.scrollWidth > wide) bad.push("the page scrolls sideways: " + document.documentElement.scrollWidth + " px in " + wide);
const seen = e => e.checkVisibility({opacityProperty: false, visibilityProperty: true}) && e.getClientRects().length > 0;
for (const e of document.querySelectorAll("body *")) {
  if (!seen(e) || e.closest("svg svg, [aria-hidden] *")) continue;
  const box = e.getBoundingClientRect();
  if (box.right > wide + .5 || box.left < -.5) bad.push(name(e) + " reaches from " + box.left + " to " + box.right + " px of " + wide);
  const style = getComputedStyle(e), painted = style.backgroundColor !== "rgba(0, 0, 0, 0)" || parseFloat(style.borderRightWidth) > 0;
  if (painted && style.display !== "inline" && e.scrollWidth > e.clientWidth + 1) bad.push(name(e) + " is wider inside than outside: " + e.scrollWidth + " and " + e.clientWidth + " px");
  const over = e.parentElement, frame = getComputedStyle(over), edge = over.getBoundingClientRect().right - parseFloat(frame.paddingRight) - parseFloat(frame.borderRightWidth);
  if (style.position === "static" && style.display !== "inline" && parseFloat(style.marginRight) >= 0 && box.right > edge + 1) bad.push(name(e) + " sticks out of " + name(over) + " by " + (box.right - edge) + " px");
}
for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, label")) {
  if (!seen(e) || (e.tagName === "LABEL" && !e.querySelector("input"))) continue;
  const box = e.getBoundingClientRect();
  if (box.height < sizes.height || box.width < sizes.width) bad.push(name(e) + " is " + box.width + " by " + box.height + " px");
}
for (const e of document.querySelectorAll("p, h1, h2, dt, dd, th, td, legend, small, b, a, button, label, li")) {
  if (!seen(e)) continue;
  const size = parseFloat(getComputedStyle(e).fontSize) / parseFloat(getComputedStyle(document.documentElement).fontSize);
  if (size < .875) bad.push(name(e) + " is set in " + size + " of the reader's size");
}
const heads = document.querySelectorAll("h1");
if (heads.length !== 1) bad.push(heads.length + " first headings");
else if (!document.title.startsWith(heads[0].textContent.trim())) bad.push("the title " + document.title + " does not begin with " + heads[0].textContent);
if (!document.querySelector("link[rel=icon][href^='data:']")) bad.push("no icon stands in the page, so the browser asks for one");
if (document.querySelectorAll("main").length !== 1) bad.push("the main part is not marked once");
return bad;
})()`

// measure fails for what is wrong with the page that is open.
func (x *tab) measure(view string, l display.Lang) {
	x.t.Helper()
	for _, bad := range eval[[]string](x, measuring) {
		x.t.Errorf("%s: %s", view, bad)
	}
	if lang := eval[string](x, "document.documentElement.lang"); lang != l.Tag() {
		x.t.Errorf("the language is said to be %q", lang)
	}
}
