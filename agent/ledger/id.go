package ledger

import (
	"crypto/sha256"
	"encoding/binary"
)

// idOf is the id of the event that a line of a post's book stands for: a ULID of its
// time, in s since 1970, and of a hash of the line. It is the same whenever it is
// asked for.
func idOf(post string, at int64, line []byte) string {
	const latest = 1<<48/1000 - 1 // s since 1970: what a ULID can tell
	sum := sha256.Sum256(append([]byte(post+"\n"), line...))
	ms := uint64(max(0, min(at, latest))) * 1000
	high := ms<<16 | uint64(binary.BigEndian.Uint16(sum[:]))
	return ulid(high, binary.BigEndian.Uint64(sum[2:]))
}

// ulid writes 128 bits, five a letter.
func ulid(high, low uint64) string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var text [26]byte
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = letters[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(text[:])
}
