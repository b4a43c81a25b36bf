package worlds

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Case is one line of a regression file: a world, the faults it takes, and what
// was wrong when it was found.
type Case struct {
	Seed  uint64
	plant plant
	only  []fault
	Class string // the promise that the planted mistake breaks; empty for one of our own, long mended
	Line  int    // of the file
}

// ReadCases reads a regression file. A line is
//
//	plant=NAME seed=N only=SITE:N,SITE:N # CLASS whatever else
//
// where plant may be left out. Empty lines and lines that begin with # do not
// count. An error names the line.
func ReadCases(r io.Reader) ([]Case, error) {
	var cases []Case
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, comment, _ := strings.Cut(lines.Text(), "#")
		if strings.TrimSpace(text) == "" {
			continue
		}
		c := Case{Line: n}
		for _, word := range strings.Fields(text) {
			if err := c.set(word); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		if f := strings.Fields(comment); c.plant != plantNothing && len(f) > 0 {
			c.Class = f[0]
		}
		cases = append(cases, c)
	}
	return cases, lines.Err()
}

func (c *Case) set(word string) error {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "seed":
		n, err := strconv.ParseUint(value, 10, 64)
		c.Seed = n
		return err
	case "plant":
		i := slices.Index(plantNames[:], value)
		if i < 1 {
			return fmt.Errorf("plant %q: want one of %s", value, plantList())
		}
		c.plant = plant(i)
		return nil
	case "only":
		return c.faults(value)
	}
	return fmt.Errorf("%q: want plant=, seed= or only=", word)
}

func (c *Case) faults(list string) error {
	if list == "" {
		return nil
	}
	for _, one := range strings.Split(list, ",") {
		name, nth, _ := strings.Cut(one, ":")
		i := slices.Index(siteNames[:], name)
		n, err := strconv.ParseUint(nth, 10, 32)
		if i < 0 || err != nil {
			return fmt.Errorf("fault %q: want a site's name, a colon, and a number", one)
		}
		c.only = append(c.only, fault{site(i), uint32(n)})
	}
	return nil
}

// plan is how the case is played.
func (c Case) plan(p plant) Plan {
	only := map[fault]bool{}
	for _, f := range c.only {
		only[f] = true
	}
	return Plan{Scale: 100, plant: p, only: only}
}
