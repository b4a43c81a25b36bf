package main

import "testing"

func TestTheWatchdogIsFedWhenEveryLoopLives(t *testing.T) {
	pings := 0
	hook, left := allOf(2, func() { pings++ })
	one, two := hook(1), hook(2)
	for range 5 {
		one()
	}
	if pings != 0 {
		t.Fatalf("%d pings by one loop of two", pings)
	}
	two()
	one()
	two()
	if pings != 2 {
		t.Errorf("%d pings, want 2: one each time both have lived", pings)
	}
	two()
	left() // the other one settles
	for range 3 {
		one()
	}
	if pings != 5 {
		t.Errorf("%d pings, want 3 more by the one that is left", pings)
	}
}
