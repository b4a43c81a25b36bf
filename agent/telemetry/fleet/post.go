package fleet

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"stolpe/agent/telemetry"
	"stolpe/payment"
)

var (
	errNumbers = errors.New("a number that cannot be")
	errWord    = errors.New("a word that is not known")
	errVersion = errors.New("a version that is not known")
)

// Chosen by us.
const (
	maxEVSEs  = 8  // of a post: as its configuration may have
	maxNumber = 99 // of an EVSE, as the configuration has it
	maxFaults = 32 // of an EVSE at a time
	maxText   = 64 // characters of a text
	silences  = 3  // periods of health without a word, and a post is taken for gone
)

// presence says whether a post is connected to the broker.
type presence uint8

const (
	unsure presence = iota
	present
	absent
)

// post is what is known of a post.
type post struct {
	Tenant   string            `json:"tenant"`
	ID       string            `json:"post"`
	Name     string            `json:"name,omitempty"`
	Version  string            `json:"version,omitempty"`
	System   string            `json:"system,omitempty"`
	Profile  telemetry.Profile `json:"profile,omitempty"`
	Clock    string            `json:"clock,omitempty"`
	Heard    int64             `json:"heard,omitempty"` // when something came from it last, s since 1970
	Until    int64             `json:"until"`           // up to when all this was known, s since 1970
	EVSEs    map[int]*evse     `json:"evses,omitempty"`
	Days     diary             `json:"days,omitempty"`
	Months   diary             `json:"months,omitempty"`
	Total    Tally             `json:"total"`
	Seqs     seqs              `json:"seqs,omitempty"`
	Marks    marks             `json:"marks,omitempty"`
	Newest   int64             `json:"newest,omitempty"` // the latest time of an event, s since 1970
	Health   *telemetry.Health `json:"health,omitempty"`
	Currency payment.Currency  `json:"currency,omitempty"`
	Relayed  bool              `json:"relayed,omitempty"` // paid through a gateway

	Gone bool `json:"gone,omitempty"` // somebody has removed what the broker kept of it

	fleet   *Fleet
	there   presence
	silent  bool // nothing has been heard for so long that it is taken for gone
	dirty   bool // not kept yet as it is
	counted bool // it has counted something that is not kept yet
}

// changed notes that it has to be kept anew.
func (p *post) changed() {
	p.dirty = true
	for _, e := range p.EVSEs {
		e.fold(func() []Window { return p.fleet.windowsOf(p) })
	}
}

// evse finds an EVSE; nil if there cannot be one of that number.
func (p *post) evse(number int) *evse {
	if number < 1 || number > maxNumber {
		return nil
	}
	e := p.EVSEs[number]
	if e == nil && len(p.EVSEs) < maxEVSEs && p.fleet.evses < maxAll {
		e = &evse{}
		p.EVSEs[number] = e
		p.fleet.evses++
	}
	return e
}

// reach takes in whether the post is there.
func (p *post) reach(now time.Time, there bool) {
	unix := now.Unix()
	was := p.there
	p.there, p.silent = absent, false
	if there {
		p.there, p.Heard = present, max(p.Heard, unix) // it is not silent before it has had the time to speak
	}
	for _, e := range p.EVSEs {
		switch {
		case !there:
			p.leave(e, unix)
		case was == present: // it has come again, and is about to say how it stands
			e.fresh = false
		case e.fresh:
			p.stand(e, unix)
		}
	}
}

// leave notes that the post has gone. What was retained shows how it stood until then.
func (p *post) leave(e *evse, unix int64) {
	if e.fresh && e.State != "" {
		p.paint(e, e.said)
	}
	e.fresh = false
	e.Line.add(change{At: unix, Is: Away})
}

// deaf notes that nobody listens any more.
func (p *post) deaf(unix int64) {
	p.there, p.silent = unsure, false
	for _, e := range p.EVSEs {
		e.fresh = false
		e.Line.add(change{At: unix, Is: Unheard})
	}
}

// hear notes that the post has said something just now.
func (p *post) hear(now time.Time) {
	p.Heard = now.Unix()
	if !p.silent {
		return
	}
	p.silent = false
	for _, e := range p.EVSEs {
		if e.fresh {
			p.stand(e, p.Heard)
		}
	}
}

// watch takes a post for gone that the broker believes to be there, if it has not said
// anything for much longer than it would. Not every broker says last wills.
func (p *post) watch(now time.Time) bool {
	limit := silences * p.Profile.Pace().Health
	if p.there != present || p.silent || now.Sub(at(p.Heard)) < limit {
		return false
	}
	p.silent = true
	for _, e := range p.EVSEs {
		e.Line.add(change{At: now.Unix(), Is: Away})
	}
	return true
}

// info takes in who the post is.
func (p *post) info(text []byte) error {
	var i telemetry.Info
	if err := decode(text, &i.Head, &i); err != nil {
		return err
	}
	p.Name, p.Version, p.System, p.Clock = clean(i.Name), clean(i.Version), clean(i.System), clock(i.Clock)
	p.Profile = telemetry.Frugal
	if i.Profile == telemetry.Minimal || i.Profile == telemetry.Standard {
		p.Profile = i.Profile
	}
	p.Relayed = i.Through == "gateway"
	p.Gone = false
	for _, e := range p.EVSEs {
		e.Ended = true
	}
	for _, said := range i.EVSEs[:min(len(i.EVSEs), maxEVSEs)] {
		if e := p.evse(said.ID); e != nil {
			e.Code, e.Ended = clean(said.Code), false
		}
	}
	return nil
}

// price takes in in which currency the post sells.
func (p *post) price(text []byte) error {
	var price telemetry.Price
	if err := decode(text, &price.Head, &price); err != nil {
		return err
	}
	c := payment.Currency(price.Currency)
	if !c.Known() {
		return errWord
	}
	p.Currency = c
	return nil
}

// health takes in how the machine is.
func (p *post) health(text []byte) error {
	var h telemetry.Health
	if err := decode(text, &h.Head, &h); err != nil {
		return err
	}
	p.Clock = clock(h.Clock)
	const year = 366 * 24 * 3600 // s
	h.Up, h.Oldest, h.Outbox.Oldest = within(h.Up, 20*year), within(h.Oldest, 20*year), within(h.Outbox.Oldest, 20*year)
	h.Debts, h.Outbox.Events = int(within(int64(h.Debts), 1000)), int(within(int64(h.Outbox.Events), maxSeq))
	h.Ledger = clean(h.Ledger)
	h.Heat, h.Disk, h.Radio = sane(h.Heat, -60, 200), sane(h.Disk, 0, 100), sane(h.Radio, -200, 0)
	h.Offset, h.Wire, h.Restarts = sane(h.Offset, -20*year*1000, 20*year*1000), sane(h.Wire, 0, 1_000_000), sane(h.Restarts, 0, 1_000_000)
	h.Memory = nil
	h.Displays = displays(h.Displays)
	p.Health = &h
	return nil
}

// displays are those of a health that have a name of their own, without what could make
// other texts look different.
func displays(told []telemetry.DisplayHealth) (all []telemetry.DisplayHealth) {
	const most, longest = 16, 32 // as many as a post has, and characters of a name
	for _, d := range told[:min(len(told), most)] {
		d.Name, d.Fault, d.Text = clean(d.Name), clean(d.Fault), clean(d.Text)
		same := func(o telemetry.DisplayHealth) bool { return o.Name == d.Name }
		if d.Name != "" && len(d.Name) <= longest && !slices.ContainsFunc(all, same) {
			all = append(all, d)
		}
	}
	return all
}

// sane is a number that can be; nil instead of any other.
func sane[T cmp.Ordered](n *T, least, most T) *T {
	if n == nil || *n < least || *n > most {
		return nil
	}
	return n
}

func clock(word string) string {
	if good(word) {
		return word
	}
	return "unknown"
}

// clean is a text for people, without what could make other texts look different.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text[:min(len(text), 4*maxText)])
	runes := []rune(strings.TrimSpace(text))
	return string(runes[:min(len(runes), maxText)])
}

// order puts the faults that are there first, then the newest, and forgets the rest.
func (e *evse) order() {
	slices.SortFunc(e.Faults, func(a, b Repair) int {
		switch {
		case (a.To == 0) != (b.To == 0):
			if a.To == 0 {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.From, a.From), strings.Compare(a.Code, b.Code))
	})
	e.Faults = e.Faults[:min(len(e.Faults), maxRepairs)]
}
