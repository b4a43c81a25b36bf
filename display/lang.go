package display

import (
	"strings"

	"stolpe/payment"
)

// Lang is a language people read. The zero value is Norwegian.
type Lang uint8

// The languages. One more is a constant here, a file of Words, and a row in
// languages.
const (
	NB Lang = iota // Norwegian bokmål
	EN             // English
	SV             // Swedish
	DA             // Danish
	FI             // Finnish
	DE             // German
	langs
)

// Langs lists every language, in the order of the language switch.
func Langs() []Lang {
	all := make([]Lang, langs)
	for i := range all {
		all[i] = Lang(i)
	}
	return all
}

// ParseLang finds the language of a tag such as "en". Only the tags that Tag
// gives are known.
func ParseLang(tag string) (Lang, bool) {
	for l, c := range languages {
		if c.tag == tag {
			return Lang(l), true
		}
	}
	return NB, false
}

// LangOf is what the payer's app is spoken to in, where prices are in that
// currency: what the driver reads is not known there, and each country we sell in
// has a currency of its own.
func LangOf(c payment.Currency) Lang {
	switch c {
	case payment.NOK:
		return NB
	case payment.DKK:
		return DA
	case payment.EUR:
		return FI
	}
	return EN
}

// Tag is the language's BCP 47 tag, as in an address or a lang attribute.
func (l Lang) Tag() string { return languages[l].tag }

// Name is what the language calls itself.
func (l Lang) Name() string { return languages[l].name }

// Words are the sentences of the language.
func (l Lang) Words() *Words { return languages[l].words }

// customs is how a language writes numbers, money and times.
type customs struct {
	tag, name string
	words     *Words
	decimal   string           // between whole and part
	thousands string           // between groups of three digits
	before    bool             // the currency stands before the number
	own       payment.Currency // the one that has a sign in the language; may be empty
	sign      string           // of that one; all others go by their code
	hour      string           // short for hours
	date      string           // layout of a date, for time.Time.Format
	clock     string           // layout of a time of day
}

// languages is written here and nowhere else. The customs are those of the
// Unicode CLDR. A Swedish or Danish "kr" is not a Norwegian one, so no language
// but Norwegian calls NOK that.
var languages = [langs]customs{
	NB: {"nb", "Norsk", &nbWords, ",", nbsp, false, payment.NOK, "kr", "t", "02.01.2006", "15:04"},
	EN: {"en", "English", &enWords, ".", ",", true, "", "", "h", "2 Jan 2006", "15:04"},
	SV: {"sv", "Svenska", &svWords, ",", nbsp, false, payment.EUR, "€", "tim", "2006-01-02", "15:04"},
	DA: {"da", "Dansk", &daWords, ",", ".", false, payment.DKK, "kr.", "t", "02.01.2006", "15.04"},
	FI: {"fi", "Suomi", &fiWords, ",", nbsp, false, payment.EUR, "€", "h", "2.1.2006", "15.04"},
	DE: {"de", "Deutsch", &deWords, ",", ".", false, payment.EUR, "€", "h", "02.01.2006", "15:04"},
}

// nbsp keeps a number and its unit on one line. Media without lines to break may
// draw it as a space.
const nbsp = "\u00a0"

// Text is something to say. Where a value goes stands its name in braces, as in
// "{amount} is reserved".
type Text string

// With puts values in the places of their names, given in pairs: name, value. A
// value that ends in a full stop, as "5,49 kr." does, ends a sentence without a
// second one.
func (t Text) With(pairs ...string) string {
	s := string(t)
	for i := 0; i+1 < len(pairs); i += 2 {
		place, value := "{"+pairs[i]+"}", pairs[i+1]
		if strings.HasSuffix(value, ".") {
			s = strings.ReplaceAll(s, place+".", value)
		}
		s = strings.ReplaceAll(s, place, value)
	}
	return s
}
