package replay

import "time"

// site is a place where something can go wrong.
type site uint8

// The sites.
const (
	requestLost site = iota
	answerLost
	notApplied
	appliedThenError
	tooMany
	readLost
	powerCut
	cutInSave
	meterMute
	sites
)

// String gives the site's name.
func (s site) String() string {
	return [sites]string{"request lost", "answer lost", "5xx", "5xx, but applied", "429", "read lost",
		"power cut", "power cut in a save", "meter mute"}[s]
}

// rates are how often each site goes wrong, in thousandths of the times it is
// passed: every call, and every time a contactor closes. Chosen by us, far above
// what happens, so that a few thousand rows see everything many times.
var rates = [sites]uint64{
	requestLost: 30, answerLost: 30, notApplied: 30, appliedThenError: 30, tooMany: 30, readLost: 30,
	powerCut: 50, cutInSave: 50, meterMute: 100,
}

// draws decides what goes wrong.
type draws struct {
	on     bool
	seed   uint64
	line   uint64        // of the row whose driver came last
	passed [sites]uint64 // times, since that driver came
	fired  [sites]int    // times, in all
}

// begin turns to the faults of another row.
func (d *draws) begin(line int) {
	d.line, d.passed = uint64(line), [sites]uint64{}
}

// hit says whether the site goes wrong this time.
func (d *draws) hit(s site) bool {
	d.passed[s]++
	if !d.on || mix(d.seed, d.line, uint64(s)<<32|d.passed[s])%1000 >= rates[s] {
		return false
	}
	d.fired[s]++
	return true
}

// detail draws a number below n for the newest fault at the site.
func (d *draws) detail(s site, n uint64) uint64 {
	return mix(d.seed^0xd1ce, d.line, uint64(s)<<32|d.passed[s]) % n
}

// span draws a time from lo to hi for the newest fault at the site, short ones
// more often.
func (d *draws) span(s site, lo, hi time.Duration) time.Duration {
	x := time.Duration(d.detail(s, 1000))
	return lo + max(0, hi-lo)/1000*x/1000*x
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
