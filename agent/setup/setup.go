// Package setup says what must be known to put a post into service: the questions, in
// which order, what holds when nobody answers, the configuration that follows from the
// answers, how far somebody has come, and the report at the end.
//
// # Why
//
// A technician stands in the rain with a laptop, or is a script that sets up forty posts
// alike. So there is one table of questions, and it is everything at once: the pages of
// the wizard, the flags of the command, the keys of a file with answers, and the list of
// what is missing. None of them can know a question that the others do not.
//
// Nothing here touches a wire or a disk. What a key may be, the configuration says; the
// caller hands that in, so that no rule stands in two places.
package setup

import (
	"slices"
	"strconv"
	"strings"

	"stolpe/display"
)

// Words are a text in the two languages of technicians.
type Words struct{ NB, EN string }

// In gives the text in a language; in English where it is not Norwegian.
func (w Words) In(l display.Lang) string {
	if l == display.NB {
		return w.NB
	}
	return w.EN
}

// Kind is what an answer is.
type Kind uint8

// The kinds.
const (
	Text   Kind = iota // a line
	Number             // a whole number
	YesNo              // true or false
	Money              // of the currency, with two decimals, as in 5.49
	Sums               // whole amounts of the currency, as in 200, 350
)

// Question is one thing to be known.
type Question struct {
	Key    string // as in price.kwh; its flag is --price-kwh
	Step   Step
	Kind   Kind
	Config string // the key of the configuration that it answers, as its schema has it; empty for none
	EVSE   int    // which EVSE it is about, from 1; 0 for the post
	Ask    Words
	Help   Words    // what to look at; may be empty
	One    []string // the answers there are; empty for any

	Optional bool                 // may be left without an answer
	Must     func(Answers) bool   // when it may not, although it is optional; nil for never
	Quiet    bool                 // not asked unless somebody wants it; a flag and a key of the file all the same
	When     func(Answers) bool   // whether it is a question at all; nil for always
	Default  func(Answers) string // what holds without an answer; nil or "" for nothing
}

// Flag is its flag, without the hyphens before it.
func (q Question) Flag() string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '_' {
			return '-'
		}
		return r
	}, q.Key)
}

// Asked says whether it is a question, given the answers so far.
func (q Question) Asked(a Answers) bool { return q.When == nil || q.When(a) }

// Needs says whether it cannot be left without an answer.
func (q Question) Needs(a Answers) bool { return !q.Optional || q.Must != nil && q.Must(a) }

// Names says whether it is one that says which meter is meant.
func (q Question) Names() bool {
	return q.Step == Meter && slices.Contains([]string{"evses[].meter.url", "evses[].meter.model", "evses[].meter.unit"}, q.Config)
}

// Again are the steps that rest on it, and are done again with another answer.
func (q Question) Again() []Step {
	all := Steps()
	switch q.Key {
	case "simulated", "evses": // other questions follow from it
		return all
	case "by":
		return []Step{Report}
	case "pages":
		return []Step{Sticker, Report}
	}
	return append([]Step{q.Step}, all[slices.Index(all, Config):]...)
}

// Preset is what holds without an answer.
func (q Question) Preset(a Answers) string {
	if q.Default == nil {
		return ""
	}
	return q.Default(a)
}

// Answers are what is known, by the questions' keys. Those of kind YesNo are true or
// false.
type Answers map[string]string

// Yes says whether a question of kind YesNo was answered with yes.
func (a Answers) Yes(key string) bool { return a[key] == yes }

// EVSEs is how many EVSEs the post has.
func (a Answers) EVSEs() int {
	n, err := strconv.Atoi(a["evses"])
	if err != nil {
		return 1
	}
	return min(max(n, 1), MaxEVSEs)
}

// MaxEVSEs is the most EVSEs that are asked about. Chosen by us: a post with two sides.
const MaxEVSEs = 2

const (
	yes = "true"
	no  = "false"
)

// Filled adds what holds without an answer to answers, in the order of the questions.
// It changes nothing in a.
func (a Answers) Filled() Answers {
	full := Answers{}
	for k, v := range a {
		full[k] = v
	}
	for _, q := range Questions(a.EVSEs()) {
		if _, answered := full[q.Key]; answered || !q.Asked(full) {
			continue
		}
		if v := q.Preset(full); v != "" {
			full[q.Key] = v
		}
	}
	return full
}

// Missing lists the questions that need an answer and have none. What would follow from
// an answer that is missing is not listed.
func (a Answers) Missing() []Question {
	const unknown = "?"
	full := Answers{}
	for k, v := range a {
		full[k] = v
	}
	var all []Question
	for _, q := range Questions(a.EVSEs()) {
		if full[q.Key] != "" || !q.Asked(full) {
			continue
		}
		if full[q.Key] = q.Preset(full); full[q.Key] == "" && q.Needs(full) {
			all = append(all, q)
			full[q.Key] = unknown
		}
	}
	return all
}

// Open lists what is to be asked of a person in a step: what has no answer yet.
func (a Answers) Open(s Step) []Question {
	var all []Question
	for _, q := range Questions(a.EVSEs()) {
		if _, answered := a[q.Key]; q.Step == s && !answered && !q.Quiet {
			all = append(all, q)
		}
	}
	return all
}

// Useless lists what was answered and is no question as things stand: an answer that is
// read and ignored would be a lie.
func (a Answers) Useless() []Question {
	full := a.Filled()
	var all []Question
	for _, q := range Questions(MaxEVSEs) {
		if _, answered := a[q.Key]; answered && (!q.Asked(full) || q.EVSE > a.EVSEs()) {
			all = append(all, q)
		}
	}
	return all
}
