package ledger

import (
	"crypto/sha256"

	"stolpe/agent/telemetry"
)

// idOf is the id of the event that a line of a post's book stands for: a ULID of its
// time, in s since 1970, and of a hash of the line. It is the same whenever it is
// asked for.
func idOf(post string, at int64, line []byte) string {
	const latest = 1<<48/1000 - 1 // s since 1970: what a ULID can tell
	sum := sha256.Sum256(append([]byte(post+"\n"), line...))
	return telemetry.ULID(uint64(max(0, min(at, latest)))*1000, [10]byte(sum[:]))
}
