package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/modbus/meters"
	"stolpe/hal/sim"
)

// clinic is a post in the demo's world with a yard of real lines around it, its door for
// people at the post, and a machine that is well. A fault is planted, and doctor and why
// are asked over the socket as a technician asks.
type clinic struct {
	*performance
	yard    *yard
	machine computer
	files   fstest.MapFS
	disk    *doctor.Disk
	clock   hal.Stamp // of the machine; zero for a good one
	file    string    // the configuration
	client  *control.Client
	up      *uplink // nil without a broker
	local   *local
}

// plan says what a clinic begins with.
type plan struct {
	setup  sim.Setup
	model  string                  // of the meter that is there
	serve  string                  // where it is served; over TCP without
	meter  func(url string) string // what the configuration says of the meter; that it is there without
	words  []string
	change func(*world)
	deeds  func(*deeds)  // before the post starts
	before func(*clinic) // before the post starts
}

// soundMachine is a Raspberry Pi as it should be.
func soundMachine() fstest.MapFS {
	all := fstest.MapFS{}
	for name, text := range map[string]string{
		"proc/device-tree/model":                                     "Raspberry Pi Compute Module 4 Rev 1.1\x00",
		"proc/sys/kernel/osrelease":                                  "6.12.25+rpt-rpi-v8\n",
		"etc/os-release":                                             "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n",
		"sys/class/rtc/rtc0/name":                                    "rtc-ds1307 1-0068\n",
		"sys/class/rtc/rtc0/since_epoch":                             "1795862400\n",
		"sys/devices/platform/soc/soc:firmware/get_throttled":        "0\n",
		"sys/class/watchdog/watchdog0/identity":                      "Broadcom BCM2835 Watchdog timer\n",
		"sys/class/watchdog/watchdog0/state":                         "active\n",
		"sys/class/watchdog/watchdog0/timeout":                       "14\n",
		"sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs": "N\n",
		"boot/firmware/config.txt":                                   "[all]\ndtparam=strict_gpiod\ngpio=17=op,dl\n",
		"boot/firmware/cmdline.txt":                                  "console=tty1 root=PARTUUID=1-02 rootwait\n",
		"proc/cmdline":                                               "console=tty1 root=PARTUUID=1-02 rootwait\n",
		"proc/self/mountinfo":                                        "24 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 ro\n30 24 179:3 /stolpe /var/lib/stolpe rw,noatime shared:5 - ext4 /dev/mmcblk0p3 rw\n",
		"proc/swaps":                                                 "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 400000 0 100\n",
		"var/log/journal/0123456789abcdef.stolpe/system.journal":     "",
		"sys/class/mmc_host/mmc0/mmc0:0001/name":                     "BJTD4R\n",
		"sys/class/mmc_host/mmc0/mmc0:0001/type":                     "MMC\n",
		"sys/class/mmc_host/mmc0/mmc0:0001/life_time":                "0x01 0x02\n",
		"sys/class/mmc_host/mmc0/mmc0:0001/pre_eol_info":             "0x01\n",
	} {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

// admit opens a clinic.
func admit(t *testing.T, p plan) *clinic {
	t.Helper()
	c := &clinic{yard: newYard(p.setup), files: maps.Clone(soundMachine()), disk: &doctor.Disk{Dir: "/var/lib/stolpe", Used: 20, Free: 8 << 30}}
	c.machine = computer{
		files: c.files, run: func(string, ...string) string { return "" }, disk: func(string) *doctor.Disk { return c.disk },
		now: func() (hal.Stamp, *int64) {
			if c.clock != (hal.Stamp{}) {
				return c.clock, nil
			}
			near := int64(3)
			return hal.Stamp{Unix: time.Now().Unix(), Clock: hal.ClockSynced}, &near
		},
	}
	if p.before != nil {
		p.before(c)
	}
	state, run := t.TempDir(), shortDir(t)
	words := append(p.words, "state_dir: /nowhere", "state_dir: "+state+"\ncontrol: {dir: "+run+"}", "contactor: {sim: true}", c.wired(t, p))
	c.file = filepath.Join(t.TempDir(), "stolpe.yaml")
	if err := os.WriteFile(c.file, []byte(strings.NewReplacer(words...).Replace(demoConfig)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.performance = performBeside(t, c.file, 600, func(w *world) { c.prepare(t, w, state, p) }, func(cfg config.Config, w world, parts *parts) {
		d := parts.openDeeds(cfg, origin{file: c.file}, w, func() {})
		if p.deeds != nil {
			p.deeds(d)
		}
		c.local = &local{deeds: d, cfg: cfg, w: w, parts: parts, up: c.up}
		parts.serveLocal(cfg, w, d, c.up)
	}, words...)
	c.client = control.Dial(run)
	return c
}

// wired is the meter that is served, and the lines of the yard.
func (c *clinic) wired(t *testing.T, p plan) string {
	t.Helper()
	model := p.model
	if model == "" {
		model = "eastron_sdm120"
	}
	m, err := meters.Find(model)
	if err != nil {
		t.Fatal(err)
	}
	at := p.serve
	if at == "" {
		at = "tcp://127.0.0.1:0"
	}
	url := c.yard.serve(t, m, at)
	meter := `model: eastron_sdm120, url: "` + url + `"`
	if p.meter != nil {
		meter = p.meter(url)
	}
	if !strings.Contains(meter, "serial:") {
		meter += `, serial: "22110345"`
	}
	if !strings.Contains(meter, "mid_until:") {
		meter += `, mid_until: "2034-12-31"`
	}
	return `meter: {` + meter + `}, ` +
		`contactor: {line: GPIO17, sense: GPIO27}, inputs: {plug: GPIO22, stop: GPIO23, estop: GPIO24, rcd: GPIO25, hot: GPIO26}`
}

// prepare gives the post what the demo has not: lines, a good clock, and a book.
func (c *clinic) prepare(t *testing.T, w *world, state string, p plan) {
	c.yard.into(w)
	now := w.now
	w.now = func() hal.Instant {
		i := now()
		i.Wall.Clock = hal.ClockSynced
		return i
	}
	book, _, err := ledger.Open(ledgerPath(state))
	if err != nil {
		t.Fatal(err)
	}
	w.book = book.Named("DEMO")
	t.Cleanup(func() { book.Close() }) //nolint:errcheck // the test is over
	if p.change != nil {
		p.change(w)
	}
}

// shortDir is a folder whose path is short enough for sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// look gathers the facts, as the commands do. Where a daemon has been asked too often, it
// is asked again; and where it has not felt for its contactor in the last seconds, as then the
// doctor says so. A second of the post's is a moment here.
func (c *clinic) look(ctx context.Context) (f doctor.Facts) {
	late := time.After(enough)
	for f.Refused = true; (f.Refused || unfelt(f)) && ctx.Err() == nil; {
		select {
		case <-late:
			return f
		default:
		}
		f = gathered(ctx, c.client, c.machine, c.file, false, io.Discard)
	}
	return f
}

// unfelt says whether a contactor has no fault, and is not known to be where it should be.
func unfelt(f doctor.Facts) bool {
	return f.Daemon != nil && slices.ContainsFunc(f.Daemon.EVSEs, func(e doctor.EVSE) bool {
		return !e.Young && !e.Contactor.As && !strings.Contains(strings.Join(e.Faults, " "), "CON-")
	})
}

// state is how the EVSE is.
func (c *clinic) state() (session.State, hal.Instant) {
	s, now, _ := c.parts.units["A12"].Snapshot()
	return s, now
}

// settles waits until the post serves.
func (c *clinic) settles(t *testing.T) {
	t.Helper()
	until(t, "the post serves", func() bool {
		s, now := c.state()
		return s.Phase == session.Idle && s.Faults() == 0 && s.Dead(now.Mono) && now.Mono > youngFor
	})
}

// foremost is the first finding, or the first blocker, in a line.
func foremost(f doctor.Facts) (first, why string) {
	all, _ := doctor.Judge(f)
	if x, ill := doctor.First(all); ill {
		first = string(x.Status) + " " + x.ID + ": " + x.What.EN + " -> " + x.Remedy.EN
	}
	if all := doctor.Why(f); len(all) > 0 && all[0].Layer != doctor.Driver {
		b := all[0]
		why = fmt.Sprintf("EVSE %d: %s: %s -> %s", b.EVSE, b.ID, b.What.EN, b.Remedy.EN)
	}
	return first, why
}

// The machine and the post are well: whatever is told after a fault was planted is told
// because of it.
func TestPostThatIsWell(t *testing.T) {
	t.Parallel()
	c := admit(t, plan{setup: sim.Setup{Serial: "22110345", Register: 1_000_000}})
	c.settles(t)
	all, _ := doctor.Judge(c.look(t.Context()))
	for _, x := range all {
		if x.Status != doctor.Pass && x.Status != doctor.Skip {
			t.Errorf("%+v", x)
		}
		if x.Status == doctor.Skip {
			t.Logf("%s skipped: %s", x.ID, x.What.EN)
		}
	}
}

// onePostWith is a configuration with one real contactor.
func onePostWith(t *testing.T, line string, activeLow bool) config.Config {
	t.Helper()
	low := ""
	if activeLow {
		low = ", active_low: true"
	}
	cfg, err := config.Parse("test", strings.NewReader(strings.Replace(demoConfig, "contactor: {sim: true}",
		`meter: {model: eastron_sdm120, url: "tcp://127.0.0.1:1"}, contactor: {line: `+line+`, sense: GPIO22`+low+`}`, 1)), config.System)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
