package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseSince(t *testing.T) {
	t.Parallel()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC) // half past midnight, the next day, in Oslo
	for text, want := range map[string]string{
		"today": "2026-11-20T23:00:00Z", "yesterday": "2026-11-19T23:00:00Z", "90m": "2026-11-20T22:00:00Z", "48h": "2026-11-18T23:30:00Z",
		"7d": "2026-11-13T23:30:00Z", "2026-11-20": "2026-11-19T23:00:00Z", "2026-06-20": "2026-06-19T22:00:00Z", "2026-11-20 10:30": "2026-11-20T09:30:00Z",
		"2026-11-20T10:30": "2026-11-20T09:30:00Z", "2026-11-20 10:30:15": "2026-11-20T09:30:15Z", "2026-11-20T10:30:00Z": "2026-11-20T10:30:00Z", "0m": "2026-11-20T23:30:00Z",
	} {
		got, err := parseSince("since", text, now, oslo)
		if err != nil || utc(got) != want {
			t.Errorf("%s: %s, %v; want %s", text, utc(got), err, want)
		}
	}
	for _, text := range []string{"", "m", "7", "7w", "-1h", "1.5h", "20.11.2026", "2026-13-01", "tomorrow", "99999999d", "4294967296m", "å"} {
		if got, err := parseSince("since", text, now, oslo); err == nil || !strings.Contains(err.Error(), `--since "`+text+`": want today`) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
