package remote

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"stolpe/display"
	"stolpe/payment"
)

// Request asks for a charge. It returns nil when the post has agreed and written it
// down; display.ErrUnreachable when nobody knows.
func (g *Gateway) Request(ctx context.Context, code string, r display.Request) error {
	seen := fromPrice(r.Seen)
	a := ask{Want: wantRequest, Reserve: r.Reserve, Seen: &seen, Return: r.Return, Phone: string(r.Phone), Pass: string(r.Pass)}
	if r.Way != payment.ByLink {
		a.Way = r.Way.String()
	}
	return g.want(ctx, code, r.Holder, a)
}

// Act does what the holder of a session page may do.
func (g *Gateway) Act(ctx context.Context, code string, h payment.Holder, act display.Act) error {
	word := "stop"
	if act == display.MoreTime {
		word = "more"
	}
	return g.want(ctx, code, h, ask{Want: wantAct, Act: word})
}

// Claim gives h the rights of the holder of the charge under way, if digits is its
// stop code.
func (g *Gateway) Claim(ctx context.Context, code, digits string, h payment.Holder) error {
	return g.want(ctx, code, h, ask{Want: wantClaim, Digits: digits})
}

// Changed is closed at the next change of what everybody may see, and while somebody
// charges every watchEvery besides, so that whoever watches asks for it again.
func (g *Gateway) Changed(code string) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, n := g.find(code)
	if p == nil {
		return nil
	}
	if p.changed[n] == nil {
		p.changed[n] = make(chan struct{})
	}
	return p.changed[n]
}

// want asks a post for something to be done.
func (g *Gateway) want(ctx context.Context, code string, h payment.Holder, a ask) error {
	a.Holder = hex.EncodeToString(h[:])
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	defer g.forget(code, h)
	w, err := g.ask(ctx, code, a)
	if err != nil {
		return err
	}
	return w.err()
}

// ask asks a post and waits for its answer. Without one in time the error is
// display.ErrUnreachable, and for a while the post counts as one that does not answer.
func (g *Gateway) ask(ctx context.Context, code string, a ask) (answer, error) {
	p, life, known := g.reach(code)
	if !known {
		return answer{}, display.ErrUnreachable
	}
	a.V, a.ID, a.Life, a.Gateway, a.Code = version, rand.Text(), life, g.ID, code
	reply := g.await(p, a.ID)
	defer g.stopWaiting(p, a.ID)
	if err := g.Publish(ctx, p.tenant, p.id, AskLeaf, write(a)); err != nil {
		return answer{}, display.ErrUnreachable
	}
	select {
	case w := <-reply:
		return w, nil
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		if ctx.Err() == context.DeadlineExceeded {
			p.mute = g.Mono() + muteFor
		}
		return answer{}, display.ErrUnreachable
	}
}

// reach finds the post with a code, if it can be reached.
func (g *Gateway) reach(code string) (p *place, life string, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, _ = g.find(code)
	if p == nil || !g.reachable(p) {
		return nil, "", false
	}
	return p, p.life, true
}

func (g *Gateway) await(p *place, id string) <-chan answer {
	reply := make(chan answer, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits[p.tenant+"/"+p.id+"/"+id] = reply
	return reply
}

func (g *Gateway) stopWaiting(p *place, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waits, p.tenant+"/"+p.id+"/"+id)
}
