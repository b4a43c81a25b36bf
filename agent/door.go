package main

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/display/screen"
)

// oldPass is how long a pass is taken after its place on the display was taken by the
// next. Chosen by us: time to choose an amount, to be refused by the bank and to try
// again; and long enough for a display that is slow to draw.
const oldPass = 10 * time.Minute

// door lets those begin a charge who have the pass that the display of an EVSE shows, or
// has shown until a moment ago. The pass is another one at each start of the program and
// after each request, and is written down nowhere: what somebody took a picture of is of
// no use once the next driver has come.
//
// A display that fails must not keep anybody from charging. While none shows the pass, as
// far as is known, none is needed: who wants that has to be there to break it, and wins
// what every post with a sticker alone gives away.
type door struct {
	shows []func() bool // whether a display is well that has the pass; set before anybody comes

	mu     sync.Mutex // guards what follows, for moments
	pass   display.Pass
	before display.Pass  // empty when it is not taken any more
	until  time.Duration // nor after this, Instant.Mono
}

func newDoor() *door { return &door{pass: newPass()} }

func newPass() display.Pass {
	var b [4]byte
	rand.Read(b[:]) // cannot fail: crypto/rand ends the program instead
	return display.PassOf(binary.NativeEndian.Uint32(b[:]))
}

// Saw changes the pass when somebody has begun. Whoever began with the pass of before may
// try again with it, for as long as it is taken; whoever comes by another way, or with the
// pass that is shown, leaves none but that one.
func (d *door) Saw(m evse.Moment) {
	q, ok := m.Event.(session.Requested)
	if !ok || m.After.Counter == m.Before.Counter {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.pass.Is(q.Pass):
		d.before, d.until = d.pass, m.Now.Mono+oldPass
	case !d.before.Is(q.Pass):
		d.before = ""
	}
	d.pass = newPass()
}

// guards says whether a pass is needed now.
func (d *door) guards() bool {
	if d == nil {
		return false
	}
	return len(d.shows) == 0 || slices.ContainsFunc(d.shows, func(shows func() bool) bool { return shows() })
}

// admits says whether somebody with that pass may begin now, an Instant.Mono.
func (d *door) admits(p display.Pass, now time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.before.Is(p) && now < d.until // compared either way
	return d.pass.Is(p) || old
}

// shown is the pass for the display.
func (d *door) shown() display.Pass {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pass
}

// link is where the code on a display of an EVSE leads; empty where the pages have no
// address that is known. While nobody charges it has the pass, where one is needed.
func (p *posts) link(code string) string {
	v, ok := p.units[code]
	if !ok || p.pages == "" {
		return ""
	}
	address := p.pages + "/" + code
	if d := p.doors[code]; d != nil {
		if s, _, _ := v.Snapshot(); s.Phase == session.Idle {
			address += "/" + string(d.shown())
		}
	}
	return address
}

// tellDoors lets the doors of the EVSEs know of a display that shows their passes. One that
// is too cold to be drawn shows an old one.
func (s *show) tellDoors(one *screen.Screen) {
	if s.display.Code != config.CodeRotating {
		return
	}
	for _, e := range s.evses {
		d := s.doors[e.Code]
		d.shows = append(d.shows, func() bool { return one.Health().Code == "" })
	}
}
