package draw

import (
	"strings"
	"unicode/utf8"
)

// wrapped breaks a text into lines of at most so many letters, between words where it can.
func wrapped(text string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case letters(line)+1+letters(word) <= columns:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
		for letters(line) > columns {
			head := []rune(line)[:columns]
			lines = append(lines, string(head))
			line = line[len(string(head)):]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// shorten cuts a text after a word, or in a word that is too long by itself, so that it has
// at most so many letters together with the sign that something is missing.
func shorten(text string, columns int) string {
	if letters(text) <= columns {
		return text
	}
	head := string([]rune(text)[:columns-1])
	if i := strings.LastIndex(head, " "); i > 0 && text[len(head)] != ' ' {
		head = head[:i]
	}
	return strings.TrimRight(head, " ,.–-") + "…"
}

func letters(text string) int { return utf8.RuneCountInString(text) }
