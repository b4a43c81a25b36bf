package panel

import (
	"strconv"
	"strings"
	"time"

	"stolpe/display"
)

// Page says what the display shows.
func (s Scene) Page() Page {
	t := talkIn(s.Langs)
	face, at := s.face()
	p := Page{Face: face, Help: s.Post.Helpdesk, Where: s.Post.Name, Light: s.light(face, at)}
	p.speak(t, s.Post)
	if face == Boot {
		p.Version = s.Version
	}
	switch {
	case face == Several:
		p.rows(s, t)
		return p
	case face == OutOfOrder || face == TooCold:
		if len(s.EVSEs) == 1 {
			p.Post = s.EVSEs[0].View.Code
			p.Named = named(t, p.Post)
		}
		return p
	}
	e := s.EVSEs[at]
	p.Post = e.View.Code
	p.Named = named(t, e.View.Code)
	p.notice(t, e.View.Notice)
	p.count(s, e, t)
	p.end(e, t)
	p.cost(e, t)
	p.scan(s, e, t)
	if face == Faulted || face == Emergency || face == Interrupted {
		p.Fault = e.View.Fault
	}
	return p
}

// speak says what every page of that face says.
func (p *Page) speak(t talk, post display.Post) {
	of := func(pick func(saying) display.Text) Said {
		return t.say(func(w *words) display.Text { return pick(w.faces[p.Face]) }, "pay", post.Wallet())
	}
	p.Big = of(func(s saying) display.Text { return s.big })
	p.Title = of(func(s saying) display.Text { return s.title })
	p.Long = of(func(s saying) display.Text { return s.long })
	p.Do = of(func(s saying) display.Text { return s.do })
	p.ShortDo = of(func(s saying) display.Text { return s.shortDo })
}

// named says which post this is, and only its code where that is long.
func named(t talk, code string) Said {
	if code == "" {
		return Said{}
	}
	of := func(l display.Lang) string {
		if text := string(l.Words().Post) + " " + code; len([]rune(text)) <= LineMost {
			return text
		}
		return code
	}
	return said(of(t.langs[0]), of(t.langs[1]))
}

// notice is what the owner has to say, where it is said in a language of the page.
func (p *Page) notice(t talk, n display.Notice) {
	first, in := n.In(t.langs[0])
	if second, also := n.In(t.langs[1]); also == t.langs[1] && also != in {
		p.Notice = said(first, second)
		return
	}
	p.Notice = said(first, first)
}

// wait says how long the driver has.
func (p *Page) wait(left time.Duration, t talk) {
	if left = min(left, mostLeft); left <= 0 {
		return
	}
	p.Left = display.Countdown(left)
	p.Minutes = strconv.FormatInt(int64((left+time.Minute-1)/time.Minute), 10)
	p.Within = t.say(func(w *words) display.Text { return w.within }, "min", p.Minutes)
}

// scan puts a code on the page, where there is something that it is good for.
func (p *Page) scan(s Scene, e EVSE, t talk) {
	what, link := p.purpose(e)
	if what == nil || link == "" {
		return
	}
	if p.Code = s.Codes.of(link); p.Code == nil {
		return
	}
	p.Caption = t.say(what)
	p.Domain = domain(link)
	if p.Face == Interrupted { // whoever goes on needs the cable where it is
		p.Do, p.ShortDo = p.Caption, p.Caption
	}
}

// purpose says what a code on the page is good for, and where it leads; nil where there
// must be none. Whoever pays at a post that cannot sell has paid for nothing.
func (p *Page) purpose(e EVSE) (what func(*words) display.Text, link string) {
	switch p.Face {
	case PayCode:
		return func(w *words) display.Text { return w.scanToPay }, e.View.Charge.PayURL
	case Charging, Suspended, NearLimit:
		return func(w *words) display.Text { return w.scanToStop }, capitals(e.Link)
	}
	if !e.sells() {
		return nil, ""
	}
	switch p.Face {
	case Free, Occupied:
		return func(w *words) display.Text { return w.scanToCharge }, capitals(e.Link)
	case FreeButton:
		return func(w *words) display.Text { return w.scanTerms }, capitals(e.Link)
	case Interrupted:
		return func(w *words) display.Text { return w.scanForMore }, capitals(e.Link)
	}
	return nil, ""
}

// capitals writes the address of a post as its code has it: in capitals it needs fewer
// modules, and the pages do not tell them from small letters.
func capitals(link string) string { return strings.ToUpper(link) }

// domain is where an address leads, as people compare it with what their phone shows.
func domain(link string) string {
	_, rest, _ := strings.Cut(link, "://")
	host, _, _ := strings.Cut(rest, "/")
	return strings.ToLower(host)
}
