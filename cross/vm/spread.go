package vm

import (
	"fmt"
	"slices"
	"time"
)

// spread is how long something took, each time that it was measured.
type spread []time.Duration

// at is the time that so many of a hundred measurements were at most: the smallest of
// those for which that is true (nearest rank).
func (s spread) at(percent int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

// String gives p50, p99, max and how often was measured.
func (s spread) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, max %s of %d", short(s.at(50)), short(s.at(99)), short(s.at(100)), len(s))
}

// short prints a time with three digits that count.
func short(d time.Duration) string {
	switch {
	case d >= 100*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
