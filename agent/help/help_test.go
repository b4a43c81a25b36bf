package help

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/display"
)

// Every topic is there in both languages, complete, and fits on a terminal.
func TestTopics(t *testing.T) {
	for _, topic := range Topics() {
		for _, l := range []display.Lang{display.NB, display.EN} {
			text := Text(topic, l)
			if Title(topic, l) == "" || strings.Count(text, "\n") < 15 || !strings.HasSuffix(text, "\n") || strings.Contains(text, "@") {
				t.Errorf("%s %v: %q is no topic: %s", topic, l, Title(topic, l), text)
			}
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(line); n > width+3 || strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
					t.Errorf("%s %v: %d characters, or blanks at the end: %s", topic, l, n, line)
				}
			}
		}
		if Text(topic, display.NB) == Text(topic, display.EN) {
			t.Errorf("%s is the same in both languages", topic)
		}
	}
	if Known("wires") || Text("wires", display.EN) != "" {
		t.Error("a topic that is none")
	}
}

// The doctor names no topic that is not there.
func TestTheDoctorsTopicsExist(t *testing.T) {
	for _, topic := range doctor.Topics() {
		if !Known(topic) {
			t.Errorf("no topic %q", topic)
		}
	}
}

// Languages do not mix: English has no Norwegian letters, and the two have as many
// sections and name the same commands.
func TestBothLanguagesSayTheSame(t *testing.T) {
	command := regexp.MustCompile(`stolpe [a-z]+`)
	for _, topic := range Topics() {
		nb, en := raw(topic, display.NB), raw(topic, display.EN)
		if i := strings.IndexAny(en, "æøåÆØÅ"); i >= 0 {
			t.Errorf("%s: Norwegian in English: %s", topic, en[i:])
		}
		if a, b := strings.Count(nb, "\n\n"), strings.Count(en, "\n\n"); a != b {
			t.Errorf("%s: %d sections in Norwegian, %d in English", topic, a, b)
		}
		if a, b := command.FindAllString(nb, -1), command.FindAllString(en, -1); !slices.Equal(a, b) {
			t.Errorf("%s: Norwegian names %v, English %v", topic, a, b)
		}
	}
}

// The tables tell what the README tells of every fault and phase, in the same words.
func TestTablesAreTheReadmes(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	session.EachFault(func(f session.Faults) {
		yes := map[bool]string{true: "yes", false: "no"}[f.Opens()]
		if row := fmt.Sprintf("\n| %s | %v | %s | %s |\n", f.Code(), f, yes, LiftedBy(f, display.EN)); !strings.Contains(readme, row) {
			t.Errorf("README.md has no row %s", strings.TrimSpace(row))
		}
		for _, l := range []display.Lang{display.NB, display.EN} {
			if n := strings.Count(Text("faults", l), "\n  "+f.Code()+"  "); n != 1 {
				t.Errorf("%s is told of %d times in %v", f.Code(), n, l)
			}
		}
		if person := strings.Contains(LiftedBy(f, display.EN), "technician"); f.Latches() && !person && f != session.Leaving {
			t.Errorf("%s stays until a person lifts it, and help says %q", f.Code(), LiftedBy(f, display.EN))
		}
	})
	for _, code := range doctor.DisplayCodes() {
		what, _ := doctor.Told(code)
		if row := "\n| " + code + " | " + what.EN + " |"; !strings.Contains(readme, row) {
			t.Errorf("README.md has no row %s", strings.TrimSpace(row))
		}
		for _, topic := range []string{"faults", "displays"} {
			if !strings.Contains(Text(topic, display.NB), "\n  "+code+"  ") || !strings.Contains(Text(topic, display.EN), "\n  "+code+"  ") {
				t.Errorf("%s is not told of in %s", code, topic)
			}
		}
	}
	for p := range session.Phases {
		name := session.Phase(p).String()
		x := phaseOf(name)
		if row := fmt.Sprintf("\n| %s | %s | %s | %s |\n", name, x.means.en, x.contactor.en, x.ends.en); !strings.Contains(readme, row) {
			t.Errorf("README.md has no row %s", strings.TrimSpace(row))
		}
		if !strings.Contains(Text("states", display.NB), "\n  "+name+" ") {
			t.Errorf("phase %s is not told of", name)
		}
	}
}
