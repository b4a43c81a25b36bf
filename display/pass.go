package display

import (
	"crypto/subtle"
	"strings"
)

// Pass is what the code on a post's display has, and its sticker has not: whoever knows it
// has stood in front of the post since somebody last began there. It is no secret of a
// charge: everybody who passes by can read it. Compare passes with Is.
type Pass string

// passChars is the length of a pass. Chosen by us: six characters are 30 bits, and a page
// takes one wish in ten seconds, so a guesser needs centuries; and with a host name of
// usual length the address still fits the small code of a display.
const passChars = 6

// passLetters are Crockford's: digits and capitals without I, L, O and U. They are all
// in the alphanumeric mode of a matrix code.
const passLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// bitsEach is how many bits a letter holds.
const bitsEach = 5

// PassOf makes the pass of random bits; those above the lowest 30 do not count.
func PassOf(random uint32) Pass {
	var b [passChars]byte
	for i := range b {
		b[i] = passLetters[random&(1<<bitsEach-1)]
		random >>= bitsEach
	}
	return Pass(b[:])
}

// ParsePass reads a pass as a code has it, or as people copy it: in small letters, with O
// for 0 and I or L for 1. It says no to anything that PassOf cannot have made.
func ParsePass(s string) (Pass, bool) {
	s = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(s) != passChars {
		return "", false
	}
	for i := range len(s) {
		if strings.IndexByte(passLetters, s[i]) < 0 {
			return "", false
		}
	}
	return Pass(s), true
}

// Is says whether two passes are the same one, in a time that does not tell how much of
// them is. No pass is none, and the same as nothing.
func (p Pass) Is(o Pass) bool {
	return p != "" && subtle.ConstantTimeCompare([]byte(p), []byte(o)) == 1
}
