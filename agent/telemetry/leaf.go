package telemetry

import (
	"strconv"
	"strings"
)

// Of is a leaf of one EVSE.
func (l Leaf) Of(evse int) Leaf { return Leaf("evse/" + strconv.Itoa(evse) + "/" + string(l)) }

// Split is the inverse of Of; the number is 0 for a leaf of the post itself.
func (l Leaf) Split() (own Leaf, evse int) {
	rest, ok := strings.CutPrefix(string(l), "evse/")
	number, name, cut := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	if !ok || !cut || err != nil || n < 1 || strconv.Itoa(n) != number {
		return l, 0
	}
	return Leaf(name), n
}

// last is what kind of leaf it is, whatever it belongs to.
func (l Leaf) last() Leaf {
	own, _ := l.Split()
	switch {
	case strings.HasPrefix(string(own), string(EventLeaf)+"/"):
		return EventLeaf
	case !strings.HasPrefix(string(own), string(CommandLeaf)+"/"):
		return own
	case strings.HasSuffix(string(own), "/"+string(ReplyLeaf)):
		return ReplyLeaf
	}
	return CommandLeaf
}
