package relay

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"stolpe/payment"
)

// Unit is the sales unit of a post.
type Unit struct {
	// Payments asks the sales unit; and those behind the first ask others that the
	// post may have sold through before. They are asked for a payment that the first
	// does not have, and for nothing new.
	Payments []Payments
	Currency payment.Currency
	Most     payment.Amount // that one driver may reserve, minor units
	Pages    string         // where its drivers come back to: scheme and host, with a slash at the end
}

// ServerOptions say for whom a gateway asks.
type ServerOptions struct {
	// Unit finds the sales unit of a post; false for one that has none.
	Unit func(tenant, post string) (Unit, bool)
	// Publish hands a message to the broker for that post.
	Publish func(ctx context.Context, tenant, post, leaf string, text []byte) error
	Within  time.Duration // for one asking
	Now     func() time.Time
	Saw     func(Sight) // after each asking, for the figures; must not block
	Log     *slog.Logger
}

// Sight is an asking as it was seen by a gateway.
type Sight struct {
	Verb   payment.Verb
	Status payment.Status
	Took   time.Duration
	Kind   SightKind
}

// SightKind says what was done with an asking.
type SightKind uint8

// The kinds.
const (
	Asked     SightKind = iota // the sales unit was asked
	Refused                    // it was not the post's to ask
	Late                       // its time was over, or it had none
	Repeated                   // it had been asked before: the same answer again
	Crowded                    // too many wait already: dropped
	Malformed                  // it could not be read: dropped
	sightKinds
)

// String gives the kind as a word.
func (k SightKind) String() string {
	return [sightKinds]string{"asked", "refused", "late", "repeated", "crowded", "malformed"}[k]
}

// Chosen by us.
const (
	// maxAtOnce askings are under way at a time: at a third of a second each, more
	// than the budget of 2000 in a second.
	maxAtOnce = 1024
	// maxWaiting more wait for their turn; whoever comes then is not answered and
	// asks again.
	maxWaiting = 4096
	// maxOfPost askings of one post may be under way or wait: twice what a post with
	// eight EVSEs has when all of them have their debts.
	maxOfPost = 256
	// maxKept answers are kept for askings that come twice.
	maxKept = 8192
)

// Server is the gateway's end. Take takes in askings; Run answers them.
type Server struct {
	ServerOptions
	queue chan asking

	mu   sync.Mutex // guards what follows
	busy map[string]int
	kept map[string][]byte // answers by id, nil while there is none
	old  []string          // the keys of kept, in the order of their coming
}

// asking is one asking and where it came from.
type asking struct {
	tenant, post string
	ask          ask
}

func (a asking) place() string { return a.tenant + "/" + a.post }

// NewServer makes one.
func NewServer(o ServerOptions) *Server {
	return &Server{ServerOptions: o, queue: make(chan asking, maxWaiting), busy: map[string]int{}, kept: map[string][]byte{}}
}

// Take takes in a message that came from a post for AskLeaf, and never waits.
func (s *Server) Take(tenant, post string, text []byte) {
	a := asking{tenant: tenant, post: post}
	if err := read(text, &a.ask); err != nil || len(a.ask.ID) > maxAskID || !idPattern.MatchString(a.ask.ID) {
		s.Log.Warn("an asking that cannot be read", "tenant", tenant, "post", post, "bytes", len(text), "err", err)
		s.Saw(Sight{Kind: Malformed})
		return
	}
	if !s.enter(a) {
		s.Saw(Sight{Kind: Crowded})
		return
	}
	select {
	case s.queue <- a:
	default:
		s.leave(a)
		s.Saw(Sight{Kind: Crowded})
	}
}

// enter counts an asking of a post, unless it has too many.
func (s *Server) enter(a asking) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[a.place()] >= maxOfPost {
		return false
	}
	s.busy[a.place()]++
	return true
}

// UnderWay is how many askings have been taken and not answered.
func (s *Server) UnderWay() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.busy {
		n += of
	}
	return n
}

func (s *Server) leave(a asking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[a.place()]--; s.busy[a.place()] == 0 {
		delete(s.busy, a.place())
	}
}

// Run answers askings until ctx ends, and then those that have been taken in. It
// returns when all are answered.
func (s *Server) Run(ctx context.Context) {
	work := context.WithoutCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	places := make(chan struct{}, maxAtOnce)
	serve := func(a asking) {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			defer s.leave(a)
			s.serve(work, a)
		})
	}
	for {
		select {
		case a := <-s.queue:
			serve(a)
			continue
		case <-ctx.Done():
		}
		for {
			select {
			case a := <-s.queue:
				serve(a)
			default:
				return
			}
		}
	}
}

// serve answers one asking.
func (s *Server) serve(ctx context.Context, a asking) {
	began := s.Now()
	ctx, cancel := context.WithTimeout(ctx, s.Within)
	defer cancel()
	if text, before := s.before(a); before {
		s.Saw(Sight{Kind: Repeated})
		if text != nil { // one that is under way is answered in any case
			s.publish(ctx, a, text)
		}
		return
	}
	w, sight := s.answer(ctx, a)
	sight.Took = s.Now().Sub(began)
	w.V, w.ID, w.Now = version, a.ask.ID, s.Now().UnixMilli()
	text := write(w)
	s.keep(a, text)
	s.publish(ctx, a, text)
	s.Saw(sight)
}

func (s *Server) publish(ctx context.Context, a asking, text []byte) {
	if err := s.Publish(ctx, a.tenant, a.post, AnswerLeaf, text); err != nil {
		s.Log.Warn("an answer is lost; the post will ask again", "tenant", a.tenant, "post", a.post, "ref", a.ask.Order.Ref, "err", err)
	}
}

// answer asks the sales unit, if it is the post's to ask and not too late.
func (s *Server) answer(ctx context.Context, a asking) (answer, Sight) {
	if until := a.ask.Until; until < s.Now().UnixMilli() || until > s.Now().Add(longestWait).UnixMilli() {
		return answer{Late: true}, Sight{Kind: Late}
	}
	o, err := a.ask.Order.order()
	if err != nil {
		return refuse(err), Sight{Kind: Refused}
	}
	sight := Sight{Verb: o.Verb, Kind: Refused}
	unit, ok := s.Unit(a.tenant, a.post)
	if !ok {
		s.Log.Warn("a post without a sales unit asks", "tenant", a.tenant, "post", a.post)
		sight.Status = payment.Busy
		return fromAnswer(payment.Answer{Status: payment.Busy, Wait: unitWait, Code: "no_unit"}, errUnit), sight
	}
	if err := allow(unit, a.post, o); err != nil {
		s.Log.Warn("an asking is refused", "tenant", a.tenant, "post", a.post, "ref", o.Ref, "verb", o.Verb, "err", err)
		sight.Status = payment.Refused
		return refuse(err), sight
	}
	found, err := unit.ask(ctx, o)
	if err != nil {
		s.Log.Warn("asked in vain", "tenant", a.tenant, "post", a.post, "ref", o.Ref, "verb", o.Verb, "answer", found.Status, "err", err)
	}
	sight.Kind, sight.Status = Asked, found.Status
	return fromAnswer(found, err), sight
}

// before says whether an asking has come before, and the answer if there is one. If
// it has not, it has by now.
func (s *Server) before(a asking) (text []byte, yes bool) {
	key := a.place() + "/" + a.ask.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	if text, yes = s.kept[key]; yes {
		return text, true
	}
	s.kept[key] = nil
	s.old = append(s.old, key)
	if len(s.old) > maxKept {
		delete(s.kept, s.old[0])
		s.old = s.old[1:]
	}
	return nil, false
}

func (s *Server) keep(a asking, text []byte) {
	key := a.place() + "/" + a.ask.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.kept[key]; there {
		s.kept[key] = text
	}
}
