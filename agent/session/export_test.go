package session

import "stolpe/hal"

// Broken lists the laws that a step breaks, for the tests that play scenarios: these are
// in another package, because the player imports this one.
func Broken(r *Rules, before, s *State, now hal.Instant) []string { return broken(r, before, s, now) }

// Updating says whether expected files are to be rewritten.
func Updating() bool { return *update }
