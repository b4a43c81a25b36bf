package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/hal"
	"stolpe/payment"
)

// kerb is an EVSE with an accept button and a display, in the time of a bubble. Its loop
// runs; whatever is around it does what is asked for.
type kerb struct {
	*button
	t     *testing.T
	press chan struct{}
	glass *glass
	log   *paper
	began time.Time

	mu       sync.Mutex // guards what follows
	orders   []payment.Order
	approved bool
	noPay    bool
	contacts hal.Position
	slow     time.Duration // the disk
}

// glass is a display that shows what it is told, if it does.
type glass struct {
	fails error
	shown panel.Page
}

func (g *glass) Show(f panel.Frame) error {
	if g.fails == nil {
		g.shown = f.Page
	}
	return g.fails
}
func (g *glass) Close() error { return nil }

func (s *kerb) now() hal.Instant { return hal.Instant{Mono: time.Minute + time.Since(s.began)} }
func (s *kerb) Read(context.Context) (hal.Reading, error) {
	return hal.Reading{Register: 10_344_076, Serial: "1", At: s.now().Mono}, nil
}

func (s *kerb) Set(p hal.Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contacts = p
	return nil
}

func (s *kerb) Sense() (hal.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contacts, nil
}

func (s *kerb) Save(session.Kept) error {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if slow > 0 {
		<-time.After(slow)
	}
	return nil
}

func (s *kerb) Ask(_ context.Context, o payment.Order) (payment.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, o)
	var f payment.Found // none that was never made
	for _, made := range s.orders {
		if made.Verb == payment.Reserve && made.Ref == o.Ref {
			f = payment.Found{State: payment.Created, Amount: made.Amount, Terms: made.Terms, URL: "https://pay.example/" + string(o.Ref)}
		}
	}
	switch {
	case f.State == payment.NotFound:
	case o.Verb == payment.Settle:
		f.State, f.URL = payment.EndedByUs, ""
	case s.approved:
		f.State, f.URL, f.Held = payment.Authorised, "", f.Amount
	}
	return o.Answer(f), nil
}

// asked counts the payments that were asked for.
func (s *kerb) reserved() (all []payment.Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if o.Verb == payment.Reserve && !slices.ContainsFunc(all, func(a payment.Order) bool { return a.Ref == o.Ref }) {
			all = append(all, o)
		}
	}
	return all
}

// sight is what the display should show.
func (s *kerb) sight() panel.Page {
	s.mu.Lock()
	noPay := s.noPay
	s.mu.Unlock()
	state, now, _ := s.unit.Snapshot()
	return panel.Scene{Langs: [2]display.Lang{display.NB, display.EN}, Now: now.Wall, EVSEs: []panel.EVSE{{
		View: s.unit.Rules().View(&state, now), Button: true, NoPay: noPay, Link: "https://lad.example.no/A12",
	}}}.Page()
}

// atKerb runs a test with one that is free and whose display says so.
func atKerb(t *testing.T, test func(*kerb)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &kerb{t: t, press: make(chan struct{}, 1), glass: &glass{}, log: new(paper), began: time.Now()}
		log := slog.New(slog.NewTextHandler(s.log, nil))
		rules := &session.Rules{Post: "A12", EVSE: 1, Code: "A12", NoPlug: true, Limits: session.DefaultLimits(), MaxPower: 22_000, Grain: 1,
			Price:   payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100}},
			Choices: []payment.Amount{20_000, 35_000}, Default: 35_000}
		v := evse.New(evse.Parts{Rules: rules, State: rules.Recover(session.Kept{}, session.Whole, s.now()), Meter: s, Contactor: s, Payments: s, Journal: s,
			Now: s.now, Every: time.Second, Log: log})
		s.button = &button{unit: v, presses: s.press, window: &window{}, page: s.sight, log: log,
			session: func() (string, payment.Holder) { return "https://lad.example.no/A12/own", payment.Holder{7} }}
		ctx, end := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { v.Run(ctx) }) //nolint:errcheck // it has none
		group.Go(func() { s.run(ctx) })
		s.pass(20 * time.Second)
		s.show()
		test(s)
		end()
		group.Wait()
	})
}

func (s *kerb) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// with changes what the rest looks at.
func (s *kerb) with(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// clear takes all displays away.
func (s *kerb) clear() {
	s.window.mu.Lock()
	defer s.window.mu.Unlock()
	s.window.panes = nil
}

// show has the display drawn, in the place of all before.
func (s *kerb) show() {
	s.clear()
	d := s.window.behind("glass", s.glass)
	if err := d.Show(panel.Frame{Page: s.sight()}); err != s.glass.fails {
		s.t.Errorf("the display says %v, and the window %v", s.glass.fails, err)
	}
}

// pushes presses the button and lets a moment pass.
func (s *kerb) pushes() {
	s.press <- struct{}{}
	s.pass(100 * time.Millisecond)
}

func (s *kerb) phase() session.Phase {
	state, _, _ := s.unit.Snapshot()
	return state.Phase
}

// A press has the default amount asked for at the price in the window, by a code, and the
// display then shows that code and nothing else to scan.
func TestAPressAcceptsWhatTheDisplayShows(t *testing.T) {
	atKerb(t, func(s *kerb) {
		if s.glass.shown.Face != panel.FreeButton || s.glass.shown.Price != "5,49" {
			t.Fatalf("the display shows %+v", s.glass.shown)
		}
		s.pushes()
		all := s.reserved()
		if len(all) != 1 || all[0].Way != payment.ByCode || all[0].Amount != 35_000 || all[0].Return != "https://lad.example.no/A12/own" ||
			all[0].Terms.Price.KWh != 549 || all[0].Terms.Holder != (payment.Holder{7}) {
			t.Fatalf("asked %+v", all)
		}
		s.pass(3 * time.Second)
		page := s.sight()
		if page.Face != panel.PayCode || page.Code == nil || page.Code.Text != "https://pay.example/A12-1-000001" {
			t.Errorf("the display shows %+v", page)
		}
		s.with(func() { s.approved = true })
		s.pass(20 * time.Second)
		if page := s.sight(); page.Face == panel.PayCode || s.phase() == session.Approving {
			t.Errorf("approved, and the display shows %+v in phase %v", page, s.phase())
		}
		phase := s.phase()
		for range 5 {
			s.pushes()
		}
		if s.phase() != phase || len(s.reserved()) != 1 {
			t.Errorf("pressed when it is paid: phase %v, %d payments", s.phase(), len(s.reserved()))
		}
	})
}

// Pressed again, it cancels what nobody has approved; but not at once.
func TestASecondPressCancels(t *testing.T) {
	atKerb(t, func(s *kerb) {
		s.pushes()
		s.pushes() // in doubt
		if s.phase() != session.Approving {
			t.Fatalf("two presses one upon the other end in phase %v", s.phase())
		}
		s.pass(regret)
		s.pushes()
		if s.phase() != session.Idle || len(s.reserved()) != 1 {
			t.Errorf("phase %v, %d payments", s.phase(), len(s.reserved()))
		}
		s.pass(time.Minute)
		state, _, _ := s.unit.Snapshot()
		if len(state.Done) != 1 || state.Done[0].Why != display.ByDriver || state.Done[0].Captured != 0 {
			t.Errorf("what became of it: %+v %+v", state.Debts, state.Done)
		}
		if s.sight().Face != panel.FreeButton {
			t.Errorf("the display shows %+v", s.sight())
		}
	})
}

// The button cancels its own requests only.
func TestThePressOfAStrangerCancelsNothing(t *testing.T) {
	atKerb(t, func(s *kerb) {
		q := session.Requested{Reserve: 20_000, Seen: s.unit.Rules().Price, Holder: payment.Holder{9}}
		if err := s.unit.Request(s.t.Context(), q); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			s.pass(regret)
			s.pushes()
		}
		if state, _, _ := s.unit.Snapshot(); state.Phase != session.Approving || !state.HeldBy(q.Holder) || len(s.reserved()) != 1 {
			t.Errorf("phase %v, %d payments", state.Phase, len(s.reserved()))
		}
	})
}

// Whoever presses accepts what stands in front of him, or nothing.
func TestNothingIsAcceptedThatIsNotShown(t *testing.T) {
	broken := errors.New("unplugged")
	for name, change := range map[string]func(*kerb){
		"no display":                  func(s *kerb) { s.clear() },
		"a display that fails":        func(s *kerb) { s.glass.fails = broken; s.show() },
		"nobody can pay":              func(s *kerb) { s.with(func() { s.noPay = true }) },
		"a page of before":            func(s *kerb) { s.with(func() { s.noPay = true }); s.show(); s.with(func() { s.noPay = false }) },
		"a price of before":           func(s *kerb) { reprice(s, func(p *payment.Price) { p.KWh++ }) },
		"an idle fee of before":       func(s *kerb) { reprice(s, func(p *payment.Price) { p.Idle.Minute++ }) },
		"a fee that is not shown yet": func(s *kerb) { reprice(s, func(p *payment.Price) { p.Session = 1000 }) },
		"out of service":              func(s *kerb) { s.tell(session.TakenOut{}) },
	} {
		t.Run(name, func(t *testing.T) {
			atKerb(t, func(s *kerb) {
				change(s)
				s.pass(time.Second)
				s.pushes()
				if len(s.reserved()) != 0 || s.phase() != session.Idle || !strings.Contains(s.log.String(), "button pressed in vain") {
					t.Errorf("%d payments, phase %v\n%s", len(s.reserved()), s.phase(), s.log)
				}
			})
		})
	}
	atKerb(t, func(s *kerb) { // and what is shown again is accepted
		reprice(s, func(p *payment.Price) { p.KWh = 600 })
		s.show()
		if s.pushes(); len(s.reserved()) != 1 || s.reserved()[0].Terms.Price.KWh != 600 {
			t.Errorf("asked %+v", s.reserved())
		}
	})
}

func reprice(s *kerb, change func(*payment.Price)) {
	p := s.unit.Rules().Price
	change(&p)
	if err := s.unit.Reprice(s.t.Context(), p); err != nil {
		s.t.Error(err)
	}
}

func (s *kerb) tell(e session.Event) {
	if err := s.unit.Tell(s.t.Context(), e); err != nil {
		s.t.Error(err)
	}
}

// Whoever plays with the button does not keep the payment service busy, nor the post.
func TestPlayingWithTheButtonCostsLittle(t *testing.T) {
	atKerb(t, func(s *kerb) {
		const hour = time.Hour
		for range int(hour / (2 * regret)) { // makes one and cancels it, all the time
			s.pushes()
			s.pass(regret)
			s.pushes()
			s.pass(regret)
			s.show()
		}
		if n := len(s.reserved()); n < 30 || n > int(hour/pressesEvery)+pressesAtOnce+10 {
			t.Errorf("%d payments in an hour", n)
		}
		if n := strings.Count(s.log.String(), "button pressed in vain"); n > 100 {
			t.Errorf("%d lines in the log", n)
		}
	})
}

// A display whose page cannot be made up ends nothing but the press.
func TestAPressOnAPageThatPanics(t *testing.T) {
	atKerb(t, func(s *kerb) {
		page := s.page
		s.page = func() panel.Page { panic("no such word") }
		s.pushes()
		if len(s.reserved()) != 0 || !strings.Contains(s.log.String(), "button failed") {
			t.Errorf("%d payments\n%s", len(s.reserved()), s.log)
		}
		s.page = page
		if s.pushes(); len(s.reserved()) != 1 {
			t.Errorf("%d payments by the press after it", len(s.reserved()))
		}
	})
}

// Presses while the disk is slow are one press: none of them cancels what it began.
func TestPressesWhileTheDiskIsSlow(t *testing.T) {
	atKerb(t, func(s *kerb) {
		s.with(func() { s.slow = regret + time.Second })
		s.press <- struct{}{}
		s.pass(time.Second)
		s.press <- struct{}{} // nothing is to be seen yet
		s.pass(2 * regret)
		if s.phase() != session.Approving || len(s.reserved()) != 1 {
			t.Errorf("phase %v, %d payments", s.phase(), len(s.reserved()))
		}
	})
}
