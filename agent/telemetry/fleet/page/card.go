package page

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/telemetry"
	"stolpe/agent/telemetry/fleet"
)

// card is what the list shows of a post.
type card struct {
	Key, ID, Tenant, Name, Path string
	Line, Tone                  string // whether it is there
	EVSEs                       []chip
	Facts                       []fact
}

// chip is an EVSE, in a word.
type chip struct{ Key, Code, Text, Tone string }

// card draws a post for the list.
func (s *sheet) card(p fleet.Post) card {
	key := p.Tenant + "/" + p.ID
	c := card{Key: key, ID: p.ID, Tenant: p.Tenant, Name: p.Name, Path: "/posts/" + url.PathEscape(p.Tenant) + "/" + url.PathEscape(p.ID)}
	c.Line, c.Tone = s.there(p)
	var month, year fleet.Times
	for _, e := range p.EVSEs {
		c.EVSEs = append(c.EVSEs, chip{fmt.Sprintf("%s/%d", key, e.Number), cmp.Or(e.Code, strconv.Itoa(e.Number)), stands(e), tone(e.Is)})
		month.Add(e.Month)
		year.Add(e.Year)
	}
	debts := none
	if p.Health != nil {
		debts = strconv.Itoa(p.Health.Debts)
	}
	c.Facts = []fact{
		{key + "!30", "Uptime 30 d", percent(month.NEVI()), ""}, {key + "!12", "12 months", percent(year.NEVI()), ""},
		{key + "!e", "Energy 30 d", energy(p.Month.Energy), ""}, {key + "!r", "Revenue 30 d", money(p.Month.Revenue), ""},
		{key + "!u", "Unsettled", debts, ""}, {key + "!h", "Last heard", s.moment(p.Heard), ""},
	}
	return c
}

// there says whether a post is there.
func (s *sheet) there(p fleet.Post) (text, tone string) {
	switch {
	case s.Deaf:
		return "unknown", ""
	case p.There:
		return "online", "good"
	}
	return "offline", "wait"
}

// detail is what is shown of one post.
type detail struct {
	card
	Head   []fact // of the machine
	Bodies []body
	Funnel []step
	Failed []counted
	Months []month
	Missed string
}

// body is what is shown of one EVSE of it.
type body struct {
	chip
	Since   string
	Why     string
	Periods []period
	Outages []outage
	More    int // outages that are not shown
	Faults  []mended
}

type period struct{ Key, Name, NEVI, UK, Out, Excluded, Unknown string }

type outage struct{ From, Long, What, Cause string }

type mended struct{ Code, What, From, Took string }

type month struct{ Name, Charges, Energy, Revenue string }

// maxShown outages and faults of an EVSE are shown; files have all of them. Chosen by us.
const maxShown = 20

// postSheet draws a post; nil if there is none that the login may see.
func (p *Pages) postSheet(r *http.Request, l Login) *sheet {
	tenant, id := r.PathValue("tenant"), r.PathValue("post")
	now := p.o.Now().In(p.o.Zone)
	if !l.sees(tenant) {
		return nil
	}
	changed := p.o.Fleet.Changed() // before looking, so that nothing is missed
	x, ok := p.o.Fleet.Find(now, tenant, id)
	if !ok {
		return nil
	}
	s := p.sheet("post", x.ID, "", l)
	v := &detail{card: s.card(x)}
	s.Live, s.Post, s.changed = v.Path+"/live", v, changed
	v.Head = s.machine(x)
	for _, e := range x.EVSEs {
		v.Bodies = append(v.Bodies, s.evse(v.Key, e, now))
	}
	v.Funnel, v.Failed = steps(x.Month), failures(x.Month)
	for i := len(x.Months) - 1; i >= 0; i-- {
		m := x.Months[i]
		v.Months = append(v.Months, month{m.Begins[:len("2026-11")], strconv.Itoa(m.Fed), energy(m.Energy), money(m.Revenue)})
	}
	if x.Missed > 0 {
		v.Missed = fmt.Sprintf("%d events of this post have not come; the command replay brings what the post still has.", x.Missed)
	}
	return s
}

// machine is what is known of the machine. What is not known is left out.
func (s *sheet) machine(p fleet.Post) []fact {
	h := p.Health
	if h == nil {
		h = &telemetry.Health{}
	}
	whole := func(n *int, unit string) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n) + unit
	}
	heat, offset, wire := "", "", ""
	if h.Heat != nil {
		heat = fmt.Sprintf("%.0f °C", *h.Heat)
	}
	if h.Offset != nil {
		offset = fmt.Sprintf("%d ms off", *h.Offset)
	}
	if h.Wire != nil {
		wire = percent(float64(*h.Wire)/1_000_000, true)
	}
	all := []fact{
		{"version", "Program", p.Version, p.System}, {"heard", "Last heard", s.moment(p.Heard), ""}, {"clock", "Clock", p.Clock, offset},
		{"up", "Running for", span(time.Duration(h.Up) * time.Second), ""}, {"heat", "Temperature", heat, ""}, {"radio", "Radio", whole(h.Radio, " dBm"), ""},
		{"disk", "Disk in use", whole(h.Disk, " %"), ""}, {"outbox", "Events waiting", strconv.Itoa(h.Outbox.Events), span(time.Duration(h.Outbox.Oldest) * time.Second)},
		{"wire", "Meter readings failed", wire, ""}, {"debts", "Unsettled charges", strconv.Itoa(h.Debts), ""}, {"ledger", "Ledger", h.Ledger, ""},
		{"displays", "Displays", displays(h.Displays), ""},
	}
	known := all[:0]
	for _, f := range all {
		if f.Value != "" && (p.Health != nil || f.Key == "version" || f.Key == "heard") {
			known = append(known, f)
		}
	}
	return known
}

// displays names them, and what is wrong with each.
func displays(all []telemetry.DisplayHealth) string {
	var words []string
	for _, d := range all {
		word := d.Name
		if d.Fault != "" {
			word += " (" + d.Fault + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// evse draws an EVSE.
func (s *sheet) evse(key string, e fleet.EVSE, now time.Time) body {
	b := body{chip: chip{fmt.Sprintf("%s/%d", key, e.Number), cmp.Or(e.Code, strconv.Itoa(e.Number)), stands(e), tone(e.Is)}, Since: s.moment(e.Since), Why: meaning(e.Trouble)}
	for _, x := range []struct {
		key, name string
		t         fleet.Times
	}{{"30", "30 days", e.Month}, {"365", "12 months", e.Year}, {"cal", strconv.Itoa(now.Year()), e.Calendar}} {
		b.Periods = append(b.Periods, period{b.Key + "!" + x.key, x.name, percent(x.t.NEVI()), percent(x.t.UK()), span(x.t.Outage()), span(x.t.Excluded), span(x.t.Unheard)})
	}
	outages := e.Outages(now)
	b.More = max(0, len(outages)-maxShown)
	for _, o := range outages[:min(len(outages), maxShown)] {
		b.Outages = append(b.Outages, outage{s.moment(o.From), span(o.To.Sub(o.From)), cmp.Or(o.Code, o.Is.String()), o.Cause})
	}
	for _, f := range e.Faults[:min(len(e.Faults), maxShown)] {
		took := "is there"
		if f.To != 0 {
			took = span(time.Duration(f.To-f.From) * time.Second)
		}
		b.Faults = append(b.Faults, mended{f.Code, meaning(f.Code), s.moment(time.Unix(f.From, 0)), took})
	}
	return b
}
