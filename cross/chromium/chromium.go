// Package chromium starts a browser for tests of pages, and tells what is wrong with a
// page that is open in it.
//
// # Why
//
// The driver's pages and the fleet's are held to the same: WCAG 2.2 AA as axe-core knows
// it, and what it does not know, such as a page that scrolls sideways on a phone.
package chromium

import (
	"context"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

// Browser is a Chromium under way, and what is evaluated in its pages.
type Browser struct {
	Ctx context.Context
	Axe string // the source of axe-core
}

// Launch starts a Chromium that reaches nothing but this machine. The test is passed over
// where there is none, or no axe-core.
func Launch(t *testing.T) Browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "headless-shell", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("part chromium: no chromium in PATH")
	}
	b := Browser{Axe: axe(t)}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox, // root needs it, and every page is ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),       // phones draw them over the page
		chromedp.Flag("font-render-hinting", "none"), // as on phones
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	b.Ctx = ctx
	return b
}

// AA are the rules of WCAG 2.2 AA, as axe-core names them.
const AA = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}`

// Looks are the rules about how a page is shown, and not only about what stands in it.
const Looks = `{type: "rule", values: ["color-contrast", "target-size", "scrollable-region-focusable"]}`

// Audit is an expression that runs the rules on the page that is open, and gives all they
// find and what they cannot decide. Axe has been evaluated before.
func Audit(rules string) string {
	return `axe.run(document, {runOnly: ` + rules + `, preload: false, resultTypes: ["violations", "incomplete"]}).then(r =>
		[...r.violations, ...r.incomplete].flatMap(v => v.nodes.map(n => v.id + " at " + n.target + ": " + [...n.any, ...n.all, ...n.none].map(c => c.message).join("; "))))`
}

// sizes are the least sizes of what is tapped, in CSS px. WCAG 2.5.8 asks for 24;
// 48 is our own goal for the height, which cold fingers must hit.
const sizes = `{width: 24, height: 48}`

// Measuring is an expression that gives what is wrong with the page that is open, as it is shown now.
const Measuring = `(() => {
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
