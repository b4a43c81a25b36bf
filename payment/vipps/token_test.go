package vipps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/payment"
)

func TestOneTokenServesManyAskings(t *testing.T) {
	s := start(t, approved())
	c := s.client(t)
	for range 5 {
		if _, err := c.Ask(t.Context(), order(payment.Look)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.asked(); got != "token get get get get get" {
		t.Errorf("asked %q", got)
	}
}

func TestManyMayAskAtTheSameTime(t *testing.T) {
	s := start(t, approved())
	c := s.client(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a, err := c.Ask(t.Context(), order(payment.Look)); brief(a) != "held" || err != nil {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	wg.Wait()
	if got := s.asked(); strings.Count(got, "token") != 1 || strings.Count(got, "get") != 20 {
		t.Errorf("asked %q", got)
	}
}

// A token the service no longer takes is replaced once, and the call is made
// again with the same key; a second 401 is left for later.
func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	for _, row := range []struct {
		refused      int // of the tokens, in order
		verb         payment.Verb
		asked, later string
	}{
		{1, payment.Look, "token get token get", "held"},
		{2, payment.Look, "token get token get", "busy"},
		{1, payment.Reserve, "token create token create", "pending"},
		{2, payment.Reserve, "token create token create", "busy"},
		{1, payment.Settle, "token get token get capture", "held"},
	} {
		s := start(t, approved())
		tokens := 0
		s.on("token", func(w http.ResponseWriter, r *http.Request) {
			tokens++
			says(200, tokenBody(fmt.Sprint("SECRET", tokens), 3600))(w, r)
		})
		for _, op := range []string{"get", "create", "capture"} {
			s.on(op, func(w http.ResponseWriter, r *http.Request) {
				for i := range row.refused {
					if r.Header.Get("Authorization") == fmt.Sprint("Bearer SECRET", i+1) {
						says(401, `{"statusCode":401,"message":"no"}`)(w, r)
						return
					}
				}
				says(s.answer(op, []byte(s.last(t, op).body)))(w, r)
			})
		}
		a, err := s.client(t).Ask(t.Context(), order(row.verb))
		if s.asked() != row.asked || brief(a) != row.later {
			t.Errorf("%d refused, %v: %q, %s, %v", row.refused, row.verb, s.asked(), brief(a), err)
		}
		if first, last := s.calls[1], s.calls[len(s.calls)-1]; row.verb == payment.Reserve &&
			(first.header.Get("Idempotency-Key") != last.header.Get("Idempotency-Key") || first.body != last.body) {
			t.Error("the call was repeated with another key or body")
		}
	}
}

// endpoint is a token endpoint in memory: token n lives for a life of its own.
type endpoint struct {
	life    time.Duration
	calls   int
	failing error
	wait    time.Duration
	hold    chan struct{} // if set, a fetch takes until this is closed
}

func (e *endpoint) fetch(ctx context.Context) (grant, *failure) {
	e.calls++
	n, asked := e.calls, time.Now()
	if e.hold != nil {
		select {
		case <-e.hold:
		case <-ctx.Done():
			return grant{}, &failure{verdict: is(payment.Busy), cause: ctx.Err()}
		}
	}
	if e.failing != nil {
		return grant{}, &failure{verdict: is(payment.Busy), cause: e.failing, wait: e.wait}
	}
	return granted(fmt.Sprint("token", n), asked, e.life), nil
}

// pass lets time go by in a bubble.
func pass(d time.Duration) { <-time.After(d) }

func TestTokenIsRenewedAheadOfItsEnd(t *testing.T) {
	for life, ahead := range map[time.Duration]time.Duration{
		24 * time.Hour:   144 * time.Minute, // a tenth
		time.Hour:        6 * time.Minute,
		10 * time.Minute: time.Minute,
		5 * time.Minute:  time.Minute, // a minute is more than a tenth
		time.Minute:      30 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{life: life}
			tk := &tokens{fetch: e.fetch}
			for _, step := range []struct {
				pass time.Duration
				want string
			}{{0, "token1"}, {life - ahead - 1, "token1"}, {1, "token2"}, {0, "token2"}, {life - ahead, "token3"}} {
				pass(step.pass)
				if got, fail := tk.get(t.Context()); got != step.want || fail != nil {
					t.Errorf("life %v, after %v more: %q, %v, want %s", life, step.pass, got, fail, step.want)
				}
			}
		})
	}
}

// Without a token everybody waits for one fetch; with one that still holds,
// nobody but the one who fetches waits at all.
func TestOneFetchServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: time.Hour, hold: make(chan struct{})}
		tk := &tokens{fetch: e.fetch}
		got := gather(t, tk, 10)
		synctest.Wait()
		close(e.hold)
		for range 10 {
			if token := <-got; token != "token1" {
				t.Errorf("got %q", token)
			}
		}
		pass(55 * time.Minute) // time to renew, and still good for five minutes
		e.hold = make(chan struct{})
		got = gather(t, tk, 10)
		for range 9 {
			if token := <-got; token != "token1" {
				t.Errorf("while it is renewed: got %q", token)
			}
		}
		close(e.hold)
		if token := <-got; token != "token2" || e.calls != 2 {
			t.Errorf("the one who renewed got %q in fetch %d", token, e.calls)
		}
	})
}

func gather(t *testing.T, tk *tokens, n int) chan string {
	got := make(chan string, n)
	for range n {
		go func() {
			token, fail := tk.get(t.Context())
			if fail != nil {
				token = fail.Error()
			}
			got <- token
		}()
	}
	return got
}

// A failed renewal goes unnoticed as long as the old token holds, and is not
// repeated at once; after that the failure is everybody's.
func TestFailedFetchIsNotRepeatedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: time.Hour}
		tk := &tokens{fetch: e.fetch}
		tk.get(t.Context())
		pass(55 * time.Minute)
		e.failing, e.wait = errors.New("no"), 10*time.Second
		for _, step := range []struct {
			pass  time.Duration
			token string
			calls int
		}{
			{0, "token1", 2}, {10*time.Second - 1, "token1", 2}, {1, "token1", 3}, // Retry-After is kept
			{5 * time.Minute, "", 4}, {0, "", 4}, {10 * time.Second, "", 5},
		} {
			pass(step.pass)
			token, fail := tk.get(t.Context())
			if token != step.token || e.calls != step.calls || (fail == nil) != (token != "") {
				t.Errorf("after %v more: %q, %v, %d fetches, want %+v", step.pass, token, fail, e.calls, step)
			}
		}
		e.failing = nil
		pass(10*time.Second - 1)
		if _, fail := tk.get(t.Context()); fail == nil {
			t.Error("tried again too soon")
		}
		pass(1)
		if token, fail := tk.get(t.Context()); token != "token6" || fail != nil {
			t.Errorf("after the failure: %q, %v", token, fail)
		}
	})
}

// Whoever gives up says nothing about the service: the next one fetches at once.
func TestGivingUpIsNobodyElsesFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: time.Hour, hold: make(chan struct{})}
		tk := &tokens{fetch: e.fetch}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if token, fail := tk.get(ctx); token != "" || !errors.Is(fail, context.Canceled) || fail.status != payment.Busy {
				t.Errorf("given up: %q, %v", token, fail)
			}
		})
		synctest.Wait()
		got := gather(t, tk, 1)
		synctest.Wait()
		cancel()
		wg.Wait()
		synctest.Wait()
		close(e.hold)
		if token := <-got; token != "token2" {
			t.Errorf("the next one got %q", token)
		}
	})
}

// A waiter that gives up is not held back by the fetch of another.
func TestWaitingForATokenEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: time.Hour, hold: make(chan struct{})}
		tk := &tokens{fetch: e.fetch}
		got := gather(t, tk, 1)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if token, fail := tk.get(ctx); token != "" || !errors.Is(fail, context.DeadlineExceeded) {
			t.Errorf("%q, %v", token, fail)
		}
		close(e.hold)
		if token := <-got; token != "token1" || e.calls != 1 {
			t.Errorf("%q in %d fetches", token, e.calls)
		}
	})
}

// A 401 that comes late must not throw away the token that replaced the old one.
func TestOnlyTheRefusedTokenIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{life: time.Hour}
		tk := &tokens{fetch: e.fetch}
		for _, step := range []struct{ drop, want string }{{"", "token1"}, {"token1", "token2"}, {"token1", "token2"}} {
			tk.drop(step.drop)
			if got, _ := tk.get(t.Context()); got != step.want {
				t.Errorf("after dropping %q: %q, want %s", step.drop, got, step.want)
			}
		}
	})
}

func TestTokenNumbersMayBeStringsOrNumbers(t *testing.T) {
	for body, want := range map[string]time.Duration{
		`{"access_token":"a.b-c_d~e+f/g=","expires_in":"3600","new":{}}`: time.Hour,
		`{"access_token":"abc","expires_in":900}`:                        15 * time.Minute,
		`{"access_token":"abc","expires_in":"900000"}`:                   maxLife,
		`{"access_token":"abc","expires_in":99999999999}`:                0,
		`{"access_token":"abc","expires_in":-1}`:                         0,
		`{"access_token":"a c","expires_in":1}`:                          0,
		`{"access_token":7,"expires_in":1}`:                              0,
		`[]`:                                                             0,
	} {
		token, life, err := decodeToken([]byte(body))
		if life != want || (err == nil) != (want > 0) || (token != "") != (want > 0) {
			t.Errorf("%s: %q, %v, %v", body, token, life, err)
		}
	}
}
