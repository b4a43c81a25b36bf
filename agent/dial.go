package main

import (
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/hal"
)

// maxDrift is how far the clock of the machine may go against the one that never jumps
// between two steps, which are a second apart. Chosen by us: they count in whole
// seconds, and a time server that has a post's ear moves its clock by less.
const maxDrift = 2 * time.Second

// dial tells when the clock of the machine has jumped, or is better or worse than it
// was: whoever reads what was told before must know how far to trust its times.
type dial struct {
	scribe *scribe
	last   hal.Instant // zero before the first
}

// Saw looks at the clocks of a step.
func (d *dial) Saw(m evse.Moment) {
	last, now := d.last, m.Now
	d.last = now
	if last.Mono == 0 {
		return
	}
	jump := time.Duration(now.Wall.Unix-last.Wall.Unix)*time.Second - (now.Mono - last.Mono)
	told := ledger.Post{}
	if jump.Abs() > maxDrift {
		told.Jump = int64(jump.Round(time.Second) / time.Second)
	}
	if now.Wall.Clock != last.Wall.Clock {
		told.Was = last.Wall.Clock.String()
	}
	if told != (ledger.Post{}) {
		d.scribe.put(ledger.Entry{Kind: ledger.PostClock, Post: &told}, now.Wall)
	}
}
