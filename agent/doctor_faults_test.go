package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/gpio"
	"stolpe/hal/sim"
	till "stolpe/payment/sim"
)

// ailment is a fault, and what doctor and why must say of it before anything else.
type ailment struct {
	name   string
	plan   plan
	plant  func(*testing.T, *clinic)
	ready  func(*clinic) bool // it shows; nil for at once
	stalls bool               // time does not pass by itself, or payments are never all read back
	code   string             // of the fault that the post has by then; empty for none
	want   string             // beginning of the first finding
	remedy string             // in it
	why    string             // in the first blocker; empty for none
	then   string             // in its remedy; that of the finding without
}

// sees runs a table of planted faults.
func sees(t *testing.T, all []ailment) {
	t.Helper()
	for _, x := range all {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			if x.plan.setup == (sim.Setup{}) {
				x.plan.setup = sim.Setup{Serial: "22110345", Register: 1_000_000}
			}
			c := admit(t, x.plan)
			if x.plant != nil {
				c.settles(t)
				x.plant(t, c)
			}
			pass := func() {
				if x.stalls {
					c.stage.clock.Step(time.Second / 2)
				}
			}
			until(t, "the post is up", func() bool {
				pass()
				s, now := c.state()
				return now.Mono > youngFor && (s.Passing&session.Seeking == 0 || x.stalls)
			})
			if x.code != "" {
				until(t, "the post finds "+x.code+" before all else", func() bool { pass(); s, _ := c.state(); return strings.HasPrefix(codesOf(&s), x.code) })
			}
			if x.ready != nil {
				until(t, "it shows", func() bool { return x.ready(c) })
			}
			first, why := foremost(c.look(t.Context()))
			found := func() bool { return strings.HasPrefix(first, x.want) && strings.Contains(first, x.remedy) }
			if x.plan.serve != "" && !found() { // the search is hasty, and a busy machine lets a line answer late: who looks again finds it
				cameTrue(func() bool { first, why = foremost(c.look(t.Context())); return found() })
			}
			if !found() {
				t.Errorf("doctor says first\n%s\nwant %s ... %s\n%s", first, x.want, x.remedy, c.log)
			}
			then := x.then
			if then == "" {
				then = x.remedy
			}
			if x.why == "" && why != "" || x.why != "" && (!strings.Contains(why, x.why) || !strings.Contains(why, then)) {
				t.Errorf("why says first\n%s\nwant %q ... %q", why, x.why, then)
			}
		})
	}
}

// codesOf lists the codes of a state's faults.
func codesOf(s *session.State) string {
	var codes []string
	session.EachFault(func(f session.Faults) {
		if s.Faults()&f != 0 {
			codes = append(codes, f.Code())
		}
	})
	return strings.Join(codes, " ")
}

// faulted sets what is wrong with the bench.
func faulted(f sim.Faults) func(*testing.T, *clinic) {
	return func(_ *testing.T, c *clinic) { c.yard.Do(func(b *sim.Bench, now time.Duration) { b.Fault(now, f) }) }
}

// signalled has the wires of the post say something.
func signalled(s hal.Signals) func(*testing.T, *clinic) {
	return func(_ *testing.T, c *clinic) { c.yard.Signal(s) }
}

// at is a meter as it is configured, with some of its address replaced.
func at(more string, words ...string) func(string) string {
	return func(url string) string {
		return `model: eastron_sdm120, url: "` + strings.NewReplacer(words...).Replace(url) + `"` + more
	}
}

// A meter that is not where, or what, it should be is found where it is, if it answers
// anywhere.
func TestFaultsOfTheMeter(t *testing.T) {
	t.Parallel()
	line := func(query string) string { return "rtu:" + shortDir(t) + "/line" + query }
	sees(t, []ailment{
		{name: "unplugged adapter", plan: plan{meter: func(string) string { return `model: eastron_sdm120, url: "rtu:///dev/serial/by-id/none"` }}, code: "MET-001",
			want: "FAIL meter.1: the meter's adapter is not there: rtu:///dev/serial/by-id/none (MET-001)", remedy: "ls -l /dev/serial/by-id", why: "MET-001: the meter's adapter is not there"},
		{name: "no power to the meter", plan: plan{serve: line("")}, plant: faulted(sim.Faults{Silent: true}), code: "MET-001",
			want: "FAIL meter.1: the meter does not answer at rtu://", remedy: "is it on, and are A and B the right way round? Then: stolpe meter scan --url rtu://", why: "MET-001: the meter does not answer"},
		{name: "wrong parity", plan: plan{serve: line("?parity=E"), meter: at("", "parity=E", "parity=N")}, code: "MET-001",
			want: "FAIL meter.1: the meter does not answer at rtu://", remedy: "parity=E&stop=1: wrong speed or parity (MET-001) -> stolpe config set 'evses[0].meter.url' 'rtu://", why: "MET-001: the meter does not answer", then: "parity=E&stop=1'"},
		{name: "wrong speed", plan: plan{serve: line("?baud=19200"), meter: at("", "baud=19200", "baud=9600")}, code: "MET-001",
			want: "FAIL meter.1: the meter does not answer at rtu://", remedy: "wrong speed or parity (MET-001) -> stolpe config set 'evses[0].meter.url' 'rtu://", why: "MET-001", then: "baud=19200"},
		{name: "wrong unit", plan: plan{serve: line(""), meter: at(", unit: 5")}, code: "MET-001",
			want: "FAIL meter.1: the meter does not answer at rtu://", remedy: "unit 1 answers there: wrong unit (MET-001) -> stolpe config set 'evses[0].meter.unit' 1", why: "MET-001", then: "meter.unit' 1"},
		{name: "wrong unit behind a gateway", plan: plan{meter: at(", unit: 5")}, code: "MET-001",
			want: "FAIL meter.1: the gateway at tcp://127.0.0.1:", remedy: "gets no answer from unit 5; unit 1 answers there: wrong unit (MET-001) -> stolpe config set 'evses[0].meter.unit' 1", why: "MET-001", then: "meter.unit' 1"},
		{name: "nobody listens", plan: plan{meter: func(string) string { return `model: eastron_sdm120, url: "tcp://127.0.0.1:1"` }}, code: "MET-001",
			want: "FAIL meter.1: nobody listens at tcp://127.0.0.1:1", remedy: "Modbus TCP switched on", why: "MET-001: nobody listens"},
		{name: "another model", plan: plan{meter: func(url string) string { return `model: abb_b23_b24, url: "` + url + `"` }}, code: "MET-001",
			want: "FAIL meter.1: something else than a meter of this model answers at tcp://", remedy: "stolpe meter identify --evse 1; write that: stolpe config set 'evses[0].meter.model' MODEL", why: "MET-001: something else"},
		{name: "another meter than the pinned one", plan: plan{meter: at(`, serial: "99999999"`)}, code: "MET-002",
			want: "FAIL meter.1: another meter answers than the one that should (MET-002)", remedy: "the meter says 22110345, the configuration wants 99999999: put the right one back, or if it was exchanged on purpose: stolpe config set 'evses[0].meter.serial' 22110345", why: "MET-002"},
		{name: "meter counts backwards", plant: func(_ *testing.T, c *clinic) {
			c.yard.Do(func(b *sim.Bench, now time.Duration) { b.SwapMeter(now, "22110345", 500_000) })
		}, code: "MET-004", want: "FAIL meter.1: the meter counts below what it has shown (MET-004)", remedy: "stolpe meter compare", why: "MET-004"},
		{name: "no mains", plant: faulted(sim.Faults{NoSupply: true}), code: "SUP-001",
			want: "FAIL meter.1: no mains voltage at the meter (SUP-001)", remedy: "the circuit breaker and the main switch", why: "SUP-001"},
		{name: "verification ran out", plan: plan{meter: at(`, mid_until: "2026-01-31"`)}, plant: func(*testing.T, *clinic) {},
			want: "FAIL meter.mid.1: the meter's verification ran out on 2026-01-31", remedy: "order a new meter"},
	})
}

// What is wrong around the contactor is told with what to do with one's hands.
func TestFaultsOfTheContactor(t *testing.T) {
	t.Parallel()
	sees(t, []ailment{
		{name: "emergency stop", plant: signalled(hal.EmergencyStop), code: "SAF-002", want: "FAIL safety.1: the emergency stop is pressed", remedy: "turn the emergency stop out; if that is so already, the wire to GPIO24 is broken", why: "SAF-002"},
		{name: "residual current", plant: signalled(hal.RCDTripped), code: "SAF-003", want: "FAIL safety.1: the residual current device has tripped", remedy: "find the earth fault (cable, socket, car), and switch the residual current device on again; if that is so already, the wire to GPIO25", why: "SAF-003"},
		{name: "too hot", plant: signalled(hal.TooHot), code: "SAF-004", want: "FAIL safety.1: too hot at socket or cable", remedy: "tighten the terminals; if that is so already, the wire to GPIO26", why: "SAF-004"},
		{name: "stop button stuck", plant: signalled(hal.StopPressed), code: "SAF-005", want: "FAIL safety.1: the stop button is held", remedy: "free the button if it is stuck; if that is so already, the wire to GPIO23", why: "SAF-005"},
		{name: "welded", plant: func(t *testing.T, c *clinic) {
			c.charges(t)
			faulted(sim.Faults{Welded: true})(t, c)
			c.stops()
		}, code: "CON-001", want: "FAIL contactor.1: the contactor is welded", remedy: "SWITCH OFF THE BREAKER NOW: the socket is live. Measure that it is dead before anybody touches it, and replace the contactor; then: stolpe service in --evse 1 --repaired; try: stolpe service out --evse 1 --now, stolpe contactor test --evse 1; stolpe service in --evse 1", why: "CON-001"},
		{name: "sense wire that says closed", plant: func(t *testing.T, c *clinic) {
			c.charges(t)
			faulted(sim.Faults{SenseStuck: true, SenseAt: hal.Closed})(t, c)
			c.stops()
		}, code: "CON-004", want: "FAIL contactor.1: the wire that senses the contactor says something else than the meter", remedy: "its wire on GPIO27; try: stolpe service out --evse 1 --now, stolpe contactor test --evse 1; then: stolpe service in --evse 1 --repaired", why: "CON-004"},
		{name: "coil dead", plant: func(t *testing.T, c *clinic) {
			faulted(sim.Faults{NoClose: true})(t, c)
			for range 3 {
				c.tries(t)
			}
		}, code: "CON-002", want: "FAIL contactor.1: the contactor does not close", remedy: "the coil's fuse and wire, and at the auxiliary contact on GPIO27; try: stolpe service out --evse 1 --now, stolpe contactor test --evse 1; then: stolpe service in --evse 1 --repaired", why: "CON-002"},
		{name: "sense line that cannot be read", stalls: true, plan: plan{change: func(w *world) {
			wired := w.wires
			w.wires = func(c gpio.Config) (wires, error) {
				l, err := wired(c)
				return senseless{l}, err
			}
		}}, code: "CON-003", want: "FAIL contactor.1: nobody knows where the contactor stands", remedy: "line GPIO27 (gpioinfo shows who has it)", why: "CON-003"},
		{name: "taken out by a technician", plant: func(t *testing.T, c *clinic) { c.tell(t, session.TakenOut{}) }, code: "USR-001",
			want: "WARN service.1: taken out of service by a technician (USR-001)", remedy: "stolpe service in --evse 1", why: "USR-001"},
		{name: "taken out by the fleet", plant: func(t *testing.T, c *clinic) { c.tell(t, session.Recalled{Now: true}) }, code: "USR-003",
			want: "WARN service.1: taken out of service by the owner, over the network (USR-003)", remedy: "ask the fleet's operator", why: "USR-003"},
	})
}

// What is wrong with the card is told before what follows from it.
func TestFaultsOfTheStorage(t *testing.T) {
	t.Parallel()
	full := plan{change: func(w *world) { w.store = failing(w.store, syscall.ENOSPC) }, before: func(c *clinic) { c.disk.Free, c.disk.Used = 0, 100 }}
	ill := plan{change: func(w *world) { w.store = failing(w.store, syscall.EIO) }}
	sees(t, []ailment{
		{name: "disk full", stalls: true, plan: full, code: "STO-001", want: "FAIL disk: the disk is full: 0 MB free", remedy: "journalctl --vacuum-size=50M", why: "STO-001: the journal cannot be written", then: "stolpe doctor disk"},
		{name: "card that errs", stalls: true, plan: ill, code: "STO-001", want: "FAIL journal.1: the journal cannot be written (STO-001)", remedy: "replace the card, and start anew: sudo systemctl restart stolpe", why: "STO-001"},
		{name: "clock that nobody disciplines", plan: plan{change: func(w *world) {
			now := w.now
			w.now = func() hal.Instant { i := now(); i.Wall.Clock = hal.ClockHoldover; return i }
		}}, want: "WARN clock: the clock says 20", remedy: "let NTP (UDP 123) out"},
		{name: "journal rotten", plan: plan{change: func(w *world) {
			store := w.store
			w.store = func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
				j, k, end, err := store(e, owner)
				k.trust, k.detail = session.Holed, "slot 3: checksum"
				return j, k, end, err
			}
		}}, code: "STO-002", want: "FAIL journal.1: the journal was damaged, and what it lost is not known (STO-002)", remedy: "stolpe support bundle", why: "STO-002"},
		{name: "too many starts", plan: plan{change: withState(func(k *session.Kept) { k.Boots = 9 })}, code: "SAF-001",
			want: "FAIL service.1: the program has started too many times", remedy: "stolpe logs --since 1h", why: "SAF-001"},
		{name: "ledger that cannot be opened", plan: plan{change: func(w *world) {
			path := ledgerPath(t.TempDir())
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Error(err)
			}
			w.book, _ = ledger.OpenAnyway(path)
		}}, want: "FAIL ledger: the ledger: cannot be opened", remedy: "take a support bundle before anything is moved"},
	})
}

// What is wrong with the money is told by where it is stuck.
func TestFaultsOfTheMoney(t *testing.T) {
	t.Parallel()
	sees(t, []ailment{
		{name: "sales unit may not sell", plant: func(t *testing.T, c *clinic) {
			c.script(t, "create: code 5070 x9")
			c.asks(t)
		}, code: "PAY-001", want: "FAIL salesunit: the payment service says that the sales unit cannot sell (PAY-001)", remedy: "portal.vippsmobilepay.com; then: stolpe service in --evse 1 --repaired", why: "PAY-001"},
		{name: "service out of order", plant: func(t *testing.T, c *clinic) { c.script(t, "any: 503 x1000") },
			want: "WARN payment: the payment service has a fault", remedy: "status.vippsmobilepay.com"},
		{name: "bank let go", plant: func(t *testing.T, c *clinic) {
			c.charges(t)
			c.till.Do(func(_ time.Duration, b *till.Book) {
				s, _ := c.state()
				b.Funds(c.parts.units["A12"].Rules().Ref(s.Charge.Number), false)
			})
			c.stops()
		}, ready: func(c *clinic) bool { s, _ := c.state(); return len(s.Debts) == 1 && s.Debts[0].Trouble.String() != "" }, want: "FAIL settlement.1: DEMO-1-000001: the bank has let the reservation go", remedy: "stolpe sessions settle DEMO-1-000001"},
		{name: "sixteen charges not settled", stalls: true, plan: plan{change: withState(func(k *session.Kept) {
			for n := range session.MaxDebts {
				d := session.Debt{Charge: session.Charge{Number: uint64(n) + 1, Held: true, Limit: 35_000}, Due: 1000}
				d.Price.Currency, d.Price.KWh = "NOK", 549
				k.Debts, k.Counter = append(k.Debts, d), uint64(n)+1
			}
		})}, want: "FAIL settlement.1: DEMO-1-000001: amounts have moved that the post did not move", remedy: "stolpe payment reconcile --since DATE; then stolpe sessions settle DEMO-1-000001", ready: func(c *clinic) bool {
			s, _ := c.state()
			return len(s.Debts) == session.MaxDebts && s.Debts[0].Trouble.String() != ""
		}, why: "debts: 16 charges are not settled", then: "stolpe sessions settle --all-stuck"},
	})
}

// senseless are lines of which one cannot be read.
type senseless struct{ wires }

func (senseless) Sense() (hal.Position, error) { return 0, errors.New("no such line") }

// script has the payment service fail.
func (c *clinic) script(t *testing.T, faults string) {
	t.Helper()
	if err := c.till.SetScript(faults); err != nil {
		t.Fatal(err)
	}
}

// tell tells the EVSE of an event.
func (c *clinic) tell(t *testing.T, e session.Event) {
	t.Helper()
	if err := c.parts.units["A12"].Tell(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// asks is a driver who asks for a charge and gets no further.
func (c *clinic) asks(t *testing.T) {
	t.Helper()
	v := c.parts.units["A12"]
	r := v.Rules()
	if err := v.Request(t.Context(), session.Requested{Holder: [16]byte{1}, Reserve: r.Default, Seen: r.Price, Return: c.url + "/A12/x"}); err != nil {
		t.Fatal(err)
	}
}

// charges is a driver with a car, until energy flows.
func (c *clinic) charges(t *testing.T) {
	t.Helper()
	c.yard.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, demoCar) })
	begin(t, c.url+"/en/A12")
	until(t, "energy", func() bool {
		var truth sim.Truth
		c.yard.Do(func(b *sim.Bench, now time.Duration) { truth = b.Truth(now) })
		return truth.Energy > 500
	})
}

// tries is a driver with a car whose charge does not begin.
func (c *clinic) tries(t *testing.T) {
	t.Helper()
	c.yard.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, demoCar) })
	s, _ := c.state()
	number := s.Counter
	begin(t, c.url+"/en/A12")
	until(t, fmt.Sprint("charge ", number+1, " is over"), func() bool {
		s, _ := c.state()
		return s.Counter == number+1 && s.Phase == session.Idle && len(s.Debts) == 0
	})
}

// stops presses the stop button for a moment.
func (c *clinic) stops() {
	c.yard.Signal(hal.StopPressed)
	c.yard.Signal(0)
}

// failing is a card that takes nothing.
func failing(store func(config.EVSE, string) (evse.Journal, kept, func() error, error), why error) func(config.EVSE, string) (evse.Journal, kept, func() error, error) {
	return func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
		_, k, end, err := store(e, owner)
		k.state.Boots = 0
		return unwritable{errors.Join(errors.New("journal"), why)}, k, end, err
	}
}

// withState has the journal hold more than it does.
func withState(change func(*session.Kept)) func(*world) {
	return func(w *world) {
		store := w.store
		w.store = func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
			j, k, end, err := store(e, owner)
			change(&k.state)
			return j, k, end, err
		}
	}
}
