package gpio

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"stolpe/hal"
)

// place is a line of a chip.
type place struct {
	chip   chip
	number int
}

// String gives the line as a technician finds it: by name, chip and number.
func (p place) String() string {
	where := p.chip.Name() + "/" + strconv.Itoa(p.number)
	if name := p.chip.lines()[p.number].name; name != "" {
		return name + " (" + where + ")"
	}
	return where
}

// lineInfo is what the kernel told of a line when this program first looked.
type lineInfo struct {
	name     string // may be empty
	consumer string // who held it; empty: nobody, or nobody who says
}

// find finds the line that a spec names, and whether it has the "!" of those that
// count when they are low.
func find(chips []chip, spec string) (_ place, low bool, err error) {
	text, low := strings.CutPrefix(spec, "!")
	if text == "" || strings.TrimSpace(text) != text {
		return place{}, low, errors.New(`want a line such as "GPIO17" or "pinctrl-bcm2711/17"`)
	}
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		if number, err := strconv.Atoi(text[i+1:]); err == nil {
			p, err := findNumber(chips, text[:i], number)
			return p, low, err
		}
	}
	p, err := findName(chips, text)
	return p, low, err
}

// Check says with an error which of some lines this machine does not have. None of them
// is requested, so nothing moves.
func Check(specs ...string) error {
	chips, err := kernelChips()
	if err != nil {
		return fmt.Errorf("gpio: %w", err)
	}
	return check(chips, specs)
}

func check(chips []chip, specs []string) error {
	var all error
	for _, spec := range specs {
		if _, _, err := find(chips, spec); err != nil {
			all = errors.Join(all, fmt.Errorf("gpio: %q: %w", spec, err))
		}
	}
	return all
}

// findOutput finds a line that is to be driven.
func findOutput(chips []chip, what, spec string) (place, error) {
	p, low, err := find(chips, spec)
	if err == nil && low {
		err = errors.New(`"!" is for inputs; ActiveLow is for relays that close on low`)
	}
	if err != nil {
		return place{}, fmt.Errorf("gpio: %s %q: %w", what, spec, err)
	}
	return p, nil
}

// findNumber finds a line by its chip's name or label and its own number.
func findNumber(chips []chip, name string, number int) (place, error) {
	var found []chip
	for _, c := range chips {
		if c.Name() == name {
			found = []chip{c}
			break
		}
		if c.Label() == name {
			found = append(found, c)
		}
	}
	switch {
	case len(found) == 0:
		return place{}, fmt.Errorf("no chip %q: there is %s", name, list(chips))
	case len(found) > 1:
		return place{}, fmt.Errorf("more than one chip is called %q: %s", name, list(found))
	case number < 0 || number >= len(found[0].lines()):
		return place{}, fmt.Errorf("chip %s has lines 0 to %d", list(found), len(found[0].lines())-1)
	}
	return place{found[0], number}, nil
}

// findName finds a line by its name on the chip that is meant when none is named.
func findName(chips []chip, name string) (place, error) {
	c, err := header(chips)
	if err != nil {
		return place{}, err
	}
	var found []string
	number := -1
	lines := c.lines()
	for i, l := range lines {
		if l.name == name {
			number = i
			found = append(found, c.Name()+"/"+strconv.Itoa(i))
		}
	}
	switch len(found) {
	case 1:
		return place{c, number}, nil
	case 0:
		return place{}, fmt.Errorf("chip %s has no line of that name; the nearest are %s", list([]chip{c}), strings.Join(nearest(lines, name), ", "))
	}
	return place{}, fmt.Errorf("more than one line has that name: %s", strings.Join(found, ", "))
}

// header is the chip whose lines are on the board's pin header: drivers of a
// processor's own pins are labelled "pinctrl-" and its name on Raspberry Pis.
func header(chips []chip) (chip, error) {
	for _, c := range chips {
		if strings.HasPrefix(c.Label(), "pinctrl-") {
			return c, nil
		}
	}
	if len(chips) != 1 {
		return nil, fmt.Errorf("which chip? Write it before the line's number, as in %q: there is %s", chips[0].Label()+"/17", list(chips))
	}
	return chips[0], nil
}

// list lists chips by name, label and size.
func list(chips []chip) string {
	var all []string
	for _, c := range chips {
		all = append(all, fmt.Sprintf("%s %q (%d lines)", c.Name(), c.Label(), len(c.lines())))
	}
	return strings.Join(all, ", ")
}

// nearest lists the three names that are most like the one that is wrong.
func nearest(lines []lineInfo, wrong string) []string {
	var names []string
	for _, l := range lines {
		if l.name != "" && !slices.Contains(names, l.name) {
			names = append(names, l.name)
		}
	}
	if len(names) == 0 {
		return []string{"none: its lines have numbers only"}
	}
	return hal.Nearest(wrong, names)
}

// held says of a request that was refused who has the lines, as far as is known.
func held(err error, at ...place) error {
	var all, holders []string
	for _, p := range at {
		all = append(all, p.String())
		if c := p.chip.lines()[p.number].consumer; c != "" {
			holders = append(holders, fmt.Sprintf("%v is held by %q", p, c))
		}
	}
	which := strings.Join(all, ", ")
	if !errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("request %s: %w", which, err)
	}
	if len(holders) == 0 {
		return fmt.Errorf("%s: held by a program that the kernel does not name, or by another EVSE of this one: %w", which, err)
	}
	return fmt.Errorf("%s; end that first: %w", strings.Join(holders, ", "), err)
}
