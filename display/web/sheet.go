package web

import (
	"html/template"
	"strings"

	"stolpe/display"
)

// scene is a page as the templates know it.
type scene string

// The scenes.
const (
	find      scene = "find"    // no post named, or one nobody knows
	offer     scene = "offer"   // free: price and amounts
	show      scene = "show"    // free, but only for who scans the display
	busy      scene = "busy"    // somebody else is charging
	off       scene = "off"     // no charges here now
	sale      scene = "sale"    // the terms
	gone      scene = "gone"    // no such session, or no contact
	approve   scene = "approve" // in the app
	plug      scene = "plug"    // the cable in
	begin     scene = "begin"   // the contactor is closing
	charge    scene = "charge"  // energy may flow
	confirm   scene = "confirm" // stop?
	finishing scene = "finish"  // opening, final reading
	done      scene = "done"    // over
	none      scene = "none"    // a charge without a sales document
)

// tone is the mood of a page: it picks colours and the icon. It never says
// anything that words do not.
type tone string

// The tones.
const (
	free  tone = "free"
	wait  tone = "wait"
	flow  tone = "flow"
	pause tone = "pause"
	good  tone = "good"
	bad   tone = "bad"
	dim   tone = "dim"
)

// sheet is everything a page draws. The templates decide nothing about money or
// states; they only lay out what stands here.
type sheet struct {
	W       *display.Words
	Lang    display.Lang
	Place   place
	Post    display.Post
	Known   bool // a post stands behind this page
	Push    bool // drivers may give a phone number here
	Files   bool // documents can be had as files
	Scene   scene
	Tone    tone
	Head    string // the state, in a word or two
	Alert   *alert
	Moving  bool // the numbers come live
	Wait    int  // seconds after which a phone without script asks again; 0 never
	Offer   *priced
	Claim   *claim // somebody charges here, and may have lost the page
	Near    string // code of an EVSE of the same post that is free
	Old     bool   // the numbers are older than they should be
	Live    *numbers
	Charge  *charged
	Over    *over
	Say     string // one sentence below the head
	Notice  notice
	Here    bool // somebody looks for this post
	Clauses []display.Clause
	Doc     *display.Document

	Body   template.HTML
	Style  template.CSS
	Script template.JS
}

// alert is what went wrong, as display.Advice filled in.
type alert struct {
	Trouble         display.Trouble
	What, Money, Do string
}

// notice is what the owner has to say, and in which language.
type notice struct {
	Text string
	Lang display.Lang
}

// tell puts on the page what is said to everybody who looks.
func (s *sheet) tell(v display.View) {
	s.Notice.Text, s.Notice.Lang = v.Notice.In(s.Lang)
	s.Here = v.Here
}

// Title starts with the state, so that a phone's list of tabs tells it.
func (s sheet) Title() string {
	if !s.Known {
		return s.Head
	}
	return s.Head + " – " + s.Place.code
}

// Session says whether the page belongs to one holder.
func (s sheet) Session() bool { return s.Place.secret != "" }

// Code is what stands on the post.
func (s sheet) Code() string { return s.Place.code }

// Path is the address of this page's post or session, as links of ours write it.
func (s sheet) Path() string { return s.Place.with(whole).path() }

// PostPath is the address of the post's public page.
func (s sheet) PostPath() string {
	return s.Place.of("").path()
}

// TermsPath is the address of the post's terms.
func (s sheet) TermsPath() string {
	return s.Place.of("").with(terms).path()
}

// LivePath is the address of the stream of numbers; empty on a page without.
func (s sheet) LivePath() string {
	if !s.Moving {
		return ""
	}
	return s.Place.with(live).path()
}

// DocFile is the address of the document as a file; empty where there are none.
func (s sheet) DocFile() string {
	if !s.Files {
		return ""
	}
	return s.Place.with(file).path()
}

// OrgNo is the seller's number, with the mark of the VAT register.
func (s sheet) OrgNo() string { return s.Lang.OrgNo(s.Post.Seller) }

// Privacy is what we ask for and keep.
func (s sheet) Privacy() string {
	if s.Push {
		return s.W.PrivacyPhone.With("pay", s.Pay())
	}
	return string(s.W.Privacy)
}

// Pay is what drivers call the app they pay with.
func (s sheet) Pay() string { return s.Post.Wallet() }

// Tel is the help desk's number as a link wants it.
func (s sheet) Tel() string {
	return strings.Map(func(r rune) rune {
		if (r >= '0' && r <= '9') || r == '+' {
			return r
		}
		return -1
	}, s.Post.Helpdesk)
}

// Others lists the other languages with the address of this page in them.
func (s sheet) Others() []other {
	var all []other
	for _, l := range display.Langs() {
		all = append(all, other{l.Tag(), l.Name(), s.Place.in(l).path(), l == s.Lang})
	}
	return all
}

type other struct {
	Tag, Name, Path string
	Current         bool
}

// NearPath is the address of the free EVSE of the same post.
func (s sheet) NearPath() string {
	at := s.Place.bare()
	at.code = s.Near
	return at.path()
}

// advise puts an alert on the page. Values are names and what stands for them.
func (s *sheet) advise(t display.Trouble, values ...string) {
	a := s.W.Troubles[t]
	fill := func(text display.Text) string { return text.With(append(values, "pay", s.Pay())...) }
	s.Alert = &alert{Trouble: t, What: fill(a.What), Money: fill(a.Money), Do: fill(a.Do)}
}
