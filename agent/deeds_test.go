package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// puppet is an EVSE without a loop: what it is told it takes in at once.
type puppet struct {
	rules   *session.Rules
	state   session.State
	at      hal.Instant
	told    []session.Event
	asked   []payment.Order // and not answered
	terms   payment.Terms   // of the newest payment
	deaf    bool
	changed chan struct{}
	mu      sync.Mutex // for whoever looks while the test goes on
}

func (p *puppet) Tell(ctx context.Context, e session.Event) error {
	if p.deaf {
		return context.DeadlineExceeded
	}
	p.step(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, e)
	close(p.changed)
	p.changed = make(chan struct{})
	return nil
}

func (p *puppet) step(e session.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = p.rules.Step(p.state, p.at, e)
}

func (p *puppet) Reprice(_ context.Context, price payment.Price) error {
	if p.deaf {
		return context.DeadlineExceeded
	}
	rules := *p.rules
	rules.Price = price
	p.rules = &rules
	return nil
}

func (p *puppet) Snapshot() (session.State, hal.Instant, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.at, p.changed
}

func (p *puppet) Rules() *session.Rules { return p.rules }

// passes lets time pass in which meter and contactor go on saying what they say.
func (p *puppet) passes(d time.Duration) {
	for range d / time.Second {
		p.mu.Lock()
		p.at.Mono += time.Second
		p.at.Wall.Unix++
		p.mu.Unlock()
		p.step(session.Sensed{Position: p.rules.Want(&p.state, p.at).Contactor, At: p.at.Mono})
		p.step(session.Metered{Reading: hal.Reading{Register: 1000, Serial: "1", At: p.at.Mono}})
		want := p.rules.Want(&p.state, p.at)
		if want.Contactor == hal.Closed {
			p.step(session.Ordered{})
		}
		for _, o := range want.Orders {
			p.step(session.Asked{Order: o})
			p.asked = append(p.asked, o)
			if o.Verb == payment.Reserve {
				p.terms = o.Terms
			}
		}
	}
}

// newPuppet is an EVSE in service with a car, which nobody charges.
func newPuppet(n int, code string) *puppet {
	p := &puppet{
		rules: &session.Rules{
			Post: "DEMO", EVSE: n, Code: code, MaxPower: 22_000, Grain: 1, NoPlug: true, Limits: session.DefaultLimits(),
			Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20000}}, Choices: []payment.Amount{35_000}, Default: 35_000,
		},
		at:      hal.Instant{Mono: time.Second, Wall: hal.Stamp{Unix: 1_800_000_000, Clock: hal.ClockSynced}},
		changed: make(chan struct{}),
	}
	p.state = p.rules.Recover(session.Kept{Counter: 6}, session.Whole, p.at)
	for range 30 {
		p.passes(time.Second)
		p.answers(payment.Missing, payment.Found{}) // the search for what is open finds nothing
	}
	return p
}

// answers ends every asking that is on its way.
func (p *puppet) answers(status payment.Status, found payment.Found) {
	for _, o := range p.asked {
		p.step(session.Answered{Order: o, Answer: payment.Answer{Status: status, Found: found}})
	}
	p.asked = nil
}

var kari = payment.Holder{1} //nolint:gochecknoglobals // never changed

// charge brings the EVSE into a phase of a charge.
func (p *puppet) charge(t *testing.T, to session.Phase) {
	t.Helper()
	if to == session.Idle {
		return
	}
	p.step(session.Requested(display.Request{Reserve: 35_000, Seen: p.rules.Price, Holder: kari}))
	p.passes(time.Second)
	if to == session.Waiting {
		p.rules.NoPlug = false // no car
	}
	if to != session.Approving {
		p.answers(payment.Held, payment.Found{State: payment.Authorised, Amount: 35_000, Held: 35_000, Terms: p.terms})
		p.passes(2 * time.Second)
	}
	if to == session.Stopping {
		p.step(session.Stopped{Why: display.ByDriver})
	}
	if p.state.Phase != to {
		t.Fatalf("the EVSE is %v with %v, want %v", p.state.Phase, p.state.Faults(), to)
	}
}

// bureau is a post's deeds, with puppets for EVSEs.
type bureau struct {
	*deeds
	a, b     *puppet
	restarts atomic.Int32
	replayed [2]uint64 // from and to; zero for nothing under way
	noted    []string
	later    *later
}

// secondEVSE is the line of a bureau's file that makes it one of two EVSEs.
const secondEVSE = "  - {id: 2, code: A13, contactor: {sim: true}, max_power_w: 22000}\n"

func newBureau(t *testing.T) *bureau {
	t.Helper()
	text, err := os.ReadFile("../testdata/config/sim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const one = "  - {id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}\n"
	text = bytes.Replace(text, []byte(one), []byte(one+secondEVSE), 1)
	x := &bureau{a: newPuppet(1, "A12"), b: newPuppet(2, "A13")}
	dir := t.TempDir()
	x.deeds = &deeds{
		noted: func(sum string) { x.noted = append(x.noted, sum) }, seals: func(config.Config) {},
		units: []unit{x.a, x.b}, file: filepath.Join(dir, "stolpe.yaml"), dir: dir, lang: display.NB,
		newest: func() uint64 { return 100 }, ledger: func() string { return "" },
		restart: func() { x.restarts.Add(1) }, now: func() hal.Instant { return x.a.at }, log: slog.New(slog.DiscardHandler),
	}
	x.runs.Store(&config.Config{Sum: "0123456789ab", StateDir: "/tmp/stolpe-demo"}) // as the file has it
	x.again = func(from, to uint64) bool {
		if x.replayed[0] > 0 {
			return false
		}
		x.replayed = [2]uint64{from, to}
		return true
	}
	if err := os.WriteFile(x.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	x.board = openBoard(dir, x.now, x.log)
	x.later = openLater(x.deeds, world{})
	return x
}

// do does a command as the desk does.
func (x *bureau) do(name commands.Name, evse int, args string) (commands.Answer, error) {
	return x.give(commands.Command{Name: name, EVSE: evse, Args: json.RawMessage(args)})
}

func (x *bureau) give(c commands.Command) (commands.Answer, error) {
	a, err := x.table()[c.Name].Do(context.Background(), c)
	if err == nil && a.Then != nil {
		a.Then()
	}
	return a, err
}

// refused checks that a command is not done, and why.
func refused(t *testing.T, err error, code commands.Code, with string) {
	t.Helper()
	var r commands.Refusal
	if !errors.As(err, &r) || r.Code != code || !strings.Contains(r.Text, with) {
		t.Errorf("%v: want %s with %q", err, code, with)
	}
}

func TestEveryCommandHasADeed(t *testing.T) {
	x := newBureau(t)
	for _, name := range commands.Names() {
		if x.table()[name].Do == nil {
			t.Errorf("nothing is done for %s", name)
		}
		if _, err := x.do(name, 0, `{"sing":true}`); err == nil {
			t.Errorf("%s takes an argument that is none", name)
		}
		if _, err := x.do(name, 7, `{}`); err == nil {
			t.Errorf("%s is done at an EVSE that is not there", name)
		}
	}
	if len(x.table()) != len(commands.Names()) {
		t.Error("there are deeds for what is no command")
	}
}

// No command closes a contactor: in every phase, healthy or not, with every command and
// a minute of life after it, the contactor is wanted closed only where it would have
// been without.
func TestNoCommandClosesAContactor(t *testing.T) {
	for _, phase := range []session.Phase{session.Idle, session.Approving, session.Waiting, session.Charging, session.Stopping} {
		for _, ill := range []session.Event{nil, session.TakenOut{}, session.Recalled{}, session.Recalled{Now: true}, session.Signalled{Signals: hal.EmergencyStop},
			session.Signalled{Signals: hal.StopPressed}, session.Unwritable{}, session.Metered{Reading: hal.Reading{Register: 500, Serial: "2", At: time.Hour}}} {
			for _, c := range everyCommand() {
				x, twin := newBureau(t), newPuppet(1, "A12")
				for _, p := range []*puppet{x.a, twin} {
					p.charge(t, phase)
					if ill != nil {
						p.step(ill)
					}
					p.step(session.Ticked{})
				}
				for step := range 60 {
					before := x.a.rules.Want(&x.a.state, x.a.at).Contactor
					if step == 0 {
						x.give(c) //nolint:errcheck // refused or not
					}
					after := x.a.rules.Want(&x.a.state, x.a.at).Contactor
					if step == 0 && before == hal.Open && after == hal.Closed {
						t.Fatalf("%v, %+v: %s %s closes the contactor", phase, ill, c.Name, c.Args)
					}
					if after == hal.Closed && twin.rules.Want(&twin.state, twin.at).Contactor == hal.Open {
						t.Fatalf("%v, %+v: after %s %s the contactor is wanted closed, without it is not", phase, ill, c.Name, c.Args)
					}
					x.a.passes(time.Second)
					twin.passes(time.Second)
				}
			}
		}
	}
}

// everyCommand is every command in each of its forms.
func everyCommand() []commands.Command {
	var all []commands.Command
	for name, args := range map[commands.Name][]string{
		commands.Identify: {`{}`, `{"for_s":0}`}, commands.Stop: {`{}`, `{"session":"DEMO-1-000007"}`},
		commands.OutOfService: {`{}`, `{"now":true}`}, commands.InService: {`{}`}, commands.Restart: {`{}`}, commands.Selftest: {`{}`},
		commands.PriceSet: {`{"kwh":1}`}, commands.MessageSet: {`{"text":"Hei"}`, `{"text":null}`},
		commands.ConfigGet: {`{}`}, commands.ConfigSet: {`{"do":"plan","set":{"limits.longest":"1h"}}`, `{"do":"apply","plan":"x"}`, `{"do":"confirm","plan":"x"}`},
		commands.SettleRetry: {`{}`, `{"session":"DEMO-1-000007"}`}, commands.Replay: {`{"from":1}`},
	} {
		for _, a := range args {
			all = append(all, commands.Command{Name: name, Args: json.RawMessage(a)}, commands.Command{Name: name, Args: json.RawMessage(a), Force: true})
		}
	}
	return all
}

// What is not set from afar could close a contactor without a driver.
func TestNoCommandTouchesWhatSwitches(t *testing.T) {
	x := newBureau(t)
	for _, key := range []string{"evses", "evses[0].contactor.active_low", "evses.contactor", "payment.through", "payment.vipps.base_url", "payment.sim.payer", "commands.keys", "meters_dir", "limits.rest", "limits.closings_an_hour"} {
		_, err := x.do(commands.ConfigSet, 0, `{"do":"plan","set":{"`+key+`":"sim"}}`)
		refused(t, err, commands.Invalid, "is not set from afar")
	}
	if x.plan.New != nil {
		t.Error("something is planned")
	}
}
