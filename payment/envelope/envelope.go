// Package envelope says the words of what is around a message that posts and gateways
// send each other over a broker: under which topic, and with which seal. It does no I/O.
//
// # Why
//
// Whoever makes the rights and the keys of a broker must mean the same topics and the
// same keys as those who talk over it. So both stand here once.
//
// A message is sealed: its text, a line end, and an HMAC over topic and text with a key
// that only one post and the gateways have. Brokers are configured by people, and one
// that lets a post publish in another's name must not let it move that other's money.
package envelope

import "strings"

// Topics. A post's begin with Base; AvailabilityLeaf is not sealed, as the broker says
// Offline there in the place of a post that has vanished.
const (
	Root             = "stolpe/v1/"
	AvailabilityLeaf = "availability" // retained
	Online           = "online"
	Offline          = "offline"
)

// Base is where the topics of a post begin.
func Base(tenant, post string) string { return Root + tenant + "/" + post + "/" }

// Split takes a topic apart: whose it is, and what follows the post's base. It says no of
// one that is no post's.
func Split(topic string) (tenant, post, leaf string, ok bool) {
	rest, ours := strings.CutPrefix(topic, Root)
	parts := strings.SplitN(rest, "/", 3)
	if !ours || len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}
