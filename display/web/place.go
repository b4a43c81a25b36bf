package web

import (
	"strings"

	"stolpe/display"
)

// maxCode is the longest code of a post, in characters: what fits a sticker.
const maxCode = 16

// leaf is what is wanted of a post or a session.
type leaf string

const (
	whole leaf = ""      // the page itself
	terms leaf = "terms" // the terms of sale; of a post
	live  leaf = "live"  // the stream of numbers; of a session

	document leaf = "receipt"     // the sales document; of a session
	file     leaf = "receipt.pdf" // and as a file
)

// place is what an address points at: /[<lang>/]<CODE>[/<secret> or /<pass>][/<leaf>].
type place struct {
	lang   display.Lang
	named  bool   // the language stands in the address
	code   string // as given; empty for the front page
	secret string
	pass   display.Pass // of the code on the post's display; goes with no secret
	leaf   leaf
}

// parse reads a path. A language is known by its tag in lower case; a post of
// that name is reached in capitals.
func parse(path string) (place, bool) {
	var p place
	rest := strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
	take := func() string {
		if len(rest) == 0 {
			return ""
		}
		first := rest[0]
		rest = rest[1:]
		return first
	}
	if l, ok := display.ParseLang(rest[0]); ok {
		p.lang, p.named = l, true
		take()
	}
	p.code = take()
	if len(rest) > 0 && len(rest[0]) == secretChars {
		p.secret = take()
	} else if len(rest) > 0 {
		if pass, ok := display.ParsePass(rest[0]); ok {
			p.pass = pass
			take()
		}
	}
	p.leaf = leaf(take())
	if len(rest) > 0 || (p.code == "" && p.leaf != whole) || (p.code != "" && !wellFormed(p.code)) {
		return place{lang: p.lang, named: p.named}, false
	}
	return p, p.leaf.of(p.secret != "")
}

// of says whether there is such a leaf of a session, or else of a post.
func (l leaf) of(session bool) bool {
	switch l {
	case whole:
		return true
	case terms:
		return !session
	case live, document, file:
		return session
	}
	return false
}

func wellFormed(code string) bool {
	if len(code) > maxCode {
		return false
	}
	for _, c := range []byte(code) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return code != ""
}

// path writes the address back, with its language if it was named.
func (p place) path() string {
	var b strings.Builder
	part := func(s string) {
		if s != "" {
			b.WriteString("/" + s)
		}
	}
	if p.named {
		part(p.lang.Tag())
	}
	part(p.code)
	part(p.secret)
	part(string(p.pass))
	part(string(p.leaf))
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// in is the same place with the language named. All links of ours name it, so
// that the language a driver chose goes along.
func (p place) in(l display.Lang) place {
	p.lang, p.named = l, true
	return p
}

// of is the page of the session with that secret, or of the post with none, whose
// pass goes along.
func (p place) of(secret string) place {
	p.secret, p.leaf = secret, whole
	if secret != "" {
		p.pass = ""
	}
	return p
}

// bare is the post's page as its sticker leads to it.
func (p place) bare() place {
	p.pass = ""
	return p.of("")
}

// with is another leaf of the same post or session.
func (p place) with(l leaf) place {
	p.leaf = l
	return p
}

// prefer picks a language from an Accept-Language header by its order alone:
// browsers list what their owner reads, best first. Every kind of Norwegian is
// NB, which is also what we speak when nothing fits.
func prefer(header string) display.Lang {
	for i, part := range strings.SplitN(header, ",", 9) {
		if i == 8 {
			break // the rest is not a preference any more
		}
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		if tag == "no" || tag == "nn" {
			return display.NB
		}
		if l, ok := display.ParseLang(tag); ok {
			return l
		}
	}
	return display.NB
}
