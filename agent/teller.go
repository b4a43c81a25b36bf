package main

import (
	"bytes"
	"context"
	"time"

	"stolpe/agent/evse"
	"stolpe/display/remote"
	"stolpe/hal"
	"stolpe/payment/relay"
)

// Chosen by us.
const (
	// tellEvery is how often it is looked for something new to tell: as often as a
	// page that waits for it is drawn.
	tellEvery = time.Second
	// tellWithin is how long the broker may take for one message.
	tellWithin = 10 * time.Second
)

// teller tells the gateways what they must know of a post that may vanish at any
// time: who it is, what everybody may see of it, and what it has not settled. The
// broker keeps what was told last. Nothing waits for it.
type teller struct {
	link  *link
	posts *posts
	all   map[int]*evse.EVSE // by number
	told  map[string]telling // by leaf, on this connection
}

// telling is what has been told under a leaf.
type telling struct {
	text []byte // as it was compared: without the time
	at   time.Duration
}

func newTeller(l *link, p *parts) *teller {
	t := &teller{link: l, posts: &p.posts, all: map[int]*evse.EVSE{}, told: map[string]telling{}}
	for _, v := range p.units {
		t.all[v.Rules().EVSE] = v
	}
	return t
}

// run tells what is new until ctx ends.
func (t *teller) run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if !t.link.up.connected() {
				continue
			}
		case <-t.link.ready:
			clear(t.told)
		case <-ctx.Done():
			return
		}
		t.tell(ctx)
	}
}

// tell tells what has not been told on this connection. What cannot be told is told
// at the next.
func (t *teller) tell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	t.news(ctx, remote.PostLeaf, t.link.pages.Introduction(), nil, 0)
	for n, v := range t.all {
		s, now, _ := v.Snapshot()
		t.news(ctx, viewLeaf(n), t.link.pages.Public(t.posts.dressed(v.Rules().Public(&s, now), v)), nil, now.Mono)
		open := v.Rules().Open(&s)
		bare := relay.Statement(time.Time{}, open)
		if was, told := t.told[openLeaf(n)]; told && len(open) > 0 && now.Mono-was.at >= relay.RepeatEvery {
			delete(t.told, openLeaf(n))
		}
		t.news(ctx, openLeaf(n), relay.Statement(timeOf(now.Wall), open), bare, now.Mono)
	}
}

// news tells a text, if it is not what was told last. Two are the same if they are so
// without their time, which is what bare gives; nil if there is none in it.
func (t *teller) news(ctx context.Context, leaf string, text, bare []byte, now time.Duration) {
	if bare == nil {
		bare = text
	}
	if was, told := t.told[leaf]; told && bytes.Equal(was.text, bare) {
		return
	}
	if err := t.link.say(ctx, leaf, text, true); err != nil {
		return
	}
	t.told[leaf] = telling{bare, now}
}

// timeOf is a time of day, if the clock has ever been set.
func timeOf(s hal.Stamp) time.Time {
	if s.Clock == hal.ClockUnknown {
		return time.Time{}
	}
	return s.Time()
}
