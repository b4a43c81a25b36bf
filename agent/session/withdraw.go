package session

// withdraw takes the EVSE out of service, or notes that it is to be when the charge
// under way is over. Without one that is now.
func (s *State) withdraw(afterCharge bool) {
	if afterCharge && s.Latched&Withdrawn == 0 {
		s.Latched |= Leaving
		return
	}
	s.Latched = s.Latched&^Leaving | Withdrawn
}

// restored lifts what only a person can lift. The meter is learned anew, because
// the person answers for it; what time judges comes back by itself if it must.
func (r *Rules) restored(s *State) {
	if s.Phase != Idle {
		s.Latched &^= Withdrawn | Leaving
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
