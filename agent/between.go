package main

import (
	"time"

	"stolpe/hal"
)

// betweenFor is how long the watchdog is fed between the loops of a post and those of the
// next start, in each of two steps: a display shows its last page, and a card takes its last
// writes. Chosen by us: longer than either may take, and not for ever.
const betweenFor = 20 * time.Second

// feedEvery is how often. Chosen by us: a few times in what the unit gives the loops.
const feedEvery = 2 * time.Second

// between runs what has to be done when the loops have ended, and feeds the watchdog
// meanwhile: a display in the cold takes longer than a loop may, and a post that starts
// anew must not be killed for that. It does not where a contactor takes no order to open:
// whoever is started after the program asks the kernel for the line anew.
func (p *parts) between(run func()) {
	if p.feed == nil || !p.allOpen() {
		run()
		return
	}
	done, fed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		tick := time.NewTicker(feedEvery)
		defer tick.Stop()
		over := time.After(betweenFor)
		for {
			p.feed()
			select {
			case <-tick.C:
			case <-over:
				return
			case <-done:
				return
			}
		}
	}()
	run()
	close(done)
	<-fed
}

// allOpen orders all contactors open once more, and says whether that was taken. One whose
// lines never came was never closed.
func (p *parts) allOpen() bool {
	for _, l := range p.wires {
		if late, is := l.(*lateWires); is && late.missing() != nil {
			continue
		}
		if l.Set(hal.Open) != nil {
			return false
		}
	}
	return true
}
