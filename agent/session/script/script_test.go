package script

import (
	"strings"
	"testing"
)

// Whatever somebody writes into a scenario, it is played or refused, and what was played
// once is played the same again.
func FuzzPlay(f *testing.F) {
	for _, text := range []string{
		"post ready\nplug in\ncar 7200 W\ndriver A requests 350 kr\npayer approves\nafter 20m\ndriver A stops\nafter 1m\nshow A\n",
		"price kwh 549 minute 10 session 100 idle 15m 100 20000\noffer 35000\nmeter modulus 10000000\npost ready\nservice busy 30s\nfleet retries 1\nafter 5m\n",
		"record AwCAiXoAAAIQMjIxMTAzNDXW3noAAoCJer4Y0R8/EAh0AsQ1z05DEIMGTk9LiCfKCAAAgKDxwrE0yAHAuALwogQCgIl61t561t56gMDiheNoAIDIzrQNBKTkzrQNBAIAAACELwAMAAAAAAAAAAAAAAAA\npower on\nafter 5m\n",
		"receipts busy\npost ready\ncard copy OLD\nplug in\ncar 7200 W\ndriver A requests 350 kr by push\npayer approves\nafter 5m\ndriver B guesses\ndriver B claims A\nhint 1\npower on card OLD\nportal takes 100 kr\nstranger holds 350 kr under 2\ntechnician withdraws\ntechnician tests\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "after") > 3 || strings.Contains(text, "at ") || len(text) > 2000 {
			return // days of virtual time take real time
		}
		p, err := Play(text)
		if err != nil {
			return
		}
		if again, err := Play(p.Text); err != nil || strings.TrimSpace(again.Text) != strings.TrimSpace(p.Text) {
			t.Fatalf("played again: %v\n%s", err, again.Text)
		}
	})
}
