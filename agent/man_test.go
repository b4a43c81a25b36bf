package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stolpe/agent/help"
	"stolpe/display"
)

// docsFolder is where `go run ./cross man` wants the pages, and what shells need.
var docsFolder = flag.String("docs", "", "folder to write the manual pages and completions to")

// exitWords are the exit codes, as the pages tell them.
var exitWords = []struct {
	code   int
	nb, en string
}{
	{exitDone, "gjort", "done"},
	{exitFailed, "feilet", "failed"},
	{exitUsage, "feil bruk", "wrong usage"},
	{exitTimeout, "ikke ferdig i tide", "not done in time"},
	{exitNotPermitted, "ikke lov", "not permitted"},
	{exitNoDaemon, "programmet går ikke", "no daemon"},
	{exitConfig, "konfigurasjonen er ugyldig", "configuration invalid"},
	{exitDevice, "en måler, en linje eller en post svarte ikke", "a meter, a line or a post did not answer"},
	{exitRemote, "betalingstjenesten gjorde ikke som den ble bedt om", "the payment service did not do as it was asked"},
	{exitRefused, "ikke bekreftet, eller ikke tillatt slik det står til", "not confirmed, or not allowed as things stand"},
	{exitNotFound, "finnes ikke", "not found"},
	{exitDiffers, "noe stemmer ikke, eller en sjekk fant en feil", "something differs, or a check found a fault"},
	{exitPartly, "noe av det er gjort", "some of several are done"},
	{exitStopped, "avbrutt", "interrupted"},
}

// TestManPages makes the pages of all commands, and writes them where it is told to.
func TestManPages(t *testing.T) {
	root, names := grown(), map[string]bool{}
	eachCommand(root, func(c *cobra.Command) { names[pageName(c)] = true })
	for _, lang := range []display.Lang{display.EN, display.NB} {
		folder := filepath.Join("man", pick(lang, "nb", ""), "man1")
		eachCommand(root, func(c *cobra.Command) {
			page := manPage(c, lang)
			checkPage(t, c, page, lang, names)
			if page != manPage(childAt(grown(), c), lang) {
				t.Errorf("%s: another page each time", c.CommandPath())
			}
			keepDocument(t, filepath.Join(folder, pageName(c)+".1"), page)
		})
	}
	if len(names) < 80 {
		t.Errorf("only %d pages", len(names))
	}
}

// keepDocument writes a document where it is wanted, if it is.
func keepDocument(t *testing.T, name, text string) {
	t.Helper()
	if *docsFolder == "" {
		return
	}
	file := filepath.Join(*docsFolder, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCompletions has the program print what shells need, and writes it where it is told
// to.
func TestCompletions(t *testing.T) {
	for shell, must := range map[string]string{"bash": "complete -o default -F __start_stolpe stolpe", "zsh": "#compdef stolpe", "fish": "complete -c stolpe "} {
		var out, errs bytes.Buffer
		if code := run([]string{"completion", shell}, &out, &errs); code != exitDone || errs.Len() > 0 || !strings.Contains(out.String(), must) {
			t.Errorf("completion %s: %d, %s; want it to say %q", shell, code, errs.String(), must)
		}
		keepDocument(t, filepath.Join("completions", "stolpe."+shell), out.String())
	}
}

// checkPage says what is wrong with a page.
func checkPage(t *testing.T, c *cobra.Command, page string, lang display.Lang, names map[string]bool) {
	t.Helper()
	for _, must := range []string{".TH ", pick(lang, ".SH NAVN\n", ".SH NAME\n"), pick(lang, ".SH BRUK\n", ".SH SYNOPSIS\n"), roff(shortOf(c, lang)), pick(lang, ".SH SLUTTKODER\n", ".SH EXIT STATUS\n")} {
		if !strings.Contains(page, must) {
			t.Errorf("%s: the page lacks %q", c.CommandPath(), must)
		}
	}
	if c.HasParent() != strings.Contains(page, ".BR stolpe (1)") {
		t.Errorf("%s: where the exit codes are told of: %s", c.CommandPath(), page)
	}
	known := []string{".TH", ".SH", ".SS", ".TP", ".B", ".BR", ".nf", ".fi", ".PP"}
	for line := range strings.Lines(page) {
		first, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case strings.HasPrefix(line, "'"), strings.HasPrefix(line, ".") && !slices.Contains(known, first):
			t.Errorf("%s: %q is taken for a request", c.CommandPath(), line)
		case first == ".BR" && !names[strings.Fields(rest)[0]]:
			t.Errorf("%s: refers to %s, of which there is no page", c.CommandPath(), rest)
		}
	}
}

// childAt is the command of another tree that stands where c does.
func childAt(root, c *cobra.Command) *cobra.Command {
	found, err := commandOf(root, strings.Fields(pathOf(c)))
	if err != nil {
		return root
	}
	return found
}

// pageName is the name of a command's page.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage is the page of a command, in the language of man(7). Its date is left out, so
// that the same commit makes the same page.
func manPage(c *cobra.Command, l display.Lang) string {
	say := func(nb, en string) string { return pick(l, nb, en) }
	var b bytes.Buffer
	p := func(format string, a ...any) { fmt.Fprintf(&b, format, a...) }
	c.InitDefaultHelpFlag()
	p(".TH %s 1 \"\" \"stolpe\" \"Stolpe\"\n", strings.ToUpper(strings.ReplaceAll(pageName(c), "-", "\\-")))
	p(".SH %s\n%s \\- %s\n", say("NAVN", "NAME"), strings.ReplaceAll(pageName(c), "-", "\\-"), roff(shortOf(c, l)))
	p(".SH %s\n.nf\n%s\n", say("BRUK", "SYNOPSIS"), roff(c.UseLine()))
	if c.HasAvailableSubCommands() {
		p("%s\n", roff(c.CommandPath()+" "+say("[kommando]", "[command]")))
	}
	p(".fi\n.SH %s\n", say("BESKRIVELSE", "DESCRIPTION"))
	for paragraph := range strings.SplitSeq(longOf(c, l), "\n\n") {
		if strings.Contains("\n"+paragraph, "\n  ") { // a table
			p(".PP\n.nf\n%s\n.fi\n", roff(paragraph))
			continue
		}
		p(".PP\n%s\n", roff(paragraph))
	}
	manFlags(p, c.LocalFlags(), say("FLAGG", "OPTIONS"), l)
	manFlags(p, c.InheritedFlags(), say("FLAGG FOR ALLE KOMMANDOER", "OPTIONS OF EVERY COMMAND"), l)
	if c.HasExample() {
		p(".SH %s\n.nf\n%s\n.fi\n", say("EKSEMPLER", "EXAMPLES"), roff(strings.Trim(c.Example, "\n")))
	}
	manCodes(p, c, l)
	var see []string
	if c.HasParent() {
		see = append(see, pageName(c.Parent()))
	}
	for _, sub := range c.Commands() {
		if inHelp(sub) {
			see = append(see, pageName(sub))
		}
	}
	p(".SH %s\n", say("SE OGSÅ", "SEE ALSO"))
	for i, name := range see {
		p(".BR %s (1)%s\n", name, map[bool]string{true: ","}[i < len(see)-1])
	}
	if !c.HasParent() {
		for _, topic := range help.Topics() {
			p(".SS %s\n.nf\n%s.fi\n", roff(topic), roff(help.Text(topic, l)))
		}
	}
	return b.String()
}

// manFlags tells of flags.
func manFlags(p func(string, ...any), all *pflag.FlagSet, heading string, l display.Lang) {
	if !all.HasAvailableFlags() {
		return
	}
	if l == display.NB {
		all = norwegian(all)
	}
	p(".SH %s\n", heading)
	all.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		short := ""
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		p(".TP\n%s\n%s\n", roff(strings.TrimSpace(short+"--"+f.Name+" "+kind)), roff(usage))
	})
}

// manCodes tells of exit codes: all of them on the page of the program, to which the others
// refer.
func manCodes(p func(string, ...any), c *cobra.Command, l display.Lang) {
	p(".SH %s\n", pick(l, "SLUTTKODER", "EXIT STATUS"))
	if c.HasParent() {
		p("%s\n.BR stolpe (1)\n", pick(l, "0 når det er gjort; resten står i", "0 when it is done; the others stand in"))
		return
	}
	for _, x := range exitWords {
		p(".TP\n%d\n%s\n", x.code, roff(pick(l, x.nb, x.en)))
	}
}

// roff is a text that man(7) prints as it is.
func roff(text string) string {
	text = strings.NewReplacer("\\", "\\e", "-", "\\-", "'", "\\(aq", "`", "\\(ga", "^", "\\(ha", "~", "\\(ti").Replace(strings.TrimRight(text, " "))
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = "\\&" + line
		}
	}
	return strings.Join(lines, "\n")
}
