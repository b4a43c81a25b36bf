package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// street is a gateway and its posts, and the broker between them.
type street struct {
	*Gateway
	posts     map[string]*Post
	connected bool
	untold    bool
	deaf      map[string]bool // posts that hear nothing
	mend      func(text []byte) []byte

	mu   sync.Mutex
	sent int // askings
}

// told is a post's side that notes what it is asked.
type told struct {
	mu   sync.Mutex
	view *display.View
	err  error
	done []string
}

func (p *told) note(format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, fmt.Sprintf(format, args...))
	return p.err
}

func (p *told) Session(_ context.Context, code string, h payment.Holder) (display.View, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.view == nil || h != holder {
		return display.View{}, false
	}
	return *p.view, true
}

func (p *told) Request(_ context.Context, code string, r display.Request) error {
	return p.note("request %s %+v", code, r)
}

func (p *told) Act(_ context.Context, code string, h payment.Holder, a display.Act) error {
	return p.note("act %s %x %d", code, h, a)
}

func (p *told) Claim(_ context.Context, code, digits string, h payment.Holder) error {
	return p.note("claim %s %s %x", code, digits, h)
}

var holder = payment.Holder{1, 2, 3} //nolint:gochecknoglobals // never changed

func tariff() payment.Price {
	return payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000}}
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{posts: map[string]*Post{}, connected: true, deaf: map[string]bool{}}
	began := time.Now()
	s.Gateway = NewGateway(GatewayOptions{ID: "gateway-1", Connected: func() bool { return s.connected }, Told: func() bool { return !s.untold }, Mono: func() time.Duration { return time.Since(began) },
		Dress: func(tenant string, p *display.Post) bool { return tenant == "acme" },
		Publish: func(_ context.Context, tenant, post, leaf string, text []byte) error {
			s.mu.Lock()
			s.sent++
			s.mu.Unlock()
			if leaf != AskLeaf || tenant != "acme" {
				return errors.New("not a place to publish to")
			}
			if s.deaf[post] || s.posts[post] == nil {
				return nil
			}
			return s.posts[post].Take(text)
		}})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { s.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	return s
}

// build puts up a post, and introduces it.
func (s *street) build(t *testing.T, id string, p Posts, codes ...string) *Post {
	t.Helper()
	numbered := map[int]string{}
	for i, c := range codes {
		numbered[i+1] = c
	}
	info := display.Post{ID: id, Name: "Storgata 1", Helpdesk: "+47 22 00 00 00", Pay: "Vipps", Zone: time.UTC, Seller: display.Seller{Name: "Eksempel", OrgNo: "999999999", VATRegistered: true}}
	post := NewPost(PostOptions{Posts: p, Info: info, Codes: numbered, Life: "life-" + id, Log: slog.New(slog.DiscardHandler),
		Publish: func(_ context.Context, leaf string, text []byte) error {
			if leaf != AnswerLeaf+"/gateway-1" {
				return fmt.Errorf("published to %s", leaf)
			}
			if s.mend != nil {
				text = s.mend(text)
			}
			return s.Hear("acme", id, text)
		}})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { post.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	s.posts[id] = post
	must(t, s.Meet("acme", id, post.Introduction()))
	for n, code := range numbered {
		must(t, s.See("acme", id, n, post.Public(free(code))))
	}
	s.Reach("acme", id, true)
	return post
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func free(code string) display.View {
	return display.View{Code: code, State: display.Available, Price: tariff(), Choices: []payment.Amount{20_000, 35_000}, Default: 35_000, MaxPower: 22_000, Push: true}
}

// full is a view with everything in it: a running charge, or one that is over.
func full(over bool) display.View {
	v := free("A12")
	v.Here, v.Pass, v.Notice = true, true, display.Notice{display.FI: "Hei!", display.NB: "Hei, du!"}
	v.Busy, v.State, v.Fault, v.Since = true, display.Suspended, "MET-001", hal.Stamp{Unix: 1_800_000_000, Clock: hal.ClockSynced}
	v.Charge = display.Charge{Ref: "A12-1-000012", Price: tariff(), Way: payment.ByPush, PayURL: "https://landing.example/1", Reserved: 35_000, Held: true, Cost: 6_808,
		Energy: 12_400, Power: 7_200, Elapsed: 90 * time.Minute, Left: time.Minute, Idle: display.IdleView{Quiet: time.Minute, Starts: time.Second, Runs: true},
		Reading: 3 * time.Second, StopCode: "4827", Started: v.Since, Meter: display.Meter{Model: "sdm630", Serial: "22110345", Start: 10_344_076}}
	if over {
		c := &v.Charge
		c.End, c.Bill, c.Settled, c.Captured, c.Released, c.Stuck = display.Unplugged, tariff().Cost(payment.Use{Energy: 12_400, Idle: time.Minute}, 35_000), true, 6_908, 28_092, true
		c.Ended, c.Receipt, c.Issued, c.Meter.End = v.Since, "A12/1-000042", v.Since, 10_356_476
	}
	return v
}

// What a page shows is what the post shows, whatever that is.
func TestViewsComeThroughAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, over := range []bool{false, true} {
			s := newStreet(t)
			want := full(over)
			p := &told{view: &want}
			post := s.build(t, "A12", p, "A12")
			got, ok := s.Session(t.Context(), "A12", holder)
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("session %v (-sent +got):\n%s", ok, diff)
			}
			if _, ok := s.Session(t.Context(), "A12", payment.Holder{9}); ok {
				t.Error("somebody else sees it as well")
			}
			must(t, s.See("acme", "A12", 1, post.Public(want)))
			want.Charge = display.Charge{}
			if got, ok := s.Public("A12"); cmp.Diff(want, got) != "" || !ok {
				t.Errorf("public %v (-sent +got):\n%s", ok, cmp.Diff(want, got))
			}
		}
		s := newStreet(t)
		s.build(t, "A12", &told{}, "a12", "A12B")
		info, ok := s.Post("A12B")
		if !ok || info.ID != "A12" || info.Seller.OrgNo != "999999999" || len(info.Codes) != 2 {
			t.Errorf("%+v, %v", info, ok)
		}
	})
}

func TestWishesArriveAndSoDoRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		p := &told{}
		s.build(t, "A12", p, "A12")
		ask := display.Request{Reserve: 35_000, Seen: tariff(), Holder: holder, Return: "https://lad.example.no/A12/x", Way: payment.ByPush, Phone: "4791234567", Pass: "7F3K9Q"}
		for _, want := range []error{nil, display.ErrBusy, display.ErrOut, display.ErrPrice, display.ErrAmount, display.ErrPass, display.ErrOver, display.ErrLocked, display.ErrUnreachable, display.CodeError{Left: 3}} {
			p.mu.Lock()
			p.err, p.done = want, nil
			p.mu.Unlock()
			if err := s.Request(t.Context(), "A12", ask); err != want {
				t.Errorf("request: %v: want %v", err, want)
			}
			if err := s.Act(t.Context(), "A12", holder, display.MoreTime); err != want {
				t.Errorf("act: %v: want %v", err, want)
			}
			if err := s.Claim(t.Context(), "A12", "4827", holder); err != want {
				t.Errorf("claim: %v: want %v", err, want)
			}
			wishes := []string{fmt.Sprintf("request A12 %+v", ask), fmt.Sprintf("act A12 %x %d", holder, display.MoreTime), fmt.Sprintf("claim A12 4827 %x", holder)}
			if diff := cmp.Diff(wishes, p.done); diff != "" {
				t.Errorf("(-wished +arrived):\n%s", diff)
			}
		}
		p.err = errors.New("something nobody has a word for")
		if err := s.Act(t.Context(), "A12", holder, display.StopCharge); err != display.ErrUnreachable {
			t.Errorf("%v: want unreachable, as nobody knows", err)
		}
	})
}

// A driver whose post has gone silent sees what was last heard, and for how long it
// has been silent; and the post counts as one that cannot be reached.
func TestSilentPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		v := full(false)
		s.build(t, "A12", &told{view: &v}, "A12")
		s.Session(t.Context(), "A12", holder)
		s.deaf["A12"] = true
		time.Sleep(30 * time.Second)
		began := time.Now()
		got, ok := s.Session(t.Context(), "A12", holder)
		if took := time.Since(began); took > lookWithin {
			t.Errorf("a page waits %v: want at most %v", took, lookWithin)
		}
		if !ok || got.Silent < 30*time.Second || got.Charge.Reading != v.Charge.Reading+got.Silent || got.Charge.Left > v.Charge.Left-got.Silent {
			t.Errorf("%v, silent %v, reading %v, left %v", ok, got.Silent, got.Charge.Reading, got.Charge.Left)
		}
		if _, ok := s.Public("A12"); ok {
			t.Error("a post that does not answer can be reached")
		}
		if _, ok := s.Session(t.Context(), "A12", payment.Holder{9}); ok {
			t.Error("a stranger sees what was last heard")
		}
		if err := s.Request(t.Context(), "A12", display.Request{Seen: tariff(), Holder: holder}); err != display.ErrUnreachable {
			t.Errorf("%v: want unreachable", err)
		}
		s.deaf["A12"] = false
		time.Sleep(muteFor)
		if got, _ := s.Session(t.Context(), "A12", holder); got.Silent != 0 {
			t.Errorf("silent for %v after it has answered", got.Silent)
		}
		if _, ok := s.Public("A12"); !ok {
			t.Error("cannot be reached although it answers")
		}
		s.connected = false
		if _, ok := s.Public("A12"); ok {
			t.Error("a gateway without a broker reaches posts")
		}
	})
}

// Pages that are drawn at the same moment cost one asking, and one after something
// was done costs another.
func TestLooksAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		v := full(false)
		s.build(t, "A12", &told{view: &v}, "A12")
		for range 5 {
			s.Session(t.Context(), "A12", holder)
		}
		if s.sent != 1 {
			t.Errorf("%d askings: want 1", s.sent)
		}
		must(t, s.Act(t.Context(), "A12", holder, display.StopCharge))
		s.Session(t.Context(), "A12", holder)
		if s.sent != 3 {
			t.Errorf("%d askings: want 3, as a stop must show", s.sent)
		}
	})
}

// Whose a code is when two posts want it.
func TestNobodyTakesAnothersDrivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		s.build(t, "A12", &told{}, "A12", "SHARED")
		s.build(t, "EVIL", &told{}, "A12", "SHARED")
		if p, ok := s.Post("A12"); !ok || p.ID != "A12" {
			t.Errorf("A12 is %q's, %v", p.ID, ok)
		}
		if p, ok := s.Post("SHARED"); ok {
			t.Errorf("a code that two want is %q's", p.ID)
		}
		if _, ok := s.Post("NOBODY"); ok {
			t.Error("a code that nobody has is known")
		}
		s.untold = true
		if _, ok := s.Post("NOBODY"); !ok {
			t.Error("a driver is told that a post does not exist before the broker has told which do")
		}
		s.untold = false
		must(t, s.Meet("acme", "EVIL", nil)) // removed
		if p, ok := s.Post("SHARED"); !ok || p.ID != "A12" {
			t.Errorf("SHARED is %q's, %v, when the other is gone", p.ID, ok)
		}
		if err := s.Meet("other", "A12", s.posts["A12"].Introduction()); err == nil {
			t.Error("a post of no tenant of ours is taken in")
		}
	})
}

// An asking is taken once, by the program that it was meant for; an answer of one
// post is none of another.
func TestKeptMessagesMeanNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		p := &told{}
		post := s.build(t, "A12", p, "A12")
		text := []byte(`{"v":1,"id":"x1","life":"life-A12","gateway":"gateway-1","want":"act","act":"stop","code":"A12","holder":"01020300000000000000000000000000"}`)
		must(t, post.Take(text))
		must(t, post.Take(text))
		must(t, post.Take([]byte(strings.Replace(string(text), "life-A12", "life-before", 1))))
		must(t, post.Take([]byte(strings.Replace(string(text), "gateway-1", "x/../y", 1))))
		synctest.Wait()
		if len(p.done) != 1 {
			t.Errorf("done %q: want it once", p.done)
		}
		s.deaf["A12"] = true
		go s.Act(t.Context(), "A12", holder, display.StopCharge) //nolint:errcheck // nobody answers
		synctest.Wait()
		for key := range s.waits {
			id := key[strings.LastIndex(key, "/")+1:]
			must(t, s.Hear("acme", "B7", []byte(`{"v":1,"id":"`+id+`"}`)))
		}
		if len(s.waits) != 1 {
			t.Error("another post's answer was taken")
		}
	})
}

// Whoever watches a charge is woken now and then; whoever watches a free post, when
// something changes.
func TestWatchersAreWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		post := s.build(t, "A12", &told{}, "A12")
		woken := func(c <-chan struct{}, within time.Duration) bool {
			select {
			case <-c:
				return true
			case <-time.After(within):
				return false
			}
		}
		c := s.Changed("A12")
		if woken(c, time.Minute) {
			t.Error("woken although nothing has changed")
		}
		must(t, s.See("acme", "A12", 1, post.Public(full(false))))
		if !woken(c, time.Second) {
			t.Error("not woken by a change")
		}
		if !woken(s.Changed("A12"), watchEvery+time.Second) {
			t.Error("not woken while somebody charges")
		}
		if s.Changed("NONE") != nil {
			t.Error("a code that nobody has changes")
		}
	})
}

// Whatever comes, neither end does what was not asked, and none panics.
func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"v":1,"id":"x1","life":"l","gateway":"gateway-1","want":"request","seen":{"cur":"NOK","kwh":549},"reserve":100,"code":"A12","holder":"01020300000000000000000000000000"}`))
	f.Add(write(struct {
		V int `json:"v"`
		view
	}{1, fromView(full(true))}))
	f.Add(write(introduce(display.Post{Name: "x", Zone: time.UTC}, "l", map[int]string{1: "A12"})))
	v := fromView(full(true))
	f.Add(write(answer{V: 1, ID: "x", View: &v}))
	f.Fuzz(func(t *testing.T, text []byte) {
		g := NewGateway(GatewayOptions{ID: "g", Connected: func() bool { return true }, Told: func() bool { return true }, Mono: func() time.Duration { return 0 }, Dress: func(string, *display.Post) bool { return true }})
		if g.Meet("acme", "A12", text) == nil && len(text) > 0 {
			for _, code := range g.posts["acme/A12"].codes {
				g.Post(code)
			}
		}
		if g.See("acme", "A12", 1, text) == nil {
			if c := g.posts["acme/A12"].views[1].Charge; c.Ref != "" {
				t.Error("a charge is shown to everybody")
			}
		}
		g.Hear("acme", "A12", text) //nolint:errcheck // nobody waits
		p := NewPost(PostOptions{Posts: &told{}, Life: "l"})
		if p.Take(text) == nil && len(p.asks) == 1 {
			p.do(t.Context(), <-p.asks) //nolint:errcheck // whatever it says
		}
		var a answer
		if read(text, &a) == nil && a.View != nil {
			if v, err := a.View.view(); err == nil && (v.Charge.Elapsed < 0 || v.Charge.Left < 0) {
				t.Errorf("time runs backwards: %+v", v.Charge)
			}
		}
	})
}

// Whoever makes up addresses of sessions does not get a post asked for each of them,
// and those who have one are shown it all the same.
func TestMadeUpSessionsCostLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t)
		v := full(false)
		s.build(t, "A12", &told{view: &v}, "A12")
		if _, ok := s.Session(t.Context(), "A12", holder); !ok {
			t.Fatal("the driver is not shown the charge")
		}
		for i := range 1000 {
			v, ok := s.Session(t.Context(), "A12", payment.Holder{9, byte(i), byte(i >> 8)})
			if ok || (v.Silent > 0) != (i >= strangers-1) {
				t.Fatalf("stranger %d: %v, silent %v", i, ok, v.Silent)
			}
		}
		if s.sent != strangers {
			t.Errorf("%d askings for 1001 addresses: want %d", s.sent, strangers)
		}
		time.Sleep(freshFor + strangerEvery)
		if v, ok := s.Session(t.Context(), "A12", holder); !ok || v.Silent != 0 {
			t.Errorf("the driver, meanwhile: %v, silent %v", ok, v.Silent)
		}
		if _, ok := s.Session(t.Context(), "A12", payment.Holder{8}); ok || s.sent != strangers+2 {
			t.Errorf("%d askings: want one more stranger to be asked about", s.sent)
		}
	})
}
