package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// shop is a post with one EVSE in a state. Its loop does not run: nobody takes in
// what it is told.
func shop(kept session.Kept) (*posts, *evse.EVSE) {
	v := evse.New(evse.Parts{
		Rules: &session.Rules{Post: "A12", EVSE: 1, Code: "A12", NoPlug: true, Limits: session.DefaultLimits()},
		State: session.State{Kept: kept},
		Now:   func() hal.Instant { return hal.Instant{Mono: time.Minute} },
	})
	return &posts{info: display.Post{ID: "A12", Name: "Storgata 1"}, units: map[string]*evse.EVSE{"A12": v}}, v
}

var driver = payment.Holder{1, 2, 3}

func charge(p session.Phase) session.Kept {
	return session.Kept{Phase: p, Counter: 7, Charge: session.Charge{Number: 7, Holder: driver, Limit: 35000}}
}

func TestNobodyKnowsAnotherCode(t *testing.T) {
	p, _ := shop(charge(session.Charging))
	ctx := t.Context()
	for _, code := range []string{"", "a12", "B7"} {
		_, known := p.Post(code)
		_, public := p.Public(code)
		_, held := p.Session(t.Context(), code, driver)
		if known || public || held || p.Changed(code) != nil {
			t.Errorf("%q is known", code)
		}
		if err := p.Request(ctx, code, display.Request{Holder: driver}); !errors.Is(err, display.ErrUnreachable) {
			t.Errorf("%q: request: %v", code, err)
		}
		if err := p.Act(ctx, code, driver, display.StopCharge); !errors.Is(err, display.ErrUnreachable) {
			t.Errorf("%q: act: %v", code, err)
		}
	}
	if info, known := p.Post("A12"); !known || info.Name != "Storgata 1" {
		t.Errorf("%+v", info)
	}
}

func TestChargeIsShownToItsHolderOnly(t *testing.T) {
	p, _ := shop(charge(session.Charging))
	v, ok := p.Session(t.Context(), "A12", driver)
	if !ok || v.Charge.Ref != "A12-1-000007" || v.Charge.Reserved != 35000 {
		t.Errorf("%v %+v", ok, v.Charge)
	}
	if v, ok := p.Session(t.Context(), "A12", payment.Holder{9}); ok || v.Charge.Ref != "" {
		t.Errorf("a stranger sees %+v", v.Charge)
	}
	public, ok := p.Public("A12")
	if !ok || !public.Busy || public.Charge.Ref != "" {
		t.Errorf("everybody sees %v %+v", ok, public)
	}
}

func TestAskingTwiceIsAskingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := shop(charge(session.Approving))
		began := time.Now()
		if err := p.Request(t.Context(), "A12", display.Request{Holder: driver}); err != nil || time.Since(began) > 0 {
			t.Errorf("again: %v, after %v", err, time.Since(began))
		}
	})
}

// A loop that does not answer is a post that cannot be reached, and nobody waits
// for it longer than said.
func TestLoopThatDoesNotAnswerCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := shop(session.Kept{})
		began := time.Now()
		err := p.Request(t.Context(), "A12", display.Request{Holder: driver})
		if !errors.Is(err, display.ErrUnreachable) || time.Since(began) != answerWithin {
			t.Errorf("request: %v, after %v", err, time.Since(began))
		}
		p, v := shop(charge(session.Charging))
		fill(v)
		began = time.Now()
		err = p.Act(t.Context(), "A12", driver, display.StopCharge)
		if !errors.Is(err, display.ErrUnreachable) || time.Since(began) != answerWithin {
			t.Errorf("act: %v, after %v", err, time.Since(began))
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Act(gone, "A12", driver, display.StopCharge); !errors.Is(err, display.ErrUnreachable) {
			t.Errorf("act of a phone that has gone: %v", err)
		}
	})
}

// fill tells an EVSE so much that it cannot be told more.
func fill(v *evse.EVSE) {
	full, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for v.Tell(full, session.Ticked{}) == nil {
	}
}

func TestActWaitsUntilItShowsButNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := shop(charge(session.Charging))
		began := time.Now()
		if err := p.Act(t.Context(), "A12", driver, display.MoreTime); err != nil || time.Since(began) != showWithin {
			t.Errorf("%v, after %v", err, time.Since(began))
		}
	})
}

func TestOnlyTheHolderOfAChargeUnderWayActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p, _ := shop(charge(session.Charging))
		if err := p.Act(t.Context(), "A12", payment.Holder{9}, display.StopCharge); !errors.Is(err, display.ErrOver) {
			t.Errorf("a stranger: %v", err)
		}
		p, _ = shop(session.Kept{Done: []session.Debt{{Charge: session.Charge{Number: 6, Holder: driver}}}})
		if err := p.Act(t.Context(), "A12", driver, display.StopCharge); !errors.Is(err, display.ErrOver) {
			t.Errorf("afterwards: %v", err)
		}
		if time.Since(began) > 0 {
			t.Error("it was waited for")
		}
	})
}

func TestOnlyTimeIsUnreachable(t *testing.T) {
	for _, err := range []error{nil, display.ErrBusy, display.ErrOut, display.ErrPrice, display.ErrAmount} {
		if got := reached(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// TestActsReachTheCharge presses the buttons of a session page that runs.
func TestActsReachTheCharge(t *testing.T) {
	t.Parallel()
	p := perform(t, nil)
	page := begin(t, p.url+"/en/A12")
	until(t, "charging", func() bool {
		scene, _, _ := look(t, page)
		return scene == "charge"
	})
	state, _, _ := p.parts.units["A12"].Snapshot()
	holder := state.Charge.Holder
	changed := p.parts.Changed("A12")
	if err := p.parts.Act(t.Context(), "A12", holder, display.MoreTime); err != nil {
		t.Fatal(err)
	}
	if s, _, _ := p.parts.units["A12"].Snapshot(); s.Phase != session.Charging {
		t.Errorf("more time has led to %v", s.Phase)
	}
	if err := p.parts.Act(t.Context(), "A12", holder, display.StopCharge); err != nil {
		t.Fatal(err)
	}
	until(t, "ended", func() bool { return strings.Contains(p.log.String(), "why=driver_stop") })
	select {
	case <-changed:
	default:
		t.Error("the change was not told")
	}
	if err := p.parts.Request(t.Context(), "A12", display.Request{Holder: payment.Holder{9}}); !errors.Is(err, display.ErrPrice) && !errors.Is(err, display.ErrBusy) && !errors.Is(err, display.ErrOut) {
		t.Errorf("a request without a price: %v", err)
	}
}

// TestAStopCodeOpensThePageOfACharge loses the page of a charge that runs, and stops
// it from another one.
func TestAStopCodeOpensThePageOfACharge(t *testing.T) {
	t.Parallel()
	p := perform(t, nil)
	page := begin(t, p.url+"/en/A12")
	until(t, "charging", func() bool {
		scene, _, _ := look(t, page)
		return scene == "charge"
	})
	state, _, _ := p.parts.units["A12"].Snapshot()
	view, _ := p.parts.Session(t.Context(), "A12", state.Charge.Holder)
	guest := payment.Holder{9}
	var wrong display.CodeError
	if err := p.parts.Claim(t.Context(), "A12", "nine", guest); !errors.As(err, &wrong) || wrong.Left != 4 {
		t.Errorf("a wrong code: %v", err)
	}
	if err := p.parts.Act(t.Context(), "A12", guest, display.StopCharge); !errors.Is(err, display.ErrOver) {
		t.Errorf("a stranger stops: %v", err)
	}
	if err := p.parts.Claim(t.Context(), "A12", view.Charge.StopCode, guest); err != nil {
		t.Fatalf("the stop code %q: %v", view.Charge.StopCode, err)
	}
	if v, ok := p.parts.Session(t.Context(), "A12", guest); !ok || v.Charge.Ref != view.Charge.Ref {
		t.Errorf("the guest sees %v %+v", ok, v.Charge)
	}
	if err := p.parts.Act(t.Context(), "A12", guest, display.StopCharge); err != nil {
		t.Fatal(err)
	}
	until(t, "ended", func() bool { return strings.Contains(p.log.String(), "why=driver_stop") })
}

func TestNobodyClaimsWhatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, v := shop(charge(session.Charging))
		if err := p.Claim(t.Context(), "B7", "0000", driver); !errors.Is(err, display.ErrUnreachable) {
			t.Errorf("another code: %v", err)
		}
		fill(v)
		began := time.Now()
		if err := p.Claim(t.Context(), "A12", "0000", driver); !errors.Is(err, display.ErrUnreachable) || time.Since(began) != answerWithin {
			t.Errorf("a loop that does not answer: %v, after %v", err, time.Since(began))
		}
	})
}
