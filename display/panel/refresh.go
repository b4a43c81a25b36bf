package panel

import (
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Stroke is how a display is drawn.
type Stroke uint8

// The strokes.
const (
	Rest    Stroke = iota // not now
	Partial               // the dots that changed: quick, but e-paper keeps a shadow of what was there
	Whole                 // every dot: e-paper flashes for some seconds, and is clean
)

// Refresh says when a display may be drawn, and how. The zero value is that of a display
// which may be drawn whenever something changes.
//
// # Why
//
// An e-paper wears with each refresh and burns in when it is driven too
// often; its makers ask for 180 s between them, for a whole one after some partial ones,
// and for one a day. A driver, though, must not wait for the word "charging", and nobody
// may scan the code of a post that sells nothing. So what is said is drawn at once, and
// only figures wait. A state that flutters is what would hurt, so there is a budget: so
// many draws in so long. Taking away a code is above it, for it cannot flutter by itself:
// a code must first have been drawn, and that is within the budget.
type Refresh struct {
	Figures   time.Duration // between two draws while only figures change
	Countdown time.Duration // the same while minutes are counted down: a promise that is too old costs the driver the reservation
	Partials  int           // in a row at most; 0 is as many as one likes
	Stale     time.Duration // without a whole draw at most; 0 is for ever
	Burst     int           // draws within BurstTime at most, for other reasons than a code to hide; 0 is any, at most burstMost
	BurstTime time.Duration // that Burst is counted over
	Takes     time.Duration // what one draw may take at most; 0 is what any other device may
	Cold      time.Duration // between two looks at how cold it is
}

// burstMost is the longest Burst that is remembered.
const burstMost = 16 // draws

// Paper gives the rules of an e-paper of 2.13 inches.
func Paper() Refresh {
	return Refresh{
		Figures: 180 * time.Second, // the maker's
		// Chosen by us: no wait lasts longer than some minutes, so that this is for ten
		// partial draws a charge at most.
		Countdown: time.Minute,
		Partials:  5,              // the maker's
		Stale:     24 * time.Hour, // the maker's
		// Chosen by us: a hurried driver goes through four faces in a minute, the next one
		// comes at once, and a contact that flutters all day draws 72 times an hour.
		Burst:     12,
		BurstTime: 10 * time.Minute,
		// Chosen by us: a whole draw near 0 °C has 10 s, and what comes before it 4.5 s.
		Takes: 15 * time.Second,
		Cold:  10 * time.Minute, // chosen by us: it gets no warmer sooner
	}
}

// Drawn is what a display shows and how it came to that. The zero value is that of a
// display of which nothing is known. Times are since some start and never go backwards.
type Drawn struct {
	page     Page
	known    bool // page is on the display
	partials int  // since the last whole draw
	whole    time.Duration
	last     [burstMost]time.Duration // when it was drawn, newest first
	draws    int                      // of them that are filled
	cold     time.Duration            // not to be asked before; 0: it is not too cold
}

// Draw takes in that p has been drawn.
func (d Drawn) Draw(p Page, s Stroke, now time.Duration) Drawn {
	copy(d.last[1:], d.last[:])
	d.last[0], d.draws = now, min(d.draws+1, burstMost)
	d.page, d.known, d.cold = p, true, 0
	if d.partials++; s == Whole {
		d.partials, d.whole = 0, now
	}
	return d
}

// Lost takes in that nobody knows what the display shows: it failed, or was opened anew.
func (d Drawn) Lost() Drawn {
	d.known = false
	return d
}

// Froze takes in that the display has refused because of the cold.
func (d Drawn) Froze(r Refresh, now time.Duration) Drawn {
	d.cold = now + r.Cold
	return d
}

// Next says how to draw p now, and, where that is Rest, how long nothing is due as long
// as p stays as it is; 0 is until it changes.
func (r Refresh) Next(d Drawn, p Page, now time.Duration) (Stroke, time.Duration) {
	stroke, due := r.due(d, p)
	if stroke == Rest {
		return Rest, 0
	}
	if due = max(due, d.cold); due > now {
		return Rest, due - now
	}
	return stroke, 0
}

// due says what is to be drawn next, and when. An instant that has passed is at once.
func (r Refresh) due(d Drawn, p Page) (Stroke, time.Duration) {
	stroke, at := Partial, r.spared(d)
	shows := lacks(d.page, p)
	if !d.known || shows || r.Partials > 0 && d.partials >= r.Partials {
		stroke = Whole // a code is read the better the cleaner it is
	}
	switch {
	case lacks(p, d.page): // a code that may be on the display must go
		return stroke, 0
	case !d.known, shows, !reflect.DeepEqual(settled(d.page), settled(p)):
		return stroke, at
	case !reflect.DeepEqual(all(d.page), all(p)):
		return stroke, max(at, d.last[0]+r.wait(p))
	case r.Stale > 0:
		return Whole, max(at, d.whole+r.Stale)
	}
	return Rest, 0
}

// wait is how old figures on the display may be.
func (r Refresh) wait(p Page) time.Duration {
	if p.Minutes != "" {
		return r.Countdown
	}
	return r.Figures
}

// spared gives the instant from which on there is a draw left in the budget.
func (r Refresh) spared(d Drawn) time.Duration {
	if n := min(r.Burst, burstMost); n > 0 && d.draws >= n {
		return d.last[n-1] + r.BurstTime
	}
	return 0
}

// Shows says whether p is what has been drawn last.
func (d Drawn) Shows(p Page) bool {
	return d.known && reflect.DeepEqual(all(d.page), all(p)) && slices.Equal(codes(d.page), codes(p))
}

// lacks says whether a page has not all the codes of another.
func lacks(p, other Page) bool {
	has := codes(p)
	return slices.ContainsFunc(codes(other), func(text string) bool { return !slices.Contains(has, text) })
}

// codes gives what the codes of a page say.
func codes(p Page) (texts []string) {
	if p.Code != nil {
		texts = append(texts, p.Code.Text)
	}
	for _, r := range p.Rows {
		if r.Scan != nil {
			texts = append(texts, r.Scan.Text)
		}
	}
	return texts
}

// all is a page without its codes, which are compared by what they say.
func all(p Page) Page {
	p.Code = nil
	p.Rows = slices.Clone(p.Rows)
	for i := range p.Rows {
		p.Rows[i].Scan = nil
	}
	return p
}

// settled is a page without what runs by itself.
func settled(p Page) Page {
	p = all(p)
	p.Energy, p.Cost, p.Used, p.Power, p.Time = "", "", 0, "", ""
	p.Left, p.Minutes, p.Within = "", "", Said{}
	p.At, p.Updated, p.Stale = "", Said{}, false
	if p.Face == Suspended {
		p.Fees = nil // they say in how many minutes a fee begins
	}
	for i, r := range p.Rows {
		switch r.Face {
		case Charging, Suspended, NearLimit, Stopping:
			p.Rows[i].Figure = ""
		}
	}
	return p
}

// Cold is what a display gives that must not be drawn at its temperature. It is no
// failure: the display is sound, and rests.
type Cold struct {
	Now, Least int // °C
}

// Error says both temperatures.
func (c Cold) Error() string {
	return fmt.Sprintf("too cold to be drawn: %d °C, and it may be drawn from %d °C on", c.Now, c.Least)
}

// Is makes a Cold an ErrCold.
func (c Cold) Is(target error) bool { return target == ErrCold }
