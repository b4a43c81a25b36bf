package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stolpe/agent/session"
	"stolpe/cross/ports"
	"stolpe/payment"
	"stolpe/payment/sim"
)

// decode reads what --json printed: one object, and nothing else.
func decode(t *testing.T, text string) (o outcome) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if d.More() {
		t.Fatalf("%q: want one object", text)
	}
	return o
}

func TestOneChargeOfTheDemoAddsUp(t *testing.T) {
	got := command("demo", "--once", "--json", "--speed", "600")
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	o := decode(t, got.stdout)
	if o.Reference != "DEMO-1-000001" || o.Reserved != 35000 || o.Captured+o.Released != o.Reserved {
		t.Errorf("%+v", o)
	}
	var sum, vat payment.Amount
	for _, l := range o.Bill.Lines {
		sum += l.Amount
		vat += l.VAT
	}
	if sum != o.Captured || sum != o.Bill.Total || vat != o.Bill.VAT || o.Bill.Currency != payment.NOK {
		t.Errorf("%+v", o)
	}
	// Half an hour at 11 kW, or a little more: the driver is not a clock.
	if o.EnergyWh < 5400 || o.EnergyWh > 6000 || o.DurationS < 1795 || o.DurationS > 1950 {
		t.Errorf("%d Wh in %d s", o.EnergyWh, o.DurationS)
	}
	if want := payment.Amount(o.EnergyWh * 549 / 1000); o.Captured != want {
		t.Errorf("captured %v, want %v", o.Captured, want)
	}
}

func TestOneChargeOfTheDemoInWords(t *testing.T) {
	got := command("demo", "--once", "--speed", "1000")
	line := regexp.MustCompile(`^DEMO-1-000001: reserved 350\.00, \d{4} Wh in (29|30)m\d+s, captured \d\d\.\d\d, released \d{3}\.\d\d NOK; receipt DEMO/1-000001 is in the app\n$`)
	if got.code != 0 || !line.MatchString(got.stdout) {
		t.Errorf("%+v", got)
	}
}

// run runs the program in an empty folder that is its home and its place for
// temporary files, and gives what is in there afterwards.
func (b *builder) inside(t *testing.T, args ...string) (cmd *exec.Cmd, left func() []string) {
	t.Helper()
	dir := t.TempDir()
	cmd = exec.Command(b.path(t), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir)
	return cmd, func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
}

func TestDemoLeavesNoFileBehind(t *testing.T) {
	t.Parallel()
	cmd, left := program.inside(t, "demo", "--once", "--json", "--speed", "600")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s", err, &stderr)
	}
	decode(t, stdout.String())
	if _, err := os.Stat("/nowhere"); err == nil {
		t.Error("it has made its state folder")
	}
	if found := left(); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}

var whereOnScreen = regexp.MustCompile(`\(in English: (http://[^)]*)\)`)

// TestCtrlCSettlesTheDemo presses Ctrl-C in the middle of a charge.
func TestCtrlCSettlesTheDemo(t *testing.T) {
	t.Parallel()
	cmd, left := program.inside(t, "demo", "--speed", "60")
	var stdout, stderr paper
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() }) // it has ended already if all is well
	var address string
	until(t, "address of the page", func() bool {
		m := whereOnScreen.FindStringSubmatch(stdout.String())
		if m != nil {
			address = m[1]
		}
		return m != nil
	})
	session := begin(t, address)
	until(t, "energy", func() bool {
		_, _, page := look(t, session)
		return regexp.MustCompile(`data-n="cost">[2-9]\.`).MatchString(page)
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: want 0, as Ctrl-C is how a demo ends\n%s", err, &stderr)
	}
	said := regexp.MustCompile(`The last charge, DEMO-1-000001: (\S+ kWh|\d+ Wh) used, ([\d.]+) captured, ([\d.]+) released\. Everything is settled\.`)
	m := said.FindStringSubmatch(stdout.String())
	if m == nil || m[2] == "0.00" {
		t.Errorf("%s\nwant a charge that is settled", &stdout)
	}
	if strings.Contains(stdout.String(), "\x1b") {
		t.Error("escape codes in a pipe")
	}
	if found := left(); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}

// begin asks for a charge and approves it, and gives the address of its page.
func begin(t *testing.T, address string) (session string) {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	post := func(address string, form url.Values) string {
		answer, err := client.PostForm(address, form)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %s", address, answer.Status)
		}
		return answer.Header.Get("Location")
	}
	form := url.Values{"amount": {"35000"}}
	until(t, "an offer", func() bool {
		_, _, page := look(t, address)
		for _, m := range fieldOnPage.FindAllStringSubmatch(page, -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		return form.Get("key") != ""
	})
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	session = base.ResolveReference(&url.URL{Path: post(address, form)}).String()
	var app string
	until(t, "the way to the app", func() bool {
		_, _, page := look(t, session)
		m := linkToApp.FindStringSubmatch(page)
		if m != nil {
			app = html.UnescapeString(m[1])
		}
		return m != nil
	})
	post(app, url.Values{"act": {"approve"}})
	return session
}

func TestInterruptedChargeOfTheDemoIs130(t *testing.T) {
	t.Parallel()
	at := "127.0.0.1:" + ports.Free(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr paper
	ended := make(chan error, 1)
	go func() {
		ended <- demo(ctx, demoOptions{speed: 30, once: true, json: true, listen: at}, &stdout, &stderr)
	}()
	until(t, "a charge under way", func() bool {
		if c, err := net.Dial("tcp", at); err != nil {
			return false
		} else {
			c.Close()
		}
		scene, _, _ := look(t, "http://"+at+"/en/A12")
		return scene == "busy"
	})
	cancel()
	var told paper
	if code := explain(&told, "stolpe demo", <-ended); code != 130 || told.String() != "stolpe: interrupted before the charge was over\n" || stdout.String() != "" {
		t.Errorf("%d %q, %q, %q", code, told.String(), stdout.String(), stderr.String())
	}
}

// Calls that get lost, fail, or fail after they had their effect change nothing in
// the end: the sums agree.
func TestDemoAddsUpThroughFaults(t *testing.T) {
	t.Parallel()
	p := perform(t, nil)
	faults, err := sim.ParseFaults("create: answer-lost; capture: answer-lost; cancel: request-lost, 5xx-applied")
	if err != nil {
		t.Fatal(err)
	}
	p.till.SetFaults(faults)
	o, err := p.charge(t)
	if err != nil || o.Captured == 0 {
		t.Errorf("%+v, %v\n%s", o, err, p.log)
	}
}

// Whoever meddles with the payment is found out: the sums do not agree, and the
// demo fails.
func TestDemoThatDoesNotAddUpIsOne(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(now time.Duration, b *sim.Book){
		"released at the portal": func(now time.Duration, b *sim.Book) { b.Kill(now, "DEMO-1-000001") },
		"captured at the portal": func(now time.Duration, b *sim.Book) {
			b.Capture(now, sim.Change{Key: "portal", Ref: "DEMO-1-000001", Amount: 4711, Currency: payment.NOK})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := perform(t, nil)
			meddled := make(chan struct{})
			go func() {
				defer close(meddled)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for range tick.C {
					if s, _, _ := p.parts.units["A12"].Snapshot(); s.Phase == session.Charging || t.Context().Err() != nil {
						p.till.Do(meddle)
						return
					}
				}
			}()
			o, err := p.charge(t)
			<-meddled
			var told paper
			if code := explain(&told, "stolpe demo", failed(err)); code != 1 || !strings.Contains(told.String(), "do not agree") {
				t.Errorf("%d %q, %+v\n%s", code, told.String(), o, p.log)
			}
		})
	}
}

func TestAuditFindsEveryDifference(t *testing.T) {
	s := &stage{till: &simulated{Till: sim.NewTill(sim.Options{})}}
	s.till.Do(func(now time.Duration, b *sim.Book) {
		b.Create(now, sim.Request{Key: "k", Ref: "DEMO-1-000001", Amount: 35000, Currency: payment.NOK})
		b.Approve(now, "DEMO-1-000001")
		b.Capture(now, sim.Change{Key: "c", Ref: "DEMO-1-000001", Amount: 3010, Currency: payment.NOK})
		b.Cancel(now, "DEMO-1-000001", false)
	})
	right := outcome{
		Reference: "DEMO-1-000001", Reserved: 35000, Captured: 3010, Released: 31990, EnergyWh: 5483,
		Bill: bill{Lines: []line{{Kind: "energy", Amount: 3000}, {Kind: "time", Amount: 10}}, Total: 3010},
	}
	if err := s.audit(right); err != nil {
		t.Fatalf("%v", err)
	}
	for name, change := range map[string]func(*outcome){
		"more captured":     func(o *outcome) { o.Captured++; o.Released-- },
		"more released":     func(o *outcome) { o.Released++ },
		"a line less":       func(o *outcome) { o.Bill.Lines = o.Bill.Lines[:1] },
		"no energy":         func(o *outcome) { o.EnergyWh = 0 },
		"other payment":     func(o *outcome) { o.Reference = "DEMO-1-000002" },
		"another bill":      func(o *outcome) { o.Captured, o.Released = 3000, 32000; o.Bill.Lines = o.Bill.Lines[:1] },
		"nothing at all":    func(o *outcome) { *o = outcome{Reference: o.Reference} },
		"more was reserved": func(o *outcome) { o.Reserved, o.Released = 40000, 36990 },
	} {
		o := right
		change(&o)
		if s.audit(o) == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
