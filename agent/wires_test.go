package main

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/hal/gpio"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// yard is what stands around a post with real contactors: a bench in place of
// contactor, car and wires, and its meter on a wire that is there before the post
// is.
type yard struct {
	*sim.Rig
	now   atomic.Pointer[func() time.Duration] // the post's clock, once it has one
	beats atomic.Int64
	lines gpio.Config
	press chan struct{} // of the accept button
}

func newYard(setup sim.Setup) *yard {
	y := &yard{press: make(chan struct{}, 1)}
	y.Rig = sim.NewRig(setup, func() time.Duration {
		if now := y.now.Load(); now != nil {
			return (*now)()
		}
		return 0
	})
	return y
}

// Presses gives what a test sends.
func (y *yard) Presses() <-chan struct{} { return y.press }

// Pressed is never so when somebody looks.
func (y *yard) Pressed() (bool, error) { return false, nil }

// Beat counts.
func (y *yard) Beat() error { y.beats.Add(1); return nil }

// Close opens the contactor, as the real one does.
func (y *yard) Close() error { return y.Set(hal.Open) }

// into makes the yard what a post finds.
func (y *yard) into(w *world) {
	y.now.Store(&w.mono)
	w.wires = func(c gpio.Config) (wires, error) {
		y.lines = c
		return y, nil
	}
}

// serve puts the yard's meter on a wire.
func (y *yard) serve(t *testing.T, m *meters.Map, at string) (url string) {
	t.Helper()
	s := simulation{url: at}
	url, end, err := s.serve(m, sim.Units{1: play(m, y.Rig)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return url
}

// newcomerMap reads the map that is built into nothing.
func newcomerMap(t *testing.T) *meters.Map {
	t.Helper()
	m, err := meters.Parse("newcomer.yaml", []byte(newcomer))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A meter that is not built in is added by one file, and bills a whole charge, on
// every kind of wire.
func TestMeterFromAFileBillsAWholeCharge(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"over TCP": "tcp://127.0.0.1:0", "on a serial line": "rtu:" + t.TempDir() + "/line", "behind a converter": "rtuovertcp://127.0.0.1:0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(sim.Setup{Serial: "N-4711", Register: 1_234_560})
			y.Do(func(b *sim.Bench, now time.Duration) { b.PlugIn(now, demoCar) })
			address := y.serve(t, newcomerMap(t), at)
			p := perform(t, y.into,
				"evses: [", "meters_dir: "+folder(t, "newcomer.yaml", newcomer)+"\nevses: [",
				"contactor: {sim: true}", `meter: {model: newcomer, url: "`+address+`", serial: N-4711}, contactor: {line: GPIO17, sense: GPIO27}`)
			o, err := p.charge(t)
			if err != nil {
				t.Fatalf("%v\n%s", err, p.log)
			}
			if o.EnergyWh < 5400 || o.EnergyWh%10 != 0 || o.Captured == 0 {
				t.Errorf("%+v: want half an hour at 11 kW, in steps of 10 Wh", o)
			}
			var truth sim.Truth
			y.Do(func(b *sim.Bench, now time.Duration) { truth = b.Truth(now) })
			if d := int64(truth.Energy) - o.EnergyWh; d < -10 || d > 10 || truth.Contacts != hal.Open {
				t.Errorf("billed %d Wh, delivered %d, contacts %v", o.EnergyWh, truth.Energy, truth.Contacts)
			}
			if r := p.parts.units["A12"].Rules(); r.Model != "newcomer" || r.Grain != 10 || r.Serial != "N-4711" || r.Refresh == 0 {
				t.Errorf("rules %+v", r)
			}
		})
	}
}

// wiredPost is a post with a real contactor and all its wires, to be performed in a
// yard.
func wiredPost(t *testing.T, y *yard) *performance {
	t.Helper()
	m, err := meters.Find("eastron_sdm120")
	if err != nil {
		t.Fatal(err)
	}
	return perform(t, y.into, "payment: {through: sim}", "payment: {through: sim}\nlimits: {plug_in: 1h}", "contactor: {sim: true}", `meter: {model: eastron_sdm120, url: "`+y.serve(t, m, "tcp://127.0.0.1:0")+`"},
  contactor: {line: GPIO17, sense: GPIO27, deadman: GPIO5, active_low: true}, inputs: {plug: GPIO22, stop: "!GPIO23", estop: "!GPIO24"}`)
}

func TestRealContactorObeysItsWires(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		act  func(*yard)
		ends display.End
	}{
		"stop button":    {func(y *yard) { y.Signal(hal.StopPressed); y.Signal(0) }, display.ByButton},
		"emergency stop": {func(y *yard) { y.Signal(hal.EmergencyStop); y.Signal(0) }, display.Emergency},
		"unplugged":      {func(y *yard) { y.Do(func(b *sim.Bench, now time.Duration) { b.Unplug(now) }) }, display.Unplugged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(sim.Setup{Serial: "22110345", Register: 1_000_000})
			p := wiredPost(t, y)
			if want := (gpio.Config{Line: "GPIO17", Sense: "GPIO27", DeadMan: "GPIO5", ActiveLow: true, Plug: "GPIO22", Stop: "!GPIO23", EStop: "!GPIO24"}); y.lines != want {
				t.Errorf("opened %+v, want %+v", y.lines, want)
			}
			page := begin(t, p.url+"/en/A12")
			until(t, "the post waits for a cable", func() bool {
				scene, _, _ := look(t, page)
				return scene == "plug"
			})
			y.Do(func(b *sim.Bench, now time.Duration) {
				if b.Truth(now).Contacts != hal.Open {
					t.Error("closed without a cable")
				}
				b.PlugIn(now, demoCar)
			})
			until(t, "energy", func() bool {
				var truth sim.Truth
				y.Do(func(b *sim.Bench, now time.Duration) { truth = b.Truth(now) })
				return truth.Energy > 500 // more than the smallest payment
			})
			row.act(y)
			until(t, "settled", func() bool {
				state, _, _ := p.parts.units["A12"].Snapshot()
				return len(state.Done) == 1
			})
			state, _, _ := p.parts.units["A12"].Snapshot()
			if d := state.Done[0]; d.Why != row.ends || d.Captured != d.Due || d.Captured == 0 {
				t.Errorf("ended by %v, captured %v of %v: want %v", d.Why, d.Captured, d.Due, row.ends)
			}
			if y.beats.Load() == 0 {
				t.Error("the dead-man did not beat")
			}
		})
	}
}

// log is what a test of open looks at.
func opened(t *testing.T, words ...string) (config.Config, world, *paper) {
	t.Helper()
	cfg, err := config.Parse("test.yaml", strings.NewReader(strings.NewReplacer(words...).Replace(demoConfig)), config.System)
	if err != nil {
		t.Fatal(err)
	}
	log := new(paper)
	s := &stage{demoOptions: demoOptions{speed: 1}}
	return cfg, s.world(slog.New(slog.NewTextHandler(log, nil)), &showcase{quiet: true}), log
}

const twoReal = `evses:
- {id: 1, code: A12, meter: {model: eastron_sdm120, url: "rtu:///dev/ttyUSB7"}, contactor: {line: GPIO17, sense: GPIO27}, max_power_w: 22000}
- {id: 2, code: B12, meter: {model: eastron_sdm120, url: "rtu:///dev/ttyUSB7", unit: 2}, contactor: {line: GPIO18, sense: GPIO28}, max_power_w: 22000}`

const oneSim = `evses: [{id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}]`

// One contactor that cannot be had leaves none of the others closed, and keeps none of them
// from being used. What is wrong is told with its line.
func TestAllContactorsAreOpenedWhateverIsWrongWithOne(t *testing.T) {
	cfg, w, log := opened(t, oneSim, twoReal)
	y := newYard(sim.Setup{})
	if err := y.Set(hal.Closed); err != nil {
		t.Fatal(err)
	}
	var asked []string
	w.wires = func(c gpio.Config) (wires, error) {
		asked = append(asked, c.Line)
		if c.Line == "GPIO17" {
			return nil, errors.New(`line "GPIO17" is held by "relayd"`)
		}
		if err := y.Set(hal.Open); err != nil { // as gpio.Open does
			return nil, err
		}
		return y, nil
	}
	p, err := open(cfg, w, dull{})
	if err != nil || strings.Join(asked, " ") != "GPIO17 GPIO18" {
		t.Fatalf("%v, asked for %v", err, asked)
	}
	defer p.Close()
	y.Do(func(b *sim.Bench, now time.Duration) { b.Advance(now + time.Minute) })
	if at, _ := y.Sense(); at != hal.Open {
		t.Error("the other contactor was left closed")
	}
	for _, want := range []string{"EVSE 1: the lines of the contactor, GPIO17", `held by \"relayd\"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s\nwant %q", log, want)
		}
	}
	if all := p.lacking(false); len(all) != 1 || all[0].EVSE != 1 || !strings.Contains(all[0].Why, "relayd") {
		t.Errorf("%+v", all)
	}
}

// EVSEs with one address share one bus, and a meter that is away is no error.
func TestMetersShareTheirBus(t *testing.T) {
	cfg, w, log := opened(t, oneSim, twoReal)
	w.wires = func(gpio.Config) (wires, error) { return newYard(sim.Setup{}), nil }
	p, err := open(cfg, w, dull{})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.buses) != 1 || len(p.units) != 2 {
		t.Errorf("%d buses, %d EVSEs", len(p.buses), len(p.units))
	}
	if n := strings.Count(log.String(), "better is its name under /dev/serial/by-id"); n != 1 {
		t.Errorf("advised %d times:\n%s", n, log)
	}
	if r := p.units["B12"].Rules(); r.Modulus != 0 || r.Grain != 10 || r.Refresh == 0 || !r.NoPlug || r.Wired != 0 || r.Limits.Rest != 10*time.Second || r.Limits.Closings != 20 {
		t.Errorf("%+v", r)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// What the rules know of the wires and the meter is what the configuration and the
// map say.
func TestRulesKnowTheHardware(t *testing.T) {
	real := strings.NewReplacer(
		"eastron_sdm120", "garo_gnm3d_gnm3t", "sense: GPIO27}", "sense: GPIO27}, inputs: {plug: GPIO1, stop: GPIO2, rcd: GPIO3, hot: GPIO4}",
		"sense: GPIO28}", "sense: GPIO28}, inputs: {estop: GPIO5}").Replace(twoReal)
	cfg, w, log := opened(t, oneSim, real)
	w.wires = func(gpio.Config) (wires, error) { return newYard(sim.Setup{}), nil }
	p, err := open(cfg, w, dull{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m, err := meters.Find("garo_gnm3d_gnm3t")
	if err != nil {
		t.Fatal(err)
	}
	one, two := p.units["A12"].Rules(), p.units["B12"].Rules()
	if one.NoPlug || !two.NoPlug || one.Wired != hal.StopPressed|hal.RCDTripped|hal.TooHot || two.Wired != hal.EmergencyStop {
		t.Errorf("no plug %v, %v; wired %v, %v", one.NoPlug, two.NoPlug, one.Wired, two.Wired)
	}
	if one.Grain != 100 || one.Modulus != m.Modulus() || one.Modulus == 0 || one.Model != m.ID {
		t.Errorf("%+v", one)
	}
	if n := strings.Count(log.String(), `msg="meter counts in large steps`); n != 2 {
		t.Errorf("warned %d times of 100 Wh:\n%s", n, log)
	}
}

// A map that rests on little bills once somebody answers for it, and not before.
func TestWeakMapWantsToBeConfirmed(t *testing.T) {
	for confirmed, want := range map[string]string{"": "ddm18sd as its confirmed", ", confirmed: true": "", ", confirmed: false": "ddm18sd as its confirmed"} {
		cfg, w, _ := opened(t, oneSim, strings.NewReplacer("ttyUSB7", "ttyUSB7?baud=9600&parity=N",
			`model: eastron_sdm120, url: "rtu:///dev/ttyUSB7", unit: 2`, `model: ddm18sd, url: "rtu:///dev/ttyUSB7?baud=9600&parity=N", unit: 2`+confirmed).Replace(twoReal))
		w.wires = func(gpio.Config) (wires, error) { return newYard(sim.Setup{}), nil }
		p, err := open(cfg, w, dull{})
		if want == "" && err == nil {
			err = p.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "test.yaml:7: evses[1].meter.model: found \"ddm18sd\"") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", confirmed, err, want)
		}
	}
}

// A dead-man that cannot be reached is told once, and the contactor opens by it.
func TestDeadManThatCannotBeReachedIsTold(t *testing.T) {
	var log paper
	p := &parts{wires: map[int]wires{1: deaf{}}}
	e := config.EVSE{ID: 1, Contactor: config.Contactor{DeadMan: "GPIO5"}}
	hook := p.aliveHook(e, slog.New(slog.NewTextHandler(&log, nil)))
	hook()
	hook()
	if strings.Count(log.String(), "dead-man does not beat") != 1 || !strings.Contains(log.String(), "GPIO5") {
		t.Error(&log)
	}
	if p.aliveHook(config.EVSE{}, nil) != nil {
		t.Error("a hook that nobody needs")
	}
}

// deaf are lines that take nothing.
type deaf struct{ *yard }

func (deaf) Beat() error { return errors.New("gone") }
