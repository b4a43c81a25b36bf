package remote

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// PostOptions say what a post shows, and how it answers.
type PostOptions struct {
	Posts Posts
	Info  display.Post
	Codes map[int]string // of the EVSEs, by number
	Life  string         // another with every start of the program
	// Publish hands a message to the broker, below the post's own place.
	Publish func(ctx context.Context, leaf string, text []byte) error
	Log     *slog.Logger
}

// Chosen by us.
const (
	maxAsks    = 64               // that wait; more are dropped, and the page says that the post does not answer
	maxAtOnce  = 8                // that are answered at a time
	answerIn   = 10 * time.Second // the longest an answer is worked on
	maxIDs     = 512              // askings that are known, so that none is taken twice
	maxGateway = 64               // bytes of a gateway's name
)

// Post is the post's end. Take takes in askings; Run answers them.
type Post struct {
	PostOptions
	asks chan ask

	mu   sync.Mutex
	seen map[string]bool
	old  []string // in the order of their coming
}

// NewPost makes one.
func NewPost(o PostOptions) *Post {
	return &Post{PostOptions: o, asks: make(chan ask, maxAsks), seen: map[string]bool{}}
}

// Introduction is the message for PostLeaf.
func (p *Post) Introduction() []byte { return write(introduce(p.Info, p.Life, p.Codes)) }

// Public is the message for ViewLeaf: what everybody may see of an EVSE.
func (p *Post) Public(v display.View) []byte {
	v.Charge = display.Charge{}
	return write(struct {
		V int `json:"v"`
		view
	}{version, fromView(v)})
}

// Take takes in a message that came for AskLeaf, and never waits.
func (p *Post) Take(text []byte) error {
	var a ask
	if err := read(text, &a); err != nil {
		return fmt.Errorf("remote: asking: %w", err)
	}
	if a.Life != p.Life || !plain(a.ID) || !plain(a.Gateway) || !p.first(a.ID) {
		return nil // meant for the program before this, or taken already
	}
	select {
	case p.asks <- a:
		return nil
	default:
		return fmt.Errorf("remote: asking dropped: %d wait already", maxAsks)
	}
}

// plain says whether a name can stand in a topic.
func plain(name string) bool {
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxGateway
}

// first says whether an asking has not been taken before.
func (p *Post) first(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[id] {
		return false
	}
	p.seen[id] = true
	if p.old = append(p.old, id); len(p.old) > maxIDs {
		delete(p.seen, p.old[0])
		p.old = p.old[1:]
	}
	return true
}

// Run answers askings until ctx ends.
func (p *Post) Run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	for range maxAtOnce {
		group.Go(func() {
			for {
				select {
				case a := <-p.asks:
					p.serve(ctx, a)
				case <-ctx.Done():
					return
				}
			}
		})
	}
}

func (p *Post) serve(ctx context.Context, a ask) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	w := answer{V: version, ID: a.ID}
	v, err := p.do(ctx, a)
	w.No, w.Left = refusalOf(err)
	w.Pass = errors.Is(err, display.ErrPass)
	w.View = v
	if err := p.Publish(ctx, AnswerLeaf+"/"+a.Gateway, write(w)); err != nil && ctx.Err() == nil {
		p.Log.Warn("a page got no answer", "want", a.Want, "code", a.Code, "err", err)
	}
}

// do does what a page wants. What it cannot make sense of is refused as something
// that cannot be done here.
func (p *Post) do(ctx context.Context, a ask) (*view, error) {
	h, err := parseHolder(a.Holder)
	if err != nil {
		return nil, display.ErrOver
	}
	switch a.Want {
	case wantLook:
		v, ok := p.Posts.Session(ctx, a.Code, h)
		if !ok {
			return nil, nil
		}
		w := fromView(v)
		return &w, nil
	case wantRequest:
		r, err := a.request(h)
		if err != nil {
			return nil, display.ErrAmount
		}
		return nil, p.Posts.Request(ctx, a.Code, r)
	case wantAct:
		act, ok := map[string]display.Act{"stop": display.StopCharge, "more": display.MoreTime}[a.Act]
		if !ok {
			return nil, display.ErrOver
		}
		return nil, p.Posts.Act(ctx, a.Code, h, act)
	case wantClaim:
		return nil, p.Posts.Claim(ctx, a.Code, a.Digits, h)
	}
	return nil, display.ErrUnreachable
}

func (a ask) request(h payment.Holder) (display.Request, error) {
	if a.Seen == nil {
		return display.Request{}, fmt.Errorf("%w: a request without a price", errMessage)
	}
	seen, err := a.Seen.price()
	if err != nil {
		return display.Request{}, err
	}
	way, err := named(a.Way, payment.ByPush, "way")
	pass, _ := display.ParsePass(a.Pass) // one that is none is not the right one
	return display.Request{Reserve: a.Reserve, Seen: seen, Holder: h, Return: a.Return, Way: way, Phone: payment.Phone(a.Phone), Pass: pass}, err
}

func parseHolder(s string) (h payment.Holder, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("%w: holder", errMessage)
	}
	copy(h[:], b)
	return h, nil
}
