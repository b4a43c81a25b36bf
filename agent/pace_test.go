package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
)

// The demo's time waits for whatever takes long, and for nothing else.
func TestTimeWaitsForWhatTakesLong(t *testing.T) {
	var x turns
	if x.late(time.Hour) != nil {
		t.Error("waits for nothing")
	}
	end := x.begin(time.Hour)
	short := x.begin(time.Hour + longTurn)
	if x.late(time.Hour+longTurn-1) != nil {
		t.Error("waits for what has just begun")
	}
	late := x.late(time.Hour + longTurn)
	if late == nil {
		t.Fatal("does not wait for what takes long")
	}
	select {
	case <-late:
		t.Error("goes on before it has ended")
	default:
	}
	end()
	select {
	case <-late:
	default:
		t.Error("waits for what has ended")
	}
	if x.late(time.Hour+longTurn) != nil || x.late(2*time.Hour) == nil {
		t.Error("what began later is not told from what began before")
	}
	short()
	if x.late(3*time.Hour) != nil {
		t.Error("waits for what has ended")
	}
}

// slowCard is a journal whose saves take until it is let go.
type slowCard struct {
	evse.Journal
	letGo chan struct{}
}

func (c slowCard) Save(session.Kept) error {
	<-c.letGo
	return nil
}

// A busy machine must not look like a dead card.
func TestTimeWaitsForASave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		s := &stage{demoOptions: demoOptions{speed: maxSpeed}, beats: make(pulse)}
		c := slowCard{letGo: make(chan struct{})}
		go writing{c, s}.Save(session.Kept{}) //nolint:errcheck // it has none
		go s.passTime(ctx)
		go func() {
			for {
				select {
				case s.beats <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
		}()
		time.Sleep(time.Minute)
		if now := s.clock.Now(); now > longTurn {
			t.Errorf("%v have passed", now)
		}
		close(c.letGo)
		time.Sleep(time.Minute)
		if now := s.clock.Now(); now <= longTurn {
			t.Errorf("%v: time stands still", now)
		}
	})
}
