package worlds

// shrink switches off faults of a broken world, halves first and single ones
// last, as long as the same promise stays broken. It gives up after some hundred
// tries: what is left then is small enough.
func (m *maker) shrink(c Complaint, p Plan) Complaint {
	const maxTries = 400
	tries := 0
	breaks := func(faults []fault) (Complaint, bool) {
		tries++
		trial := p
		trial.only = map[fault]bool{}
		for _, f := range faults {
			trial.only[f] = true
		}
		got, broken := m.play(c.Seed, trial, &Tally{})
		return got, broken && got.Class == c.Class
	}
	best, ok := breaks(c.Faults)
	if !ok {
		return c
	}
	for size := (len(best.Faults) + 1) / 2; size > 0 && tries < maxTries; {
		smaller := false
		for from := 0; from < len(best.Faults) && tries < maxTries; {
			rest := append(append([]fault(nil), best.Faults[:from]...), best.Faults[min(from+size, len(best.Faults)):]...)
			if got, still := breaks(rest); still && len(got.Faults) < len(best.Faults) {
				best, smaller = got, true
				continue
			}
			from += size
		}
		if !smaller {
			size /= 2
		}
	}
	return best
}
