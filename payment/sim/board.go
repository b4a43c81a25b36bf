package sim

import (
	_ "embed" // the page's template and style
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"stolpe/payment"
)

//go:embed board.html
var boardHTML string

//go:embed board.css
var boardCSS string

func newBoard() *template.Template { return template.Must(template.New("board").Parse(boardHTML)) }

const (
	maxRows   = 200     // payments on the page, the newest; chosen by us
	maxScript = 4 << 10 // characters of a fault script; chosen by us
)

// boardView is what the page of all payments shows.
type boardView struct {
	Style  template.CSS
	MSN    string
	Rows   []boardRow
	Hidden int // payments too many for the page
	Hooks  int // registrations of webhooks
	Script string
	Wrong  string // with the script
}

// boardRow is a payment on the page.
type boardRow struct {
	Reference   payment.Ref
	Description string
	Made        string
	State       EventName
	Currency    payment.Currency
	Amount      string
	Taken       string
	Freed       string
	Refunded    string
	Page        string // the payer's, while there is something to decide
	Waits       bool   // for the payer
	Held        bool   // something still is
	Gone        bool   // the bank has let it go
	Receipt     string // its number, in the payer's app
	Link        string // in the payer's app
}

// serveBoard shows all payments, the newest first.
func (t *Till) serveBoard(w http.ResponseWriter, r *http.Request) {
	if !t.ours(w, r) {
		return
	}
	t.mu.Lock()
	view := t.boardView(t.script, "")
	t.mu.Unlock()
	t.showBoard(w, http.StatusOK, view)
}

// ours refuses whoever comes by another name: a page of somebody else whose name
// leads to this address all of a sudden.
func (t *Till) ours(w http.ResponseWriter, r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	public, err := url.Parse(t.publicURL)
	if host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil || err == nil && host == public.Hostname() {
		return true
	}
	http.Error(w, "This page is served by its address or public URL only.", http.StatusMisdirectedRequest)
	return false
}

func (t *Till) showBoard(w http.ResponseWriter, status int, view boardView) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", policyOf(boardCSS, "'self'"))
	w.WriteHeader(status)
	// An error here means that the browser is gone, which is its own affair.
	_ = t.board.Execute(w, view)
}

// boardView is how things stand. The lock is held.
func (t *Till) boardView(script, wrong string) boardView {
	now := t.catchUp(t.clock())
	view := boardView{Style: template.CSS(boardCSS), MSN: t.accept.MSN, Hooks: len(t.hooks), Script: script, Wrong: wrong}
	for i := len(t.book.order) - 1; i >= 0; i-- {
		e := t.book.order[i]
		t.book.age(now, e)
		switch {
		case e.found.State == payment.NotFound:
		case len(view.Rows) == maxRows:
			view.Hidden++
		default:
			view.Rows = append(view.Rows, t.row(e))
		}
	}
	return view
}

func (t *Till) row(e *entry) boardRow {
	f, ref := e.found, e.request.Ref
	o := t.orders[ref]
	v := boardRow{
		Reference: ref, Description: o.said.Description, Made: t.wall(e.made).Format(time.DateTime), State: stateName(f.State),
		Currency: e.request.Currency, Amount: f.Amount.String(), Taken: f.Taken.String(), Freed: f.Freed.String(), Refunded: f.Refunded.String(),
		Waits: f.State == payment.Created, Held: f.State == payment.Authorised && f.Left() > 0, Gone: e.gone,
	}
	if v.Waits && o.token != "" {
		v.Page = "/app/" + o.token
	}
	s := t.shown[shownKey{ecom, string(ref)}]
	var receipt struct {
		Bottom struct {
			Number *string `json:"receiptNumber"`
		} `json:"bottomLine"`
	}
	var category struct {
		URL string `json:"orderDetailsUrl"`
	}
	if json.Unmarshal(s.Receipt, &receipt) == nil { // it was checked when it came
		v.Receipt = "–"
		if receipt.Bottom.Number != nil {
			v.Receipt = *receipt.Bottom.Number
		}
	}
	if json.Unmarshal(s.Category, &category) == nil {
		v.Link = category.URL
	}
	return v
}

// serveHands is a button of the page of all payments.
func (t *Till) serveHands(w http.ResponseWriter, r *http.Request) {
	if !t.ours(w, r) {
		return
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "This came from another page.", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	act, ref := r.PostFormValue("act"), payment.Ref(r.PostFormValue("ref"))
	t.mu.Lock()
	if act == "faults" {
		script := r.PostFormValue("script")
		if err := t.setScript(script); err != nil {
			view := t.boardView(script, err.Error())
			t.mu.Unlock()
			t.showBoard(w, http.StatusBadRequest, view)
			return
		}
	} else if !t.hand(t.catchUp(t.clock()), act, ref) {
		t.mu.Unlock()
		http.Error(w, "act: want approve, decline, expire, kill, broke, solvent or faults", http.StatusBadRequest)
		return
	}
	t.mu.Unlock()
	http.Redirect(w, r, "/till", http.StatusSeeOther)
}

// SetScript replaces the faults by those of a script, as SetFaults does, and
// shows it on the page. Errors are those of ParseFaults.
func (t *Till) SetScript(script string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.setScript(script)
}

func (t *Till) setScript(script string) error {
	if len(script) > maxScript {
		return fmt.Errorf("faults: %d characters: want at most %d", len(script), maxScript)
	}
	faults, err := ParseFaults(script)
	if err != nil {
		return err
	}
	t.faults, t.script = faults, script
	t.log.Info("till: faults set", "script", script)
	return nil
}

// hand does what a payer, a bank or time would do. It is false for no act at all;
// one that comes too late does nothing.
func (t *Till) hand(now time.Duration, act string, ref payment.Ref) bool {
	switch act {
	case "approve", "decline", "expire", "kill", "broke", "solvent":
		if t.book.entries[ref] == nil {
			return true
		}
	}
	switch act {
	case "approve", "decline":
		t.decide(now, ref, act == "approve")
	case "expire":
		t.book.Expire(now, ref)
	case "kill":
		t.book.Kill(now, ref)
	case "broke", "solvent":
		t.book.Funds(ref, act == "solvent")
	default:
		return false
	}
	return true
}
