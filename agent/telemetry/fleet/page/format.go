package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stolpe/agent/session"
	"stolpe/agent/telemetry/fleet"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// none stands where nothing is known.
const none = "–"

// percent writes a share with two decimals, and never rounds trouble away.
func percent(share float64, ok bool) string {
	if !ok {
		return none
	}
	n := int(share*10_000 + 1e-6) // which is less than a second in a year
	return fmt.Sprintf("%d.%02d %%", n/100, n%100)
}

// energy writes Wh as kWh.
func energy(wh int64) string {
	return fmt.Sprintf("%d.%d kWh", wh/int64(hal.KWh), wh%int64(hal.KWh)/100)
}

// money writes amounts of every currency.
func money(m map[payment.Currency]int64) string {
	var all []string
	for _, c := range slices.Sorted(maps.Keys(m)) {
		all = append(all, fmt.Sprintf("%v %s", payment.Amount(m[c]), c))
	}
	if len(all) == 0 {
		return none
	}
	return strings.Join(all, ", ")
}

// span writes a duration in the two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := d/(24*time.Hour), d%(24*time.Hour)/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second
	switch {
	case d == 0:
		return "0 min"
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d s", seconds)
}

// moment writes a time.
func (s *sheet) moment(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.In(s.zone).Format("2006-01-02 15:04")
}

// meaning is what a code means.
func meaning(code string) string {
	text := ""
	session.EachFault(func(f session.Faults) {
		if f.Code() == code {
			text = f.String()
		}
	})
	switch code {
	case "no-payment":
		return "three drivers in a row could not pay"
	case "no-energy":
		return "three drivers in a row got nothing"
	case display.Starting.String():
		return "starting"
	case display.Settling.String():
		return "money matters are not clear"
	case display.Faulted.String(), display.Unavailable.String():
		return "says no more"
	case "other":
		return "a fault that this version does not know"
	}
	return text
}

// tone is the colour of a standing.
func tone(is fleet.Standing) string {
	return map[fleet.Standing]string{fleet.Working: "good", fleet.Down: "bad", fleet.Away: "wait", fleet.Cut: "wait"}[is]
}

// stands says how an EVSE stands, in a word.
func stands(e fleet.EVSE) string {
	switch e.Is {
	case fleet.Working, fleet.Down:
		if e.Is == fleet.Down && e.Trouble != "" && e.Trouble != e.State {
			return e.State + ", " + e.Trouble
		}
		return e.State
	case fleet.Unheard:
		return "unknown"
	}
	return e.Is.String()
}
