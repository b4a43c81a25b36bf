package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// docsFolder is where `go run ./cross man` wants the page, and what shells need.
var docsFolder = flag.String("docs", "", "folder to write the manual page and completions to")

// TestManPages makes the page of the program, and writes it where it is told to.
func TestManPages(t *testing.T) {
	page := manPage(rootCommand())
	if page != manPage(rootCommand()) {
		t.Error("another page each time")
	}
	for _, must := range []string{".TH ", ".SH NAME\n", ".SS stolpe\\-gateway run ", ".SS stolpe\\-gateway broker init", "\n\\-\\-config file\n", roff(runCommand().Short), ".SH EXIT STATUS\n"} {
		if !strings.Contains(page, must) {
			t.Errorf("the page lacks %q:\n%s", must, page)
		}
	}
	for line := range strings.Lines(page) {
		first, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case strings.HasPrefix(line, "'"), strings.HasPrefix(line, ".") && !strings.Contains(" .TH .SH .SS .TP .nf .fi .PP ", " "+first+" "):
			t.Errorf("%q is taken for a request", line)
		}
	}
	keepDocument(t, filepath.Join("man", "man8", "stolpe-gateway.8"), page)
}

// TestCompletions has the program print what shells need, and writes it where it is told
// to.
func TestCompletions(t *testing.T) {
	for shell, must := range map[string]string{"bash": "complete -o default -F __start_stolpe-gateway stolpe-gateway", "zsh": "#compdef stolpe-gateway", "fish": "complete -c stolpe-gateway "} {
		var out, errs bytes.Buffer
		if code := run([]string{"completion", shell}, &out, &errs); code != exitDone || errs.Len() > 0 || !strings.Contains(out.String(), must) {
			t.Errorf("completion %s: %d, %s; want it to say %q", shell, code, errs.String(), must)
		}
		keepDocument(t, filepath.Join("completions", "stolpe-gateway."+shell), out.String())
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

// manPage is the page of the whole program, in the language of man(7). Its date is left
// out, so that the same commit makes the same page.
func manPage(root *cobra.Command) string {
	var b bytes.Buffer
	p := func(format string, a ...any) { fmt.Fprintf(&b, format, a...) }
	p(".TH STOLPE\\-GATEWAY 8 \"\" \"stolpe\\-gateway\" \"Stolpe\"\n")
	p(".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n%s [command]\n.SH COMMANDS\n", roff(root.Name()), roff(root.Short), roff(root.Name()))
	manCommands(p, root)
	p(".SH EXIT STATUS\n")
	for _, x := range []struct {
		code int
		what string
	}{{exitDone, "done"}, {exitFailed, "failed"}, {exitUsage, "wrong usage"}, {exitConfig, "configuration invalid"}, {exitRefused, "not confirmed, or not allowed as things stand"}} {
		p(".TP\n%d\n%s\n", x.code, x.what)
	}
	p(".SH FILES\n.TP\n%s\nThe configuration.\n", roff(defaultConfig))
	return b.String()
}

// manCommands tells of every command that does something.
func manCommands(p func(string, ...any), c *cobra.Command) {
	for _, sub := range c.Commands() {
		manCommands(p, sub)
	}
	if !c.Runnable() {
		return
	}
	p(".SS %s\n%s.\n", roff(c.UseLine()), roff(c.Short))
	for paragraph := range strings.SplitSeq(strings.TrimSpace(c.Long), "\n\n") {
		if paragraph != "" {
			p(".PP\n%s\n", roff(paragraph))
		}
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		kind, usage := pflag.UnquoteUsage(f)
		p(".TP\n%s\n%s\n", roff(strings.TrimSpace("--"+f.Name+" "+kind)), roff(usage))
	})
	if c.HasExample() {
		p(".PP\n.nf\n%s\n.fi\n", roff(strings.Trim(c.Example, "\n")))
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
