package sim

import (
	"crypto/rand"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"stolpe/payment"
)

// Credentials are what a client must show. A field left empty is never matched,
// so that a Till nobody configured serves nobody.
type Credentials struct {
	ClientID        string
	ClientSecret    string
	SubscriptionKey string
	MSN             string // merchant serial number
}

// Options make a Till. The zero value of each but Accept is useful.
type Options struct {
	Accept    Credentials
	PublicURL string               // what the payer's link begins with, as in "http://127.0.0.1:8099"; empty: the request's own host
	Now       func() time.Duration // monotonic; nil: real time since NewTill
	Start     time.Time            // wall time at Now() == 0; zero: the present
	TokenLife time.Duration        // of access tokens; 0: an hour, as in the API's test environment
	Payer     Payer                // zero: a person on the page
	Faults    Faults               // nil: none
	NoPush    bool                 // the sales unit may not send messages to the app
	Hands     bool                 // serve the page /till, where anybody may do what a payer, a bank or a fault does
	Log       *slog.Logger         // nil: silent
}

// Till serves a Book over HTTP. It is safe for concurrent use.
type Till struct {
	accept    Credentials
	publicURL string
	clock     func() time.Duration
	start     time.Time
	tokenLife time.Duration
	payer     Payer
	noPush    bool
	hands     bool
	log       *slog.Logger
	secret    []byte // signs access tokens and page tokens, which so need not be kept
	shapes    shapes
	page      *template.Template
	board     *template.Template
	mux       *http.ServeMux
	wake      chan struct{} // there may be something to deliver

	delivering sync.Mutex // held by whoever delivers, so that nothing goes out twice

	mu     sync.Mutex // guards what follows
	book   *Book
	faults Faults
	script string // the faults as somebody wrote them on the page
	orders map[payment.Ref]order
	pages  map[string]payment.Ref // by page token
	queue  []deed                 // by time, then by age
	last   time.Duration          // the newest now, so that the Book's time never goes back
	traces uint64                 // problems told so far
	made   uint64                 // codes and postings so far

	shown     map[shownKey]shown
	shownSize int // bytes
	codes     map[string]*code
	hooks     []*hook  // as registered
	waiting   int      // postings of all hooks
	open      []*entry // that time alone may still change
	moves     []move   // of money, in their order
}

// order is what the Till knows of a payment and the Book need not.
type order struct {
	token string // of its page
	said  said   // by the request that made it
}

// deed is something that happens at its time without a request.
type deed struct {
	at time.Duration
	do func(at time.Duration)
}

const (
	tokenLife = time.Hour // access token guide, test environment

	// maxQueue limits payers on their way and late requests. Chosen by us.
	maxQueue = 1 << 16
)

// NewTill makes a Till with an empty Book.
func NewTill(o Options) *Till {
	t := &Till{
		accept: o.Accept, publicURL: o.PublicURL, clock: o.Now, start: o.Start, tokenLife: o.TokenLife,
		payer: o.Payer, noPush: o.NoPush, hands: o.Hands, log: o.Log, secret: []byte(rand.Text()),
		shapes: newShapes(), page: newPage(), board: newBoard(), wake: make(chan struct{}, 1),
		book: NewBook(), faults: o.Faults, orders: map[payment.Ref]order{}, pages: map[string]payment.Ref{},
		shown: map[shownKey]shown{}, codes: map[string]*code{},
	}
	t.book.heard = t.heard
	if t.clock == nil {
		made := time.Now()
		t.clock = func() time.Duration { return time.Since(made) }
	}
	if t.start.IsZero() {
		t.start = time.Now().Add(-t.clock())
	}
	if t.tokenLife == 0 {
		t.tokenLife = tokenLife
	}
	if t.faults == nil {
		t.faults = func(Call) Fault { return Fault{} }
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.mux = t.routes()
	return t
}

// Do lends the Book out, at the present time and with everything done that was
// due. f must not keep the Book or call the Till.
func (t *Till) Do(f func(now time.Duration, b *Book)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t.catchUp(t.clock()), t.book)
}

// Tick has everything happen that is due by now, as any request does too.
func (t *Till) Tick(now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp(now)
}

// SetFaults replaces the faults from the next request on; nil means none.
func (t *Till) SetFaults(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f == nil {
		f = func(Call) Fault { return Fault{} }
	}
	t.faults, t.script = f, ""
}

// catchUp does what is due and gives the time to go on with. Deeds may schedule
// further deeds. The lock is held.
func (t *Till) catchUp(now time.Duration) time.Duration {
	t.last = max(t.last, now)
	for len(t.queue) > 0 && t.queue[0].at <= t.last {
		d := t.queue[0]
		t.queue[0], t.queue = deed{}, t.queue[1:]
		d.do(d.at)
	}
	return t.last
}

// later schedules a deed. The lock is held.
func (t *Till) later(at time.Duration, do func(at time.Duration)) {
	if len(t.queue) >= maxQueue {
		t.log.Warn("till: too much is due later; dropped", "limit", maxQueue)
		return
	}
	i, _ := slices.BinarySearchFunc(t.queue, at, func(d deed, at time.Duration) int {
		if d.at <= at {
			return -1
		}
		return 1
	})
	t.queue = slices.Insert(t.queue, i, deed{at, do})
}

// nudge tells Serve that there may be something to deliver.
func (t *Till) nudge() {
	select {
	case t.wake <- struct{}{}:
	default: // it is told already
	}
}

// wall is the wall time at now.
func (t *Till) wall(now time.Duration) time.Time { return t.start.Add(now).UTC() }
