// Package help is what a technician reads at a post that has no network: topics, in
// Norwegian and in English, and what commands and their flags do, in Norwegian.
//
// # Why
//
// The topics are text files, one for each language, so that they are read and changed as
// what they are. What the program knows better than any text stands in none of them: the
// table of faults comes from the session's own, with the words of the doctor, and that of
// phases goes through all there are.
//
// A command says in English what it does, beside its code. The Norwegian stands here by the
// command's path, and a test goes through the tree and demands it.
package help

import (
	"embed"
	"regexp"
	"slices"
	"strings"

	"stolpe/agent/session"
	"stolpe/display"
)

//go:embed nb en
var files embed.FS

// Topics are the names of all topics, in the order in which one needs them.
func Topics() []string {
	return []string{"wiring", "modbus", "displays", "raspberry-pi", "states", "faults", "recovery", "failsafe"}
}

// Known says whether there is a topic of that name.
func Known(topic string) bool { return slices.Contains(Topics(), topic) }

// Title is what a topic is about, in one line.
func Title(topic string, l display.Lang) string {
	title, _, _ := strings.Cut(raw(topic, l), "\n")
	_, about, _ := strings.Cut(title, ": ")
	return about
}

// Text is a topic, with a newline at its end; empty if there is none of that name.
func Text(topic string, l display.Lang) string {
	return strings.NewReplacer("@phases\n", phases(l), "@faults\n", faults(l), "@displays\n", displays(l)).Replace(raw(topic, l))
}

// raw is a topic as its file has it.
func raw(topic string, l display.Lang) string {
	folder := "en"
	if l == display.NB {
		folder = "nb"
	}
	if !Known(topic) {
		return ""
	}
	text, err := files.ReadFile(folder + "/" + topic + ".txt")
	if err != nil {
		return ""
	}
	return string(text)
}

// width is how wide texts are, in characters. Chosen by us: what a terminal of a laptop
// shows without breaking lines.
const width = 90

// wrapped is a text in lines of that width, each with so much before it. What is to be
// typed stays on one line.
func wrapped(first, indent, text string) string {
	var b strings.Builder
	line := first
	typed := regexp.MustCompile(`stolpe( [a-z-]+){1,2}( --[a-z-]+( [0-9]+)?)*`)
	whole := typed.ReplaceAllStringFunc(text, func(s string) string { return strings.ReplaceAll(s, " ", "\x00") })
	for i, word := range strings.Fields(whole) {
		if i > 0 && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line = indent + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	return strings.ReplaceAll(b.String()+line+"\n", "\x00", " ")
}

// phases tells what each phase means.
func phases(l display.Lang) string {
	var all []string
	for p := range session.Phases {
		name := session.Phase(p).String()
		t := phaseOf(name)
		const indent = "             "
		pad := name + strings.Repeat(" ", max(1, len(indent)-2-len(name)))
		all = append(all, wrapped("  "+pad, indent, t.means.in(l))+
			wrapped(indent, indent, words{"kontaktoren: ", "contactor: "}.in(l)+t.contactor.in(l))+
			wrapped(indent, indent, words{"slutter med: ", "ends by: "}.in(l)+t.ends.in(l)))
	}
	return strings.Join(all, "\n")
}
