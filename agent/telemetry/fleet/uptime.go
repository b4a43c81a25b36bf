package fleet

import "time"

// Times are how the time of a period was spent. Those of several EVSEs are added up.
type Times struct {
	Working  time.Duration
	Down     time.Duration
	Away     time.Duration
	Cut      time.Duration
	Unheard  time.Duration
	Excluded time.Duration // of Down, Away and Cut: what is nobody's fault, or was announced
}

// Add adds those of another EVSE.
func (t *Times) Add(o Times) {
	t.Working += o.Working
	t.Down += o.Down
	t.Away += o.Away
	t.Cut += o.Cut
	t.Unheard += o.Unheard
	t.Excluded += o.Excluded
}

// Outage is how long no driver could charge whom the fleet knew of, whoever's fault.
func (t Times) Outage() time.Duration { return t.Down + t.Away + t.Cut }

// NEVI is the uptime by the formula of the United States' NEVI programme (23 CFR
// 680.116): the share of the period without the outages that are not excluded. The
// period is the time that is known of, which is all 525600 minutes of a year in which
// somebody always listened. It says no if nothing is known.
func (t Times) NEVI() (share float64, ok bool) {
	period := t.Working + t.Outage()
	if period <= 0 {
		return 0, false
	}
	return float64(period-(t.Outage()-t.Excluded)) / float64(period), true
}

// UK is the uptime by the formula of the United Kingdom's Public Charge Point
// Regulations 2023: what worked, of what worked or did not. Time in which nothing was
// known of the EVSE counts on neither side. It says no if nothing is known.
func (t Times) UK() (share float64, ok bool) {
	worked := t.Working + t.Cut
	period := worked + t.Down
	if period <= 0 {
		return 0, false
	}
	return float64(worked) / float64(period), true
}

// gridCode is the fault of a post without mains voltage, which NEVI excludes: an outage
// of the grid.
const gridCode = "SUP-001"

// Window is a time in which outages are excluded, and why: maintenance that was
// announced, vandalism, a catastrophe.
type Window struct {
	Tenant string
	Post   string // id; empty for all of the tenant
	From   time.Time
	To     time.Time
	Cause  string
}

// Outage is a time in which no driver could charge, or nobody knows.
type Outage struct {
	From  time.Time
	To    time.Time
	Is    Standing
	Code  string // of the gravest fault; empty without one
	Cause string // why it is excluded; empty if it is not
	Lasts bool   // until now, and on
}

// The causes that are found and not said.
const (
	causeGrid    = "grid"
	causeNetwork = "network"
)

// cause is why an outage is excluded by itself.
func (c change) cause() string {
	switch {
	case c.Is == Down && c.Code == gridCode:
		return causeGrid
	case c.Is == Cut:
		return causeNetwork
	}
	return ""
}

// pieces calls fn with every piece of the line between two times, cut where an announced
// window begins or ends.
func (t timeline) pieces(from, to int64, windows []Window, fn func(Outage)) {
	for i, c := range t {
		a, b := max(from, c.At), to
		if i+1 < len(t) {
			b = min(to, t[i+1].At)
		}
		for a < b {
			cause, until := c.cause(), b
			for _, w := range windows {
				start, end := w.From.Unix(), w.To.Unix()
				switch {
				case cause != "" || end <= a || c.Is == Working || c.Is == Unheard:
				case start <= a:
					cause, until = w.Cause, min(b, end)
				default:
					until = min(until, start)
				}
			}
			fn(Outage{From: at(a), To: at(until), Is: c.Is, Code: c.Code, Cause: cause, Lasts: i+1 == len(t) && until == to})
			a = until
		}
	}
}

// times adds up a period.
func (t timeline) times(from, to int64, windows []Window) Times {
	var all Times
	t.pieces(from, to, windows, func(o Outage) {
		d := o.To.Sub(o.From)
		*[standEnd]*time.Duration{&all.Unheard, &all.Working, &all.Down, &all.Away, &all.Cut}[o.Is] += d
		if o.Cause != "" {
			all.Excluded += d
		}
	})
	return all
}

func at(unix int64) time.Time { return time.Unix(unix, 0).UTC() }
