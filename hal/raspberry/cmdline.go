package raspberry

import (
	"slices"
	"strings"
)

// Cmdline is a kernel's command line: one line of words.
type Cmdline []string

// ParseCmdline takes a command line apart.
func ParseCmdline(text string) Cmdline { return strings.Fields(text) }

// String is the line as the boot partition has it.
func (c Cmdline) String() string { return strings.Join(c, " ") + "\n" }

// Value is what the last word of a name says, as N for module.param=N.
func (c Cmdline) Value(name string) (value string, said bool) {
	for _, w := range c {
		if v, is := strings.CutPrefix(w, name+"="); is {
			value, said = v, true
		}
	}
	return value, said
}

// Consoles are the devices on which the kernel talks, such as ttyS0 or serial0.
func (c Cmdline) Consoles() (all []string) {
	for _, w := range c {
		if v, is := strings.CutPrefix(w, "console="); is {
			device, _, _ := strings.Cut(v, ",")
			all = append(all, device)
		}
	}
	return all
}

// Without takes words away.
func (c Cmdline) Without(drop func(word string) bool) Cmdline {
	return slices.DeleteFunc(slices.Clone(c), drop)
}

// With adds a word, unless it is there.
func (c Cmdline) With(word string) Cmdline {
	if slices.Contains(c, word) {
		return c
	}
	return append(slices.Clone(c), word)
}
