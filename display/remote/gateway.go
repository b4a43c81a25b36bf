package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"stolpe/display"
)

// GatewayOptions say how a gateway asks.
type GatewayOptions struct {
	ID string // of this gateway, as in the topics of answers
	// Publish hands a message to the broker for that post.
	Publish func(ctx context.Context, tenant, post, leaf string, text []byte) error
	// Connected says whether the broker is there.
	Connected func() bool
	// Told says whether the broker has had time to tell all that it keeps. Before, a
	// code that nobody has said to be his may be anybody's.
	Told func() bool
	// Dress gives a post its owner's brand and terms; false for a post that belongs to
	// nobody here.
	Dress func(tenant string, p *display.Post) bool
	Mono  func() time.Duration // time that never jumps
}

// Chosen by us.
const (
	answerWithin = 12 * time.Second // a post's own time for a request, and the way there and back
	lookWithin   = 4 * time.Second  // a page waits no longer to be drawn
	freshFor     = 2 * time.Second  // a view is drawn again without asking
	muteFor      = 10 * time.Second // one that did not answer is not asked for a view so long
	watchEvery   = 5 * time.Second  // a charge that is watched is asked for again; each costs about a kilobyte
	maxSeen      = 4096             // charges whose last view is kept

	// strangers holders of whom nothing is known here may be asked about at once, and
	// one more every strangerEvery: anybody can make up the address of a session, and
	// each asking costs a post on a mobile network.
	strangers     = 20
	strangerEvery = 2 * time.Second
)

// Gateway is the gateway's end: it shows posts to the driver's pages. Any number of
// goroutines may use it.
type Gateway struct {
	GatewayOptions

	mu    sync.Mutex               // guards what follows
	posts map[string]*place        // by tenant/post
	codes map[string][]owner       // of EVSEs, in capitals
	waits map[string]chan<- answer // by id; each takes one answer without waiting
	seen  map[string]sight         // last views of charges
	old   []string                 // the keys of seen, in the order of their coming
}

// place is a post as far as it is known.
type place struct {
	tenant, id string
	life       string
	info       display.Post
	codes      map[int]string
	online     bool
	spent      time.Duration // until when what may be asked about strangers is used up
	mute       time.Duration // does not answer: nobody waits for it before this; 0 for one that does
	views      map[int]display.View
	changed    map[int]chan struct{}
}

// owner is an EVSE that says that a code is its own.
type owner struct {
	*place
	evse int // number at its post
}

// NewGateway makes one that knows no posts.
func NewGateway(o GatewayOptions) *Gateway {
	return &Gateway{GatewayOptions: o, posts: map[string]*place{}, codes: map[string][]owner{}, waits: map[string]chan<- answer{}, seen: map[string]sight{}}
}

// Run lets watched charges be asked for again, until ctx ends.
func (g *Gateway) Run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.pulse()
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gateway) pulse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.posts {
		for n := range p.changed {
			if p.views[n].Busy {
				p.wake(n)
			}
		}
	}
}

// at gives what is known of a post, which may be nothing yet. The lock is held.
func (g *Gateway) at(tenant, post string) *place {
	key := tenant + "/" + post
	p := g.posts[key]
	if p == nil {
		p = &place{tenant: tenant, id: post, views: map[int]display.View{}, changed: map[int]chan struct{}{}}
		g.posts[key] = p
	}
	return p
}

// Meet takes in an introduction. An empty one is that of a post that is no more.
func (g *Gateway) Meet(tenant, post string, text []byte) error {
	if len(text) == 0 {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.name(g.at(tenant, post), nil)
		delete(g.posts, tenant+"/"+post)
		return nil
	}
	var w introduction
	if err := read(text, &w); err != nil {
		return fmt.Errorf("remote: introduction: %w", err)
	}
	info, err := w.post(post)
	if err != nil {
		return fmt.Errorf("remote: introduction: %w", err)
	}
	if !g.Dress(tenant, &info) {
		return fmt.Errorf("remote: post %s/%s belongs to nobody here", tenant, post)
	}
	codes := map[int]string{}
	for n, code := range w.Codes {
		codes[n] = strings.ToUpper(code)
		info.Codes = append(info.Codes, codes[n])
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.at(tenant, post)
	g.name(p, codes)
	p.life, p.info, p.mute = w.Life, info, 0
	return nil
}

// name gives a post's EVSEs their codes. The lock is held.
func (g *Gateway) name(p *place, codes map[int]string) {
	for _, code := range p.codes {
		g.codes[code] = slices.DeleteFunc(g.codes[code], func(o owner) bool { return o.place == p })
		if len(g.codes[code]) == 0 {
			delete(g.codes, code)
		}
	}
	p.codes = codes
	for n, code := range codes {
		g.codes[code] = append(g.codes[code], owner{p, n})
	}
}

// Reach takes in whether a post is there.
func (g *Gateway) Reach(tenant, post string, there bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.at(tenant, post)
	p.online, p.mute = there, 0
	for n := range p.changed {
		p.wake(n)
	}
}

// See takes in what everybody may see of an EVSE.
func (g *Gateway) See(tenant, post string, evse int, text []byte) error {
	var w view
	if err := read(text, &w); err != nil {
		return fmt.Errorf("remote: view: %w", err)
	}
	v, err := w.view()
	if err != nil {
		return fmt.Errorf("remote: view: %w", err)
	}
	v.Charge = display.Charge{}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.at(tenant, post)
	p.views[evse], p.mute = v, 0
	p.wake(evse)
	return nil
}

func (p *place) wake(evse int) {
	if c := p.changed[evse]; c != nil {
		close(c)
		delete(p.changed, evse)
	}
}

// Hear takes in an answer. One that nobody waits for is dropped.
func (g *Gateway) Hear(tenant, post string, text []byte) error {
	var w answer
	if err := read(text, &w); err != nil {
		return fmt.Errorf("remote: answer: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	key := tenant + "/" + post + "/" + w.ID // an answer of another post is to nothing that was asked of this one
	g.at(tenant, post).mute = 0
	if reply := g.waits[key]; reply != nil {
		delete(g.waits, key)
		reply <- w
	}
	return nil
}

// find finds the EVSE with a code, in capitals. Where two posts say that it is
// theirs, it is that of the post whose id it begins with; if that is none or both of
// them, it is nobody's: no post can take another's drivers. The lock is held.
func (g *Gateway) find(code string) (*place, int) {
	var best owner
	rank := -1
	for _, o := range g.codes[code] {
		r := 0
		if strings.HasPrefix(code, strings.ToUpper(o.id)) {
			r = len(o.id)
		}
		switch {
		case r > rank:
			best, rank = o, r
		case r == rank:
			best = owner{}
		}
	}
	return best.place, best.evse
}

// Post tells who and where; false for a code nobody has. While that is not known yet
// it tells nothing of a post that may well be there.
func (g *Gateway) Post(code string) (display.Post, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, _ := g.find(code)
	if p == nil {
		return display.Post{}, !g.Told()
	}
	return p.info, true
}

// Public is what everybody may see; false while the post cannot be reached.
func (g *Gateway) Public(code string) (display.View, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, n := g.find(code)
	if p == nil || !g.reachable(p) {
		return display.View{}, false
	}
	v, ok := p.views[n]
	return v, ok && v.Code == code
}

func (g *Gateway) reachable(p *place) bool {
	return g.Connected() && p.online && (p.mute == 0 || g.Mono() >= p.mute)
}

// Name is what people call a post; empty for one that is not known.
func (g *Gateway) Name(tenant, post string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.posts[tenant+"/"+post]; p != nil {
		return p.info.Name
	}
	return ""
}
