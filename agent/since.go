package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// sinceForms is how --since and --until are written.
const sinceForms = `today, yesterday, 90m, 48h, 7d, 2026-11-20, 2026-11-20 10:30, or 2026-11-20T10:30:00Z`

// maxSince is as far back as a number of hours or days may reach. Chosen by us: ten
// years, longer than any ledger.
const maxSince = 10 * 366 * 24 * time.Hour

// parseSince reads a time as people say it, by the clock of a place.
func parseSince(flag, text string, now time.Time, zone *time.Location) (time.Time, error) {
	here := now.In(zone)
	midnight := time.Date(here.Year(), here.Month(), here.Day(), 0, 0, 0, 0, zone)
	switch text {
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	if ago, ok := parseAgo(text); ok {
		return now.Add(-ago), nil
	}
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime, "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("--%s %q: want %s", flag, text, sinceForms)
}

// parseAgo reads a number of minutes, hours or days.
func parseAgo(text string) (time.Duration, bool) {
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	if text == "" {
		return 0, false
	}
	each := unit[text[len(text)-1]]
	n, err := strconv.ParseUint(strings.TrimSuffix(text, text[len(text)-1:]), 10, 32)
	if each == 0 || err != nil || n > uint64(maxSince/each) {
		return 0, false
	}
	return time.Duration(n) * each, true
}
