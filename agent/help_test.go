package main

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stolpe/agent/help"
	"stolpe/display"
)

// grown is the whole program, as it is when it runs.
func grown() *cobra.Command {
	root := rootCommand(new(surface), io.Discard, io.Discard)
	speak(root, nil)
	return root
}

// eachCommand goes through all commands that people see, the program itself first.
func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		if inHelp(sub) {
			eachCommand(sub, do)
		}
	}
}

// Every command says in Norwegian what it does, and at length where it does so in English
// in more than a few lines. What the table tells of is there.
func TestEveryCommandSpeaksNorwegian(t *testing.T) {
	root, n := grown(), 0
	eachCommand(root, func(c *cobra.Command) {
		n++
		short, _ := help.Command(pathOf(c))
		if short == "" || short == c.Short || strings.ContainsAny(short, "\n#") {
			t.Errorf("%s: %q in Norwegian, and %q in English; add it to agent/help/nb/commands.txt", c.CommandPath(), short, c.Short)
		}
		var nb, en bytes.Buffer
		speakOf(&nb, c, display.NB)
		speakOf(&en, c, display.EN)
		if !strings.Contains(nb.String(), "Bruk:\n  "+c.CommandPath()) || !strings.Contains(en.String(), "Usage:\n  "+c.CommandPath()) || strings.Contains(nb.String(), "Usage:") {
			t.Errorf("%s: %s", c.CommandPath(), nb.String())
		}
		for line := range strings.Lines(longOf(c, display.NB)) {
			if utf8.RuneCountInString(line) > 112 { // as the English is
				t.Errorf("%s: too long: %s", c.CommandPath(), line)
			}
		}
	})
	for _, path := range help.Commands() {
		if _, err := commandOf(root, strings.Fields(path)); err != nil {
			t.Errorf("agent/help/nb/commands.txt has %q: %v", path, err)
		}
	}
	if n != len(help.Commands())+1 {
		t.Errorf("%d commands, %d in Norwegian", n, len(help.Commands())+1)
	}
}

// What topics tell people to type is there.
func TestTopicsNameCommandsThatExist(t *testing.T) {
	root, n := grown(), 0
	typed := regexp.MustCompile(`stolpe((?: [a-z][a-z-]*| --[a-z-]+)+)`)
	for _, topic := range help.Topics() {
		for _, m := range typed.FindAllStringSubmatch(help.Text(topic, display.EN)+help.Text(topic, display.NB), -1) {
			n++
			c, rest, err := root.Find(strings.Fields(m[1]))
			if err != nil || c == root || c.HasSubCommands() && !c.Runnable() {
				t.Errorf("%s: stolpe%s: no such command", topic, m[1])
				continue
			}
			for _, word := range rest {
				if name, is := strings.CutPrefix(word, "--"); is && c.Flags().Lookup(name) == nil && name != "as" {
					t.Errorf("%s: %s has no flag --%s", topic, c.CommandPath(), name)
				}
				if c.Name() == "help" && !help.Known(word) {
					t.Errorf("%s: no topic %q", topic, word)
				}
				if c.Name() == "doctor" && !strings.HasPrefix(word, "-") && !slices.Contains(checkNames(), word) && word != "gpio" {
					t.Errorf("%s: no check %q", topic, word)
				}
			}
		}
	}
	if n < 50 {
		t.Errorf("found only %d", n)
	}
}

// Help in a language is asked for as people ask: before or behind, by flag or by the
// environment, of the program or of a command.
func TestHelpInALanguage(t *testing.T) {
	for args, want := range map[string]string{
		"--lang nb":                    "Kommandoer:",
		"--help --lang nb":             "Emner (stolpe help EMNE):",
		"contactor test --lang nb -h":  "Lukker kontaktoren til en EVSE i to sekunder",
		"--lang nb contactor":          "åpne kontaktorer straks",
		"help faults --lang nb":        "åpner; heves av en tekniker",
		"help --lang nb price set":     "Setter hva en kWh koster",
		"help price set":               "Sets what a kWh costs",
		"help states":                  "ends by: stop, unplugged",
		"help doctor --lang nb --json": `"command":"stolpe doctor","lang":"nb"`,
		"help wiring --json":           `"topic":"wiring","lang":"en","text":"Wiring`,
	} {
		if got := command(strings.Fields(args)...); got.code != exitDone || !strings.Contains(strings.ReplaceAll(got.stdout, `": "`, `":"`), want) {
			t.Errorf("stolpe %s: %d\n%s%s", args, got.code, got.stdout, got.stderr)
		}
	}
	for args, want := range map[string]string{
		"help wirin":       "did you mean wiring?",
		"help contactr":    "did you mean contactor?",
		"help price sett":  "did you mean set?",
		"help photography": `"photography"; stolpe help lists them`,
	} {
		if got := command(strings.Fields(args)...); got.code != exitNotFound || !strings.Contains(got.stderr, want) {
			t.Errorf("stolpe %s: %d\n%s%s", args, got.code, got.stdout, got.stderr)
		}
	}
}

// Every flag says in Norwegian what it does.
func TestEveryFlagSpeaksNorwegian(t *testing.T) {
	missing := map[string]string{}
	eachCommand(grown(), func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !f.Hidden && norwegianOf(f.Usage) == "" {
				missing[f.Usage] = c.CommandPath()
			}
		})
	})
	for usage, path := range missing {
		t.Errorf("%s: add to agent/help/nb/flags.txt: %s", path, usage)
	}
}
