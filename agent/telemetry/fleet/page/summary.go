package page

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/telemetry/fleet"
	"stolpe/display"
)

// rank says how much a post needs somebody: the worst first.
func rank(p fleet.Post) int {
	worst := 0
	for _, e := range p.EVSEs {
		worst = max(worst, map[fleet.Standing]int{fleet.Down: 3, fleet.Away: 2, fleet.Cut: 2, fleet.Unheard: 1}[e.Is])
	}
	return worst
}

// ways are by what the list may be narrowed.
func ways() []struct{ show, name string } {
	return []struct{ show, name string }{
		{"", "All"}, {"down", "Down"}, {"offline", "Offline"}, {"unknown", "Unknown"}, {"charging", "Charging"}, {"free", "Free"}, {"unsettled", "Unsettled money"},
	}
}

// shown says whether a post is among those that were asked for.
func shown(p fleet.Post, show string) bool {
	any := func(is func(fleet.EVSE) bool) bool { return slices.ContainsFunc(p.EVSEs, is) }
	switch show {
	case "down":
		return any(func(e fleet.EVSE) bool { return e.Is == fleet.Down })
	case "offline":
		return any(func(e fleet.EVSE) bool { return e.Is == fleet.Away || e.Is == fleet.Cut })
	case "unknown":
		return len(p.EVSEs) == 0 || any(func(e fleet.EVSE) bool { return e.Is == fleet.Unheard })
	case "charging":
		return any(func(e fleet.EVSE) bool { return e.Is == fleet.Working && e.State == display.Charging.String() })
	case "free":
		return any(func(e fleet.EVSE) bool { return e.Is == fleet.Working && e.State == display.Available.String() })
	case "unsettled":
		return p.Health != nil && p.Health.Debts > 0
	}
	return true
}

// shows are the links to parts of the list.
func shows(posts []fleet.Post, q url.Values) []choice {
	var all []choice
	for _, w := range ways() {
		n := 0
		for _, p := range posts {
			if shown(p, w.show) {
				n++
			}
		}
		all = append(all, choice{w.name, with(q, "show", w.show), n, q.Get("show") == w.show})
	}
	return all
}

// tenants are the links to the posts of one tenant; none where there is only one.
func tenants(posts []fleet.Post, q url.Values) []choice {
	all := []choice{{"All tenants", with(q, "tenant", ""), len(posts), q.Get("tenant") == ""}}
	for _, p := range posts { // by tenant
		if last := &all[len(all)-1]; len(all) > 1 && last.Name == p.Tenant {
			last.Count++
			continue
		}
		all = append(all, choice{p.Tenant, with(q, "tenant", p.Tenant), 1, q.Get("tenant") == p.Tenant})
	}
	if len(all) <= 2 {
		return nil
	}
	return all
}

// facts are the figures of all the posts together.
func facts(posts []fleet.Post, now time.Time) []fact {
	var month, year, calendar fleet.Times
	var sum fleet.Tally
	var debts, evses, working, online int
	var oldest int64 // s
	for _, p := range posts {
		sum.Add(p.Month)
		if p.There {
			online++
		}
		if h := p.Health; h != nil {
			debts += h.Debts
			oldest = max(oldest, h.Oldest)
		}
		for _, e := range p.EVSEs {
			month.Add(e.Month)
			year.Add(e.Year)
			calendar.Add(e.Calendar)
			evses++
			if e.Is == fleet.Working {
				working++
			}
		}
	}
	unsettled := "no charge"
	if debts > 0 {
		unsettled = fmt.Sprintf("the oldest for %s", span(time.Duration(oldest)*time.Second))
	}
	mean := ""
	if sum.Fed > 0 {
		mean = energy(sum.Energy/int64(sum.Fed)) + " each"
	}
	return []fact{
		{"working", "EVSEs that work", fmt.Sprintf("%d of %d", working, evses), fmt.Sprintf("%d of %d posts online", online, len(posts))},
		{"nevi", "Uptime, NEVI, 12 months", percent(year.NEVI()), excluded(year)},
		{"nevi30", "Uptime, NEVI, 30 days", percent(month.NEVI()), excluded(month)},
		{"uk", fmt.Sprintf("Uptime, UK, %d", now.Year()), percent(calendar.UK()), span(calendar.Unheard+calendar.Away) + " not counted"},
		{"energy", "Energy, 30 days", energy(sum.Energy), mean},
		{"revenue", "Revenue, 30 days", money(sum.Revenue), fmt.Sprintf("%d charges", sum.Fed)},
		{"lost", "Written off, 30 days", money(sum.Lost), fmt.Sprintf("refunded: %s", money(sum.Refunded))},
		{"unsettled", "Unsettled", strconv.Itoa(debts), unsettled},
	}
}

func excluded(t fleet.Times) string {
	return fmt.Sprintf("%s out, %s of it excluded", span(t.Outage()), span(t.Excluded))
}

// funnel is what has become of requests, and of those that got nothing, why.
func funnel(posts []fleet.Post) ([]step, []counted) {
	var sum fleet.Tally
	for _, p := range posts {
		sum.Add(p.Month)
	}
	return steps(sum), failures(sum)
}

func steps(t fleet.Tally) []step {
	share := func(n int) int { return min(100, 100*n/max(1, t.Asked)) }
	return []step{
		{"asked", "Asked for", t.Asked, share(t.Asked)}, {"approved", "Approved in the app", t.Approved, share(t.Approved)},
		{"closed", "Contactor closed", t.Closed, share(t.Closed)}, {"fed", "Got energy, settled", t.Fed, share(t.Fed)},
	}
}

func failures(t fleet.Tally) []counted {
	var all []counted
	for word, n := range t.Failed {
		all = append(all, counted{word, strings.ReplaceAll(word, "_", " "), n})
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	return all
}

// listened is for how long in 30 days the EVSEs were listened to, together.
func listened(posts []fleet.Post) (d time.Duration) {
	for _, p := range posts {
		for _, e := range p.EVSEs {
			d += e.Month.Working + e.Month.Outage()
		}
	}
	return d
}

func faultOf(m fleet.Mending, listened time.Duration) fault {
	mean := none
	if m.Repaired > 0 {
		mean = span(m.Mean())
	}
	return fault{m.Code, m.Code, meaning(m.Code), m.Active, m.Count, mean, span(listened / time.Duration(max(1, m.Count)))}
}

// maxVersions are shown. Chosen by us: posts could make up any number.
const maxVersions = 10

// versions counts the programs that posts run.
func versions(posts []fleet.Post) []counted {
	n := map[string]int{}
	for _, p := range posts {
		n[cmp.Or(p.Version, "unknown")]++
	}
	var all []counted
	for v, n := range n {
		all = append(all, counted{v, v, n})
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	return all[:min(len(all), maxVersions)]
}
