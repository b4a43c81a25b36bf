package config

import (
	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
)

// Control says where people at the post reach the program, and who may do what there.
type Control struct {
	Dir   string // absolute path of the folder of the sockets
	Group string // whose members work at the post; empty for none but root

	Admins []string // login names of members who are admins
}

func controlKeys() strict.Key {
	return strict.Key{Name: "control", Kind: strict.Section, Doc: "The door for people at the post: two sockets, for looking and for working.", Keys: []strict.Key{
		{Name: "dir", Kind: strict.Text, Def: "/run/stolpe", Env: "STOLPE_CONTROL_DIR", Want: "an absolute path of at most 80 characters", Legal: func(s string) bool { return legal.Absolute(s) && len(s) <= 80 },
			Doc: "Folder of the sockets. The commands that talk to the daemon look there, too; they know only the environment variable and the default."},
		{Name: "group", Kind: strict.Text, Def: "stolpe-admin", Want: "the name of a group, at most 32 characters", Legal: func(s string) bool { return len(s) <= 32 && legal.Only(s, "-_") },
			Doc: "Group whose members are technicians. If the machine has none of that name, only root and the daemon's user work at the post."},
		{Name: "admins", Kind: strict.Texts, Unset: "none but root and the daemon's user", Min: 1, Max: 16, Want: "a login name, at most 32 characters", Legal: func(s string) bool { return s != "" && len(s) <= 32 && legal.Only(s, "._-") },
			Doc: "Members of the group who are admins: they also change the configuration, secrets and prices."},
	}}
}
