package broker

import (
	"fmt"
	"io"
	"strings"

	"stolpe/payment/envelope"
)

// aclHead explains the file of rights to whoever opens it on the broker.
const aclHead = `# Who may say (write) and hear (read) what. Written by stolpe-gateway from the
# certificates it has issued; changes by hand are lost with the next one.
#
# Each post has lines of its own, with its tenant in them: a pattern such as
# stolpe/v1/acme/%u/pay/ask would give every post, whatever its tenant, a tree in
# acme. Whoever is not named here may connect with a certificate, and do nothing.
#
# Mosquitto checks what it delivers, not what is subscribed. A post may subscribe to
# anything, then, and hears its own; but if it joins a shared subscription, it takes
# messages from the others of the group, and they are lost. So the name of the
# gateways' group must be one that posts do not know.
`

// rightsOfPost are the rights of a post below its own topic.
func rightsOfPost() []right {
	return []right{
		{"write", "availability"},
		{"write", "pay/ask"},
		{"write", "pay/open/+"},
		{"read", "pay/answer"},
		{"read", "pay/nudge"},
		{"write", "page/post"},
		{"write", "page/evse/+"},
		{"write", "page/answer/+"},
		{"read", "page/ask"},
		{"write", "info"},
		{"write", "health"},
		{"write", "evse/+/+"},
		{"write", "evt/+"},
		{"read", "cmd/+"},
		{"write", "cmd/+/res"},
	}
}

// telling are the rights of whoever sees what posts tell their fleet.
func telling() []right {
	return []right{
		{"read", "availability"},
		{"read", "info"},
		{"read", "health"},
		{"read", "evse/+/+"},
		{"read", "evt/+"},
	}
}

// rightsOfGateway are the rights of a gateway below the topic of any post.
func rightsOfGateway(name string) []right {
	return append(telling(),
		right{"read", "pay/ask"},
		right{"read", "pay/open/+"},
		right{"write", "pay/answer"},
		right{"write", "pay/nudge"},
		right{"read", "page/post"},
		right{"read", "page/evse/+"},
		right{"read", "page/answer/" + name},
		right{"write", "page/ask"},
	)
}

// rightsOfPerson are the rights of a reader or a commander below the topic of any post
// of its tenant. What a command is worth is for the post to say, by its signature.
func rightsOfPerson(name string) []right {
	all := append(telling(), right{"read", "cmd/+/res"})
	if strings.HasPrefix(name, commanderPrefix) {
		all = append(all, right{"write", "cmd/+"})
	}
	return all
}

// right is a line of the file.
type right struct {
	access string // read or write
	topic  string // below a post's own
}

// home is where a post tells Home Assistant what it is, unless its configuration has
// another prefix.
func home(post member) string {
	return "homeassistant/device/stolpe-" + post.tenant + "_" + post.name + "/config"
}

// writeRights writes the file for everybody who has a certificate.
func writeRights(w io.Writer, gateways, people, posts []member) error {
	if _, err := io.WriteString(w, aclHead); err != nil {
		return err
	}
	for _, g := range gateways {
		if err := writeUser(w, g.name, envelope.Base("+", "+"), rightsOfGateway(g.name)); err != nil {
			return err
		}
	}
	for _, p := range people {
		if err := writeUser(w, p.name, envelope.Base(p.tenant, "+"), rightsOfPerson(p.name)); err != nil {
			return err
		}
		for _, post := range posts {
			if post.tenant != p.tenant {
				continue
			}
			if _, err := fmt.Fprintf(w, "topic read %s\n", home(post)); err != nil {
				return err
			}
		}
	}
	for _, p := range posts {
		if err := writeUser(w, p.name, envelope.Base(p.tenant, p.name), rightsOfPost()); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "topic write %s\ntopic read homeassistant/status\n", home(p)); err != nil {
			return err
		}
	}
	return nil
}

func writeUser(w io.Writer, name, base string, rights []right) error {
	if _, err := fmt.Fprintf(w, "\nuser %s\n", name); err != nil {
		return err
	}
	for _, r := range rights {
		if _, err := fmt.Fprintf(w, "topic %s %s%s\n", r.access, base, r.topic); err != nil {
			return err
		}
	}
	return nil
}
