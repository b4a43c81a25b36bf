// Package session is the whole business of one EVSE as data and arithmetic:
// what happened (Event), what is known (State), what follows (Rules.Step), how
// the world should look (Rules.Want) and what people are shown (Rules.View).
//
//	           no, late, stop                    stop, late
//	  +-------------------------+      +---------------------------+
//	  v                         |      v                           |
//	Idle --request--> Approving --approved--> Waiting --car--> Charging
//	  ^                                                            |
//	  |                                          stop, limit, fault|
//	  +------------- final reading: the bill is owed --- Stopping <+
//
// # Why
//
// Nothing here reads a clock, a disk or a wire, starts a goroutine or draws a
// random number, so the same code runs in the post, in a simulator that breaks
// it a million times, and in a replay of real charges.
//
// There is no list of effects. A contactor's position is a level, asserted again
// every second; a debt is a fact that is true until it is paid. Both are derived
// from the state, so a crash can lose neither: after it they are computed again.
//
// What must survive a power cut is a type of its own, Kept, and not a selection
// made when saving: a field is either in it or it is not. Slices reachable from
// a State are never changed in place, so an old State stays what it was.
//
// One thing besides a charge closes a contactor: a technician's test (testing.go). It is
// no phase, because nobody is served in it and nothing of it outlives a restart; what it
// takes is looked at anew in every step, as a charge's faults are.
//
// Faults are a set beside the phase, and debts a list beside it, so the phases
// stay five and the post serves the next driver while the payment service is
// away.
package session

// Phase is where a charge stands.
type Phase uint8

// The phases. The zero value serves nobody and keeps the contactor open.
const (
	Idle      Phase = iota
	Approving       // asked for; the payer has not decided, or we do not know
	Waiting         // approved; no car yet
	Charging        // the contactor is wanted closed
	Stopping        // the contactor is wanted open; waiting for the final reading
	phases
)

// String gives the phase as a word.
func (p Phase) String() string {
	return [phases]string{"idle", "approving", "waiting", "charging", "stopping"}[p]
}

// Phases is how many phases there are.
const Phases = int(phases)
