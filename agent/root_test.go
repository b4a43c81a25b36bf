package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"stolpe/display"
)

// leaves are the commands that do something, by their path without the program's name;
// groups are the others.
func leaves() (all, groups map[string]*cobra.Command) {
	all, groups = map[string]*cobra.Command{}, map[string]*cobra.Command{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "stolpe"), " ")
		if !c.HasSubCommands() {
			all[name] = c
			return
		}
		groups[name] = c
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand(&surface{}, io.Discard, io.Discard))
	return all, groups
}

// withoutJSON are the commands that print nothing for programs, and why.
var withoutJSON = map[string]string{
	"run":                   "the daemon prints nothing but its log, for the service manager",
	"help":                  "is text for people",
	"completion bash":       "prints a script for a shell",
	"completion fish":       "prints a script for a shell",
	"completion powershell": "prints a script for a shell",
	"completion zsh":        "prints a script for a shell",
}

func TestEveryCommandSpeaksJSON(t *testing.T) {
	all, _ := leaves()
	for name, c := range all {
		_, excepted := withoutJSON[name]
		if has := c.Flags().Lookup("json") != nil; has == excepted && name != "help" && !strings.HasPrefix(name, "help ") {
			t.Errorf("stolpe %s: has --json: %v; excepted: %v", name, has, excepted)
		}
	}
	for name := range withoutJSON {
		if all[name] == nil {
			t.Errorf("there is no command %q to except", name)
		}
	}
}

// scriptedWith are scripts of commands that are one for whoever tries them out.
var scriptedWith = map[string]string{
	"completion bash": "completion", "completion fish": "completion", "completion powershell": "completion", "completion zsh": "completion",
}

func TestEveryCommandHasAScript(t *testing.T) {
	all, groups := leaves()
	known := map[string]bool{"groups": true, "flags": true, // of the command line itself
		"failsafe_display": true} // of failsafe, at a post with displays
	for name := range all {
		if one, ok := scriptedWith[name]; ok {
			name = one
		}
		file := strings.ReplaceAll(name, " ", "_")
		known[file] = true
		text, err := os.ReadFile(filepath.Join("../testdata/cli", file+".txtar"))
		if err != nil {
			t.Errorf("stolpe %s has no script: %v", name, err)
			continue
		}
		if run := regexp.MustCompile(`(?m)^(!? ?exec|code \d+) stolpe (-\S+ )*` + regexp.QuoteMeta(name)); !run.Match(text) {
			t.Errorf("%s.txtar does not run stolpe %s", file, name)
		}
		if _, excepted := withoutJSON[name]; !excepted && file != "completion" && !strings.Contains(string(text), "--json") {
			t.Errorf("%s.txtar does not try --json", file)
		}
		if !regexp.MustCompile(`(?m)^(! exec|code [1-9]\d*) `).Match(text) {
			t.Errorf("%s.txtar has no bad input", file)
		}
		if regexp.MustCompile(`(?m)^\S.*\bsleep\b`).Match(text) {
			t.Errorf("%s.txtar sleeps", file)
		}
	}
	files, err := filepath.Glob("../testdata/cli/*.txtar")
	if err != nil || len(files) < len(known)/2 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if !known[name] && groups[strings.ReplaceAll(name, "_", " ")] == nil {
			t.Errorf("%s is of no command", file)
		}
	}
}

func TestGroupsKnowTheirCommands(t *testing.T) {
	_, groups := leaves()
	if len(groups) < 10 {
		t.Fatalf("only %d groups", len(groups))
	}
	for name := range groups {
		line := append(strings.Fields(name), "foo")
		path := strings.TrimSuffix("stolpe "+name, " ")
		for _, more := range [][]string{nil, {"--json"}, {"bar", "--yes"}} {
			got := command(append(slices.Clone(line), more...)...)
			if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, `unknown command "foo" for "`+path+`"`) || !strings.Contains(got.stderr, "see "+path+" --help") {
				t.Errorf("stolpe %s foo %v: %+v", name, more, got)
			}
		}
		if name == "payment hooks" { // lists them
			continue
		}
		if got := command(line[:len(line)-1]...); got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, "Available Commands:") {
			t.Errorf("stolpe %s: %+v, want its help", name, got)
		}
	}
	for line, want := range map[string]string{
		"sessions lsit": "; did you mean list?", "meter rad": "; did you mean read?", "statsu": "; did you mean status?",
		"payment re": "; did you mean reconcile or refund?", "completion bsh": "; did you mean bash", "qr xyzzy": `for "stolpe qr"` + "\n",
	} {
		if got := command(strings.Fields(line)...); got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("stolpe %s: %+v, want %q", line, got, want)
		}
	}
}

func TestSentencesLoseTheirFullStop(t *testing.T) {
	for lang, want := range map[display.Lang]string{
		display.EN: "Nobody may touch it; the same command with --yes does it",
		display.NB: "Nobody may touch it; den samme kommandoen med --yes gjør det",
	} {
		var own coded
		if err := unconfirmedIn(lang, "Nobody may touch it."); err.Error() != want || !errors.As(err, &own) || own.code != exitRefused {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for lang, want := range map[string]string{"en": "nobody may touch it; the same command", "nb": "ingen må røre det; den samme kommandoen"} {
		if got := command("contactor", "test", "--lang", lang); got.code != exitRefused || !strings.Contains(got.stderr, want) {
			t.Errorf("%+v, want %q", got, want)
		}
	}
}

// mute is a daemon that takes calls and answers none.
func mute(t *testing.T) {
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "control.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("STOLPE_CONTROL_DIR", dir)
}

func TestTimeoutSaysWhatTookTooLong(t *testing.T) {
	mute(t)
	for _, line := range []string{
		"status --timeout 20ms", "--timeout 20ms status --json", "status --watch --timeout 20ms", "why --timeout 20ms", "sessions list --timeout 20ms",
		"mqtt tail --timeout 20ms", "contactor test --yes --timeout 20ms", "sessions settle --all-stuck --timeout 20ms",
		"payment ping --timeout 20ms", "service out --timeout 20ms", "demo --once --timeout 20ms", "simulate run happy --speed 1 --timeout 20ms",
	} {
		got := command(strings.Fields(line)...)
		words := strings.Fields(strings.TrimPrefix(line, "--timeout 20ms "))
		if got.code != exitTimeout || !strings.Contains(got.stderr, "stolpe "+words[0]) || !strings.Contains(got.stderr, "not done within --timeout 20ms") ||
			!strings.Contains(got.stderr, "give it longer") || strings.Contains(got.stderr, "interrupted") {
			t.Errorf("stolpe %s: %+v", line, got)
		}
	}
	if got := command("status", "--timeout", "soon"); got.code != exitUsage || !strings.Contains(got.stderr, `--timeout "soon": want a time, as in 30s`) {
		t.Errorf("%+v", got)
	}
}

// What has ended by itself, or by Ctrl-C, has not run out of time.
func TestOnlyWhatTookTooLongTimesOut(t *testing.T) {
	s := surface{timeout: "1h"}
	c := &cobra.Command{Use: "stolpe"}
	ctx, interrupt := context.WithCancel(context.Background())
	c.SetContext(ctx)
	if err := s.begin(c, nil); err != nil {
		t.Fatal(err)
	}
	interrupt()
	stopped := coded{errors.New("interrupted; 2 are done"), exitStopped}
	if err := s.ended(c, stopped); err != error(stopped) {
		t.Errorf("%v", err)
	}
	late, end := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer end()
	s.within = late
	if err := s.ended(c, nil); err != nil {
		t.Errorf("done, all the same: %v", err)
	}
	for text, want := range map[string]string{
		"interrupted":                     "stolpe: not done within --timeout 1h; give it longer",
		"interrupted; 2 are done":         "stolpe: not done within --timeout 1h (2 are done); give it longer",
		"read: context deadline exceeded": "stolpe: not done within --timeout 1h (read); give it longer",
	} {
		var own coded
		if err := s.ended(c, coded{errors.New(text), exitStopped}); !errors.As(err, &own) || own.code != exitTimeout || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// The time-out of a reading is the meter's own: what does not answer within it is a device.
func TestTimeoutOfAMeterIsItsOwn(t *testing.T) {
	got := command("meter", "read", "--model", "eastron_sdm630", "--url", "tcp://127.0.0.1:1", "--timeout", "1s")
	if got.code != exitDevice || strings.Contains(got.stderr, "not done within") {
		t.Errorf("%+v", got)
	}
}

func TestQuietDropsProgressAndNoErrors(t *testing.T) {
	for _, row := range []struct {
		line, loud string
		code       int
	}{
		{"fleet sign stop acme/A12 --key KEY", "publish within", 0},
		{"meter read --model eastron_sdm630 --url tcp://127.0.0.1:1", "unit 1 at tcp", exitDevice},
		{"meter scan --url tcp://127.0.0.1:1", "", exitDevice},
		{"support bundle --config CONFIG --out OUT", "Asking the daemon", 0},
	} {
		key := filepath.Join(t.TempDir(), "a.key")
		if _, err := makeKey(key); err != nil {
			t.Fatal(err)
		}
		t.Setenv("STOLPE_CONTROL_DIR", t.TempDir())
		line := strings.NewReplacer("KEY", key, "CONFIG", configured(t, t.TempDir()), "OUT", filepath.Join(t.TempDir(), "o.tar.gz")).Replace(row.line)
		loud, quiet := command(strings.Fields(line)...), command(strings.Fields(line+" --quiet")...)
		if loud.code != row.code || quiet.code != row.code || !strings.Contains(loud.stderr, row.loud) {
			t.Errorf("%s: %+v, %+v", row.line, loud, quiet)
		}
		lines := strings.Count(quiet.stderr, "\n")
		if row.code == 0 && lines != 0 || row.code != 0 && !strings.HasPrefix(quiet.stderr, "stolpe: ") {
			t.Errorf("%s: %s", row.line, quiet.stderr)
		}
	}
}
