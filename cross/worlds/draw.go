package worlds

import "time"

// site is a place where something can go wrong.
type site uint8

// The sites.
const (
	requestLost site = iota
	answerLost
	lateRequest
	appliedThenError
	serverError
	tooMany
	slowAnswer
	networkDown
	readLost
	serviceBusy

	cutBeforeSave
	cutInSave
	cutBeforeDeed
	cutAfterDeed
	cutAnytime
	killed

	syncFails
	slowSave
	bitRot
	cardLost
	oldCard

	wallJump

	meterMute
	meterSpike
	meterNudge
	meterDip
	meterSilent
	meterFrozen
	meterSwapped
	meterOffset
	meterSlower
	meterReset

	wontClose
	slowOpen
	welded
	senseStuck
	supplyGone
	tripped
	buttonPressed

	paymentDies
	fundsGone
	wholeOnly
	withdrawn
	refused
	readRefused

	hintLost
	hintLate
	hintTwice
	hintForged
	portalAct
	fundsBack
	deadlineShort
	pushRefused
	appRefused

	tested

	sites
)

var siteNames = [sites]string{
	"request-lost", "answer-lost", "late-request", "applied-then-error", "server-error", "too-many", "slow-answer",
	"network-down", "read-lost", "service-busy",
	"cut-before-save", "cut-in-save", "cut-before-deed", "cut-after-deed", "cut-anytime", "killed",
	"sync-fails", "slow-save", "bit-rot", "card-lost", "old-card",
	"wall-jump",
	"meter-mute", "meter-spike", "meter-nudge", "meter-dip", "meter-silent", "meter-frozen", "meter-swapped", "meter-offset", "meter-slower", "meter-reset",
	"wont-close", "slow-open", "welded", "sense-stuck", "supply-gone", "tripped", "button-pressed",
	"payment-dies", "funds-gone", "whole-only", "withdrawn", "refused", "read-refused",
	"hint-lost", "hint-late", "hint-twice", "hint-forged", "portal-act", "funds-back", "deadline-short", "push-refused", "app-refused",
	"tested",
}

// String gives the site's name.
func (s site) String() string { return siteNames[s] }

// rates are how often each site goes wrong, in millionths of the times it is
// passed, before the swarm scales them.
var rates = [sites]uint32{
	requestLost: 15_000, answerLost: 15_000, lateRequest: 10_000, appliedThenError: 10_000, serverError: 15_000,
	tooMany: 10_000, slowAnswer: 20_000, networkDown: 600, readLost: 10_000, serviceBusy: 10_000,
	cutBeforeSave: 3_000, cutInSave: 5_000, cutBeforeDeed: 3_000, cutAfterDeed: 3_000, cutAnytime: 40_000, killed: 300_000,
	syncFails: 2_000, slowSave: 15_000, bitRot: 30_000, cardLost: 60_000, oldCard: 40_000,
	wallJump:  500,
	meterMute: 10_000, meterSpike: 3_000, meterNudge: 3_000, meterDip: 3_000, meterSilent: 100, meterFrozen: 60,
	meterSwapped: 20, meterOffset: 30, meterSlower: 3_000, meterReset: 3_000,
	wontClose: 15_000, slowOpen: 15_000, welded: 8_000, senseStuck: 6_000, supplyGone: 10_000, tripped: 15_000, buttonPressed: 15_000,
	paymentDies: 20_000, fundsGone: 10_000, wholeOnly: 10_000, withdrawn: 15_000, refused: 2_000, readRefused: 500,
	hintLost: 50_000, hintLate: 50_000, hintTwice: 50_000, hintForged: 4_000, portalAct: 8_000, fundsBack: 500_000, deadlineShort: 5_000,
	pushRefused: 20_000, appRefused: 20_000,
	tested: 20_000,
}

// fault is one time that a site went wrong.
type fault struct {
	site site
	n    uint32 // the how-manieth passing of the site, from 1
}

// draws decides what goes wrong.
type draws struct {
	seed  uint64
	rate  [sites]uint32
	next  [sites]uint32 // in the present block of a site seldom hit; 0: not in this one
	count [sites]uint32
	fired []fault
	only  map[fault]bool // when not nil: exactly these
	quiet bool           // nothing goes wrong any more
}

// newDraws makes the swarm's choice for a seed: a quarter of the sites never go
// wrong, the others seldom, as usual or often.
func newDraws(seed uint64, scale uint32) draws {
	d := draws{seed: seed}
	for s := range d.rate {
		switch h := mix(seed, 0x5a+uint64(s), 0); h % 12 {
		case 0, 1, 2:
		case 3, 4, 5:
			d.rate[s] = rates[s] * scale / 300
		case 6, 7, 8:
			d.rate[s] = rates[s] * scale / 100
		default:
			d.rate[s] = rates[s] * scale * 3 / 100
		}
	}
	return d
}

// hit says whether the site goes wrong this time.
func (w *world) hit(s site) bool {
	d := &w.draw
	d.count[s]++
	if d.quiet {
		return false
	}
	f := fault{s, d.count[s]}
	if w.search != nil {
		if !w.search.hit(s) {
			return false
		}
	} else if d.only != nil {
		if !d.only[f] {
			return false
		}
	} else if !d.strikes(s, f.n) {
		return false
	}
	d.fired = append(d.fired, f)
	w.tally.reached(s, w.post.state.Phase)
	w.judge.noticed |= 1 << s
	return true
}

// block is how many passings of a site are decided at once, where it is seldom
// hit: one hash for all of them says whether one strikes, and which.
const block = 64

// strikes decides about one passing, by hash alone.
func (d *draws) strikes(s site, n uint32) bool {
	rate := d.rate[s]
	if rate == 0 {
		return false
	}
	if rate > 1_000_000/block {
		return uint32(mix(d.seed, uint64(s), uint64(n))%1_000_000) < rate
	}
	if n%block == 1 {
		h := mix(d.seed, uint64(s), uint64(n))
		d.next[s] = 0
		if uint32(h%1_000_000) < rate*block {
			d.next[s] = n + uint32(h>>40)%block
		}
	}
	return n == d.next[s]
}

// how draws a detail of the fault that has just been hit: a number below n.
func (w *world) how(n uint64) uint64 {
	f := w.draw.fired[len(w.draw.fired)-1]
	if w.search != nil {
		return w.search.draw(f.site, n)
	}
	return mix(w.draw.seed^0xd1ce, uint64(f.site)<<32|uint64(f.n), n) % n
}

// span draws a time from lo to hi for the fault that has just been hit, short
// ones more often.
func (w *world) span(lo, hi time.Duration) time.Duration {
	x := time.Duration(w.how(1000))
	return lo + (hi-lo)/1000*x*x/1000 // in this order a day does not overflow
}

// mix is a hash of three numbers (the finaliser of splitmix64, twice).
func mix(a, b, c uint64) uint64 {
	x := a ^ b*0x9e3779b97f4a7c15 ^ c*0xc2b2ae3d27d4eb4f
	for range 2 {
		x ^= x >> 30
		x *= 0xbf58476d1ce4e5b9
		x ^= x >> 27
		x *= 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// stream is a sequence of random numbers of its own.
type stream uint64

func (s *stream) below(n uint64) uint64 {
	*s += 0x9e3779b97f4a7c15
	return mix(uint64(*s), 0, 0) % n
}

// between draws a time, evenly.
func (s *stream) between(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(s.below(uint64(hi-lo)))
}

// skewed draws a time from lo to hi, short ones more often.
func (s *stream) skewed(lo, hi time.Duration) time.Duration {
	x := time.Duration(s.below(1000))
	return lo + (hi-lo)*x*x*x/1_000_000_000
}
