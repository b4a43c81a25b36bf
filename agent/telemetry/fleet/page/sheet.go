package page

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"time"

	"stolpe/agent/telemetry/fleet"
)

// sheet is what a page shows.
type sheet struct {
	Name    string // of its template
	Title   string
	Login   Login
	Live    string // address of the stream
	Now     string
	Deaf    bool // nobody listens to the posts at the moment
	Style   template.CSS
	Script  template.JS
	Body    template.HTML
	List    *list
	Post    *detail
	texts   map[string]string
	tones   map[string]string
	zone    *time.Location
	changed <-chan struct{} // closed at the first change that it does not show
}

// sheet begins a page.
func (p *Pages) sheet(name, title, live string, l Login) *sheet {
	now := p.o.Now().In(p.o.Zone)
	return &sheet{Name: name, Title: title, Login: l, Live: live, Deaf: !p.o.Listening(), Now: now.Format("2006-01-02 15:04 MST"), Style: p.style, Script: p.script,
		texts: map[string]string{}, tones: map[string]string{}, zone: p.o.Zone}
}

// body takes in the page as it was drawn.
func (s *sheet) body(drawn []byte) { s.Body = template.HTML(drawn) }

// Text marks a text that changes while the page is open. It is escaped by the template.
func (s *sheet) Text(key string, value any) template.HTML {
	text := fmt.Sprint(value)
	s.texts[key] = text
	return template.HTML(`<span data-n="` + template.HTMLEscapeString(key) + `">` + template.HTMLEscapeString(text) + `</span>`)
}

// Bar is a bar that changes while the page is open.
func (s *sheet) Bar(key, label string, percent int) template.HTML {
	s.texts[key] = strconv.Itoa(percent)
	return template.HTML(fmt.Sprintf(`<progress data-n="%s" aria-label="%s" max="100" value="%d"></progress>`, template.HTMLEscapeString(key), template.HTMLEscapeString(label), percent))
}

// Tone marks an element whose colour changes while the page is open.
func (s *sheet) Tone(key, tone string) template.HTMLAttr {
	s.tones[key] = tone
	return template.HTMLAttr(`data-k="` + template.HTMLEscapeString(key) + `" data-tone="` + template.HTMLEscapeString(tone) + `"`)
}

// Shape is another one when a page has other texts: then it has to be loaded anew.
func (s *sheet) Shape() string {
	keys := make([]string, 0, len(s.texts))
	for k := range s.texts {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	h := fnv.New64a()
	for _, k := range keys {
		fmt.Fprintln(h, k)
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// list is what is shown of all posts.
type list struct {
	Shows    []choice // by state
	Tenants  []choice // none with one tenant
	Facts    []fact
	Funnel   []step
	Failed   []counted
	Faults   []fault
	Versions []counted
	Posts    []card
	Found    int // posts that are shown on all pages
	Before   string
	After    string
}

// choice is a link that narrows the list.
type choice struct {
	Name, Path string
	Count      int // of posts
	Current    bool
}

// fact is a figure, and what else is to be said of it.
type fact struct{ Key, Name, Value, Note string }

// step is how far charges came.
type step struct {
	Key, Name string
	Count     int // of charges
	Percent   int // of those that were asked for
}

// counted is a word, and how often it came up.
type counted struct {
	Key, Name string
	Count     int // how often
}

// fault is a kind of fault in 30 days.
type fault struct {
	Key, Code, What string
	Active, Count   int // EVSEs that have it, and how often it came up
	Mean, Between   string
}

// onPage is how many posts stand on a page. Chosen by us.
const onPage = 100

// listSheet draws the posts that a login may see and has asked for.
func (p *Pages) listSheet(r *http.Request, l Login) *sheet {
	now, q := p.o.Now().In(p.o.Zone), r.URL.Query()
	posts, changed := p.look(l)
	s := p.sheet("list", "Fleet", "/live?"+r.URL.RawQuery, l)
	v := &list{}
	s.List, s.changed = v, changed
	v.Tenants = tenants(posts, q)
	if t := q.Get("tenant"); t != "" {
		posts = slices.DeleteFunc(posts, func(x fleet.Post) bool { return x.Tenant != t })
	}
	v.Facts = facts(posts, now)
	v.Funnel, v.Failed = funnel(posts)
	for _, m := range fleet.Mendings(posts, now.AddDate(0, 0, -30)) {
		v.Faults = append(v.Faults, faultOf(m, listened(posts)))
	}
	v.Versions = versions(posts)
	v.Shows = shows(posts, q)
	posts = slices.DeleteFunc(posts, func(x fleet.Post) bool { return !shown(x, q.Get("show")) })
	slices.SortStableFunc(posts, func(a, b fleet.Post) int { return rank(b) - rank(a) })
	v.Found = len(posts)
	from, _ := strconv.Atoi(q.Get("from")) // nothing that can be read is the first
	from = max(0, min(from, len(posts)))
	to := min(from+onPage, len(posts))
	if from > 0 {
		v.Before = with(q, "from", strconv.Itoa(max(0, from-onPage)))
	}
	if to < len(posts) {
		v.After = with(q, "from", strconv.Itoa(to))
	}
	for _, x := range posts[from:to] {
		v.Posts = append(v.Posts, s.card(x))
	}
	return s
}

// with is the address of the list with one thing said otherwise.
func with(q url.Values, name, value string) string {
	next := url.Values{}
	for _, known := range []string{"show", "tenant", "from"} {
		if v := q.Get(known); v != "" && known != "from" {
			next.Set(known, v)
		}
	}
	next.Del(name)
	if value != "" {
		next.Set(name, value)
	}
	if len(next) == 0 {
		return "/"
	}
	return "/?" + next.Encode()
}

// With gives facts to a template, with the sheet that they belong to.
func (s *sheet) With(f []fact) part { return part{Sheet: s, Facts: f} }

// Course gives a funnel to a template.
func (s *sheet) Course(f []step, failed []counted) part {
	return part{Sheet: s, Funnel: f, Failed: failed}
}

// part is a part of a page.
type part struct {
	Sheet  *sheet
	Facts  []fact
	Funnel []step
	Failed []counted
}
