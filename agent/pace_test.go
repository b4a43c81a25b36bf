package main

import (
	"testing"
	"time"
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
