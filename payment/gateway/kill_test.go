package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/payment"
	"stolpe/payment/sim"
)

// TestKilledGatewaysLoseNoMoney lets posts serve drivers through two gateways and a
// real broker with certificates and rights, while a gateway is killed a hundred times,
// half of them right before or right after a call that changes something, and the
// broker twenty times.
func TestKilledGatewaysLoseNoMoney(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: gateways and brokers killed a hundred times take minutes")
	}
	const kills = 100
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := newStreet(t, 12, 0)
	over := make(chan struct{})
	var drivers sync.WaitGroup
	charges := make([]int, len(s.posts))
	for n := range s.posts {
		drivers.Go(func() { charges[n] = s.drive(n, over) })
	}
	s.havoc(seed, kills)
	close(over)
	drivers.Wait()
	s.settledAll()
	for _, p := range s.posts {
		p.end()
	}
	if t.Failed() {
		return
	}
	all, sold := 0, 0
	for n := range s.posts {
		all += charges[n]
		sold += s.judge(n)
	}
	t.Logf("%d drivers saw their charge to its end; of %d payments something was taken", all, sold)
	if sold < len(s.posts)/2 {
		t.Errorf("something was taken of %d payments at %d posts: nothing is proved", sold, len(s.posts))
	}
}

// havoc kills gateways so many times, and the broker at every fifth.
func (s *street) havoc(seed uint64, kills int) {
	luck := chance(seed)
	at := map[string]int{}
	for n := range kills {
		d := s.gateways[luck.IntN(2)]
		pause(time.Duration(luck.IntN(1000)) * time.Millisecond)
		if n%5 == 4 {
			s.broker.kill()
		}
		if n%2 == 0 {
			select {
			case <-s.doom.plan(n%4 == 0):
				at["call"]++
				continue
			case <-time.After(2 * time.Second):
				s.doom.off() // nobody pays just now
			}
		}
		for !d.kill() && !s.t.Failed() {
			pause(20 * time.Millisecond) // it is just being started
		}
		at["random moment"]++
	}
	s.t.Logf("gateways killed %v, the broker %d times", at, kills/5)
	if at["call"] < kills/10 {
		s.t.Errorf("%d of %d kills came with a call: too few to prove anything", at["call"], kills)
	}
}

// pause lets time pass: chaos has no event to wait for.
func pause(d time.Duration) { <-time.After(d) }

// patient is how long one charge may take with all that is killed in it. Chosen by us.
const patient = 6 * time.Minute

var (
	sceneOnPage = regexp.MustCompile(`<body class="([a-z]+)"`)
	fieldOnPage = regexp.MustCompile(`name="(seen|key)" value="([^"]*)"`)
)

// drive lets one driver after the other charge at a post, until it is over, and gives
// how many did to the end.
func (s *street) drive(n int, over <-chan struct{}) (charges int) {
	for !s.t.Failed() {
		select {
		case <-over:
			return charges
		default:
		}
		if s.charge(postID(n)) {
			charges++
		}
	}
	return charges
}

// charge is one charge as its driver sees it: ask, watch, stop, read that all is settled.
func (s *street) charge(code string) bool {
	session, since := "", time.Time{}
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patient)
	last := ""
	for turn := 0; !s.t.Failed(); turn++ {
		select {
		case <-tick.C:
		case <-late:
			s.t.Errorf("%s: a charge is not over after %v; the page says:\n%s", code, patient, last)
			return false
		}
		base := s.gateways[turn%2].pages
		if session == "" {
			session = s.ask(base, code)
			continue
		}
		page, status := s.do(http.MethodGet, base+session, nil)
		if status == http.StatusNotFound {
			return false // its wish was never written down
		}
		m := sceneOnPage.FindStringSubmatch(page)
		if m == nil {
			continue
		}
		last = page
		switch m[1] {
		case "charge":
			if since.IsZero() {
				since = time.Now()
			}
			if time.Since(since) > 3*time.Second {
				s.do(http.MethodPost, base+session, url.Values{"act": {"stop"}})
			}
		case "done":
			if !strings.Contains(page, " data-live=") {
				return true
			}
		}
	}
	return false
}

// ask asks for a charge, and gives the path of its page; nothing where nobody is served.
func (s *street) ask(base, code string) string {
	page, _ := s.do(http.MethodGet, base+"/en/"+code, nil)
	form := url.Values{"amount": {strconv.Itoa(limit)}}
	for _, m := range fieldOnPage.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	if form.Get("key") == "" || form.Get("seen") == "" {
		return ""
	}
	if _, status := s.do(http.MethodPost, base+"/en/"+code, form); status == http.StatusSeeOther {
		return "/en/" + code + "/" + form.Get("key")
	}
	return ""
}

// do makes one request of a phone. No answer is status 0.
func (s *street) do(method, address string, form url.Values) (string, int) {
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Error(err)
		return "", 0
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.fast.Do(r)
	if err != nil {
		return "", 0
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", 0
	}
	if answer.StatusCode >= 500 && answer.StatusCode != http.StatusServiceUnavailable {
		s.t.Errorf("%s %s: %s\n%s", method, address, answer.Status, b)
	}
	return string(b), answer.StatusCode
}

// settledAll waits until nothing is held any more: drivers whose wish was lost with a
// gateway have gone, and their posts settle without them.
func (s *street) settledAll() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patient)
	for !s.t.Failed() {
		held := ""
		s.till.Do(func(now time.Duration, b *sim.Book) {
			for p := range b.Payments(now) {
				if p.Found.Left() != 0 || p.Found.State == payment.Created {
					held = fmt.Sprintf("%s: %v, %v held", p.Ref, p.Found.State, p.Found.Left())
				}
			}
		})
		if held == "" {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			s.t.Errorf("not settled in %v: %s", patient, held)
		}
	}
}

// judge compares what the payment service has of a post with the post's own book, and
// that with the meter. It gives of how many payments something was taken.
func (s *street) judge(n int) (sold int) {
	s.t.Helper()
	book, _, err := ledger.Open(filepath.Join(s.state(n), "ledger.jsonl"))
	must(s.t, err)
	defer book.Close()
	sales := map[payment.Ref]ledger.Sale{}
	must(s.t, book.Read(func(e ledger.Entry) error {
		if e.Sale != nil {
			sales[e.Ref] = *e.Sale
		}
		return nil
	}))
	var energy, first, last hal.Energy
	for _, x := range sales {
		if x.Approved && x.EndWh > x.StartWh {
			energy += x.EndWh - x.StartWh
			last = max(last, x.EndWh)
			if first == 0 || x.StartWh < first {
				first = x.StartWh
			}
		}
	}
	if energy != last-first {
		s.t.Errorf("%s: the register has moved by %v, and %v was sold", postID(n), last-first, energy)
	}
	s.till.Do(func(now time.Duration, b *sim.Book) {
		for p := range b.Payments(now) {
			if p.Ref.Post() != postID(n) {
				continue
			}
			sale, ok := sales[p.Ref]
			if !ok {
				s.t.Errorf("%s: %+v, and the post knows nothing of it", p.Ref, p.Found)
				continue
			}
			f, debt := p.Found, sale.Debt()
			bill := debt.Bill().Total
			switch {
			case f.Left() != 0 || f.State == payment.Created:
				s.t.Errorf("%s: %v, %v is still held", p.Ref, f.State, f.Left())
			case f.Taken != bill || sale.Captured != bill:
				s.t.Errorf("%s: %v captured, the post says %v, and the bill is %v", p.Ref, f.Taken, sale.Captured, bill)
			case f.Taken+f.Freed != f.Held:
				s.t.Errorf("%s: %v captured and %v released of %v", p.Ref, f.Taken, f.Freed, f.Held)
			}
			if f.Taken > 0 {
				sold++
			}
			captures := 0
			for _, e := range b.Events(now, p.Ref) {
				if e.Name == sim.Captured && e.Success {
					captures++
				}
			}
			if captures > 1 {
				s.t.Errorf("%s: captured %d times", p.Ref, captures)
			}
		}
	})
	return sold
}
