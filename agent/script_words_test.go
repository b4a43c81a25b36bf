package main

import (
	"bytes"
	"encoding/json"
	"html"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptWords are what scripts can do beyond testscript's own commands.
//
//	await FILE              wait until the file is there, such as run/control.sock
//	await FILE PATTERN      and until it has what matches
//	post                    start the post of stolpe.yaml, wait until it listens; log in run.log
//	post stop               end it as the service manager would; it must end well
//	post reload             tell it as the service manager would that its file is another
//	post kill               end it as a power cut would
//	broker                  start a broker; BROKER in stolpe.yaml becomes its address
//	broker stop             and end it
//	charge                  a driver comes: asks, pays, charges; waits until energy flows
//	charge energy           waits until the meter has counted some
//	charge stop             the driver stops; waits until the charge is settled
//	json stdout|FILE        every line is a JSON object, and there is one
//	json stdout|FILE REGEXP ... and the lines together, compacted, match
//	charge ask              a driver comes and asks for a charge, and has not approved it
//	till [HABIT]            start the payment service; stolpe.yaml leads to it; see demo --payer
//	meter MODEL             start a simulated meter; $METER becomes its address
//	let NAME stdout|FILE RE $NAME becomes the group of what matches
//	shows RE stolpe ARG...  run what has no end until it prints what matches; then Ctrl-C,
//	                        and it must end well. All it has printed is in the file shown
//	comes RE stolpe ARG...  run it again and again until what it prints matches
//	code N stolpe ARG...    run it and demand exit code N; stdout and stderr are as after exec
func scriptWords() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"await":  scriptAwait,
		"broker": scriptBroker,
		"post":   scriptPost,
		"charge": scriptCharge,
		"json":   scriptJSON,
		"code":   scriptCode,
		"comes":  scriptComes,
		"let":    scriptLet,
		"meter":  scriptMeter,
		"shows":  scriptShows,
		"till":   scriptTill,
	}
}

// scriptedPost is the post of one script.
type scriptedPost struct {
	running *exec.Cmd
	ended   chan error
	session string          // page of the driver
	broker  *scriptedBroker // nil without one
}

func postOf(ts *testscript.TestScript) *scriptedPost { return ts.Value(scriptedPost{}).(*scriptedPost) }

// scripted looks again and again whether something has come true.
func scripted(ts *testscript.TestScript, what string, true func() bool) {
	if !cameTrue(true) {
		ts.Fatalf("waited %v in vain: %s", enough, what)
	}
}

func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: await FILE [PATTERN]")
	}
	file := ts.MkAbs(args[0])
	pattern := regexp.MustCompile(strings.Join(args[1:], ""))
	scripted(ts, strings.Join(args, " "), func() bool {
		if _, err := os.Stat(file); err != nil || len(args) == 1 {
			return err == nil
		}
		text, err := os.ReadFile(file)
		return err == nil && pattern.Match(text)
	})
}

func scriptPost(ts *testscript.TestScript, neg bool, args []string) {
	p := postOf(ts)
	switch word := strings.Join(args, " "); {
	case neg:
		ts.Fatalf("post: it cannot be denied")
	case word == "" && p.running == nil:
		p.start(ts)
	case word == "stop" && p.running != nil:
		ts.Check(p.running.Process.Signal(syscall.SIGTERM))
		p.running = nil
		ts.Check(withinEnough(ts, "the post ends", p.ended))
	case word == "reload" && p.running != nil:
		ts.Check(p.running.Process.Signal(syscall.SIGHUP))
	case word == "kill" && p.running != nil:
		ts.Check(p.running.Process.Kill())
		<-p.ended
		p.running = nil
	default:
		ts.Fatalf("usage: post, then post stop, post kill or post reload")
	}
}

func (p *scriptedPost) start(ts *testscript.TestScript) {
	log, err := os.OpenFile(ts.MkAbs("run.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	run := exec.Command(program.file(), "run", "--config", ts.MkAbs("stolpe.yaml"))
	run.Stdout, run.Stderr = log, log
	run.Dir, run.Env = ts.MkAbs("."), scriptedEnv(ts)
	ts.Check(run.Start())
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	p.running, p.ended = run, ended
	ts.Defer(func() {
		run.Process.Kill() //nolint:errcheck // it may have ended
		if p.running == run {
			<-ended
		}
	})
	scripted(ts, "the post listens: see run.log", func() bool {
		select {
		case err := <-ended:
			p.running = nil // nobody is to be waited for any more
			ts.Fatalf("the post has ended: %v\n%s", err, ts.ReadFile("run.log"))
		default:
		}
		conn, err := net.Dial("unix", filepath.Join(ts.Getenv("STOLPE_CONTROL_DIR"), "control.sock")) // one that was killed has left its own
		if err != nil {
			return false
		}
		conn.Close()
		return p.pages(ts) != "" || !strings.Contains(ts.ReadFile("stolpe.yaml"), "listen:")
	})
}

// pages is where the post serves its pages: as the last start has logged.
func (p *scriptedPost) pages(ts *testscript.TestScript) string {
	var log paper
	log.buf.WriteString(ts.ReadFile("run.log"))
	return log.pages()
}

// scriptCharge is a driver with a phone, who pays as the configuration says: the payer of
// payment.sim approves by itself.
func scriptCharge(ts *testscript.TestScript, neg bool, args []string) {
	p := postOf(ts)
	switch word := strings.Join(args, " "); {
	case neg || p.running == nil:
		ts.Fatalf("charge: want a post that runs")
	case (word == "" || word == "ask") && p.session == "":
		form := url.Values{"amount": {"35000"}}
		scripted(ts, "the post serves", func() bool {
			for _, m := range fieldOnPage.FindAllStringSubmatch(scriptPage(ts, p.pages(ts)+"/en/A12", nil), -1) {
				form.Set(m[1], html.UnescapeString(m[2]))
			}
			return form.Has("key")
		})
		p.session = "/en/A12/" + form.Get("key")
		scriptPage(ts, p.pages(ts)+"/en/A12", form)
		scripted(ts, "energy flows", func() bool {
			page := scriptPage(ts, p.pages(ts)+p.session, nil)
			if word == "ask" {
				return sceneOf(page) == "approve"
			}
			if app := linkToApp.FindStringSubmatch(page); app != nil {
				scriptPage(ts, html.UnescapeString(app[1]), url.Values{"act": {"approve"}})
			}
			return sceneOf(page) == "charge"
		})
	case word == "energy" && p.session != "":
		attend(ts, "status", "--watch", "--json").match(ts, `"energy_wh":[1-9]`)
	case word == "stop" && p.session != "":
		scriptPage(ts, p.pages(ts)+p.session, url.Values{"act": {"stop"}})
		scripted(ts, "the charge is settled", func() bool {
			return strings.Contains(scriptPage(ts, p.pages(ts)+p.session, nil), "has been released")
		})
		p.session = ""
	default:
		ts.Fatalf("usage: charge or charge ask, then charge energy, charge stop")
	}
}

func sceneOf(page string) string {
	if m := sceneOnPage.FindStringSubmatch(page); m != nil {
		return m[1]
	}
	return ""
}

// scriptPage reads a page, or sends a form to it.
func scriptPage(ts *testscript.TestScript, address string, form url.Values) string {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: enough,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var answer *http.Response
	var err error
	if form == nil {
		answer, err = client.Get(address)
	} else {
		answer, err = client.PostForm(address, form)
	}
	ts.Check(err)
	defer answer.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(answer.Body)
	ts.Check(err)
	return b.String()
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json stdout|FILE [REGEXP]")
	}
	var all bytes.Buffer
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%s: not a JSON object a line: %v: %s", args[0], err, line)
		}
		ts.Check(json.Compact(&all, []byte(line)))
		all.WriteByte('\n')
	}
	if all.Len() == 0 {
		ts.Fatalf("%s: no JSON object", args[0])
	}
	if len(args) == 2 && !regexp.MustCompile(args[1]).Match(all.Bytes()) {
		ts.Fatalf("%s: want what matches %s in\n%s", args[0], args[1], &all)
	}
}

// scriptCode runs a command that ends with a code. testscript's own exec does not tell
// which.
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if args[0] != strconv.Itoa(code) {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}
