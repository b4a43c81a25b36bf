package web

import (
	"sync"
	"time"
)

// wish is a kind of POST that is limited on its own.
type wish uint8

const (
	requests wish = iota // anybody may make them
	acts                 // only the holder of a charge makes them
	claims               // whoever has lost the page of a charge makes them, and whoever guesses
	wishes
)

// How many wishes a post takes at once, and how long until one more is allowed.
// Chosen by us: a person who fumbles needs three or four requests, and an honest
// post takes one driver in several minutes. The post counts wrong stop codes
// itself; here they are only kept from crowding the line to it.
var (
	burst  = [wishes]int{requests: 6, acts: 20, claims: 8}
	refill = [wishes]time.Duration{requests: 10 * time.Second, acts: time.Second, claims: 10 * time.Second}
)

// limits are token buckets, one for each post and kind of wish.
//
// Not one for each phone's address: drivers share addresses behind mobile
// networks, and a proxy hides them, so such a limit would hit the wrong people.
// Not one for the whole handler: then whoever floods one post would lock out
// the drivers of all. A flooder of requests can at most keep one post busy,
// which he could do by requesting anyway. Acts have a bucket of their own that
// only the holder of a charge can draw from, so nobody's stop is ever held up by
// a stranger.
//
// Only codes of posts that exist get buckets, so there are never more than posts.
type limits struct {
	mu  sync.Mutex
	per map[string]*[wishes]bucket
}

// bucket is full when untouched: spent says until when its tokens are used up.
type bucket struct {
	spent time.Time
}

// allow says whether the post may take one more wish of this kind now.
func (l *limits) allow(code string, k wish, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.per == nil {
		l.per = make(map[string]*[wishes]bucket)
	}
	b := l.per[code]
	if b == nil {
		b = new([wishes]bucket)
		l.per[code] = b
	}
	spent := b[k].spent
	if spent.Before(now) {
		spent = now
	}
	if spent = spent.Add(refill[k]); spent.Sub(now) > time.Duration(burst[k])*refill[k] {
		return false
	}
	b[k].spent = spent
	return true
}
