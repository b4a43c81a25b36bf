package main

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/cross/ports"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
	keys "stolpe/payment/gateway/broker"
)

// poor is a daemon that starts without something, as systemd would run it.
type poor struct {
	log    *paper
	client *control.Client
}

// rise starts a daemon, with all that stands around it, and ends it with the test.
func rise(t *testing.T, file, run string) *poor {
	t.Helper()
	p := &poor{log: new(paper), client: control.Dial(run)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- runAgain(ctx, setTime(), file, p.log) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon has ended: %v\n%s", err, p.log)
		}
	})
	return p
}

// facts are what the daemon says of itself; nil while it does not answer.
func (p *poor) facts(t *testing.T) *doctor.Daemon {
	said := new(doctor.Daemon)
	if p.client.Get(t.Context(), "facts", nil, said) != nil {
		return nil
	}
	return said
}

// says lists what doctor finds to be ill, and what is in the way of the next driver.
func (p *poor) says(t *testing.T) (ill, why []string) {
	f := doctor.Facts{Daemon: p.facts(t)}
	if f.Daemon == nil {
		return []string{"daemon"}, []string{"daemon"}
	}
	all, _ := doctor.Judge(f, "missing", "safety", "meter", "contactor", "journal", "payment", "mqtt", "display") // not the machine
	for _, x := range all {
		if x.Status == doctor.Fail || x.Status == doctor.Warn {
			ill = append(ill, x.ID)
		}
	}
	for _, b := range doctor.Why(f) {
		why = append(why, b.ID)
	}
	return ill, why
}

// status are the codes of faults, and the kinds of what is missing.
func (p *poor) status(t *testing.T) (all []string) {
	var s postStatus
	if p.client.Get(t.Context(), "status", nil, &s) != nil {
		return []string{"daemon"}
	}
	for _, m := range s.Missing {
		all = append(all, string(m.Kind))
	}
	for _, d := range s.Displays {
		if d.Code != "" {
			all = append(all, d.Code)
		}
	}
	for _, e := range s.EVSEs {
		for _, f := range e.Faults {
			all = append(all, f.Code)
		}
	}
	return all
}

// ready waits until nothing is missing and the EVSE has no fault any more, but for this one.
func (p *poor) ready(t *testing.T, but string) {
	t.Helper()
	var last *doctor.Daemon
	if !slowly(func() bool {
		if d := p.facts(t); d != nil {
			last = d
		}
		ill := func(d doctor.Display) bool { return d.Code != "" }
		return last != nil && len(last.Lacks) == 0 && !slices.ContainsFunc(last.Displays, ill) && strings.Join(last.EVSEs[0].Faults, " ") == but
	}) {
		t.Fatalf("still %+v\n%s", last, p.log)
	}
}

// slowly is cameTrue for what a daemon is asked, which answers a few times a second.
func slowly(so func() bool) bool {
	tries := 0
	return cameTrue(func() bool { tries++; return tries%50 == 0 && so() })
}

// lackRow is something that is missing when a post starts.
type lackRow struct {
	words  func(t *testing.T, dir string) []string // what the configuration says otherwise
	break_ func(t *testing.T, dir string)          // before the start
	mend   func(t *testing.T, dir string)
	status []string // what stolpe status says
	ill    string   // what stolpe doctor begins with
	why    string   // what stolpe why begins with; empty if drivers are served
	log    string
	left   string // the fault that is left, as nobody plays the payment service here
}

// placed writes a file into the folder.
func placed(name, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// worded replaces words of the configuration, of which DIR is the folder.
func worded(words ...string) func(*testing.T, string) []string {
	return func(_ *testing.T, dir string) []string {
		var all []string
		for _, w := range words {
			all = append(all, strings.ReplaceAll(w, "DIR", dir))
		}
		return all
	}
}

// lackRows are what a post can do without. The folder dir has room for what is missing.
func lackRows() map[string]lackRow {
	var held net.Listener // on the address of the pages
	return map[string]lackRow{
		"secret": {
			words: worded("payment: {through: sim}", `payment: {through: vipps, vipps: {base_url: "http://127.0.0.1:9", msn: "123456", client_id: "file:DIR/id", client_secret: "file:DIR/id", subscription_key: "file:DIR/id"}}`,
				`web: {listen: "127.0.0.1:0"}`, `web: {listen: "127.0.0.1:0", public_url: "https://lad.example.no"}`),
			mend:   placed("id", "a-secret-of-some-length"),
			status: []string{"secret", "PAY-002", "PAY-001"}, ill: "missing.secret", why: "missing.secret", log: "no such file", left: "PAY-002",
		},
		"secret of the gateway": {
			words:  worded("id: A12,", "id: A12, tenant: acme,", `web: {listen: "127.0.0.1:0"}`, "", "payment: {through: sim}", `mqtt: {url: "mqtt://127.0.0.1:9"}`+"\n"+`payment: {through: gateway, gateway: {key: "file:DIR/key"}}`),
			mend:   placed("key", strings.Repeat("ab", 32)),
			status: []string{"secret", "PAY-002", "PAY-001"}, ill: "missing.secret", why: "missing.secret", log: "no such file", left: "PAY-002",
		},
		"state folder": {
			words: func(_ *testing.T, dir string) []string {
				return []string{"state_dir: STATE", "state_dir: " + dir + "/disk/state"}
			},
			break_: placed("disk", "no folder"),
			mend: func(t *testing.T, dir string) {
				if err := os.Remove(filepath.Join(dir, "disk")); err != nil {
					t.Error(err)
				}
			},
			status: []string{"folder", "STO-001", "PAY-002"}, ill: "missing.folder", why: "missing.folder", log: "not a directory",
		},
		"certificates of the broker": {
			words:  worded("id: A12,", "id: A12, tenant: acme,", "payment: {through: sim}", `payment: {through: sim}`+"\n"+`mqtt: {url: "mqtts://127.0.0.1:9", ca: "DIR/posts/A12/ca.pem", cert: "DIR/posts/A12/cert.pem", key: "DIR/posts/A12/key.pem"}`),
			mend:   issue,
			status: []string{"certificate"}, ill: "missing.certificate", log: "no such file",
		},
		"certificates of the gateways' broker": {
			words:  worded("id: A12,", "id: A12, tenant: acme,", `web: {listen: "127.0.0.1:0"}`, "", "payment: {through: sim}", `payment: {through: gateway, gateway: {key: "file:DIR/key"}}`+"\n"+`mqtt: {url: "mqtts://127.0.0.1:9", ca: "DIR/posts/A12/ca.pem", cert: "DIR/posts/A12/cert.pem", key: "DIR/posts/A12/key.pem"}`),
			break_: placed("key", strings.Repeat("ab", 32)),
			mend:   issue,
			status: []string{"certificate", "PAY-002", "PAY-001"}, ill: "missing.certificate", why: "missing.certificate", log: "no such file", left: "PAY-002",
		},
		"address of the pages": {
			words: func(t *testing.T, _ string) []string {
				var err error
				if held, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
					t.Fatal(err)
				}
				return []string{`listen: "127.0.0.1:0"`, `listen: "` + held.Addr().String() + `"`}
			},
			mend: func(t *testing.T, _ string) {
				if err := held.Close(); err != nil {
					t.Error(err)
				}
			},
			status: []string{"pages"}, ill: "missing.pages", why: "missing.pages", log: "address already in use",
		},
	}
}

// awayRows are what whoever uses it tries again, without a start anew.
func awayRows() map[string]lackRow {
	var at string // where the meter will be
	return map[string]lackRow{
		"meter": {
			words: func(t *testing.T, dir string) []string {
				at = "tcp://127.0.0.1:" + ports.Free(t)
				return []string{"contactor: {sim: true}", `meter: {model: eastron_sdm630, url: "` + at + `", serial: "22110345"}, contactor: {sim: true}`}
			},
			mend: func(t *testing.T, _ string) {
				m, err := meters.Find("eastron_sdm630")
				if err != nil {
					t.Fatal(err)
				}
				newYard(sim.Setup{Serial: "22110345", Register: 1_000_000}).serve(t, m, at)
			},
			status: []string{"MET-001"}, ill: "meter.1", why: "MET-001", log: "meter does not answer",
		},
		"display": {
			words: worded("payment: {through: sim}", `payment: {through: sim}`+"\n"+`display: [{kind: png, url: "file://DIR/none/d.png?size=800x480"}]`),
			mend: func(t *testing.T, dir string) {
				if err := os.Mkdir(filepath.Join(dir, "none"), 0o700); err != nil {
					t.Error(err)
				}
			},
			status: []string{"DIS-001"}, ill: "display", log: "no such file",
		},
		"broker": {
			words:  worded("id: A12,", "id: A12, tenant: acme,", "payment: {through: sim}", `payment: {through: sim}`+"\n"+`mqtt: {url: "mqtts://no-such-broker.invalid:8883", ca: "DIR/posts/A12/ca.pem", cert: "DIR/posts/A12/cert.pem", key: "DIR/posts/A12/key.pem"}`),
			break_: issue, status: nil, ill: "mqtt", log: "no-such-broker.invalid",
		},
	}
}

// issue makes the certificates of a broker and of the post.
func issue(t *testing.T, dir string) {
	for _, err := range []error{keys.Init(dir, "127.0.0.1"), keys.AddPost(dir, "acme", "A12")} {
		if err != nil {
			t.Error(err)
		}
	}
}

// Whatever is missing when the post starts: it is up, says what is missing wherever
// somebody may look, and takes it into use by itself when it is there.
func TestAPostStartsWithoutAndHeals(t *testing.T) {
	t.Parallel()
	rows := lackRows()
	maps.Copy(rows, awayRows())
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, run := filepath.Join(t.TempDir(), "d"), shortDir(t)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if row.break_ != nil {
				row.break_(t, dir)
			}
			words := append(row.words(t, dir), "STATE/run", run)
			p := rise(t, configured(t, t.TempDir(), words...), run)
			var said, ill, why []string
			if !slowly(func() bool { said = p.status(t); return slices.Equal(said, row.status) }) {
				t.Fatalf("status says %v\n%s", said, p.log)
			}
			if !slowly(func() bool {
				ill, why = p.says(t)
				return len(ill) > 0 && strings.HasPrefix(ill[0], row.ill) && (row.why == "" || len(why) > 0 && why[0] == row.why)
			}) {
				t.Fatalf("doctor says %v, why %v", ill, why)
			}
			if !strings.Contains(p.log.String(), row.log) {
				t.Errorf("%s\nwant %q", p.log, row.log)
			}
			if row.mend == nil { // nobody can make that name known
				return
			}
			row.mend(t, dir)
			p.ready(t, row.left)
		})
	}
}
