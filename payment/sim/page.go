package sim

import (
	"crypto/sha256"
	_ "embed" // the page's template and style
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"stolpe/payment"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

func newPage() *template.Template { return template.Must(template.New("page").Parse(pageHTML)) }

// pageView is what the page shows.
type pageView struct {
	Style       template.CSS
	Amount      string
	Currency    payment.Currency
	Description string
	Reference   payment.Ref
	State       EventName
	Buttons     bool         // a person may decide
	Watch       bool         // an automatic payer decides; look again soon
	Return      template.URL // checked by usable
}

// behind finds the payment behind a page token.
func (t *Till) behind(now time.Duration, token string) (payment.Ref, *entry) {
	ref, known := t.pages[token]
	if !known {
		return "", nil
	}
	return ref, t.book.find(now, ref)
}

// servePage plays the app: it shows what is to be approved. It says what it is,
// and uses nothing of the brand but the word.
func (t *Till) servePage(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	ref, e := t.behind(t.catchUp(t.clock()), r.PathValue("token"))
	if e == nil {
		t.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	said := t.orders[ref].said
	waits := e.found.State == payment.Created
	view := pageView{
		Style: template.CSS(pageCSS), Amount: e.found.Amount.String(), Currency: e.request.Currency,
		Description: said.Description, Reference: ref, State: stateName(e.found.State),
		Buttons: waits && t.payer.Habit == ByHand, Watch: waits && t.payer.Habit != ByHand,
		Return: template.URL(said.ReturnURL),
	}
	t.mu.Unlock()

	if !waits && t.payer.Habit != ByHand && said.ReturnURL != "" {
		http.Redirect(w, r, said.ReturnURL, http.StatusSeeOther) // the automatic payer is done
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", policy(said.ReturnURL))
	// An error here means that the browser is gone, which is its own affair.
	_ = t.page.Execute(w, view)
}

// policy lets the page load nothing and frame nowhere. Browsers hold a form's
// redirects to form-action too, so the way back is allowed by name.
func policy(back string) string {
	forms := "'self'"
	if u, err := url.Parse(back); err == nil && u.Scheme != "" {
		switch u.Scheme {
		case "http", "https":
			forms += " " + u.Scheme + "://" + u.Host
		default:
			forms += " " + u.Scheme + ":"
		}
	}
	return policyOf(pageCSS, forms)
}

// policyOf lets a page have its own style, and send forms to some places.
func policyOf(css, forms string) string {
	style := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) +
		"'; form-action " + forms + "; base-uri 'none'; frame-ancestors 'none'"
}

// serveAct is a button of the page.
func (t *Till) serveAct(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	act := r.PostFormValue("act")
	if act != "approve" && act != "decline" {
		http.Error(w, "act: want approve or decline", http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	now := t.catchUp(t.clock())
	ref, e := t.behind(now, r.PathValue("token"))
	// With an automatic payer the page has no buttons, so this is not one of them.
	counted := e != nil && t.payer.Habit == ByHand && t.decide(now, ref, act == "approve")
	back := t.orders[ref].said.ReturnURL
	t.mu.Unlock()

	switch {
	case e == nil:
		http.NotFound(w, r)
	case counted && back != "":
		http.Redirect(w, r, back, http.StatusSeeOther)
	default: // too late, or nowhere to go: the page says how things stand
		http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	}
}
