package config

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
)

// Commands says who may command the post over the broker, and what. Zero means that
// nobody may, and that nothing is listened to.
type Commands struct {
	Keys  []CommandKey // names and keys differ
	Allow []string     // names of commands, none twice
}

// CommandKey is one that signs commands.
type CommandKey struct {
	Name   string // as its commands have it
	Role   string
	Public string // as stolpe fleet keygen prints it
}

// What package command knows; a test of the program keeps these equal.
const (
	commandRoles = "reader support operator admin"
	commandNames = "identify stop out_of_service in_service restart selftest price.set message.set config.get config.set settle.retry replay"
)

// Chosen by us: a duty, a field crew, a back office and a spare for each.
const (
	maxKeys    = 16
	maxKeyName = 32 // characters
)

func commandKeys() strict.Key {
	roles, names := strings.Fields(commandRoles), strings.Fields(commandNames)
	return strict.Key{Name: "commands", Kind: strict.Section, Unset: "none", Doc: "Who may command the post over the broker, and what. Left out, nobody may. No command closes a contactor.", Keys: []strict.Key{
		{Name: "keys", Kind: strict.List, Need: true, Min: 1, Max: maxKeys, Doc: "Keys that sign commands, as `stolpe fleet keygen` makes them. No two have the same name.", Keys: []strict.Key{
			{Name: "name", Kind: strict.Text, Need: true, Want: fmt.Sprintf("letters, digits and . _ - @, at most %d characters", maxKeyName), Legal: func(s string) bool { return len(s) <= maxKeyName && legal.Only(s, "._-@") },
				Doc: "What the key is called; every command that it signs says so."},
			{Name: "role", Kind: strict.Text, Need: true, Want: "reader, support, operator or admin", Legal: legal.OneOf(roles...),
				Doc: "What it is good for. reader: config.get, replay. support: also identify, stop, message.set. operator: also out_of_service, in_service, restart, selftest, settle.retry, price.set. admin: also config.set, and what is forced."},
			{Name: "public", Kind: strict.Text, Need: true, Want: "43 characters, as stolpe fleet keygen prints them", Legal: publicKey, Quiet: true,
				Doc: "Its public half."},
		}},
		{Name: "allow", Kind: strict.Texts, Need: true, Min: 1, Max: int64(len(names)), Want: "one of " + strings.Join(names, ", "), Legal: legal.OneOf(names...),
			Doc: "The commands that are done at all, whoever gives them."},
	}}
}

// publicKey says whether s can be an Ed25519 key, written the one way it is written.
func publicKey(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32 && base64.RawURLEncoding.EncodeToString(b) == s
}

// checkCommands compares the keys with each other, and wants a way for commands to come.
func (r *reader) checkCommands(f *file) {
	c := f.Commands
	if len(c.Allow) > 0 && f.MQTT.URL == "" && r.Fine("mqtt", "mqtt.url") {
		r.Fail("commands", "a section", "it left out, as there is no mqtt: commands come over a broker")
	}
	for i, k := range c.Keys {
		for j, o := range c.Keys[:i] {
			at, other := fmt.Sprintf("commands.keys[%d]", i), fmt.Sprintf("commands.keys[%d]", j)
			if r.Fine(at+".name", other+".name") && k.Name == o.Name {
				r.Fail(at+".name", strict.Quote(k.Name)+" again", "another name than that of "+other)
			}
			if r.Fine(at+".public", other+".public") && k.Public == o.Public {
				r.Fail(at+".public", "the same key", "another key than that of "+other+": each has one name and one role")
			}
		}
	}
	for i, name := range c.Allow {
		if at := fmt.Sprintf("commands.allow[%d]", i); r.Fine(at) && slices.Contains(c.Allow[:i], name) {
			r.Fail(at, strict.Quote(name)+" again", "each command once")
		}
	}
}
