package main

import (
	"context"
	"io"

	"stolpe/agent/doctor"
	"stolpe/agent/support"
	"stolpe/display"
)

// addDoctor puts in what doctor and why say. They look at the machine as well, so whoever
// makes the bundle asks them, and not the daemon.
func (c *collected) addDoctor(ctx context.Context, file string, named bool) {
	f := gathered(ctx, daemonOf(), thisComputer(ctx, machineTime()), file, named, io.Discard)
	k := checkup{lang: display.EN}
	all, _ := doctor.Judge(f)
	found := []saidFinding{}
	for _, x := range all {
		found = append(found, k.sayFinding(x))
	}
	for _, one := range []struct {
		name, about string
		object      any
	}{
		{"doctor.json", "what stolpe doctor found, in the order in which to repair", found},
		{"why.json", "what keeps the next driver from charging, the first first", k.sayWhy(f, doctor.Why(f), 0)},
	} {
		p, err := piece(one.name, one.about, one.object)
		if err != nil {
			c.Lacks(one.name, err.Error())
			continue
		}
		c.Add(support.Piece{Name: p.Name, About: p.About, Body: []byte(c.veil.Text(string(p.Body)))})
	}
}
