package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// patient is how long a post may take for one charge with all its kills. Chosen
// by us: a settlement waits 40 s after each restart, for the sake of its budget of
// calls.
const patient = 6 * time.Minute

// boots is how many starts without a longer run make a post settle-only.
const boots = 5

var (
	sceneOnPage = regexp.MustCompile(`<body class="([a-z]+)"`)
	fieldOnPage = regexp.MustCompile(`name="(seen|key)" value="([^"]*)"`)
	linkToApp   = regexp.MustCompile(`href="(http://127[^"]*/app/[^"]*)"`)
)

// handset is the phone of a driver who is not put off by a post that dies.
type handset struct {
	*victim
	http    *http.Client
	session string // path of the session page; empty before
	app     string // where to approve; empty before
	decide  time.Time
	decided bool
	stop    time.Time
	began   bool
	before  int // payments made before the charge was asked for
}

func newHandset(v *victim) *handset {
	return &handset{victim: v, http: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// wait looks ten times a second until something has come true.
func (p *handset) wait(what string, true func() bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patient)
	for !true() && !p.t.Failed() {
		select {
		case <-tick.C:
		case <-late:
			p.t.Errorf("%s: waited %v in vain: %s\n%s", p.id, patient, what, p.everything())
		}
	}
}

// charge asks for a charge and goes through with it, until it is settled or will
// never be served.
func (p *handset) charge() {
	p.session, p.app, p.decided, p.began = "", "", false, false
	p.wait("a charge", p.look)
}

// look looks at the page, does what a driver would do, and says whether that was
// all.
func (p *handset) look() bool {
	p.pay()
	base := p.pages()
	switch {
	case base == "":
		return false
	case p.session == "":
		return p.ask(base)
	}
	return p.follow(base)
}

// pay approves in the app, whether the post is there or not. Some think better of
// it.
func (p *handset) pay() {
	if p.app == "" || p.decided || time.Now().Before(p.decide) {
		return
	}
	act := "approve"
	if p.number(12) == 0 && !p.brief {
		act = "decline"
	}
	_, status := p.do(http.MethodPost, p.app, url.Values{"act": {act}})
	p.decided = status == http.StatusSeeOther
}

// ask asks for a charge, or gives up where nobody is served any more.
func (p *handset) ask(base string) bool {
	page, _ := p.do(http.MethodGet, base+"/en/"+p.id, nil)
	form := url.Values{"amount": {strconv.FormatInt(p.limit, 10)}}
	for _, m := range fieldOnPage.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	if form.Get("key") == "" {
		return !p.serves()
	}
	p.session = "/en/" + p.id + "/" + form.Get("key")
	p.keep(form.Get("key"))
	p.before = p.payments()
	p.reach(asking)
	p.do(http.MethodPost, base+"/en/"+p.id, form)
	return false
}

// follow looks at the page of the session.
func (p *handset) follow(base string) bool {
	page, status := p.do(http.MethodGet, base+p.session, nil)
	if status == http.StatusNotFound && p.loses {
		return false // the new card does not know of it yet
	}
	if status == http.StatusNotFound { // killed before the wish was written down
		p.session = ""
		p.forget()
		return false
	}
	m := sceneOnPage.FindStringSubmatch(page)
	if m == nil {
		return false
	}
	switch m[1] {
	case "approve":
		p.open(page)
	case "begin", "charge":
		p.watch(base)
	case "done":
		settled := !strings.Contains(page, " data-live=")
		if settled || p.neverMade() {
			p.forget()
			return true
		}
	}
	return false
}

// neverMade says that the post died before its call to make the payment, and has
// looked for it since. It will go on looking for a quarter of an hour.
func (p *handset) neverMade() bool {
	return p.payments() == p.before && strings.Contains(p.log(), "reading payments back")
}

// open finds the way to the app.
func (p *handset) open(page string) {
	m := linkToApp.FindStringSubmatch(page)
	if m == nil || p.app != "" {
		return
	}
	p.app = html.UnescapeString(m[1])
	p.keep(p.app)
	p.decide = time.Now().Add(time.Duration(p.number(2000)) * time.Millisecond)
	p.reach(approving)
}

// watch stops the charge after a while.
func (p *handset) watch(base string) {
	if !p.began {
		p.began = true
		p.stop = time.Now().Add(p.long())
		p.reach(charging)
	}
	if time.Now().Before(p.stop) {
		return
	}
	if p.stays != nil {
		select {
		case <-p.stays:
		default:
			return
		}
	}
	p.reach(stopping)
	p.do(http.MethodPost, base+p.session, url.Values{"act": {"stop"}})
}

// long is how long the driver charges: up to 16 s, or 8 s when it is to be brief.
func (p *handset) long() time.Duration {
	if p.brief {
		return 8 * time.Second
	}
	return time.Duration(p.number(16_000)) * time.Millisecond
}

// do makes a request. A post that has just been killed gives no status.
func (p *handset) do(method, address string, form url.Values) (page string, status int) {
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Error(err)
		return "", 0
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := p.http.Do(r)
	if err != nil {
		return "", 0
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", 0
	}
	return string(body), answer.StatusCode
}
