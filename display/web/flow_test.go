package web

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"stolpe/display"
	"stolpe/payment"
)

// driver is somebody with a phone at a post that does what it is told.
type driver struct {
	*tab
	twin   *twin
	lang   display.Lang
	script bool // the browser runs scripts
	keys   bool // by keyboard alone
	view   display.View
	secret string
}

// wholeCharge is everything a driver sees, from the sticker to the receipt.
func wholeCharge(t *testing.T, b browser, l display.Lang, script, keys bool) {
	d := &driver{tab: b.tab(t), twin: newTwin(), lang: l, script: script, keys: keys}
	do(d.tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script})
	d.stage.play(t, d.twin)
	d.request()
	d.pay()
	d.charge()
	d.stop()
	d.receipt()
	d.leavesNothing()
}

// lostPage is a driver who has nothing left but the stop code.
func lostPage(t *testing.T, b browser, l display.Lang, script bool) {
	d := &driver{tab: b.tab(t), twin: newTwin(), lang: l, script: script, keys: true}
	do(d.tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script})
	taken(d.twin)
	d.stage.play(t, d.twin)
	w := l.Words()
	d.open("/" + l.Tag() + atPost)
	d.reads(string(w.InUse))
	for _, digits := range []string{"1111", rightCode} {
		d.reach("#digits")
		run(d.tab, "type the code", chromedp.KeyEvent(digits))
		d.follow("press enter", chromedp.KeyEvent(kb.Enter))
		if digits != rightCode {
			d.reads(string(w.InUse))
			told := eval[string](d.tab, "document.querySelector('[role=alert]').textContent")
			if want := w.Troubles[display.WrongCode].What.With("left", "3"); !strings.Contains(told, want) {
				t.Errorf("a wrong code is answered with %q, want %q", told, want)
			}
		}
	}
	d.reads(string(w.States[display.Charging]))
	d.secret = path.Base(d.path())
	d.view = running()
	d.stop()
	d.leavesNothing()
}

// newPrice is a driver who is asked for more than he was shown.
func newPrice(t *testing.T, b browser, l display.Lang) {
	d := &driver{tab: b.tab(t), twin: newTwin(), lang: l}
	d.stage.play(t, d.twin)
	d.open("/" + l.Tag() + atPost)
	d.twin.reprice(579)
	d.push("main form button")
	d.reads(string(l.Words().PriceAsk))
	if len(d.twin.requests) > 0 {
		t.Fatalf("requested without asking: %+v", d.twin.requests)
	}
	d.push("main form button")
	d.reads(l.Words().Preparing.With("pay", "Vipps"))
	if len(d.twin.requests) != 1 || d.twin.requests[0].Seen.KWh != 579 {
		t.Errorf("requested %+v", d.twin.requests)
	}
}

func (t *twin) reprice(kwh payment.Amount) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.public.Price.KWh = kwh
}

// request chooses the third amount and asks for it.
func (d *driver) request() {
	d.t.Helper()
	w := d.lang.Words()
	d.open("/" + d.lang.Tag() + atPost)
	d.reads(string(w.States[display.Available]))
	if d.keys {
		d.reach("input[name=amount]:checked")
		d.press(kb.ArrowRight)
	} else {
		d.click(".choices label:nth-child(3)")
	}
	d.push("main form button")
	d.reads(w.Preparing.With("pay", "Vipps"))
	at := d.path()
	d.secret = path.Base(at)
	holder, ok := holderOf(d.secret)
	want := display.Request{Reserve: 50000, Seen: price, Holder: holder, Return: d.stage.address + at}
	if !ok || len(d.twin.requests) != 1 || d.twin.requests[0] != want {
		d.t.Fatalf("at %s: requested %+v, want %+v", at, d.twin.requests, want)
	}
	d.view, _ = d.twin.Session(d.t.Context(), "A12", holder)
}

// pay follows the link into the app and comes back approved.
func (d *driver) pay() {
	d.t.Helper()
	w := d.lang.Words()
	back := d.twin.requests[0].Return
	d.stage.pays(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/yes" {
			d.change(func(v *display.View) { v.State, v.Charge.Held, v.Charge.PayURL = display.Authorised, true, "" })
			http.Redirect(rw, r, back, http.StatusSeeOther)
			return
		}
		fmt.Fprint(rw, `<!doctype html><title>wallet</title><style>:focus-visible { outline: 3px solid }</style><link rel="icon" href="data:,"><h1>Pay?</h1><main><a class="button" href="/yes">yes</a></main>`)
	})
	d.change(func(v *display.View) { v.Charge.PayURL = d.stage.wallet + "/ask" })
	if d.script {
		d.until("the link into the app", "document.querySelector('main a.button')")
	} else { // then the page asks again by itself
		run(d.tab, "wait for the page to ask again", chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Sleep(0)))
	}
	d.reads(w.WaitingFor.With("pay", "Vipps"))
	d.push("main a.button")
	d.reads("Pay?")
	d.push("main a.button")
	d.reads(string(w.PlugIn))
}

// charge plugs the cable in and looks at the numbers.
func (d *driver) charge() {
	d.t.Helper()
	w := d.lang.Words()
	d.change(func(v *display.View) { v.State = display.Closing })
	d.becomes(string(w.States[display.Closing]))
	d.change(func(v *display.View) {
		v.State, v.Charge.Energy, v.Charge.Cost, v.Charge.Power = display.Charging, 1000, 549, 7243
	})
	d.becomes(string(w.States[display.Charging]))
	if d.script {
		eval[chromedp.Void](d.tab, "void (window.mark = true)")
	}
	d.change(func(v *display.View) { v.Charge.Energy, v.Charge.Cost = 2000, 1098 })
	number := d.lang.EnergyParts(2000).Number
	if !d.script {
		d.again()
	}
	d.until("the energy to move", "document.querySelector('[data-n=energy]').textContent === '"+number+"'")
	d.until("the cost to move", "document.querySelector('[data-n=cost]').textContent === '"+d.lang.MoneyParts(1098, payment.NOK).Number+"'")
	d.until("the bar to move", "document.querySelector('progress').value === 1098")
	if d.script && !eval[bool](d.tab, "window.mark === true") {
		d.t.Error("the page was loaded again only to change its numbers")
	}
}

// stop stops the charge, having been asked once.
func (d *driver) stop() {
	d.t.Helper()
	w := d.lang.Words()
	d.push("main a.stop")
	d.reads(string(w.StopAsk))
	d.push("main a.second")
	d.reads(string(w.States[display.Charging]))
	d.push("main a.stop")
	if len(d.twin.acts) > 0 {
		d.t.Fatalf("acts before the driver was sure: %v", d.twin.acts)
	}
	d.push("main button.stop")
	if fmt.Sprint(d.twin.acts) != fmt.Sprint([]display.Act{display.StopCharge}) {
		d.t.Fatalf("acts %v", d.twin.acts)
	}
	d.change(func(v *display.View) { v.State = display.Stopping })
	d.becomes(string(w.States[display.Stopping]))
}

// receipt reads what it cost, and opens the sales document.
func (d *driver) receipt() {
	d.t.Helper()
	w := d.lang.Words()
	d.change(func(v *display.View) {
		*v = settled(display.ByDriver)
		v.Charge.Receipt, v.Charge.Issued = "A12-1-000042", v.Charge.Ended
	})
	d.becomes(string(w.Finished))
	d.until("the sum", "document.querySelector('.cost b').textContent === '"+d.lang.MoneyParts(7109, payment.NOK).Number+"'")
	d.push("main .receipt a.second")
	d.reads(string(w.Receipt))
	if title := eval[string](d.tab, "document.title"); title != string(w.Receipt)+" A12-1-000042" {
		d.t.Errorf("the document is called %q", title)
	}
}

// change changes the charge and tells of it.
func (d *driver) change(with func(*display.View)) {
	with(&d.view)
	d.twin.set(d.secret, d.view)
}

// becomes waits for the page to be another one, or asks for it where no script
// runs that would.
func (d *driver) becomes(head string) {
	d.t.Helper()
	if !d.script {
		d.again()
	}
	d.until(head, "document.querySelector('h1').textContent === "+quoted(head))
}

func (d *driver) again() {
	d.t.Helper()
	d.follow("load the page again", chromedp.Navigate(d.stage.address+d.path()))
}

// reads checks what the page is about.
func (x *tab) reads(head string) {
	x.t.Helper()
	if got := eval[string](x, "document.querySelector('h1').textContent"); got != head {
		x.t.Fatalf("the page says %q, want %q", got, head)
	}
}

func (x *tab) path() string {
	x.t.Helper()
	return strings.TrimPrefix(eval[string](x, "location.href"), x.stage.address)
}

// push pushes a button or follows a link, and waits for the next page.
func (d *driver) push(selector string) {
	d.t.Helper()
	if d.keys {
		d.reach(selector)
		d.follow("press enter on "+selector, chromedp.KeyEvent(kb.Enter))
		return
	}
	x, y := d.middle(selector)
	d.follow("push "+selector, chromedp.MouseClickXY(x, y))
}

func (x *tab) click(selector string) {
	x.t.Helper()
	left, top := x.middle(selector)
	run(x, "click "+selector, chromedp.MouseClickXY(left, top))
}

// middle brings an element into sight and gives its middle, in CSS px.
func (x *tab) middle(selector string) (left, top float64) {
	x.t.Helper()
	at := eval[[]float64](x, `(e => { e.scrollIntoView({block: "center"}); const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })(document.querySelector(`+quoted(selector)+`))`)
	return at[0], at[1]
}

// reach tabs to an element, which must then be marked.
func (d *driver) reach(selector string) {
	d.t.Helper()
	for range 30 {
		if !eval[bool](d.tab, "document.activeElement.matches("+quoted(selector)+")") {
			d.press(kb.Tab)
			continue
		}
		if !eval[bool](d.tab, "[document.activeElement, document.activeElement.nextElementSibling].some(e => e && parseFloat(getComputedStyle(e).outlineWidth) >= 2 && getComputedStyle(e).outlineStyle !== 'none')") {
			d.t.Errorf("%s is not marked when the keyboard reaches it", selector)
		}
		return
	}
	d.t.Fatalf("the keyboard never reaches %s", selector)
}

func (x *tab) press(key string) {
	x.t.Helper()
	run(x, "press a key", chromedp.KeyEvent(key))
}

// until waits until an expression is true, on this page or on one that follows it.
func (x *tab) until(what, expression string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patienceOfTests)
	defer cancel()
	for {
		met, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise(tell => {
			const look = () => { try { if (`+expression+`) { tell(true); eye.disconnect(); } } catch {} };
			const eye = new MutationObserver(look);
			eye.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
			look();
		})`, chromedp.EvalAwaitPromise))
		switch {
		case met:
			return
		case ctx.Err() != nil:
			x.t.Fatalf("waited %v for %s: %v", patienceOfTests, what, err)
		}
		// The page has gone: look at the next one.
	}
}

// quoted writes a text as JavaScript does.
func quoted(text string) string { return fmt.Sprintf("%q", text) }
