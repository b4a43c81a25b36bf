// Package broker makes what an MQTT broker needs to serve a fleet: Mosquitto's
// configuration, who may say and hear what, and the certificates of broker,
// gateways and posts.
//
// # Why
//
// A post stands in a street and can be stolen, with its keys. So a broker lets a
// certificate act for the one post it names, and nothing else: that is what the
// file of rights says, which is written from the certificates issued, so that the
// two cannot differ.
//
// The common name of a certificate is the post's id, and becomes both user name
// and client id. The tenant stands above the post in every topic, and Mosquitto
// can put a user name into a pattern but knows no tenant of it. A pattern for each
// tenant would give every post a tree in every tenant. So there is no pattern:
// each post has lines of its own, which name its tenant. Two posts of one broker
// must not have the same id, whatever their tenants; AddPost sees to it.
//
// The certificates have nothing to do with the money. What posts and gateways say
// is sealed with the post's relay key on top, so a broker that does none of this
// can lose messages, but not forge them.
package broker

import (
	_ "embed"
	"io"
	"text/template"
)

//go:embed mosquitto.conf.tmpl
var mosquittoConf string

// Conf is what differs between two configurations of Mosquitto.
type Conf struct {
	Listen string // port, and after a space the address to listen on if not on all
	Folder string // where the broker's part of the fleet's folder is on its machine
	State  string // where Mosquitto keeps retained messages
	User   string // to run as when root starts it; empty means Mosquitto's own
}

// Debian's places, which the fleet's folder is written for.
const (
	etcFolder = "/etc/mosquitto/stolpe"
	varFolder = "/var/lib/mosquitto"
	mqttsPort = "8883" // registered with IANA for MQTT over TLS
)

// Write writes mosquitto.conf.
func (c Conf) Write(w io.Writer) error {
	t, err := template.New("mosquitto.conf").Parse(mosquittoConf)
	if err != nil {
		return err
	}
	return t.Execute(w, c)
}
