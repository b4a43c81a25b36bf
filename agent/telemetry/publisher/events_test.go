package publisher

import (
	"errors"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/agent/telemetry"
)

// numbers are those of the events that were said, in order.
func numbers(t *testing.T, all []said) []uint64 {
	t.Helper()
	var seqs []uint64
	for _, s := range all {
		if own, _ := s.leaf.Split(); own == "evt/payment" {
			seqs = append(seqs, read[telemetry.Event](t, s).Seq)
		}
	}
	return seqs
}

// What has piled up comes oldest first, all of it, not too fast, and a change of state
// does not wait behind it.
func TestOutboxIsEmptiedInOrderAndSlowly(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, p *Publisher, v *post, b *books) {
		b.set(true, 0)
		b.add(500, "payment.refunded")
		pass(20 * time.Second)
		b.set(false, 10*time.Millisecond)
		p.Anew()
		pass(10*time.Second + 5*time.Millisecond)
		v.change(func(s *session.State) { s.Latched |= session.Withdrawn })
		changed := time.Since(b.began)
		pass(time.Minute)
		all := b.take()
		seqs := numbers(t, all)
		if len(seqs) != 500 {
			t.Fatalf("%d events came", len(seqs))
		}
		var at []time.Duration
		for _, s := range all {
			if s.leaf == "evt/payment" {
				at = append(at, s.at)
			}
			if s.leaf == "evse/1/state" && s.at >= changed {
				if s.at > changed+2*time.Second {
					t.Errorf("the state came %v after it had changed", s.at-changed)
				}
				changed = time.Hour
			}
		}
		if changed != time.Hour {
			t.Error("the change was not told")
		}
		for i := range seqs {
			if seqs[i] != uint64(i+1) {
				t.Fatalf("event %d is number %d", i+1, seqs[i])
			}
			if i >= 40 && at[i]-at[i-40] < time.Second {
				t.Fatalf("40 events in %v", at[i]-at[i-40])
			}
		}
		if took := at[499] - at[0]; took < 24*time.Second || took > 40*time.Second {
			t.Errorf("500 events took %v", took)
		}
	})
}

// An event is out when the broker has it, and no sooner.
func TestEventIsSentUntilItHasArrived(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, p *Publisher, _ *post, b *books) {
		pass(20 * time.Second)
		b.set(false, time.Hour) // never acknowledged
		b.add(2, "payment.refunded")
		pass(10 * time.Minute)
		if n, _ := b.Waiting(); n != 2 {
			t.Errorf("%d wait: want both", n)
		}
		h := p.health()
		if h.Outbox.Events != 2 || h.Outbox.Oldest < 590 {
			t.Errorf("health says %+v", h.Outbox)
		}
		b.set(false, 0)
		b.take()
		pass(time.Minute)
		if got := numbers(t, b.take()); len(got) != 2 || got[0] != 1 {
			t.Errorf("came %v", got)
		}
		if n, _ := b.Waiting(); n != 0 {
			t.Errorf("%d wait: want none", n)
		}
	})
}

// Rewinding while events are sent loses neither: what was under way counts as sent
// before it, and all from there comes again.
func TestRewindSendsAgain(t *testing.T) {
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, p *Publisher, _ *post, b *books) {
		pass(20 * time.Second)
		b.add(30, "payment.refunded")
		b.set(false, 20*time.Millisecond)
		pass(1200 * time.Millisecond)
		p.Rewind(12)
		p.Rewind(5)
		p.Rewind(9)
		pass(time.Minute)
		got := numbers(t, b.take())
		again := 0
		for i := 1; i < len(got); i++ {
			switch {
			case got[i] == 5 && got[i-1] != 4:
				again = i
			case got[i] != got[i-1]+1:
				t.Fatalf("%d after %d: %v", got[i], got[i-1], got)
			}
		}
		if again == 0 || len(got)-again != 26 || got[len(got)-1] != 30 {
			t.Errorf("came %v", got)
		}
	})
}

// What is out is written down, but not at each event, and at the end.
func TestOutboxIsWrittenDownNowAndThen(t *testing.T) {
	var b *books
	bubble(t, telemetry.Frugal, nil, func(t *testing.T, _ *Publisher, _ *post, books *books) {
		b = books
		pass(2 * time.Minute)
		if len(b.saves) > 0 {
			t.Errorf("saved at %v, and there was nothing", b.saves)
		}
		for range 300 {
			b.add(1, "payment.refunded")
			pass(time.Second)
		}
		if n := len(b.saves); n < 5 || n > 6 {
			t.Errorf("saved %d times in five minutes: %v", n, b.saves)
		}
		pass(2 * time.Minute)
		b.saves = nil
		b.add(1, "payment.refunded")
		pass(1500 * time.Millisecond)
		if len(b.saves) != 1 {
			t.Errorf("saved %d times when the outbox was empty after long", len(b.saves))
		}
		b.add(1, "payment.refunded")
		pass(1500 * time.Millisecond)
		b.add(1, "payment.refunded")
		b.saves = nil
	})
	if len(b.saves) != 1 || b.out != 303 {
		t.Errorf("at the end: saved %d times, out to %d: want the last one sent and written down", len(b.saves), b.out)
	}
}

// A ledger that cannot be read keeps nothing else from being told.
func TestLedgerInTroubleKeepsStatesComing(t *testing.T) {
	bubble(t, telemetry.Frugal, func(o *Options) { o.Outbox.(*books).broken = errors.New("input/output error") },
		func(t *testing.T, _ *Publisher, v *post, b *books) {
			b.add(1, "payment.refunded")
			pass(20 * time.Second)
			v.change(func(s *session.State) { s.Latched |= session.Withdrawn })
			pass(2 * time.Second)
			all := b.take()
			if s := last[telemetry.State](t, all, "evse/1/state"); s.State != "unavailable" {
				t.Errorf("%+v", s)
			}
			if got := numbers(t, all); len(got) > 0 {
				t.Errorf("came %v", got)
			}
		})
}
