package display

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Notice is a sentence that the owner has for drivers, in each language in which it is
// said. The zero Notice says nothing.
type Notice [langs]string

// MaxNotice is the longest a notice may be, in characters of each language. Chosen by
// us: four lines on a phone, above all that a driver came for.
const MaxNotice = 200

// In gives the notice to a reader of l, and the language it is in: another, if it is not
// said in l.
func (n Notice) In(l Lang) (string, Lang) {
	for _, in := range []Lang{l, EN} {
		if n[in] != "" {
			return n[in], in
		}
	}
	for in, text := range n {
		if text != "" {
			return text, Lang(in)
		}
	}
	return "", l
}

// Tags gives the notice by the tags of its languages.
func (n Notice) Tags() map[string]string {
	var all map[string]string
	for in, text := range n {
		if text == "" {
			continue
		}
		if all == nil {
			all = map[string]string{}
		}
		all[Lang(in).Tag()] = text
	}
	return all
}

// ParseNotice makes a notice of texts by the tags of their languages. They come from
// afar: each must be one line of letters that can be seen.
func ParseNotice(texts map[string]string) (Notice, error) {
	var n Notice
	for tag, text := range texts {
		l, ok := ParseLang(tag)
		switch {
		case !ok:
			return Notice{}, fmt.Errorf("notice: no page is in language %.8q", tag)
		case text != strings.TrimSpace(text) || text == "" || !utf8.ValidString(text):
			return Notice{}, fmt.Errorf("notice: %s: want a sentence, with no space around it", tag)
		case utf8.RuneCountInString(text) > MaxNotice:
			return Notice{}, fmt.Errorf("notice: %s: %d characters, at most %d can be shown", tag, utf8.RuneCountInString(text), MaxNotice)
		case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }):
			return Notice{}, fmt.Errorf("notice: %s: want one line of characters that can be seen", tag)
		}
		n[l] = text
	}
	return n, nil
}
