package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/doctor"
)

func whyCommand() *cobra.Command {
	var k checkup
	var evse int
	c := &cobra.Command{
		Use:   "why",
		Short: "say why nobody can charge: everything in the way, from safety to money, the first first",
		Long: `Names everything that keeps the post from charging the next driver, in the order in which to put it right,
and for each the next thing to do. What a driver is about at the moment is told as well, and is no fault.
Ends with 0 if the next driver can charge, and with 11 if not.`,
		Example: `  stolpe why
  stolpe why --evse 2 --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k.lang, k.paint = langOf(c), paintOf(c, c.OutOrStdout())
			f := k.gather(c)
			if err := knows(f, evse); err != nil {
				return err
			}
			all := slices.DeleteFunc(doctor.Why(f), func(b doctor.Blocker) bool { return evse != 0 && b.EVSE != 0 && b.EVSE != evse })
			if err := k.answer(c.OutOrStdout(), f, all, evse); err != nil {
				return failed(err)
			}
			if !doctor.CanCharge(all, evse) {
				return coded{errIll{fmt.Sprintf(pick(k.lang, "begynn med %s", "begin with %s"), all[0].ID)}, exitDiffers}
			}
			return nil
		},
	}
	c.Flags().StringVar(&k.file, "config", defaultConfig, "configuration `file`, where no daemon says which one it runs")
	c.Flags().IntVar(&evse, "evse", 0, "`id` of one EVSE; all without")
	c.Flags().BoolVar(&k.json, "json", false, "print one JSON object")
	return c
}

// knows refuses an EVSE that the post does not have.
func knows(f doctor.Facts, evse int) error {
	if evse == 0 || f.Daemon == nil {
		return nil
	}
	var ids []string
	for _, e := range f.Daemon.EVSEs {
		if e.ID == evse {
			return nil
		}
		ids = append(ids, fmt.Sprint(e.ID))
	}
	return coded{fmt.Errorf("the post has no EVSE %d; there is %s", evse, strings.Join(ids, ", ")), exitNotFound}
}

// saidWhy is the answer as JSON has it.
type saidWhy struct {
	CanCharge bool          `json:"can_charge"`
	Post      string        `json:"post,omitempty"`
	Blockers  []saidBlocker `json:"blockers"`
	Driver    []saidBlocker `json:"driver"`
	Also      []saidFinding `json:"also"` // what does not keep anybody from charging, and is not well
}

type saidBlocker struct {
	EVSE   int    `json:"evse,omitempty"` // left out for all
	Layer  string `json:"layer"`
	ID     string `json:"id"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
	Topic  string `json:"topic,omitempty"`
}

// answer prints what is in the way.
func (k *checkup) answer(w io.Writer, f doctor.Facts, all []doctor.Blocker, evse int) error {
	if k.json {
		return json.NewEncoder(w).Encode(k.sayWhy(f, all, evse))
	}
	var b strings.Builder
	var at []doctor.Blocker
	n := 0
	for _, x := range all {
		if x.Layer == doctor.Driver {
			at = append(at, x)
			continue
		}
		if n++; n == 1 {
			fmt.Fprintln(&b, k.paint.bad(pick(k.lang, "Neste sjåfør kan ikke lade:", "The next driver cannot charge:")))
		}
		fmt.Fprintf(&b, "  %d. %s%s\n", n, evseName(x.EVSE), x.What.In(k.lang))
		k.remedy(&b, x)
	}
	if n == 0 {
		fmt.Fprintln(&b, k.paint.good(pick(k.lang, "Ingenting hindrer neste sjåfør i å lade.", "Nothing keeps the next driver from charging.")))
	}
	for _, x := range at {
		fmt.Fprintf(&b, "  %s%s\n", evseName(x.EVSE), x.What.In(k.lang))
		k.remedy(&b, x)
	}
	if more := also(f, all); n == 0 && len(more) > 0 {
		fmt.Fprintln(&b, pick(k.lang, "Dette bør likevel rettes:", "This should be put right all the same:"))
		for _, x := range more {
			k.line(&b, x)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func evseName(evse int) string {
	if evse == 0 {
		return ""
	}
	return fmt.Sprintf("EVSE %d: ", evse)
}

func (k *checkup) remedy(b *strings.Builder, x doctor.Blocker) {
	if said := x.Remedy.In(k.lang); said != "" {
		fmt.Fprintf(b, "     -> %s\n", said)
	}
}

// also is what doctor finds that keeps nobody from charging, failures first.
func also(f doctor.Facts, all []doctor.Blocker) []doctor.Finding {
	found, _ := doctor.Judge(f)
	var more []doctor.Finding
	for _, s := range []doctor.Status{doctor.Fail, doctor.Warn} {
		for _, x := range found {
			if x.Status == s && !slices.ContainsFunc(all, func(b doctor.Blocker) bool { return b.What == x.What }) {
				more = append(more, x)
			}
		}
	}
	return more
}

func (k *checkup) sayWhy(f doctor.Facts, all []doctor.Blocker, evse int) saidWhy {
	s := saidWhy{CanCharge: doctor.CanCharge(all, evse), Blockers: []saidBlocker{}, Driver: []saidBlocker{}, Also: []saidFinding{}}
	if f.Daemon != nil {
		s.Post = f.Daemon.Post
	}
	for _, x := range all {
		b := saidBlocker{x.EVSE, string(x.Layer), x.ID, x.What.In(k.lang), x.Remedy.In(k.lang), x.Topic}
		if x.Layer == doctor.Driver {
			s.Driver = append(s.Driver, b)
		} else {
			s.Blockers = append(s.Blockers, b)
		}
	}
	for _, x := range also(f, all) {
		s.Also = append(s.Also, k.sayFinding(x))
	}
	return s
}

func (k *checkup) sayFinding(x doctor.Finding) saidFinding {
	return saidFinding{x.ID, string(x.Group), string(x.Status), x.What.In(k.lang), x.Remedy.In(k.lang), x.Topic}
}
