package doctor

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"stolpe/agent/session"
	"stolpe/display"
)

// sickMachines are those with everything wrong that a machine can have.
func sickMachines(base func() Facts, each func(name string, f Facts)) {
	for _, port := range []Port{{}, {RP1: true}, {On: true}, {Device: "ttyAMA0", Console: "serial0"}, {Device: "ttyAMA0", Console: "serial0", Next: true}, {Device: "ttyS0", Mini: true}, {Device: "ttyS0", Mini: true, Parity: true}} {
		f := base()
		port.EVSE, port.Name = 1, "/dev/serial0"
		f.Machine.Serial = []Port{port}
		each("serial", f)
	}
	for name, change := range map[string]func(*Machine){
		"overlay": func(m *Machine) { m.State = &Mount{At: "/", Kind: "overlay"} }, "FAT": func(m *Machine) { m.State = &Mount{At: "/boot", Kind: "vfat"} }, "no barrier": func(m *Machine) { m.State = &Mount{Kind: "ext4", NoFlush: true} },
		"shared": func(m *Machine) { m.State = &Mount{Kind: "ext4"} }, "written": func(m *Machine) { m.System = &Mount{Kind: "ext4"} }, "swap": func(m *Machine) { m.Swap = []Swap{{Name: "/var/swap"}} }, "log": func(m *Machine) { m.Logs = &Logs{} }, "no data": func(m *Machine) { m.Away = []string{"/data"} },
		"refused dog": func(m *Machine) { m.Watchdog = &Dog{Name: "dog", Wanted: 60} }, "long dog": func(m *Machine) { m.Watchdog = &Dog{Name: "dog", Armed: true, Seconds: 60} }, "hasty dog": func(m *Machine) { m.Watchdog = &Dog{Name: "dog", Armed: true, Seconds: 5} }, "no dog": func(m *Machine) { m.Watchdog = nil },
		"kept": func(m *Machine) { m.Lines, m.Persist = []Line{{EVSE: 1, Name: "GPIO17"}}, "Y" }, "kept from the next boot on": func(m *Machine) { m.Lines = []Line{{EVSE: 1, Name: "GPIO17"}} }, "pulled up": func(m *Machine) {
			m.Lines, m.Strict = []Line{{EVSE: 1, Name: "GPIO5", Known: true, PulledUp: true}}, true
		},
	} {
		f := base()
		f.Machine.Pi = true
		change(&f.Machine)
		each(name, f)
	}
}

// sick is a post with everything wrong that an EVSE can have, fault by fault.
func sick(t *testing.T, each func(name string, f Facts)) {
	t.Helper()
	old, due, left := int64(90_000), int64(0), int64(100)
	base := func() Facts {
		return Facts{Machine: Machine{Now: 1_800_000_000, Clock: "synced", Persist: "N", Watchdog: &Dog{Name: "dog", Armed: true, Seconds: 14}}, File: File{Path: "/etc/stolpe/stolpe.yaml", Sum: "1"},
			Version: "1", Daemon: &Daemon{Post: "A12", Version: "1", Sum: "1", EVSEs: []EVSE{{ID: 1, Phase: "idle", Dead: true, Most: 16, Meter: Meter{Model: "m", URL: "rtu:///dev/x?parity=N", Unit: 1, Age: &due, Heard: true}}}}}
	}
	session.EachFault(func(x session.Faults) {
		f := base()
		f.Daemon.EVSEs[0].Faults = []string{x.Code()}
		each(x.Code(), f)
		f.Daemon.EVSEs[0].Inputs = Inputs{Stop: "GPIO1", EStop: "GPIO2", RCD: "GPIO3", Hot: "GPIO4"}
		each(x.Code()+" with wires", f)
	})
	for _, x := range troubles() {
		for _, found := range []Meter{{}, {Looked: true}, {FoundURL: "rtu:///dev/x?parity=E", FoundAt: 1}, {FoundURL: "rtu:///dev/x?parity=N", FoundAt: 2}, {FoundURL: "rtu:///dev/x?parity=E", FoundAt: 2}} {
			f := base()
			e := &f.Daemon.EVSEs[0]
			e.Faults, e.Meter.Trouble, e.Meter.Heard = []string{"MET-001"}, x.why, false
			e.Meter.Looked, e.Meter.FoundURL, e.Meter.FoundAt = found.Looked, found.FoundURL, found.FoundAt
			each(string(x.why), f)
		}
	}
	for _, trouble := range []string{"", "setup", "funds_gone", "too_late", "meddled", "no_partial", "rejected", "conflict"} {
		f := base()
		f.Daemon.EVSEs[0].Debts = []Debt{{Ref: "A12-1-000001", Due: "10.00 NOK", Age: &old, Left: &left, Trouble: trouble}, {Trouble: trouble}}
		each("debt "+trouble, f)
	}
	for _, kind := range []Kind{Unreached, BadKeys, BadUnit, Ill} {
		for _, through := range []string{"vipps", "gateway"} {
			f := base()
			f.Daemon.Pay = Pay{Through: through, MSN: "123456", Kind: kind, Wrong: "no"}
			f.Daemon.Broker = Broker{URL: "mqtts://b", Connected: true}
			each(through+" "+string(kind), f)
		}
	}
	for _, kind := range []string{"oled i2c:///dev/i2c-1?reset=GPIO4&address=0x3c", "epaper spi:///dev/spidev0.0?dc=GPIO6&reset=GPIO12&busy=GPIO13", "lcd lines:?rs=GPIO6", "framebuffer fb:///dev/fb0",
		"png file:///run/stolpe/display.png?size=800x480", "kiosk http://127.0.0.1:8090", "light pwm:///sys/class/pwm/pwmchip0?red=0&green=1&blue=2"} {
		for _, wrong := range []string{"", "permission denied", "device or resource busy", "address already in use", "no space left on device", "remote I/O error"} {
			f := base()
			word, url, _ := strings.Cut(kind, " ")
			f.Daemon.Displays = []Display{{Name: word, Kind: word, URL: url, Pages: 1, Code: displayFails, Wrong: wrong}}
			each(kind+" "+wrong, f)
		}
		f := base()
		word, url, _ := strings.Cut(kind, " ")
		d := Display{Name: word, Kind: word, URL: url, Pages: 1000}
		f.Daemon.Displays = []Display{d, d, d}
		f.Daemon.Displays[0].Code, f.Daemon.Displays[1].Failures = displayRests, 20
		f.Daemon.Displays[2].Code, f.Daemon.Displays[2].Missing = displayFails, "/dev/i2c-1"
		each(kind+" in other ways", f)
	}
	sickMachines(base, each)
	for name, change := range map[string]func(*Facts){
		"no daemon": func(f *Facts) { f.Daemon, f.Absent = nil, "nobody" }, "refused": func(f *Facts) { f.Daemon, f.Refused, f.Absent = nil, true, "no" },
		"hangs": func(f *Facts) { f.Daemon.Unheard = "EVSE 1" }, "1970": func(f *Facts) { f.Machine.Now = 0 }, "ledger": func(f *Facts) { f.Daemon.Ledger = "ill" },
		"other version": func(f *Facts) { f.Version = "2" }, "trial": func(f *Facts) { f.File.Trial = "abc" }, "rejected": func(f *Facts) { f.Daemon.Broker = Broker{URL: "mqtts://b", Rejected: true} }, "out of date": func(f *Facts) { f.Daemon.EVSEs[0].Meter.MID = "2026-01-01" }, "seal": func(f *Facts) { f.Daemon.Seal = "another" },
		"full": func(f *Facts) { f.Daemon.EVSEs[0].Debts = make([]Debt, 16) }, "sense": func(f *Facts) { f.Daemon.EVSEs[0].Contactor.Want = "open" },
		"hook": func(f *Facts) { f.Daemon.Hooks = Hooks{Wanted: true, URL: "https://x", Wrong: "404"} }, "no hook": func(f *Facts) { f.Daemon.Hooks.Wanted = true },
		"pinged": func(f *Facts) { f.Daemon.Pay.Pinged = []Pinged{{"clock", "fail", "1h ahead"}} },
	} {
		f := base()
		change(&f)
		each(name, f)
	}
}

// Whatever is not well comes with what to do next, in both languages, and with nothing
// that was to be filled in and was not.
func TestEveryRemedyIsThere(t *testing.T) {
	norwegian := regexp.MustCompile(`[æøåÆØÅ]`)
	said := func(t *testing.T, name, where string, what, remedy Text, needed bool) {
		t.Helper()
		for _, x := range []Text{what, remedy} {
			if strings.Contains(x.NB+x.EN, "%!") || strings.Contains(x.NB+x.EN, "  ") || (x.NB == "") != (x.EN == "") || norwegian.MatchString(x.EN) {
				t.Errorf("%s: %s: %q", name, where, x)
			}
		}
		if what.EN == "" || needed && remedy.EN == "" {
			t.Errorf("%s: %s says %q, and to do %q", name, where, what, remedy)
		}
	}
	typed := map[string]*regexp.Regexp{ // what these commands end without, if it does not follow
		"stolpe config set": regexp.MustCompile(`^ '[^']+' '?[\wÅ]`), "stolpe config secret set": regexp.MustCompile(`^ NA`), "stolpe payment show": regexp.MustCompile(`^ [A-Z]`),
		"stolpe payment reconcile": regexp.MustCompile(`^ --since DAT`), "stolpe meter compare": regexp.MustCompile(`^ KWH --evse \d`), "x509 -noout -subject -dates -in": regexp.MustCompile(`^ FIL`),
		"timedatectl set-time": regexp.MustCompile(`.*set-ntp true`), // it sets no clock that a time server holds
	}
	complete := func(t *testing.T, name, where, text string) {
		t.Helper()
		for command, want := range typed {
			for _, after := range strings.Split(text, command)[1:] {
				if !want.MatchString(after) {
					t.Errorf("%s: %s: %s%s: want %v after it", name, where, command, after, want)
				}
			}
		}
	}
	sick(t, func(name string, f Facts) {
		all, _ := Judge(f)
		for _, x := range all {
			complete(t, name, x.ID, x.Remedy.NB)
			complete(t, name, x.ID, x.Remedy.EN)
		}
		ill := 0
		for _, x := range all {
			bad := x.Status == Fail || x.Status == Warn
			if bad {
				ill++
			}
			said(t, name, x.ID, x.What, x.Remedy, bad)
			if x.Topic != "" && !slices.Contains(Topics(), x.Topic) {
				t.Errorf("%s: %s names a topic that is not listed: %q", name, x.ID, x.Topic)
			}
			if x.Group.Title(display.NB) == "" || x.Group.Title(display.EN) == "" {
				t.Errorf("%s: %s is in no group: %q", name, x.ID, x.Group)
			}
		}
		if ill == 0 {
			t.Errorf("%s: all is well", name)
		}
		for _, b := range Why(f) {
			said(t, name, b.ID, b.What, b.Remedy, b.Layer != Driver)
			if b.Topic != "" && !slices.Contains(Topics(), b.Topic) {
				t.Errorf("%s: %s names a topic that is not listed: %q", name, b.ID, b.Topic)
			}
			if !slices.Contains(layers(), b.Layer) {
				t.Errorf("%s: %s is in no layer: %q", name, b.ID, b.Layer)
			}
		}
	})
}

// Every fault keeps an EVSE from charging, and no fault is without words.
func TestEveryFaultIsKnown(t *testing.T) {
	n := 0
	session.EachFault(func(x session.Faults) {
		n++
		if f := faultOf(x.Code()); f.what.EN == "fault "+x.Code() || f.layer == "" {
			t.Errorf("%s (%v) is not in the table", x.Code(), x)
		}
	})
	if len(faults()) != n {
		t.Errorf("%d in the table, %d in the session", len(faults()), n)
	}
	if f := faultOf("NEW-001"); f.status != Fail || f.remedy(&EVSE{}).EN == "" {
		t.Errorf("one that is not known: %+v", f)
	}
}

// Blockers come in the order of their layers, whatever EVSE they are of.
func TestWhyGoesFromSafetyToMoney(t *testing.T) {
	f := Facts{Machine: Machine{Now: 1_800_000_000, Clock: "synced"}, Daemon: &Daemon{Pay: Pay{Through: "vipps", Kind: BadKeys}, EVSEs: []EVSE{
		{ID: 1, Phase: "idle", Faults: []string{"PAY-002", "USR-001", "STO-001", "MET-001"}},
		{ID: 2, Phase: "approving", Faults: []string{"SAF-002"}},
		{ID: 3, Phase: "charging", Quiet: true, Dead: true},
	}}}
	var got []string
	for _, b := range Why(f) {
		got = append(got, b.ID)
	}
	if want := "SAF-002 MET-001 STO-001 USR-001 payment PAY-002 approving quiet"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	for evse, can := range map[int]bool{0: false, 1: false, 2: false, 3: false} {
		if CanCharge(Why(f), evse) != can {
			t.Errorf("EVSE %d: %v", evse, !can)
		}
	}
	f.Daemon.Pay.Kind = ""
	if !CanCharge(Why(f), 3) || CanCharge(Why(f), 0) || CanCharge(Why(f), 2) {
		t.Errorf("only EVSE 3 can: %v", Why(f))
	}
}

// Checks can be asked for by name, alone or with all that are of it.
func TestChecksByName(t *testing.T) {
	f := Facts{Machine: Machine{Now: 1_800_000_000, Clock: "synced"}, Daemon: &Daemon{EVSEs: []EVSE{{ID: 1, Meter: Meter{URL: "tcp://x"}}, {ID: 2}}, Displays: []Display{{Name: "oled"}, {Name: "oled-2"}}}}
	for names, want := range map[string]string{
		"meter": "meter.1 meter.2 meter.mid.1 meter.mid.2", "meter.2": "meter.2", "meter.mid": "meter.mid.1 meter.mid.2", "clock rtc": "clock rtc", "webhook": "",
		"display": "display.oled display.oled-2", "display.oled": "display.oled",
	} {
		all, unknown := Judge(f, strings.Fields(names)...)
		var got []string
		for _, x := range all {
			got = append(got, x.ID)
		}
		if unknown != "" || strings.Join(got, " ") != want {
			t.Errorf("%s: %v %q, want %s", names, got, unknown, want)
		}
	}
	if _, unknown := Judge(f, "clock", "metre", "rtd"); unknown != "metre" {
		t.Errorf("unknown: %q", unknown)
	}
}

// What goes over the socket comes out as it went in.
func TestFactsSurviveTheSocket(t *testing.T) {
	sick(t, func(name string, f Facts) {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back Facts
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		a, _ := Judge(f)
		b, _ := Judge(back)
		if !slices.Equal(a, b) || !slices.Equal(Why(f), Why(back)) {
			t.Errorf("%s: %+v, and after the socket %+v", name, a, b)
		}
	})
}

// What cannot be seen is not said to be well, and a remedy does away with what it is for.
func TestNothingPassesUnseen(t *testing.T) {
	finding := func(f Facts, id string) Finding {
		all, _ := Judge(f, id)
		if len(all) != 1 {
			t.Fatalf("%s: %v", id, all)
		}
		return all[0]
	}
	f := Facts{Machine: Machine{Now: 1_800_000_000, Pi: true, Lines: []Line{{EVSE: 1, Name: "GPIO17", Known: true}, {EVSE: 2, Name: "relay"}}}, Daemon: &Daemon{
		Pay: Pay{Through: "vipps", Kind: BadUnit}, Seal: "another", StateDir: "/var/lib/stolpe", EVSEs: []EVSE{{ID: 1, Faults: []string{"CON-001"}}}}}
	if x := finding(f, "gpio.boot"); x.Status != Skip || !strings.Contains(x.What.EN, "relay") {
		t.Errorf("one line is known, and one is not: %+v", x)
	}
	if x := finding(f, "payment"); x.Status != Skip || !strings.Contains(x.What.EN, "salesunit") {
		t.Errorf("the service was asked: %+v", x)
	}
	if x := finding(f, "seal"); !strings.Contains(x.Remedy.EN, "rm /var/lib/stolpe/seal.json") {
		t.Errorf("a seal that is remembered: %+v", x)
	}
	if x := finding(f, "contactor"); !strings.Contains(x.Remedy.EN, "Measure") || !strings.HasPrefix(x.Remedy.NB, "SLÅ AV SIKRINGEN") {
		t.Errorf("welded: %+v", x)
	}
}
