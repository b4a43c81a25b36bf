package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"stolpe/payment/sim"
)

// The kill test. Real posts, each a process of its own, are killed with SIGKILL at
// random moments of a charge and started again, until all that was held has been
// settled. What came of it is read from the payment service's own log, from the
// register of the meter, and from the journal.

// TestKilledPostSettles is the kill test. The short one kills each post once, before it
// has asked for a settlement, as it then has to wait least for its budget of calls.
func TestKilledPostSettles(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		killing(t, 10, 10, 1)
	} else {
		killing(t, 200, 100, 4)
	}
}

// TestCardLostInTheMiddleOfACharge kills posts while cars charge, and takes away
// all they have written. What is held is found by its number at the payment
// service, what it was made for in its metadata, and what was used at the meter.
func TestCardLostInTheMiddleOfACharge(t *testing.T) {
	t.Parallel()
	const posts = 4
	street := newStreet(t, 1, posts, 1)
	var all sync.WaitGroup
	for range posts {
		v := street.next()
		v.loses, v.turn = true, 3 // charging, see draw
		all.Go(v.live)
	}
	all.Wait()
	if !t.Failed() {
		street.report(posts)
	}
	if n := street.killed[charging]; n != posts || street.tally.Captured != posts {
		t.Errorf("%d killed while charging, %d captured: want %d of each", n, street.tally.Captured, posts)
	}
}

// killing kills posts so many times in all, so many posts at once, and each so many
// times at most.
func killing(t *testing.T, kills, abreast, most int) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	street := newStreet(t, seed, kills, most)
	var workers sync.WaitGroup
	for range abreast {
		workers.Go(func() {
			for v := street.next(); v != nil && !t.Failed(); v = street.next() {
				v.live()
			}
		})
	}
	workers.Wait()
	if !t.Failed() {
		street.report(kills)
	}
}

// street is the posts of one test, and the payment service that all of them ask.
type street struct {
	t       *testing.T
	program string
	seed    uint64
	till    *sim.Till
	url     string // of the payment service
	keys    sim.Credentials
	most    int // kills for each post

	mu     sync.Mutex // guards what follows
	left   int        // kills that no post has taken yet
	posts  map[string]*victim
	killed map[moment]int
	tally  tally
}

func newStreet(t *testing.T, seed uint64, kills, most int) *street {
	s := &street{
		t: t, seed: seed, program: program.path(t), left: kills, most: most, posts: map[string]*victim{}, killed: map[moment]int{},
		keys: sim.Credentials{ClientID: "id-8f2k", ClientSecret: "secret-93jd", SubscriptionKey: "subscription-7x1m", MSN: "123456"},
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.till = sim.NewTill(sim.Options{Accept: s.keys, PublicURL: s.url})
	return s
}

// ServeHTTP is the payment service, with somebody in between who sees whose call
// it is and may kill the caller before or after it has its effect.
func (s *street) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, m := s.caller(r)
	if v == nil {
		s.till.ServeHTTP(w, r)
		return
	}
	v.keep(r.Header.Get("Authorization"))
	doomed, lost := v.calls(m)
	if doomed && lost {
		v.kill(m)
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	s.till.ServeHTTP(answer, r)
	if answer.Code == http.StatusTooManyRequests {
		s.t.Errorf("%s: too many calls: %s %s", v.id, r.Method, r.URL.Path)
	}
	if m == creating && answer.Code == http.StatusCreated {
		v.makes(r.Header.Get("Idempotency-Key"))
	}
	if doomed {
		v.kill(m)
		panic(http.ErrAbortHandler)
	}
	for k, values := range answer.Header() {
		w.Header()[k] = values
	}
	w.WriteHeader(answer.Code)
	answer.Body.WriteTo(w) // whoever does not listen any more has been killed
}

// caller finds the post that makes a call, and what the call is to a killer. The
// reference stands in the path, or in the key of the call that makes the payment.
func (s *street) caller(r *http.Request) (*victim, moment) {
	ref, tail, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/epayment/v1/payments/"), "/")
	m, known := map[string]moment{"": reading, "capture": capturing, "cancel": releasing}[tail]
	if r.URL.Path == "/epayment/v1/payments" {
		ref, m, known = r.Header.Get("Idempotency-Key"), creating, true
	}
	id, _, _ := strings.Cut(ref, "-")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !known {
		return nil, 0
	}
	return s.posts[id], m
}

// next makes the next post, with some of the kills; nil when all are taken.
func (s *street) next() *victim {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return nil
	}
	n := len(s.posts) + 1
	v := &victim{street: s, id: fmt.Sprintf("K%03d", n), rand: rand.New(rand.NewPCG(s.seed, uint64(n))), secrets: map[string]bool{}, made: map[string]bool{}}
	v.budget = min(1+v.rand.IntN(s.most), s.left)
	v.brief, v.turn = s.most == 1, n
	s.left -= v.budget
	s.posts[v.id] = v
	return v
}

// hit notes that a kill has hit, and at which moment.
func (s *street) hit(m moment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killed[m]++
}

// report checks that the kills came at all kinds of moments and the charges to
// all kinds of ends, so that nothing was proved by charges that never happened.
func (s *street) report(kills int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hit := 0
	for m := range moments {
		s.t.Logf("%3d kills: %v", s.killed[m], m)
		hit += s.killed[m]
	}
	s.t.Logf("%d posts, %+v", len(s.posts), s.tally)
	if hit != kills {
		s.t.Errorf("%d kills: want %d", hit, kills)
	}
	if s.tally.Captured == 0 || s.tally.Killed == 0 {
		s.t.Error("no charge that was killed has been captured: nothing is proved")
	}
}
