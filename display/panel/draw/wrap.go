package draw

import (
	"strings"
	"unicode/utf8"
)

// wrapped breaks a text into at most so many lines of at most so many letters, between
// words. What does not fit is cut after a word, with the sign for that; whole says that
// nothing was, and that no word was broken.
func wrapped(text string, columns, most int) (lines []string, whole bool) {
	whole = true
	words := bound(text, columns)
	for len(words) > 0 {
		line := words[0]
		n := 1
		for n < len(words) && count(line)+1+count(words[n]) <= columns {
			line += " " + words[n]
			n++
		}
		if len(lines)+1 == most && (n < len(words) || count(line) > columns) {
			return append(lines, shorten(strings.Join(words, " "), columns)), false
		}
		words = words[n:]
		if count(line) > columns {
			head := string([]rune(line)[:columns])
			words = append([]string{line[len(head):]}, words...)
			line, whole = head, false
		}
		lines = append(lines, line)
	}
	return lines, whole
}

// bound gives the words of a text; where a line has room for both, a number stays with what
// follows it: "1 kr/min". What has a no-break space between is one word.
func bound(text string, columns int) []string {
	var words []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		if n := len(words) - 1; n >= 0 && numeral(words[n]) && count(words[n])+1+count(w) <= columns {
			words[n] += " " + w
			continue
		}
		words = append(words, w)
	}
	return words
}

func numeral(word string) bool {
	last := word[len(word)-1]
	return last >= '0' && last <= '9' && count(word) < 7
}

// shorten cuts a text after a word, or in a word that is too long by itself, so that it has
// at most so many letters together with the sign that something is missing.
func shorten(text string, columns int) string {
	if count(text) <= columns {
		return text
	}
	head := string([]rune(text)[:columns-1])
	if i := strings.LastIndex(head, " "); i > 0 && text[len(head)] != ' ' {
		head = head[:i]
	}
	return strings.TrimRight(head, " ,.–-") + "…"
}

// count gives the number of letters.
func count(text string) int { return utf8.RuneCountInString(text) }
