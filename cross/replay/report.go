package replay

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// report is what came of all rows.
type report struct {
	File    string    `json:"file"`
	Rows    int       `json:"rows"`    // in the file
	Played  int       `json:"played"`  // of these
	Skipped []skipped `json:"skipped"` // the rest, by reason
	Posts   int       `json:"posts"`   // one a garage
	EVSEs   int       `json:"evses"`   // of all posts

	EnergyInFile  hal.Energy `json:"energy_in_file_wh"`
	EnergyPlayed  hal.Energy `json:"energy_played_wh"`
	EnergyMetered hal.Energy `json:"energy_metered_wh"`
	EnergyBilled  hal.Energy `json:"energy_billed_wh"`

	Reserved payment.Amount `json:"reserved_minor"`
	Captured payment.Amount `json:"captured_minor"`
	Released payment.Amount `json:"released_minor"`
	Given    payment.Amount `json:"given_away_minor"`   // bills below the least payment
	GivenTo  int            `json:"given_away_charges"` // how many

	Records int `json:"journal_records"` // of all EVSEs

	Ended       []count       `json:"ended_by"`
	Faults      []count       `json:"faults"`                  // none without a seed
	Slowest     time.Duration `json:"slowest_settlement_ns"`   // from the end of a charge to nothing held
	SlowestLine int           `json:"slowest_settlement_line"` // of the table

	Differences []difference `json:"differences"`
	Others      int          `json:"other_differences"` // that are not in the list
	Broken      []complaint  `json:"broken"`

	Seed *uint64 `json:"seed,omitempty"` // of the faults; nil without
}

// skipped is how many rows were not played for one reason.
type skipped struct {
	Reason string   `json:"reason"`
	Count  int      `json:"count"`         // rows
	Lines  []int    `json:"lines"`         // of the first few
	Why    []string `json:"why,omitempty"` // in step with Lines, for rows that cannot be read
}

// count is how often something was.
type count struct {
	What  string `json:"what"`
	Count int    `json:"count"` // times
}

// difference is a row of which not everything was billed.
type difference struct {
	Line    int        `json:"line"` // of the table
	ID      string     `json:"id"`
	Table   hal.Energy `json:"table_wh"`
	Metered hal.Energy `json:"metered_wh"`
	Billed  hal.Energy `json:"billed_wh"`
	Ended   string     `json:"ended_by"`
	Why     string     `json:"why"`
}

// How much is shown of what can be long.
const (
	maxLines       = 5 // a reason for skipping
	maxDifferences = 10
)

// newReport sums up all worlds.
func newReport(rows []row, worlds []*world, p *plan) *report {
	r := &report{
		File: filepath.Base(p.file), Rows: len(rows), EVSEs: len(worlds),
		Skipped: []skipped{}, Ended: []count{}, Faults: []count{}, Differences: []difference{}, Broken: []complaint{},
	}
	if p.faults {
		r.Seed = &p.seed
	}
	ends, fired := map[display.End]int{}, [sites]int{}
	owners := map[payment.Ref]int{} // line of the row, by reference
	for _, w := range worlds {
		if w.evse == 1 {
			r.Posts++
		}
		r.Broken = append(r.Broken, w.judge.complaints...)
		r.Records += w.records
		for s, n := range w.draw.fired {
			fired[s] += n
		}
		for _, v := range w.visits {
			if v.number == 0 {
				continue
			}
			ref := w.rules.Ref(v.number)
			if line, used := owners[ref]; used {
				r.Broken = append(r.Broken, complaint{v.row.line, string(ref) + " is the reference of another row too: line " + strconv.Itoa(line)})
			}
			owners[ref] = v.row.line
			ends[v.debt.Why]++
			r.add(v, p.price)
		}
	}
	r.skip(rows)
	r.count(ends, fired)
	r.sort()
	return r
}

// add adds one row that was played.
func (r *report) add(v *visit, p payment.Price) {
	r.Played++
	r.EnergyPlayed += v.row.energy
	r.EnergyMetered += v.metered
	r.EnergyBilled += v.billed()
	if f := v.found; f.Held > 0 {
		r.Reserved += f.Held
		r.Captured += f.Taken
		r.Released += f.Freed
		if took := v.settled - v.ended; took > r.Slowest || took == r.Slowest && v.row.line < r.SlowestLine {
			r.Slowest, r.SlowestLine = took, v.row.line
		}
	}
	if bill := min(price(p, v.billed(), v.debt.Elapsed), v.debt.Limit); bill > 0 && v.bill(p) == 0 {
		r.Given += bill
		r.GivenTo++
	}
	if v.row.energy != v.billed() || v.metered != v.billed() {
		r.Differences = append(r.Differences, difference{
			v.row.line, v.row.id, v.row.energy, v.metered, v.billed(), v.debt.Why.String(), because(v.debt.Why),
		})
	}
}

// skip counts the rows that were not played.
func (r *report) skip(rows []row) {
	var by [reasons]skipped
	for i := range rows {
		w := &rows[i]
		r.EnergyInFile += w.energy
		s := &by[w.skip]
		if s.Count++; len(s.Lines) < maxLines {
			s.Lines = append(s.Lines, w.line)
			if w.detail != "" {
				s.Why = append(s.Why, w.detail)
			}
		}
	}
	for k := played + 1; k < reasons; k++ {
		if by[k].Count > 0 {
			by[k].Reason = k.String()
			r.Skipped = append(r.Skipped, by[k])
		}
	}
}

func (r *report) count(ends map[display.End]int, fired [sites]int) {
	for end := display.NotEnded; end <= display.LastEnd; end++ {
		if n := ends[end]; n > 0 {
			r.Ended = append(r.Ended, count{end.String(), n})
		}
	}
	for s, n := range fired {
		if r.Seed != nil {
			r.Faults = append(r.Faults, count{site(s).String(), n})
		}
	}
}

// sort puts the worst differences first, and what is broken in the order of rows.
func (r *report) sort() {
	slices.SortFunc(r.Differences, func(a, b difference) int {
		return cmp.Or(cmp.Compare(b.size(), a.size()), cmp.Compare(a.Line, b.Line))
	})
	if n := len(r.Differences); n > maxDifferences {
		r.Others, r.Differences = n-maxDifferences, r.Differences[:maxDifferences]
	}
	slices.SortStableFunc(r.Broken, func(a, b complaint) int { return cmp.Compare(a.Line, b.Line) })
}

// size is how far the numbers of a row are apart.
func (d difference) size() hal.Energy {
	return max(d.Table, d.Metered, d.Billed) - min(d.Table, d.Metered, d.Billed)
}

// because says what an end means for the energy of a row.
func because(e display.End) string {
	switch e {
	case display.LimitReached:
		return "the reservation was used up"
	case display.PowerLost:
		return "the power was cut"
	case display.MeterLost:
		return "the meter was silent for more than a minute"
	case display.NoAnswer:
		return "the payment service could not be reached"
	case display.Unplugged, display.ByDriver:
		return "gone before the car had it all"
	}
	return "see the promises that were broken"
}
