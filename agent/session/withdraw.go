package session

// recalled takes the EVSE out of service for the fleet, or notes that it is to be when
// the charge under way is over. Without one that is now.
func (s *State) recalled(now bool) {
	if !now && s.Latched&Recall == 0 {
		s.Latched |= Leaving
		return
	}
	s.Latched = s.Latched&^Leaving | Recall
}

// renewal has the EVSE take no new driver, or take some again. It is written down nowhere:
// what happens to the program meanwhile, the next start takes drivers.
func (s *State) renewal(near bool) {
	s.Passing &^= Renewing
	if near {
		s.Passing |= Renewing
	}
}

// restored lifts what only a person can lift. The meter is learned anew, because
// the person answers for it; what time judges comes back by itself if it must. Faults that
// the person does not know of stay, and so does all that they were found by.
func (r *Rules) restored(s *State, but Faults) {
	if s.Phase != Idle || s.Latched&but != 0 {
		s.Latched &^= Withdrawn | Leaving | Recall
		return
	}
	if s.Latched&(MeterSwap|meterLies) != 0 {
		s.Serial, s.Resting = "", 0
		s.meter = meter{at: s.meter.at, heard: s.meter.heard}
	}
	s.Latched, s.Misses = 0, 0
	s.Passing &^= Unsellable | Rebooting
	s.sense.wrong = 0
	s.meter.restart()
}
