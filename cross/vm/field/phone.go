package field

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What a phone reads off the post's pages.
type marks struct{ scene, field, app *regexp.Regexp }

func newMarks() marks {
	return marks{
		scene: regexp.MustCompile(`<body class="([a-z]+)`),
		field: regexp.MustCompile(`name="(seen|key)" value="([^"]*)"`),
		app:   regexp.MustCompile(`href="(http://127[^"]*/app/[^"]*)"`),
	}
}

// ErrTurnedAway is a page without a form to ask for a charge: the post is busy, or
// serves nobody now.
var ErrTurnedAway = errors.New("the page does not let anybody ask for a charge")

// ErrGone is a session that the post does not know.
var ErrGone = errors.New("the post does not know the session")

// ErrNotYet is something that the page does not offer yet.
var ErrNotYet = errors.New("the page does not offer it yet")

// Phone is a driver with a phone, at one post. It knows the post by its pages alone.
type Phone struct {
	base  string
	marks marks
	http  *http.Client
	path  string // of the session's page; empty without one
	app   string // where to approve; empty before
}

// NewPhone gives a phone that finds the post's pages at base, such as
// http://127.0.0.1:8080.
func NewPhone(base string) *Phone {
	return &Phone{base: base, marks: newMarks(), http: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Ask asks for a charge. The error wraps ErrTurnedAway when there is no way to ask.
func (p *Phone) Ask(ctx context.Context) error {
	page, _, err := p.do(ctx, http.MethodGet, p.base+"/en/"+PostID, nil)
	if err != nil {
		return err
	}
	form := url.Values{"amount": {strconv.Itoa(reserve)}}
	for _, m := range p.marks.field.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	if form.Get("key") == "" {
		return fmt.Errorf("%w: scene %q", ErrTurnedAway, p.find(p.marks.scene, page))
	}
	p.path, p.app = "/en/"+PostID+"/"+form.Get("key"), ""
	_, status, err := p.do(ctx, http.MethodPost, p.base+"/en/"+PostID, form)
	if err == nil && status != http.StatusSeeOther {
		err = fmt.Errorf("%w: status %d", ErrTurnedAway, status)
	}
	return err
}

// Scene is what the session's page shows: approve, begin, charge, done and others.
// Settled says that nothing more will come. The error wraps ErrGone when the post knows
// nothing of the session.
func (p *Phone) Scene(ctx context.Context) (scene string, settled bool, err error) {
	page, status, err := p.do(ctx, http.MethodGet, p.base+p.path, nil)
	switch {
	case err != nil:
		return "", false, err
	case status == http.StatusNotFound:
		return "", false, ErrGone
	}
	if link := p.find(p.marks.app, page); link != "" {
		p.app = html.UnescapeString(link)
	}
	scene = p.find(p.marks.scene, page)
	return scene, scene == "done" && !strings.Contains(page, " data-live="), nil
}

// Approve approves in the app. The error wraps ErrNotYet before a page has shown the
// way there.
func (p *Phone) Approve(ctx context.Context) error {
	if p.app == "" {
		return fmt.Errorf("the way to the app: %w", ErrNotYet)
	}
	_, status, err := p.do(ctx, http.MethodPost, p.app, url.Values{"act": {"approve"}})
	if err == nil && status != http.StatusSeeOther {
		err = fmt.Errorf("approve: status %d", status)
	}
	return err
}

// Stop stops the charge.
func (p *Phone) Stop(ctx context.Context) error {
	_, status, err := p.do(ctx, http.MethodPost, p.base+p.path, url.Values{"act": {"stop"}})
	if err == nil && status != http.StatusSeeOther {
		err = fmt.Errorf("stop: status %d", status)
	}
	return err
}

// Receipt is the text of the session's page.
func (p *Phone) Receipt(ctx context.Context) (string, error) {
	page, status, err := p.do(ctx, http.MethodGet, p.base+p.path, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("receipt: status %d", status)
	}
	return page, err
}

func (p *Phone) find(mark *regexp.Regexp, page string) string {
	if m := mark.FindStringSubmatch(page); m != nil {
		return m[1]
	}
	return ""
}

func (p *Phone) do(ctx context.Context, method, address string, form url.Values) (page string, status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := p.http.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return string(body), answer.StatusCode, err
}
