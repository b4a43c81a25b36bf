package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/session"
	"stolpe/hal"
)

// finding is what was looked at, and how it is.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text,omitempty"`
}

// selftest looks at everything that can be looked at from inside. It closes nothing:
// whether a contactor closes, the next driver finds out, or a technician who stands there.
func (d *deeds) selftest(_ context.Context, c commands.Command) (commands.Answer, error) {
	if err := errors.Join(whole(c), c.Read(&struct{}{})); err != nil {
		return commands.Answer{}, err
	}
	var all []finding
	look := func(what, wrong string) { all = append(all, finding{what, wrong == "", wrong}) }
	for _, v := range d.units {
		d.lookAt(v, look)
	}
	look("state folder", wrongOf(writable(d.dir)))
	_, err := config.Plan(d.file, nil)
	look("configuration file", wrongOf(err))
	clock := ""
	if w := d.now().Wall; w.Clock != hal.ClockSynced {
		clock = "the clock is " + w.Clock.String()
	}
	look("clock", clock)
	book := "there is none"
	if d.ledger != nil {
		book = d.ledger()
	}
	look("ledger", book)
	var ill []string
	for _, f := range all {
		if !f.OK {
			ill = append(ill, f.What)
		}
	}
	text := fmt.Sprintf("all %d are well", len(all))
	if len(ill) > 0 {
		text = fmt.Sprintf("%d of %d are not well: %s", len(ill), len(all), strings.Join(ill, ", "))
	}
	return commands.Answer{Text: text, Data: map[string]any{"looked_at": all}}, nil
}

// lookAt looks at one EVSE.
func (d *deeds) lookAt(v unit, look func(what, wrong string)) {
	s, now, _ := v.Snapshot()
	name := fmt.Sprintf("EVSE %d: ", v.Rules().EVSE)
	look(name+"faults", s.Faults().String())
	meter := ""
	if r, _ := s.Believed(); r.At == 0 {
		meter = "it has not spoken"
	} else if age := now.Mono - r.At; age > session.MeterWithin {
		meter = fmt.Sprintf("it has last spoken %v ago", age.Round(time.Second))
	}
	look(name+"meter", meter)
	want, sensed := v.Rules().Want(&s, now).Contactor, ""
	if !s.SensedAs(want, now.Mono) {
		sensed = fmt.Sprintf("it is wanted %v, and not sensed so", want)
	}
	look(name+"contactor", sensed)
	debts := ""
	for i := range s.Debts {
		if why := s.Debts[i].Trouble.String(); why != "" {
			debts = fmt.Sprintf("%s: %s", v.Rules().Ref(s.Debts[i].Number), why)
		}
	}
	look(name+"settlements", debts)
}

func wrongOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// writable says whether something new survives a power cut in a folder.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".selftest-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("selftest\n")
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}
