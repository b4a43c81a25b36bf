package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	bench "stolpe/hal/sim"
	"stolpe/payment"
	book "stolpe/payment/sim"
)

// Plan is what makes a world besides its seed.
type Plan struct {
	Scale   uint32 // of all rates, in percent
	Drivers int    // at most so many; 0 for the usual two to seven
	plant   plant
	only    map[fault]bool
	search  *search // the faults of a reference charge; nil for a world of its own
	test    bool    // with search: of a technician's test, and no charge
}

// maker makes worlds one after the other in the same memory.
type maker struct {
	card  card
	heap  []event
	asks  []asking
	recs  []record
	fired []fault
	docs  []document
	paper []paper
}

// make makes the world of a seed.
func (m *maker) make(seed uint64, p Plan, t *Tally) *world {
	w := &world{seed: seed, plant: p.plant, draw: newDraws(seed, p.Scale), people: stream(mix(seed, 0xbeef, 1)), tally: t}
	w.draw.only, w.draw.fired = p.only, m.fired[:0]
	w.events.heap = m.heap[:0]
	w.judge.asks, w.judge.records, w.judge.papers = m.asks[:0], m.recs[:0], m.docs[:0]
	w.papers = m.paper[:0]
	w.card = m.card
	w.card.install()
	w.book = book.NewBook()
	w.book.Rules.CancelAgainOK = mix(seed, 7, 7)&1 == 0
	w.book.Rules.HideURL = mix(seed, 8, 8)&3 == 0
	w.search = p.search
	if w.at(atStart); w.hit(wholeOnly) {
		w.book.Rules.WholeOnly = true
	}
	w.hooks = w.search != nil || mix(seed, 9, 9)%hintsEvery == 0
	w.judge.base = 10_000_000 + 7
	if w.post.rules = referenceRules(); w.search == nil {
		w.post.rules = w.rules()
	}
	if w.hit(deadlineShort) {
		w.book.Rules.Deadline = w.span(30*time.Minute, 6*time.Hour)
		w.post.rules.Capture = w.book.Rules.Deadline
	}
	w.bench = bench.NewBench(bench.Setup{
		Serial: "22110345", Register: w.judge.base, Refresh: w.post.rules.Refresh, Modulus: w.post.rules.Modulus,
	})
	w.plantedRules()
	w.finishBy = 14 * 24 * time.Hour
	switch {
	case w.search == nil:
		w.invite(p.Drivers)
	case p.test:
		w.inviteTechnician()
	default:
		w.inviteReference()
	}
	w.in(0, evBoot, 0)
	return w
}

// keep takes back the memory of a world that is over.
func (m *maker) keep(w *world) {
	m.card = w.card
	m.heap, m.asks, m.recs, m.fired = w.events.heap, w.judge.asks, w.judge.records, w.draw.fired
	m.docs, m.paper = w.judge.papers, w.papers
}

// receiptsEvery and hintsEvery are how many worlds there are for one with receipts
// in the app, and with hints. Either makes a charge a tenth dearer; a million
// worlds have enough of both, and of the two together.
const (
	receiptsEvery = 4
	hintsEvery    = 4
)

// rules draws what the post charges.
func (w *world) rules() session.Rules {
	p := payment.Price{Currency: payment.NOK, VAT: 2500, KWh: payment.Amount(200 + w.people.below(700))}
	switch w.people.below(4) {
	case 0:
		p.Minute = payment.Amount(w.people.below(100))
		p.Session = payment.Amount(w.people.below(2000))
	case 1:
		p.Idle = payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000}
	}
	r := session.Rules{
		Post: "W1", EVSE: 1, Code: "W1", Price: p, Choices: []payment.Amount{2_000, 20_000, 50_000}, Default: 20_000,
		MaxPower: 22_000, Grain: 1, Limits: session.DefaultLimits(), Wired: hal.StopPressed | hal.EmergencyStop | hal.RCDTripped,
	}
	r.Receipts, r.Push = mix(w.seed, 10, 10)%receiptsEvery == 0, mix(w.seed, 11, 11)&3 == 0
	switch w.people.below(8) {
	case 2: // one whose step the post does not know
		r.Grain = 10
	case 0: // a meter that measures seldom
		r.Refresh = time.Duration(1+w.people.below(5)) * time.Second
	case 1: // one whose register will be full in one of the next charges
		r.Modulus = w.judge.base + hal.Energy(w.people.below(60_000))
	}
	return r
}

// invite decides who comes, and when.
func (w *world) invite(most int) {
	n := 2 + int(w.people.below(6))
	if most > 0 {
		n = most
	}
	at := time.Minute
	for i := range n {
		d := newDriver(&w.people, at)
		w.drivers = append(w.drivers, d)
		w.events.push(event{at: d.arrives, kind: evDriver, n: i})
		at += d.stays + w.people.skewed(2*time.Minute, 10*time.Hour)
		if d.leaving == waitsOut {
			at += 6 * time.Hour
		}
	}
}

// play makes one world and lets it happen.
func (m *maker) play(seed uint64, p Plan, t *Tally) (complaint Complaint, broken bool) {
	w := m.make(seed, p, t)
	w.run()
	defer m.keep(w)
	t.Worlds++
	t.Faults += uint64(len(w.draw.fired))
	t.Minutes += uint64(w.now / time.Minute)
	if w.judge.complaint == "" {
		return Complaint{}, false
	}
	return Complaint{
		Seed: seed, Class: w.judge.complaint, Detail: w.judge.detail, At: w.now,
		Faults: append([]fault(nil), w.draw.fired...),
	}, true
}
