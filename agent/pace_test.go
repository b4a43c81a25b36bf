package main

import (
	"testing"
	"time"
)

// The demo's time waits for a reading that takes long, and for no other.
func TestTimeWaitsForALongReading(t *testing.T) {
	waits := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return false
		default:
			return true
		}
	}
	var x turn
	if waits(x.over(time.Hour)) {
		t.Error("waits for no reading")
	}
	end := x.begin(time.Hour)
	if waits(x.over(time.Hour + longTurn - 1)) {
		t.Error("waits for a reading that has just begun")
	}
	long := x.over(time.Hour + longTurn)
	if !waits(long) {
		t.Error("does not wait for a reading that takes long")
	}
	end()
	if waits(long) || waits(x.over(2*time.Hour)) {
		t.Error("waits for a reading that has ended")
	}
}
