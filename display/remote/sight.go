package remote

import (
	"context"
	"encoding/hex"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// sight is what was last heard of a charge.
type sight struct {
	view display.View
	at   time.Duration
}

// Session is one driver's charge. Of a post that does not answer it is what was last
// heard, with how long ago that is; View.Silent without a charge says that nobody knows
// whether there is one.
func (g *Gateway) Session(ctx context.Context, code string, h payment.Holder) (display.View, bool) {
	key := code + " " + hex.EncodeToString(h[:])
	if v, ok := g.last(key, freshFor); ok {
		return v, true
	}
	if !g.mayLook(code, key) {
		return display.View{Silent: strangerEvery}, false
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	a, err := g.ask(ctx, code, ask{Want: wantLook, Holder: hex.EncodeToString(h[:])})
	if err != nil || a.err() != nil {
		return g.lastOrSilent(key)
	}
	if a.View == nil {
		return display.View{}, false
	}
	v, err := a.View.view()
	if err != nil {
		return g.lastOrSilent(key)
	}
	g.remember(key, sight{v, g.Mono()})
	return v, true
}

// mayLook says whether a post may be asked about a holder: always about one that it
// has told something of.
func (g *Gateway) mayLook(code, key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, _ := g.find(code)
	if _, known := g.seen[key]; known || p == nil {
		return true
	}
	spent := max(p.spent, g.Mono()) + strangerEvery
	if spent-g.Mono() > strangers*strangerEvery {
		return false
	}
	p.spent = spent
	return true
}

// lastOrSilent is what was last heard of a charge; if that is nothing, nobody knows.
func (g *Gateway) lastOrSilent(key string) (display.View, bool) {
	if v, ok := g.last(key, longest); ok {
		return v, true
	}
	return display.View{Silent: lookWithin}, false
}

// last is what was heard of a charge, if that is not older than so long. Once it is
// older than what is fresh, the page is told how old.
func (g *Gateway) last(key string, old time.Duration) (display.View, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.seen[key]
	age := g.Mono() - s.at
	if !ok || age > old {
		return display.View{}, false
	}
	if age > freshFor {
		s.view.Silent = age
	}
	s.view.Charge.Reading += age
	s.view.Charge.Left = max(0, s.view.Charge.Left-age)
	return s.view, true
}

func (g *Gateway) remember(key string, s sight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, there := g.seen[key]; !there {
		g.old = append(g.old, key)
	}
	g.seen[key] = s
	if len(g.old) > maxSeen {
		delete(g.seen, g.old[0])
		g.old = g.old[1:]
	}
}

// forget makes the next look ask: something has been done.
func (g *Gateway) forget(code string, h payment.Holder) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := code + " " + hex.EncodeToString(h[:])
	if s, ok := g.seen[key]; ok {
		s.at -= freshFor + 1
		g.seen[key] = s
	}
}
