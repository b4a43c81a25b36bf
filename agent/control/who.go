package control

import (
	"os"
	"os/user"
	"slices"
	"strconv"
)

// people knows who is what. The machine's own files are asked each time: they are small,
// and whoever has left a group has left.
type people struct {
	own    int      // uid of the daemon
	group  string   // whose members work here
	gid    int      // its number; -1 for no such group
	admins []string // login names of members who are admins
}

func peopleOf(o Options) people {
	return people{own: os.Geteuid(), group: o.Group, gid: gidOf(o.Group), admins: o.Admins}
}

// callerOf is whoever has a uid, with a primary group as the kernel tells it.
func (p people) callerOf(uid, gid int) Caller {
	c := Caller{UID: uid, Role: Viewer}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err == nil {
		c.Name = u.Username
	}
	switch {
	case uid == 0 || uid == p.own:
		c.Role = Admin
	case p.gid < 0 || gid != p.gid && (err != nil || !memberOf(u, p.gid)):
	case c.Name != "" && slices.Contains(p.admins, c.Name):
		c.Role = Admin
	default:
		c.Role = Technician
	}
	return c
}

func memberOf(u *user.User, gid int) bool {
	all, err := u.GroupIds() // primary and supplementary
	return err == nil && slices.Contains(all, strconv.Itoa(gid))
}
