package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	bench "stolpe/hal/sim"
)

// What a technician does who wants to see the contactor move, in the number of an
// event; how is added to it.
const (
	testComes = iota
	testLooks
	testBegins
	testTimer // the loop's own: the end of a test does not wait for a pass
	testCar
	testLeaves
	testActs
)

// How a technician goes about it.
const (
	testRightly  = iota // takes the post out of service, unplugs what is there, and stays
	testCarThere        // leaves the car of the driver before where it is
	testCarComes        // somebody plugs in meanwhile
	testWalksOff        // goes away at once
	testBlindly         // leaves the post in service
	testWays
)

// technician lets the technician do what comes next.
func (w *world) technician(n int) {
	p, act, way := &w.post, n%testActs, n/testActs
	w.errands--
	next := func(d time.Duration, act int) {
		w.errands++
		w.in(d, evTest, way*testActs+act)
	}
	switch act {
	case testComes:
		comes, after := w.search != nil, 5*time.Second
		if p.up && !comes && w.hit(tested) {
			comes, way, after = true, int(w.how(testWays)), w.span(time.Second, 10*time.Minute)
		}
		if !p.up || !comes {
			return
		}
		next(after, testLooks)
		if way != testBlindly {
			w.step(session.TakenOut{})
			w.in(15*time.Minute, evRestore, 0)
		}
	case testLooks:
		p.idle = 0
		w.schedule(time.Second) // the post looks around again
		if p.state.Phase == session.Idle && way != testCarThere {
			w.bench.Unplug(w.now)
		}
		next(12*time.Second, testBegins)
	case testBegins:
		if !p.up {
			return
		}
		w.lookAtPlug()
		w.judge.testAt = w.now
		w.step(session.TestBegun{})
		next(session.TestFor, testTimer)
		next(time.Second, testCar)
		next(500*time.Millisecond, testLeaves)
	case testTimer:
		w.step(session.Ticked{})
	case testCar:
		if way == testCarComes {
			w.bench.PlugIn(w.now, bench.Car{Power: 11_000, Need: 1_000})
		}
	case testLeaves:
		if way == testWalksOff {
			w.step(session.TestEnded{})
		}
	}
}

// lookAtPlug tells the post of sense line and plug, as its loop does every second.
func (w *world) lookAtPlug() {
	w.sense()
	plug := w.bench.Plugged()
	w.post.plug = plug
	if w.plant == plantTestCar {
		plug = hal.PlugOut
	}
	w.core(session.Plugged{Plug: plug})
}

// closingTest is called when the contactor is ordered closed and nobody charges: S5.
func (j *judge) closingTest(w *world) {
	j.testing, j.carSince = true, 0
	switch {
	case j.testAt == 0 || w.now-j.testAt >= session.TestFor:
		j.complain("S5", "contactor closed though nobody charges or tests")
	case j.disk.Latched&session.Withdrawn == 0:
		j.complain("S5", "contactor tested before the card knew that it is out of service")
	case w.bench.Plugged() != hal.PlugOut:
		j.complain("S5", "contactor tested with a car plugged in")
	case w.post.state.Passing&session.Seeking != 0:
		j.complain("S3", "contactor tested before payments were read back")
	}
}

// whileTesting checks what must hold while a contactor is closed for a test: S5. A
// car is seen at the next pass.
func (j *judge) whileTesting(w *world) {
	const pass, slack = time.Second, 100 * time.Millisecond
	switch {
	case w.bench.Plugged() == hal.PlugOut:
		j.carSince = 0
	case j.carSince == 0:
		j.carSince = w.now
	}
	switch {
	case w.now-j.testAt > session.TestFor+slack:
		j.complainf("S5", "contactor closed for a test for %v", w.now-j.testAt)
	case j.carSince > 0 && w.now-j.carSince > pass+slack:
		j.complain("S5", "contactor stays closed for a test though a car has come")
	case w.post.state.Latched&session.Withdrawn == 0:
		j.complain("S5", "contactor closed for a test of a post in service")
	case w.post.dead:
		j.complain("S2", "closed with a card that has failed")
	case w.signals&hal.Trips != 0:
		j.complainf("S2", "closed although %v", w.signals)
	}
}
