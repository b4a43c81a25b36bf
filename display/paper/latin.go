package paper

import "strings"

// latin writes a text in Windows-1252, the encoding of the fonts that every reader
// of PDF has. What moves no ink becomes a space; of a letter that is not in it the
// nearest is taken, and of any other sign a question mark.
func latin(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch place := strings.IndexRune(upper, r); {
		case r == 0xffff: // upper has it where nothing stands
			b.WriteByte('?')
		case r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0):
			b.WriteByte(' ')
		case r < 0x80 || (r >= 0xa0 && r <= 0xff):
			b.WriteByte(byte(r))
		case place >= 0:
			b.WriteByte(0x80 + byte(len([]rune(upper[:place]))))
		default:
			b.WriteString(nearest(r))
		}
	}
	return b.String()
}

// upper are the signs at 0x80 to 0x9f; the five places without one hold a sign
// that no text has, as it is not a character.
const upper = "€\uffff‚ƒ„…†‡ˆ‰Š‹Œ\uffffŽ\uffff\uffff‘’“”•–—˜™š›œ\uffffžŸ"

// nearest is what is drawn for a sign that the encoding lacks. Sámi and Baltic
// letters are in names of streets; the minus is in ours.
func nearest(r rune) string {
	const others = "ČčĐđŊŋŦŧǤǥǦǧǨǩĀāĒēĢģĪīĶķĻļŅņŪūĄąĘęĖėĮįŲųŁłŃńŚśŹźŻżĆćŐőŰűĞğŞşİı"
	const plain = "CcDdNnTtGgGgKkAaEeGgIiKkLlNnUuAaEeEeIiUuLlNnSsZzZzCcOoUuGgSsIi"
	if at := strings.IndexRune(others, r); at >= 0 {
		return plain[len([]rune(others[:at])):][:1]
	}
	switch r {
	case '−', '‐', '‑', '‒':
		return "\x96"
	case '\u202f', '\u2009', '\u2007':
		return "\xa0"
	}
	return "?"
}
