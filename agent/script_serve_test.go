package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// withinEnough waits for something that ends, and not for ever.
func withinEnough(ts *testscript.TestScript, what string, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-time.After(enough):
		ts.Fatalf("waited %v in vain: %s", enough, what)
		return nil
	}
}

// scriptedEnv is what a program of a script finds in its environment.
func scriptedEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "LANG", "STOLPE_CONTROL_DIR", "VIPPS_CLIENT_ID", "VIPPS_CLIENT_SECRET", "VIPPS_SUBSCRIPTION_KEY"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// attended is a program that has no end of its own.
type attended struct {
	*exec.Cmd
	said  paper
	ended chan error
}

// attend starts one, and ends it with the script.
func attend(ts *testscript.TestScript, args ...string) *attended {
	s := &attended{Cmd: exec.Command(program.file(), args...), ended: make(chan error, 1)}
	s.Stdout, s.Stderr, s.Dir, s.Env = &s.said, &s.said, ts.MkAbs("."), scriptedEnv(ts)
	s.WaitDelay = time.Second // for what it has started itself
	ts.Check(s.Start())
	go func() { s.ended <- s.Wait(); close(s.ended) }()
	ts.Defer(func() {
		s.Process.Kill() //nolint:errcheck // it may have ended
		<-s.ended
	})
	return s
}

// match waits until what the program has printed matches, and gives its groups.
func (s *attended) match(ts *testscript.TestScript, pattern string) (groups []string) {
	wanted := regexp.MustCompile(pattern)
	scripted(ts, strings.Join(s.Args[1:], " ")+" prints "+pattern, func() bool {
		over := len(s.ended) > 0
		groups = wanted.FindStringSubmatch(s.said.String())
		if groups == nil && over {
			ts.Fatalf("it has ended: %s", s.said.String())
		}
		return groups != nil
	})
	return groups
}

// scriptTill starts the payment service, and has stolpe.yaml and the environment lead to
// it.
func scriptTill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: till [HABIT]")
	}
	s := attend(ts, "demo", "--till-only", "--payer", strings.Join(args, ""))
	at := s.match(ts, `base_url: "(\S+)"(?s:.*)subscription_key: .*\n`)[1]
	for _, m := range regexp.MustCompile(`export (\S+)=(\S+)`).FindAllStringSubmatch(s.said.String(), -1) {
		ts.Setenv(m[1], m[2])
	}
	file := ts.MkAbs("stolpe.yaml")
	text := strings.Replace(ts.ReadFile(file), "{through: sim}", `{through: vipps, vipps: {base_url: "`+at+`", msn: "123456", client_id: "env:VIPPS_CLIENT_ID", `+
		`client_secret: "env:VIPPS_CLIENT_SECRET", subscription_key: "env:VIPPS_SUBSCRIPTION_KEY"}}`, 1)
	text = strings.Replace(text, `{listen: "127.0.0.1:0"}`, `{listen: "127.0.0.1:0", public_url: "https://lad.example.no"}`, 1)
	ts.Check(os.WriteFile(file, []byte(text), 0o600))
}

// scriptMeter starts a simulated meter; METER is its address.
func scriptMeter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: meter MODEL")
	}
	s := attend(ts, "meter", "simulate", "--model", args[0], "--url", "tcp://127.0.0.1:0", "--json")
	ts.Setenv("METER", s.match(ts, `"url":"(\S+?)"`)[1])
}

// scriptLet sets a variable to what is found.
func scriptLet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: let NAME stdout|stderr|FILE REGEXP")
	}
	found := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(found) != 2 {
		ts.Fatalf("%s has nothing that matches %s, or it has no group", args[1], args[2])
	}
	ts.Setenv(args[0], found[1])
}

// scriptShows runs what has no end of its own until it prints what matches, and ends it as
// Ctrl-C would.
func scriptShows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || args[1] != "stolpe" {
		ts.Fatalf("usage: shows REGEXP stolpe ARG...")
	}
	s := attend(ts, args[2:]...)
	s.match(ts, args[0])
	ts.Check(s.Process.Signal(os.Interrupt))
	ts.Check(withinEnough(ts, "it ends by Ctrl-C", s.ended))
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs("."), "shown"), []byte(s.said.String()), 0o600))
}

// scriptComes runs a program until what it prints matches: seldom enough for the post, which
// takes only so many requests from one user.
func scriptComes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: comes REGEXP PROGRAM ARG...")
	}
	wanted := regexp.MustCompile("(?m)" + args[0])
	seldom := time.NewTicker(200 * time.Millisecond)
	defer seldom.Stop()
	var said []byte
	scripted(ts, strings.Join(args[1:], " ")+" prints "+args[0], func() bool {
		<-seldom.C
		c := exec.Command(program.file(), args[2:]...)
		c.Dir, c.Env = ts.MkAbs("."), scriptedEnv(ts)
		said, _ = c.CombinedOutput() // it may fail until it comes
		return wanted.Match(said)
	})
	ts.Logf("%s", said)
}
