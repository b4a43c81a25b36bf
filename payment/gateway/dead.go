package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"stolpe/payment"
	"stolpe/payment/relay"
)

// deadPosts knows what posts have not settled, and settles in the place of those that
// have vanished for good.
//
// # Why
//
// A post that burns down leaves a driver's money held for months, and what was used
// is never paid. The post says all the time what is open, with what is certainly due
// by its last register reading, under the key that it would use itself. Taking that
// can never be too much: a register does not run backwards. A post that comes back
// reads the payment before it does anything, finds it settled, and writes off the
// difference.
//
// A post is only dead when it is not there, and has said nothing for much longer than
// a charge lasts: one that charges behind a broken network settles by itself.
type deadPosts struct {
	now   func() time.Time
	units *units
	log   *slog.Logger

	mu    sync.Mutex
	posts map[string]*lastWords // by tenant/post
	done  map[payment.Ref]bool  // settled by us, of posts that are still away
}

// lastWords are what a post has last said.
type lastWords struct {
	tenant, post string
	there        bool
	seen         bool                 // it has been there since we listen
	away         time.Time            // since when it has been seen to be away
	open         map[string]statement // by EVSE
}

type statement struct {
	at   time.Time // when it was said; zero if the post did not know
	open []payment.Open
}

func newDeadPosts(u *units, log *slog.Logger) *deadPosts {
	return &deadPosts{now: time.Now, units: u, log: log, posts: map[string]*lastWords{}, done: map[payment.Ref]bool{}}
}

// at finds a post. The lock is held.
func (d *deadPosts) at(tenant, post string) *lastWords {
	key := tenant + "/" + post
	p := d.posts[key]
	if p == nil {
		p = &lastWords{tenant: tenant, post: post, open: map[string]statement{}, away: d.now()}
		d.posts[key] = p
	}
	return p
}

// reach takes in whether a post is there.
func (d *deadPosts) reach(tenant, post string, there bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.at(tenant, post)
	if p.there && !there {
		p.away = d.now()
	}
	p.there, p.seen = there, p.seen || there
}

// state takes in what a post has open at an EVSE. Nothing is that of one that is no more.
func (d *deadPosts) state(tenant, post, evse string, text []byte) error {
	s := statement{}
	if len(text) > 0 {
		var err error
		if s.at, s.open, err = relay.ReadStatement(post, text); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at(tenant, post).open[evse] = s
	return nil
}

// owing is a payment of a post that is away.
type owing struct {
	payment.Open
	tenant, post string
	silent       time.Duration // for at least so long nothing has been heard of the post
}

// owed lists what posts that are away have open, those that were silent longest first.
func (d *deadPosts) owed() []owing {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	var all []owing
	for _, p := range d.posts {
		if p.there {
			continue
		}
		for _, s := range p.open {
			silent := now.Sub(p.away)
			if !s.at.IsZero() && !p.seen { // it lived for at most so long after it said this
				silent = max(silent, now.Sub(s.at)-relay.RepeatEvery)
			}
			for _, o := range s.open {
				all = append(all, owing{o, p.tenant, p.post, silent})
			}
		}
	}
	slices.SortFunc(all, func(a, b owing) int {
		if a.silent != b.silent {
			return int(min(1, max(-1, b.silent-a.silent)))
		}
		return strings.Compare(string(a.Ref), string(b.Ref))
	})
	return all
}

// settle brings one payment one step forward.
func (d *deadPosts) settle(ctx context.Context, o owing) (payment.Answer, error) {
	unit, ok := d.units.relayed(o.tenant, o.post)
	if !ok {
		return payment.Answer{Status: payment.Refused}, errNoUnit
	}
	a, err := unit.Settle(ctx, o.post, o.Open)
	if a.Status == payment.Settled {
		d.log.Warn("settled for a post that has vanished", "tenant", o.tenant, "post", o.post, "ref", o.Ref, "due", o.Due,
			"captured", a.Found.Taken, "released", a.Found.Freed, "register", o.Register, "silent", o.silent.Round(time.Minute))
	}
	return a, err
}

// settleAll settles, one step each, what posts have open that have been silent for
// longer than after.
func (d *deadPosts) settleAll(ctx context.Context, after time.Duration) {
	all := d.owed()
	open := map[payment.Ref]bool{}
	for _, o := range all {
		open[o.Ref] = true
		d.mu.Lock()
		done := d.done[o.Ref]
		d.mu.Unlock()
		if done || o.silent < after || ctx.Err() != nil {
			continue
		}
		a, err := d.settle(ctx, o)
		if err != nil {
			d.log.Warn("settling for a post that has vanished got nowhere", "ref", o.Ref, "err", err)
		}
		if a.Status == payment.Settled || a.Status == payment.Missing {
			d.mu.Lock()
			d.done[o.Ref] = true
			d.mu.Unlock()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.done, func(r payment.Ref, _ bool) bool { return !open[r] })
}

// deadEvery is how often dead posts are looked for. Chosen by us: a step of settling
// may follow another after that long within the payment service's five calls a minute.
const deadEvery = time.Minute

// run settles for dead posts until ctx ends.
func (d *deadPosts) run(ctx context.Context, after func() (time.Duration, bool)) {
	tick := time.NewTicker(deadEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if wait, byItself := after(); byItself {
			d.settleAll(ctx, wait)
		}
	}
}
