package worlds

import (
	"time"

	"stolpe/agent/session"
	"stolpe/hal"
	bench "stolpe/hal/sim"
)

// misfortunes draws what may happen to anybody at any time.
func (w *world) misfortunes() {
	if w.hit(networkDown) {
		w.netDown = max(w.netDown, w.now+w.span(10*time.Second, 3*time.Hour))
	}
	if w.hit(wallJump) {
		if w.search != nil {
			w.wall += time.Duration(2*int(w.search.nth&1)-1) * 100 * 24 * time.Hour
			return
		}
		w.wall += time.Duration(w.how(4)-2) * time.Duration(w.how(1<<20)) * time.Minute
	}
}

// wires is somebody at the post's buttons, or a residual current device. The
// contactor is opened first, as by the guard of the loop. What was pressed is
// released again.
func (w *world) wires(say hal.Signals) {
	switch {
	case say == hal.StopPressed && !w.hit(buttonPressed), say&hal.Trips != 0 && !w.hit(tripped):
		return
	}
	w.signals = say
	if w.plant == plantDeafWire {
		return
	}
	if say&hal.Trips != 0 {
		w.bench.Set(w.now, hal.Open)
		w.judge.stoppedAt(w)
	}
	if say != 0 {
		w.in(w.span(100*time.Millisecond, 10*time.Minute), evWires, 0)
	}
	w.step(session.Signalled{Signals: say})
}

// withdraw is a technician taking the post out of service, for a while.
func (w *world) withdraw() {
	if w.post.up && w.hit(withdrawn) {
		w.step(session.TakenOut{})
		w.in(10*time.Minute, evRestore, 0)
	}
}

// loseSupply takes the mains from contactor and car, but not from meter and post.
func (w *world) loseSupply() {
	if w.hit(supplyGone) {
		w.standing(supplyGone, func(f *bench.Faults) { f.NoSupply = true })
	}
}

// contactorFaults and openingFaults draw what goes wrong when the contactor moves.
func (w *world) contactorFaults() {
	f := w.bench.Faults()
	w.at(atClose)
	switch {
	case w.hit(wontClose):
		f.NoClose = true
		w.in(w.span(time.Minute, 2*time.Hour), evMend, int(wontClose))
	case w.hit(welded):
		f.Welded = true
	case w.hit(senseStuck):
		f.SenseStuck, f.SenseAt = true, hal.Position(w.how(2))
		w.in(w.span(time.Minute, 3*time.Hour), evMend, int(senseStuck))
	case w.hit(meterSlower):
		f.Slower = 100
		w.in(w.span(time.Minute, 3*time.Hour), evMend, int(meterSlower))
	case w.post.rules.Modulus == 0 && w.hit(meterReset): // nobody could tell that from a register that is full
		w.bench.SwapMeter(w.now, "22110345", 0)
		return
	default:
		return
	}
	w.bench.Fault(w.now, f)
}

func (w *world) openingFaults() {
	if w.at(atOpen); !w.hit(slowOpen) {
		return
	}
	f := w.bench.Faults()
	f.SlowOpen = w.span(100*time.Millisecond, 30*time.Second)
	w.bench.Fault(w.now, f)
	w.in(f.SlowOpen+time.Minute, evMend, int(slowOpen))
}

// meterFaults draws what goes wrong at the meter, and says whether the next
// reading alone is wrong.
func (w *world) meterFaults() bool {
	w.at(atMeter)
	switch {
	case w.hit(meterSpike):
		w.bench.Glitch(hal.Energy(w.how(10_000_000)) + 1000)
		return true
	case w.hit(meterNudge):
		w.bench.Glitch(hal.Energy(w.how(60)) + 1)
		return true
	case w.hit(meterDip):
		w.bench.Glitch(-hal.Energy(w.how(5000)) - 1)
		return true
	case w.hit(meterSilent):
		w.standing(meterSilent, func(f *bench.Faults) { f.Silent = true })
	case w.hit(meterFrozen):
		w.standing(meterFrozen, func(f *bench.Faults) { f.Frozen = true })
	case w.hit(meterOffset):
		off := hal.Energy(w.how(2_000_000)) - 1_000_000
		w.standing(meterOffset, func(f *bench.Faults) { f.Offset = off })
	case w.hit(meterSwapped):
		w.bench.SwapMeter(w.now, "77", hal.Energy(w.how(50_000_000)))
	}
	return false
}

func (w *world) standing(s site, set func(*bench.Faults)) {
	f := w.bench.Faults()
	set(&f)
	w.bench.Fault(w.now, f)
	w.in(w.span(5*time.Second, time.Hour), evMend, int(s))
}

// mend ends a standing fault.
func (w *world) mend(s site) {
	f := w.bench.Faults()
	switch s {
	case meterSilent:
		f.Silent = false
	case meterFrozen:
		f.Frozen = false
	case meterOffset:
		f.Offset = 0
	case meterSlower:
		f.Slower = 0
	case supplyGone:
		f.NoSupply = false
	case wontClose:
		f.NoClose = false
	case slowOpen:
		f.SlowOpen = 0
	case senseStuck:
		f.SenseStuck = false
	}
	w.bench.Fault(w.now, f)
}
