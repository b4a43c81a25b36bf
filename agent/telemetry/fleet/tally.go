package fleet

import (
	"maps"
	"slices"
	"time"

	"stolpe/payment"
)

// Tally is what has become of the charges of a time.
type Tally struct {
	Asked    int   `json:"asked,omitempty"`    // drivers who asked for a charge
	Approved int   `json:"approved,omitempty"` // in the app
	Closed   int   `json:"closed,omitempty"`   // the contactor, for the first time
	Fed      int   `json:"fed,omitempty"`      // cars that got energy, and were settled
	Cut      int   `json:"cut,omitempty"`      // of them, those whose charge ended by something that went wrong
	Dry      int   `json:"dry,omitempty"`      // cars that got none though the contactor closed
	Troubled int   `json:"troubled,omitempty"` // settlements that need a person
	Energy   int64 `json:"wh,omitempty"`       // Wh
	Seconds  int64 `json:"s,omitempty"`        // of charging, s

	Revenue  map[payment.Currency]int64 `json:"revenue,omitempty"`  // captured, minor units
	Lost     map[payment.Currency]int64 `json:"lost,omitempty"`     // written off, minor units
	Refunded map[payment.Currency]int64 `json:"refunded,omitempty"` // minor units

	Failed map[string]int `json:"failed,omitempty"` // requests without energy, by why they ended
}

// Add adds another tally.
func (t *Tally) Add(o Tally) {
	t.Asked += o.Asked
	t.Approved += o.Approved
	t.Closed += o.Closed
	t.Fed += o.Fed
	t.Cut += o.Cut
	t.Dry += o.Dry
	t.Troubled += o.Troubled
	t.Energy += o.Energy
	t.Seconds += o.Seconds
	sum(&t.Revenue, o.Revenue)
	sum(&t.Lost, o.Lost)
	sum(&t.Refunded, o.Refunded)
	sum(&t.Failed, o.Failed)
}

func sum[K comparable, N int | int64](to *map[K]N, from map[K]N) {
	for k, n := range from {
		if *to == nil {
			*to = map[K]N{}
		}
		(*to)[k] += n
	}
}

// clone shares nothing with the tally.
func (t Tally) clone() Tally {
	t.Revenue, t.Lost, t.Refunded, t.Failed = maps.Clone(t.Revenue), maps.Clone(t.Lost), maps.Clone(t.Refunded), maps.Clone(t.Failed)
	return t
}

// dated is the tally of a day or a month.
type dated struct {
	Begins string `json:"begins"` // the day, or the month's first, as in 2026-11-20
	Tally
}

// Chosen by us: a month by days, and a year by months with what a report of it takes.
const (
	maxDays   = 32
	maxMonths = 14
)

// diary keeps tallies by their beginnings, the oldest first.
type diary []dated

// of gives the tally that begins on that day, for a change; nil if it is too old.
func (d *diary) of(begins string, most int) *Tally {
	i, found := slices.BinarySearchFunc(*d, begins, func(x dated, b string) int {
		switch {
		case x.Begins < b:
			return -1
		case x.Begins > b:
			return 1
		}
		return 0
	})
	if !found {
		if len(*d) >= most && i == 0 {
			return nil
		}
		*d = slices.Insert(*d, i, dated{Begins: begins})
		if len(*d) > most {
			*d = slices.Delete(*d, 0, 1)
			i--
		}
	}
	return &(*d)[i].Tally
}

// since adds up what began on that day or later.
func (d diary) since(begins string) Tally {
	var all Tally
	for _, x := range d {
		if x.Begins >= begins {
			all.Add(x.Tally)
		}
	}
	return all
}

// count counts something under its day, its month, and for ever.
func (p *post) count(when time.Time, fn func(*Tally)) {
	fn(&p.Total)
	for _, x := range []struct {
		diary  *diary
		begins string
		most   int
	}{
		{&p.Days, when.Format(time.DateOnly), maxDays},
		{&p.Months, when.Format("2006-01") + "-01", maxMonths},
	} {
		if t := x.diary.of(x.begins, x.most); t != nil {
			fn(t)
		}
	}
}
