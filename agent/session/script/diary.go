package script

import (
	"fmt"
	"strings"
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/payment"
)

// diary writes a line for everything of interest that has changed.
type diary struct {
	lines  []string
	phase  session.Phase
	closed hal.Position
	faults session.Faults
	known  map[uint64]bool      // bills that have been written
	debts  map[uint64]string    // as last written
	done   map[uint64]bool      // settled charges that have been written
	looked map[payment.Ref]bool // the last order was a look
	test   session.Test         // as last written
}

func newDiary() diary {
	return diary{known: map[uint64]bool{}, debts: map[uint64]string{}, done: map[uint64]bool{}, looked: map[payment.Ref]bool{}}
}

func (d *diary) write(w *world, format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf("  %s %s", clock(w.at), fmt.Sprintf(format, args...)))
}

// clock gives an instant of a scenario, which begins at noon.
func clock(t time.Duration) string {
	return time.Unix(0, 0).UTC().Add(12*time.Hour + t).Format(clockLayout(t))
}

func clockLayout(t time.Duration) string {
	if t >= 12*time.Hour {
		return "Mon 15:04:05" // the scenario began on a Thursday
	}
	return "15:04:05"
}

// number makes a reference short: #12.
func short(ref payment.Ref) string {
	text := string(ref)
	return "#" + strings.TrimLeft(text[strings.LastIndex(text, "-")+1:], "0")
}

// changes writes down what is not as it was.
func (d *diary) changes(w *world) {
	s := &w.state
	if f := s.Faults(); f != d.faults {
		if f == 0 {
			d.write(w, "faults none")
		} else {
			d.write(w, "faults %v", f)
		}
		d.faults = f
	}
	d.bills(w)
	if s.Phase != d.phase {
		d.phase = s.Phase
		d.write(w, "phase %v", s.Phase)
	}
	if p := w.rules.Want(s, w.now()).Contactor; p != d.closed {
		d.closed = p
		d.write(w, "contactor %v", p)
	}
	if t := s.Test(); t.Ended > 0 && (t.Ended != d.test.Ended || t.Opened != d.test.Opened) {
		d.test = t
		d.write(w, "test sensed closed %v, open again %v%s", t.Closed > 0, t.Opened > 0, cut(t))
	}
	d.money(w)
	d.settling(w)
}

// cut says what ended a test before its time.
func cut(t session.Test) string {
	if t.Cut == "" {
		return ""
	}
	return ": " + t.Cut
}

// bills writes what every charge that has just ended costs.
func (d *diary) bills(w *world) {
	for _, x := range w.state.Debts {
		if d.known[x.Number] {
			continue
		}
		d.known[x.Number] = true
		b := x.Bill()
		d.write(w, "bill #%d %v: %v from %v, %v, idle %v: %v of %v%s", x.Number, x.Why, x.End-x.Start, x.Start,
			x.Elapsed.Round(time.Second), x.Idle.Round(time.Second), b.Total, x.Limit, parts(b))
	}
}

// parts lists the lines of a bill when there is more than one.
func parts(b payment.Bill) string {
	var words []string
	for _, l := range b.Lines {
		if l.Amount != 0 {
			words = append(words, fmt.Sprintf("%v %v", l.Kind, l.Amount))
		}
	}
	if len(words) < 2 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// settling writes every debt that is new or not as it was, and what is settled.
func (d *diary) settling(w *world) {
	for _, x := range w.state.Debts {
		if text := debtText(x); d.debts[x.Number] != text {
			d.write(w, "debt %s", text)
			d.debts[x.Number] = text
		}
	}
	for _, x := range w.state.Done {
		if !d.done[x.Number] {
			d.write(w, "done #%d captured %v released %v%s", x.Number, x.Captured, x.Released, troubleText(x))
			d.done[x.Number] = true
		}
	}
}

func debtText(x session.Debt) string {
	text := fmt.Sprintf("#%d due %v", x.Number, x.Due)
	if x.Attempt > 0 {
		text += fmt.Sprintf(" attempt %d", x.Attempt)
	}
	return text + troubleText(x)
}

func troubleText(x session.Debt) string {
	if x.Trouble == payment.NoReason {
		return ""
	}
	return " trouble " + x.Trouble.String()
}

// money writes what has moved at the payment service.
func (d *diary) money(w *world) {
	for _, ref := range w.till.touched {
		f := w.till.payments[ref]
		text := [...]string{"nothing", "created", "authorised", "declined", "expired", "ended"}[f.State]
		if f.State == payment.Authorised {
			text = fmt.Sprintf("held %v taken %v freed %v", f.Left(), f.Taken, f.Freed)
			if f.Refunded > 0 {
				text += fmt.Sprintf(" refunded %v", f.Refunded)
			}
		}
		d.write(w, "money %s %s", short(ref), text)
	}
	w.till.touched = nil
	for _, line := range w.app.news {
		d.write(w, "%s", line)
	}
	w.app.news = nil
}

// asked writes an order that has left; of several looks in a row only the first,
// and none of a search.
func (d *diary) asked(w *world, o payment.Order) {
	again := o.Verb == payment.Look && d.looked[o.Ref]
	d.looked[o.Ref] = o.Verb == payment.Look
	switch {
	case again, o.Verb == payment.Look && w.state.Faults()&session.Seeking != 0:
	case o.Verb == payment.Look:
		d.write(w, "ask look %s", short(o.Ref))
	case o.Verb == payment.Settle:
		d.write(w, "ask settle %s %v key %s", short(o.Ref), o.Amount, strings.TrimPrefix(o.Key(payment.Capture), string(o.Ref)+"-"))
	case o.Verb == payment.Inform:
		d.write(w, "ask inform %s", short(o.Ref))
	default:
		way := ""
		if o.Way != payment.ByLink {
			way = " by " + o.Way.String()
		}
		d.write(w, "ask %v %s %v%s", o.Verb, short(o.Ref), o.Amount, way)
	}
}

// show writes what people see: the public, the post's screen, and one driver.
func (d *diary) show(w *world, driver string) {
	v := w.rules.View(&w.state, w.now())
	if driver != "" {
		own, ok := w.rules.Session(&w.state, w.now(), holder(driver))
		if !ok {
			d.write(w, "page of %s: nothing", driver)
			return
		}
		v = own
	}
	c := v.Charge
	text := fmt.Sprintf("page %v", v.State)
	if v.Fault != "" {
		text += " " + v.Fault
	}
	if c.Ref != "" {
		text += fmt.Sprintf(", %s %v %v", short(c.Ref), c.Energy, c.Cost)
	}
	if c.PayURL != "" {
		text += ", pay at " + c.PayURL
	}
	if c.Left > 0 {
		text += ", left " + c.Left.Round(time.Second).String()
	}
	if c.Ref != "" && c.End != 0 {
		text += fmt.Sprintf(", ended %v settled %v captured %v released %v stuck %v", c.End, c.Settled, c.Captured, c.Released, c.Stuck)
	}
	if c.Receipt != "" {
		text += ", document " + c.Receipt
	}
	d.write(w, "%s", text)
}
