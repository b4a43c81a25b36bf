package broker

import (
	"fmt"
	"io"

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
	}
}

// rightsOfGateway are the rights of a gateway below the topic of any post.
func rightsOfGateway(name string) []right {
	return []right{
		{"read", "availability"},
		{"read", "pay/ask"},
		{"read", "pay/open/+"},
		{"write", "pay/answer"},
		{"write", "pay/nudge"},
		{"read", "page/post"},
		{"read", "page/evse/+"},
		{"read", "page/answer/" + name},
		{"write", "page/ask"},
	}
}

// right is a line of the file.
type right struct {
	access string // read or write
	topic  string // below a post's own
}

// writeRights writes the file for everybody who has a certificate.
func writeRights(w io.Writer, gateways, posts []member) error {
	if _, err := io.WriteString(w, aclHead); err != nil {
		return err
	}
	for _, g := range gateways {
		if err := writeUser(w, g.name, envelope.Base("+", "+"), rightsOfGateway(g.name)); err != nil {
			return err
		}
	}
	for _, p := range posts {
		if err := writeUser(w, p.name, envelope.Base(p.tenant, p.name), rightsOfPost()); err != nil {
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
