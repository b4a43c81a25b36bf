package config

import "time"

// kind is what a key holds.
type kind uint8

const (
	section kind = iota // keys of its own
	list                // sections
	numbers             // whole numbers
	number              // one whole number
	text
	flag // true or false
	span // a duration, as in 10m
	secret
)

// key is one key of the file: everything the loader, the defaults and the
// printed reference know of it.
type key struct {
	name string
	kind kind
	doc  string // what it means, for the reference

	need  bool              // must stand in the file
	def   any               // what holds when it is left out: int64, string, bool or time.Duration
	unset string            // what holds when it is left out and there is no def, for the reference
	env   string            // environment variable that wins over the file; text only
	want  string            // what is allowed, for the reference and for messages
	legal func(string) bool // of text, and of a flag that may not be both: whether it is as want says
	quiet bool              // a wrong value is not repeated: it may be a secret in the wrong place

	min, max int64    // of numbers, and of a span in ns; of lists, the number of entries
	each     [2]int64 // of numbers: the least and the most one may be

	keys []key // of a section, or of each section in a list
}

// child gives the key of that name.
func (k key) child(name string) (key, bool) {
	for _, c := range k.keys {
		if c.name == name {
			return c, true
		}
	}
	return key{}, false
}

// names gives the names of all keys of a section, in the order of the schema.
func (k key) names() []string {
	names := make([]string, len(k.keys))
	for i, c := range k.keys {
		names[i] = c.name
	}
	return names
}

// walk calls visit for every key below k with its path. Keys of a list have []
// in theirs.
func (k key) walk(path string, visit func(path string, k key)) {
	for _, c := range k.keys {
		below := join(path, c.name)
		visit(below, c)
		if c.kind == list {
			below += "[]"
		}
		c.walk(below, visit)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// laterKey is something the format has and this version cannot do.
type laterKey struct {
	path string // as walk gives it
	what string // a plural, to stand before "are not in this version"
}

// later lists what belongs to later versions. Reading such a key and not acting
// on it would be a lie, so it is refused. Whoever builds one of these deletes
// its entry here and adds its keys to the schema.
func later() []laterKey {
	return []laterKey{
		{"telemetry", "telemetry profiles"},
		{"display", "displays on the post"},
	}
}

// Numbers chosen by us.
const (
	maxEVSEs   = 8      // one bus of meters, and as many sockets as a post has room for
	maxEVSE    = 99     // payment.Ref has room for two digits
	maxCode    = 16     // characters: what fits a sticker
	maxName    = 64     // characters: what a receipt and a phone can show in one line
	maxChoices = 6      // amounts on one page
	minPower   = 1_000  // W: less charges no car
	maxPower   = 50_000 // W: three phases of 63 A are 43 kW
	maxLine    = 999    // number of a line on a chip, or of a chip: no board has more
	longest    = 7 * 24 * time.Hour
)

// What payment.Price.Check allows; a test keeps these equal.
const (
	maxPrice = 1_000_000 // minor units
	maxVAT   = 3_000     // basis points
)
