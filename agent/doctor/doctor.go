// Package doctor says what is wrong with a post, and what to do about it: out of facts
// that somebody has gathered it makes findings, in an order that puts causes before what
// follows from them, and the answer to why nobody can charge.
//
// # Why
//
// Whoever stands before a dark post at night wants one answer first, and not forty. So
// the order of the checks is the order in which to repair: a clock that is wrong makes
// the payment service's certificate look wrong, and a broker that is away makes the
// gateway silent. What cannot be judged because something before it is ill is passed
// over, and not told as one fault more.
//
// Every finding that is not well names the next thing to do, with hands or as a command:
// a test goes through all of them. The words stand here in Norwegian and in English side
// by side, because whoever changes one must see the other.
//
// Nothing here looks at anything. The facts come as data, from the daemon over its socket
// and from files of the machine, so the same judgement holds on a post, in a support
// bundle and in a test with a planted fault.
package doctor

import (
	"fmt"
	"slices"
	"strings"

	"stolpe/display"
)

// Status is how something that was looked at is.
type Status string

// The statuses.
const (
	Pass Status = "PASS"
	Warn Status = "WARN" // works, and somebody should look at it
	Fail Status = "FAIL"
	Skip Status = "SKIP" // cannot be judged here, or need not be
)

// Group is a heading of the list.
type Group string

// The groups, in their order.
const (
	Program  Group = "program"
	Power    Group = "power"
	Hardware Group = "hardware"
	Money    Group = "money"
	Network  Group = "network"
	Storage  Group = "storage"
	Setup    Group = "setup"
)

// Title is the heading.
func (g Group) Title(l display.Lang) string {
	t := map[Group]Text{
		Program:  {"Programmet", "Program"},
		Power:    {"Strøm og klokke", "Power and clock"},
		Hardware: {"Maskinvare", "Hardware"},
		Money:    {"Penger", "Money"},
		Network:  {"Nett", "Network"},
		Storage:  {"Lagring", "Storage"},
		Setup:    {"Oppsett", "Setup"},
	}[g]
	return t.In(l)
}

// Text is a sentence in the languages of technicians.
type Text struct {
	NB string `json:"nb"`
	EN string `json:"en"`
}

// In is the sentence in a language: Norwegian where that was asked for, else English.
func (t Text) In(l display.Lang) string {
	if l == display.NB {
		return t.NB
	}
	return t.EN
}

// say makes a sentence out of two formats with the same arguments.
func say(nb, en string, a ...any) Text {
	return Text{fmt.Sprintf(nb, a...), fmt.Sprintf(en, a...)}
}

// then adds a sentence.
func (t Text) then(more Text) Text {
	if more == (Text{}) {
		return t
	}
	return Text{t.NB + "; " + more.NB, t.EN + "; " + more.EN}
}

// Finding is what came of one check.
type Finding struct {
	ID     string // of the check, such as meter.1; what can be asked for alone
	Group  Group
	Status Status
	What   Text
	Remedy Text   // what to do next; zero where nothing is to be done
	Topic  string // of stolpe help that explains it; may be empty
}

// check is one thing that is looked at.
type check struct {
	name  string // ids begin with it
	group Group
	judge func(*Facts, func(Finding))
}

// checks are all of them, causes first.
func checks() []check {
	return []check{
		{"mounts", Storage, away},
		{"daemon", Program, daemonRuns},
		{"missing", Program, lacking},
		{"clock", Power, clock},
		{"rtc", Power, rtc},
		{"undervoltage", Power, undervoltage},
		{"watchdog", Hardware, watchdog},
		{"gpio.strict", Hardware, strict},
		{"gpio.boot", Hardware, bootLevels},
		{"serial", Hardware, serial},
		{"safety", Hardware, eachEVSE(safety)},
		{"meter", Hardware, eachEVSE(meter)},
		{"meter.mid", Hardware, eachEVSE(mid)},
		{"contactor", Hardware, eachEVSE(contactor)},
		{"display", Hardware, displays},
		{"disk", Storage, disk},
		{"state", Storage, state},
		{"root", Storage, system},
		{"swap", Storage, swap},
		{"logs", Storage, logs},
		{"flash", Storage, flash},
		{"journal", Storage, eachEVSE(journal)},
		{"ledger", Storage, ledger},
		{"payment", Money, token},
		{"salesunit", Money, salesUnit},
		{"webhook", Money, webhook},
		{"settlement", Money, eachEVSE(settlement)},
		{"mqtt", Network, broker},
		{"gateway", Network, gateway},
		{"service", Setup, eachEVSE(inService)},
		{"version", Setup, versions},
		{"config", Setup, configuration},
		{"seal", Setup, seal},
	}
}

// Names are the checks that can be asked for.
func Names() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

// asked says whether somebody who asked for that name wants the finding.
func asked(name, id string) bool { return id == name || strings.HasPrefix(id, name+".") }

// Judge looks at everything, or at the checks that are named; a name stands for all whose
// id begins with it. It says no with the first name that fits no check.
func Judge(f Facts, names ...string) (all []Finding, unknown string) {
	for _, c := range checks() {
		c.judge(&f, func(x Finding) {
			if x.Group == "" {
				x.Group = c.group
			}
			if x.ID == "" {
				x.ID = c.name
			}
			all = append(all, x)
		})
	}
	for _, n := range names {
		if !slices.ContainsFunc(all, func(x Finding) bool { return asked(n, x.ID) }) && !slices.Contains(Names(), n) {
			return nil, n
		}
	}
	if len(names) > 0 {
		all = slices.DeleteFunc(all, func(x Finding) bool {
			return !slices.ContainsFunc(names, func(n string) bool { return asked(n, x.ID) })
		})
	}
	return all, ""
}

// First is the finding to begin with: the first that failed, else the first warning. It
// says no when all is well.
func First(all []Finding) (Finding, bool) {
	for _, s := range []Status{Fail, Warn} {
		if i := slices.IndexFunc(all, func(x Finding) bool { return x.Status == s }); i >= 0 {
			return all[i], true
		}
	}
	return Finding{}, false
}

// eachEVSE makes a check of the post out of one of an EVSE.
//
// Without a daemon only meters are seen: the other judges say nothing then.
func eachEVSE(judge func(*Facts, *EVSE) Finding) func(*Facts, func(Finding)) {
	return func(f *Facts, tell func(Finding)) {
		all := f.Bare
		if f.Daemon != nil {
			all = f.Daemon.EVSEs
		}
		for i := range all {
			e := &all[i]
			if x := judge(f, e); x.Status != "" {
				x.ID = fmt.Sprintf("%s.%d", x.ID, e.ID)
				tell(x)
			}
		}
	}
}

// join puts texts together as they are.
func (t Text) join(more ...Text) Text {
	for _, m := range more {
		t.NB += m.NB
		t.EN += m.EN
	}
	return t
}

// trim takes blanks off the ends.
func (t Text) trim() Text { return Text{strings.TrimSpace(t.NB), strings.TrimSpace(t.EN)} }
