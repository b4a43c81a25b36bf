package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"stolpe/hal"
)

// Error is one thing that is wrong with a configuration, said so that a
// technician can mend it.
type Error struct {
	File    string // as it was named to Read, or "environment NAME"
	Line    int    // in File, from 1; 0 when no line is to blame
	Key     string // path of the key, as in "evses[0].meter.url"; empty for the file as a whole
	Found   string // what stands there; never a secret
	Allowed string // what may stand there
}

// Error gives the whole as one sentence: file:line: key: found this; want that.
func (e Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where += fmt.Sprintf(":%d", e.Line)
	}
	parts := []string{where, e.Key, "found " + e.Found + "; want " + e.Allowed}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// Errors is everything that is wrong with a configuration, in the order of the
// file.
type Errors []Error

// maxShown is how many errors are written out. Chosen by us: two screens full;
// a file with more is not a configuration of ours.
const maxShown = 50

// Error gives one line for each error, and the number of those left out.
func (e Errors) Error() string {
	lines := make([]string, 0, min(len(e), maxShown)+1)
	for _, one := range e[:min(len(e), maxShown)] {
		lines = append(lines, one.Error())
	}
	if more := len(e) - maxShown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int { return cmp.Compare(a.Line, b.Line) })
	return e
}

// nearest gives the known word that is closest to what was written, or "" when
// none is close enough to be meant. Capitals do not count.
func nearest(word string, known []string) string {
	letters := utf8.RuneCountInString(word)
	if letters > maxWord {
		return ""
	}
	best, least := "", (letters+2)/3 // one slip in every three letters; chosen by us
	for _, k := range known {
		if d := hal.Distance(strings.ToLower(word), strings.ToLower(k)); d <= least && (best == "" || d < least) {
			best, least = k, d
		}
	}
	return best
}

// maxWord is the longest word, in characters, that nearest compares. Chosen by
// us: twice our longest key, so that a hostile file costs no time.
const maxWord = 40
