// Package fleet makes of what posts tell what whoever is responsible for a fleet wants
// to know: what can be charged at now, and how much of the year it could; how many
// approvals became energy, and why the others did not; what broke, and how long it
// took; what came in. It does no I/O: the packages below it keep it and show it.
//
// # Why
//
// A number about uptime is worth something only if it does not flatter. So a driver
// counts, not a heartbeat: an EVSE that cannot sell is down, whatever it answers, and
// one that gave three drivers in a row nothing for their approval is, too. Time in
// which nobody listened counts for nobody, unless a post shows afterwards, by the since
// of its retained state, how it stood. Both formulas that law knows are here, and what
// was excluded stands beside them with its cause.
//
// Nothing here decides about money or a contactor: all of it is made again by
// listening, and the loss of its files costs statistics.
//
// A post speaks for itself alone: its topic, and not what it says, is who it is. What
// it says is believed of itself, within bounds: it cannot make this grow, or print what
// it is not.
package fleet

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"stolpe/agent/telemetry"
	"stolpe/payment"
)

// ErrFull says that there are as many posts as there may be.
var ErrFull = errors.New("fleet: there are as many posts as are watched")

// Chosen by us.
const (
	// maxPosts, with two EVSEs each that change as often as is remembered, take 500 MB;
	// with what posts do in fact, 40 MB.
	maxPosts   = 10_000
	maxAll     = 20_000   // EVSEs
	maxPayload = 16 << 10 // bytes; what posts say has 4 kB at most
	maxTenant  = 32       // bytes, as in the configuration of a post
)

// Fleet is what is known of the posts. Make one with New. Its methods may be called from
// several goroutines.
type Fleet struct {
	mu      sync.Mutex
	zone    *time.Location // of days and months
	windows []Window
	posts   map[string]*post // by tenant/post
	changed chan struct{}    // closed and made anew at a change
	evses   int              // of all posts
}

// New makes a fleet of no posts. Days and months begin as in the zone.
func New(zone *time.Location) *Fleet {
	return &Fleet{zone: zone, posts: map[string]*post{}, changed: make(chan struct{})}
}

// Announce says which times are excluded, in the place of what was said before.
func (f *Fleet) Announce(windows []Window) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.windows = windows
	f.tell()
}

// Changed is closed at the next change.
func (f *Fleet) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// tell wakes whoever waits for a change. The lock is held.
func (f *Fleet) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// at finds a post, or makes room for a new one. The lock is held.
func (f *Fleet) at(tenant, id string) (*post, error) {
	if !word(tenant, maxTenant) || !word(id, payment.MaxPostID) {
		return nil, fmt.Errorf("fleet: post %.40q of %.40q: not names", id, tenant)
	}
	key := tenant + "/" + id
	p := f.posts[key]
	if p == nil {
		if len(f.posts) >= maxPosts {
			return nil, ErrFull
		}
		p = &post{Tenant: tenant, ID: id, EVSEs: map[int]*evse{}, fleet: f}
		f.posts[key] = p
	}
	return p, nil
}

// word says whether a text is of letters, digits and hyphens.
func word(text string, most int) bool {
	for _, r := range text {
		if r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return text != "" && len(text) <= most && text[0] != '-'
}

// Reach takes in whether a post is connected to the broker.
func (f *Fleet) Reach(now time.Time, tenant, id string, there bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.at(tenant, id)
	if err != nil {
		return err
	}
	p.reach(now, there)
	p.changed()
	f.tell()
	return nil
}

// Take takes in what a post says under a leaf; retained says that it had said so before
// we listened. An error says that nothing was taken.
func (f *Fleet) Take(now time.Time, tenant, id string, leaf telemetry.Leaf, payload []byte, retained bool) error {
	if len(payload) > maxPayload {
		return fmt.Errorf("fleet: %s of %.40s/%.40s: %d bytes: at most %d are read", leaf, tenant, id, len(payload), maxPayload)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.at(tenant, id)
	if err != nil {
		return err
	}
	live := !retained && len(payload) > 0
	if live && p.there == unsure { // a broker that keeps nothing does not say who is there
		p.there = present
	}
	if err := p.take(now.In(f.zone), leaf, payload, retained); err != nil {
		return fmt.Errorf("fleet: %.40s of %s/%s: %w", leaf, tenant, id, err)
	}
	if live {
		p.hear(now)
	}
	p.changed()
	f.tell()
	return nil
}

// take takes in what the post says.
func (p *post) take(now time.Time, leaf telemetry.Leaf, payload []byte, retained bool) error {
	own, number := leaf.Split()
	switch {
	case len(payload) == 0: // of what is no more
		p.Gone = p.Gone || leaf == telemetry.InfoLeaf
		return nil
	case own == telemetry.StateLeaf && number > 0:
		return p.state(now, number, payload, retained)
	case own == telemetry.InfoLeaf && number == 0:
		return p.info(payload)
	case own == telemetry.PriceLeaf && number > 0:
		return p.price(payload)
	case own == telemetry.HealthLeaf && number == 0:
		return p.health(payload)
	case isEvent(own) && number == 0 && !retained:
		return p.event(now, payload)
	}
	return errors.New("nothing is expected there")
}

// isEvent says whether events are told there.
func isEvent(leaf telemetry.Leaf) bool {
	for _, kind := range []string{"session.", "payment.", "fault.", "command."} {
		if leaf == telemetry.EventLeaf+"/"+telemetry.Leaf(telemetry.KindOf(kind)) {
			return true
		}
	}
	return false
}

// Deaf says that nobody listens from now on: the broker is away, or we are about to end.
func (f *Fleet) Deaf(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.posts {
		p.deaf(now.Unix())
		p.changed()
	}
	f.tell()
}

// Watch looks for posts that are silent. It is called about once a minute while somebody
// listens.
func (f *Fleet) Watch(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.posts {
		if p.watch(now) {
			p.changed()
		}
	}
	f.tell()
}
