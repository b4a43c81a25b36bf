package telemetry

import (
	"encoding/binary"
	"strings"
)

// letters are Crockford's, of which a ULID is made (github.com/ulid/spec).
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ulidSize is how many there are: 128 bits, five a letter.
const ulidSize = 26

// ULID writes an id: of a time, in ms since 1970 of which it holds the lower 48 bits, and
// of what tells ids of one time apart.
func ULID(ms uint64, rest [10]byte) string {
	high := ms<<16 | uint64(binary.BigEndian.Uint16(rest[:]))
	low := binary.BigEndian.Uint64(rest[2:])
	var text [ulidSize]byte
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = letters[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(text[:])
}

// IsULID says whether a text can be an id.
func IsULID(s string) bool {
	return len(s) == ulidSize && s[0] <= '7' && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(letters, r) })
}
