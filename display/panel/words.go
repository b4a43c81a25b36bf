package panel

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"stolpe/display"
)

// words are all texts of one language on a display. They are much shorter than those of a
// phone's page, so they are their own; a test finds one that is left out or too long.
type words struct {
	faces [faces]saying

	powerLost, meterLost display.Text // why a charge was interrupted, in place of the title

	scanToCharge, scanForMore, scanToStop, scanToPay, scanTerms display.Text // beside a code

	within                                                display.Text // {min}
	restGone, restGoes, allGone, allGoes                  display.Text // what becomes of the reservation
	reserves                                              display.Text // {price}
	perMinute, perSession, perIdle, idleAfter, idleStarts display.Text // {price}, {time}

	updated  display.Text // {time}
	noneFree display.Text // in capitals, of several EVSEs
}

// saying is what one face says: see Page.
type saying struct {
	big, title, long, shortDo, do display.Text
}

// wordsOf are those of a language.
func wordsOf(l display.Lang) *words {
	return [...]*words{display.NB: &nbWords, display.EN: &enWords, display.SV: &svWords,
		display.DA: &daWords, display.FI: &fiWords, display.DE: &deWords}[l]
}

// talk is the two languages of a page. Numbers are written in the way of the first, also
// in texts of the second: two ways of writing one price would look like two prices.
type talk struct {
	langs [2]display.Lang
	words [2]*words
}

func talkIn(langs [2]display.Lang) talk {
	return talk{langs, [2]*words{wordsOf(langs[0]), wordsOf(langs[1])}}
}

// numbers is the language that numbers are written in.
func (t talk) numbers() display.Lang { return t.langs[0] }

// say says a text in both languages.
func (t talk) say(pick func(*words) display.Text, pairs ...string) Said {
	return said(pick(t.words[0]).With(pairs...), pick(t.words[1]).With(pairs...))
}

// each says a text of the pages in both languages.
func (t talk) each(pick func(*display.Words) display.Text, pairs ...string) Said {
	return said(pick(t.langs[0].Words()).With(pairs...), pick(t.langs[1].Words()).With(pairs...))
}

// said leaves out a second text that repeats the first.
func said(first, second string) Said {
	if first == second {
		second = ""
	}
	return Said{plain(first), plain(second)}
}

// plain puts spaces for no-break spaces, which letters of dots need not have.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// lower gives a word in capitals as it is written elsewhere: "Sett i".
func lower(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(first) + strings.Map(unicode.ToLower, s[n:])
}
