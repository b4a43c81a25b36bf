package replay

import (
	"runtime"
	"slices"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"stolpe/hal"
	hardware "stolpe/hal/sim"
	"stolpe/payment"
)

// plan is what all worlds have in common. Its two functions are the product's own;
// a test puts others in their place to see that the judge is awake.
type plan struct {
	options
	next func(payment.Order, payment.Found) payment.Call
	read func(*hardware.Bench, time.Duration) (hal.Reading, bool)
}

// visit is one row as it is played: what its driver does, and what came of it.
type visit struct {
	row   *row
	car   hardware.Car
	hasty bool // unplugs with the row's energy, before the car is full

	leaves   time.Duration // unplugs at the latest, in the world's time
	approves time.Duration // after the app shows the payment
	stops    bool          // on the page, before unplugging
	left     bool
	offered  bool

	outcome
}

// maxPower is what every EVSE can give.
const maxPower hal.Power = 22_000

// What a driver does. Chosen by us.
const (
	quickest = 5 * time.Second // to approve in the app
	slowest  = 14 * time.Second
	// lead is the longest from plug-in to power: the slowest approval, the next two
	// looks at the payment, and the ways there and back.
	lead = 20 * time.Second
	// goneAfter a stop on the page the plug is out.
	goneAfter = 5 * time.Second
	// gap is how long before the minute of the plug-out a car has really gone. The
	// table knows whole minutes, and often the next car comes in the same one: no two
	// hands change plugs faster.
	gap = 10 * time.Second
	// longest is as long as a car takes at most, so that the limit of 24 hours cuts
	// no charge short: 1.4 kW for a weekend is no real car.
	longest = 20 * time.Hour
)

// The least power of a car (6 A, one phase), and the steps in which it is chosen.
const (
	leastPower hal.Power = 1400
	powerStep  hal.Power = 100
)

// newVisit decides a visit. It says no when the row's energy cannot flow in its
// time at full power.
func newVisit(r *row) (*visit, bool) {
	line := uint64(r.line)
	v := &visit{
		row:      r,
		approves: quickest + time.Duration(mix(line, 1, 0)%uint64(slowest-quickest)),
		stops:    mix(line, 2, 0)%3 == 0,
	}
	plugged := r.to.Sub(r.from) - lead - gap
	if v.stops {
		plugged -= goneAfter
	}
	// How long before the plug-out the car was full stands nowhere: some drivers
	// come back at once, some twice as late as they could.
	share := min(plugged/100*time.Duration(50+mix(line, 3, 0)%51), longest)
	for _, within := range []time.Duration{share, plugged} {
		if p, ok := leastFor(r.energy, 0, within); ok {
			v.car = hardware.Car{Power: p, Need: r.energy}
			return v, true
		}
	}
	// A car that gets full draws less and less. Where there is no time for that, it
	// was not full.
	p, ok := leastFor(r.energy, short, plugged)
	v.car, v.hasty = hardware.Car{Power: p, Need: r.energy + p.Over(short)}, true
	return v, ok
}

// short is what a hasty driver's car still lacks, as a time at its full power:
// more than its taper.
const short = 10 * time.Minute

// leastFor is the least power with which a car takes the energy in the time; it
// lacks so much more as it draws at full power in beyond.
func leastFor(e hal.Energy, beyond, within time.Duration) (hal.Power, bool) {
	steps := int((maxPower-leastPower)/powerStep) + 1
	power := func(i int) hal.Power { return leastPower + hal.Power(i)*powerStep }
	i := sort.Search(steps, func(i int) bool {
		p := power(i)
		b := hardware.NewBench(hardware.Setup{})
		b.PlugIn(0, hardware.Car{Power: p, Need: e + p.Over(beyond)})
		b.Set(0, hal.Closed)
		return b.Truth(within).Energy >= e
	})
	return power(min(i, steps-1)), i < steps
}

// stand is one EVSE and those who come to it, one after the other.
type stand struct {
	post   string
	evse   int // counted from 1
	visits []*visit
	free   time.Time // when the last of them has gone
}

// assign sends every row that can be played to the first EVSE of its garage that
// is free. Rows that cannot be played get their reason.
func assign(rows []row) []*stand {
	var all []*stand
	garages := map[string][]*stand{}
	names := map[string]string{} // by garage: its post, counted as garages come up
	for i := range rows {
		if _, known := names[rows[i].garage]; !known && rows[i].skip == played {
			names[rows[i].garage] = "G" + strconv.Itoa(len(names)+1)
		}
	}
	for _, r := range inOrder(rows) {
		v, fits := newVisit(r)
		if !fits {
			r.skip = tooMuch
			continue
		}
		here := garages[r.garage]
		k := slices.IndexFunc(here, func(s *stand) bool { return !s.free.After(r.from) })
		if k < 0 {
			k = len(here)
			s := &stand{post: names[r.garage], evse: k + 1}
			all, garages[r.garage] = append(all, s), append(here, s)
		}
		s := garages[r.garage][k]
		s.visits, s.free = append(s.visits, v), r.to
	}
	return all
}

// inOrder gives the rows that can be played, as their drivers come.
func inOrder(rows []row) []*row {
	var some []*row
	for i := range rows {
		if rows[i].skip == played {
			some = append(some, &rows[i])
		}
	}
	slices.SortStableFunc(some, func(a, b *row) int { return a.from.Compare(b.from) })
	return some
}

// playAll plays the rows on all processors and says what came of it.
func playAll(rows []row, p plan) *report {
	stands := assign(rows)
	worlds := make([]*world, len(stands))
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(stands) {
					return
				}
				worlds[i] = newWorld(stands[i], &p)
				worlds[i].run()
				worlds[i].release()
			}
		})
	}
	group.Wait()
	return newReport(rows, worlds, &p)
}
