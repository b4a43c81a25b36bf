package worlds

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
)

// maxSet is the most faults that one set can have.
const maxSet = 3

// Census is what playing every set of faults came to.
type Census struct {
	Opportunities int                // of the charge without faults, severities told apart
	Sets          [maxSet + 1]uint64 // played, by their size
	violations    []violation
}

// violation is a set of faults that breaks a promise. No part of it does.
type violation struct {
	set    []mishap
	class  string
	detail string
}

// String writes a violation so that its set can be played again.
func (v violation) String() string {
	return fmt.Sprintf("-set %q # %s: %s", setString(v.set), v.class, v.detail)
}

// explorer plays sets one after the other in the same memory.
type explorer struct {
	maker  *maker
	plan   Plan
	most   int // faults in a set
	search search
	census Census
	tally  Tally
}

// try plays the charge with a set of faults, and gives what could have gone wrong
// after the last of them.
func (e *explorer) try(set []mishap) []mishap {
	e.search.begin(set, len(set) < e.most)
	e.plan.search = &e.search
	c, broken := e.maker.play(0, e.plan, &e.tally)
	e.census.Sets[len(set)]++
	if broken {
		e.census.violations = append(e.census.violations, violation{slices.Clone(set), c.Class, c.Detail})
		return nil
	}
	return e.search.seen
}

// further plays every set that has these faults first.
func (e *explorer) further(set []mishap) {
	next := e.try(set)
	if len(set) == e.most {
		return
	}
	for _, m := range e.branches(set, next) {
		e.further(append(set[:len(set):len(set)], m))
	}
}

// branches are the faults that a set is made larger by.
func (e *explorer) branches(set, next []mishap) []mishap {
	var all []mishap
	for _, m := range next {
		if len(set) > 0 && !wanted(set, m) {
			continue
		}
		for how := range severities(m.place, m.site) {
			m.how = uint8(how)
			all = append(all, m)
		}
	}
	return all
}

// wanted says whether a set is made larger by a fault. Sets of three are made only
// of what happens to calls, records and deeds: with what may happen at any pass
// and any reading, there would be a hundred million.
func wanted(set []mishap, m mishap) bool {
	return len(set) < 2 || m.telling() && !slices.ContainsFunc(set, func(m mishap) bool { return !m.telling() })
}

// telling says of a fault that its moment is one in which something is done or
// answered, and not one of the many in which the post only looks around.
func (m mishap) telling() bool {
	switch m.place {
	case atPass, atMeter, atAsk, atRead, atReadApp, atHint:
		return false
	}
	return true
}

// Exhaust plays the reference charge with every set of at most that many faults,
// on all processors.
func Exhaust(most int, p Plan) *Census {
	p.Scale = 100
	root := &explorer{maker: &maker{card: newCard()}, plan: p, most: most}
	singles := root.branches(nil, root.try(nil))
	sum := root.census
	sum.Opportunities = len(singles)
	workers := runtime.GOMAXPROCS(0)
	parts := make([]Census, workers)
	var group sync.WaitGroup
	for k := range workers {
		group.Go(func() {
			e := &explorer{maker: &maker{card: newCard()}, plan: p, most: most}
			for i := k; i < len(singles) && most > 0; i += workers {
				e.further(singles[i : i+1])
			}
			parts[k] = e.census
		})
	}
	group.Wait()
	for k := range parts {
		for size, n := range parts[k].Sets {
			sum.Sets[size] += n
		}
		sum.violations = append(sum.violations, parts[k].violations...)
	}
	slices.SortFunc(sum.violations, violation.compare)
	return &sum
}

// playSet plays the reference charge with one set of faults, and says how many of
// them have not come up.
func playSet(set []mishap, p Plan) (c *Census, left int) {
	p.Scale = 100
	e := &explorer{maker: &maker{card: newCard()}, plan: p, most: len(set)}
	e.try(set)
	return &e.census, e.search.left
}

// compare orders violations: small sets first.
func (v violation) compare(o violation) int {
	if len(v.set) != len(o.set) {
		return len(v.set) - len(o.set)
	}
	return slices.CompareFunc(v.set, o.set, mishap.compare)
}

func (m mishap) compare(o mishap) int {
	return cmp.Or(cmp.Compare(m.place, o.place), cmp.Compare(m.nth, o.nth), cmp.Compare(m.site, o.site), cmp.Compare(m.how, o.how))
}

// Print writes the census.
func (c *Census) Print(w io.Writer) {
	fmt.Fprintf(w, "opportunities  %d in the reference charge\n", c.Opportunities)
	for size, n := range c.Sets {
		if n > 0 {
			fmt.Fprintf(w, "sets of %d      %d\n", size, n)
		}
	}
	fmt.Fprintf(w, "violations     %d\n", len(c.violations))
	for i, v := range c.violations {
		if i == maxComplaints {
			fmt.Fprintf(w, "  and %d more\n", len(c.violations)-i)
			break
		}
		fmt.Fprintf(w, "  %v\n", v)
	}
}
