package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/session"
	"stolpe/agent/setup"
)

// machineFile reads a file of those that are installed beside the program.
func machineFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// valuesIn gives the values of a key of such a file, in their order.
func valuesIn(text, key string) (all []string) {
	for line := range strings.Lines(text) {
		if value, is := strings.CutPrefix(strings.TrimSpace(line), key+"="); is {
			all = append(all, value)
		}
	}
	return all
}

// timeIn reads a time of systemd's, of one unit.
func timeIn(t *testing.T, text, key string) time.Duration {
	t.Helper()
	all := valuesIn(text, key)
	if len(all) != 1 {
		t.Fatalf("%s stands there %d times", key, len(all))
	}
	d, err := time.ParseDuration(strings.Replace(all[0], "min", "m", 1))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The unit gives the program the time that it takes, and no more where a contactor may be
// closed meanwhile.
func TestTimesOfTheUnitFitTheProgram(t *testing.T) {
	unit := machineFile(t, "stolpe.service")
	if stop, needs := timeIn(t, unit, "TimeoutStopSec"), grace+lastWithin+lastPageFor; stop < needs || stop > 2*needs {
		t.Errorf("TimeoutStopSec=%v: it settles for %v, the card may take %v, a display %v", stop, grace, lastWithin, lastPageFor)
	}
	watchdog, abort := timeIn(t, unit, "WatchdogSec"), timeIn(t, unit, "TimeoutAbortSec")
	if watchdog < 5*time.Second || watchdog+abort > 12*time.Second {
		t.Errorf("WatchdogSec=%v, TimeoutAbortSec=%v: passes come each second, and a loop that hangs may hold a contactor closed", watchdog, abort)
	}
	if watchdog := timeIn(t, unit, "WatchdogSec"); 3*feedEvery > watchdog || betweenFor < lastPageFor || betweenFor < lastWithin {
		t.Errorf("WatchdogSec=%v: between two posts it is fed every %v, for %v", watchdog, feedEvery, betweenFor)
	}
	if again := timeIn(t, unit, "RestartSec"); again < time.Second || again > 10*time.Second {
		t.Errorf("RestartSec=%v", again)
	}
	burst, err := strconv.Atoi(valuesIn(unit, "StartLimitBurst")[0])
	if err != nil {
		t.Fatal(err)
	}
	least := time.Duration(burst) * timeIn(t, unit, "RestartSec")
	if least < 5*time.Minute || least > timeIn(t, unit, "StartLimitIntervalSec") {
		t.Errorf("the machine is reset after %v of starts in vain, within %v: want time to log in, and that it comes to it", least, timeIn(t, unit, "StartLimitIntervalSec"))
	}
	if failsafe := timeIn(t, machineFile(t, "stolpe-failsafe.service"), "TimeoutStartSec"); failsafe < lastWithin {
		t.Errorf("the failsafe has %v: a card may take %v until the program is read", failsafe, lastWithin)
	}
	dog := machineFile(t, "stolpe-watchdog.conf")
	if hard := timeIn(t, dog, "RuntimeWatchdogSec"); hard < 10*time.Second || hard > 14*time.Second {
		t.Errorf("RuntimeWatchdogSec=%v: a Raspberry Pi counts to 15.99 s", hard)
	}
}

// What the files of the machine name is what the program goes by.
func TestNamesOfTheUnitAreThoseOfTheProgram(t *testing.T) {
	unit, folders, users := machineFile(t, "stolpe.service"), machineFile(t, "stolpe.tmpfiles"), machineFile(t, "stolpe.sysusers")
	if got := valuesIn(unit, "RestartPreventExitStatus"); !slices.Equal(got, []string{strconv.Itoa(exitConfig)}) {
		t.Errorf("RestartPreventExitStatus=%v: only a configuration that is not valid (%d) is no better the next time", got, exitConfig)
	}
	if "/run/"+valuesIn(unit, "RuntimeDirectory")[0] != defaultControl {
		t.Errorf("RuntimeDirectory=%v: the sockets are in %s", valuesIn(unit, "RuntimeDirectory"), defaultControl)
	}
	if dirs := strings.Fields(valuesIn(machineFile(t, "stolpe-secrets.service"), "RuntimeDirectory")[0]); !slices.Contains(dirs, filepath.Base(decryptedDir)) || !strings.Contains(machineFile(t, "stolpe-secrets.sh"), "-"+decryptedDir+"}") {
		t.Errorf("RuntimeDirectory=%v: the post looks in %s for what is decrypted", dirs, decryptedDir)
	}
	if space := valuesIn(unit, "LogNamespace")[0]; logSpace != "--namespace=+"+space || machineFile(t, "journald@"+space+".conf") == "" {
		t.Errorf("LogNamespace=%s: stolpe logs reads %s", space, logSpace)
	}
	written := strings.Join(valuesIn(unit, "ReadWritePaths"), " ")
	state, group := "", ""
	for _, d := range config.Defaults() {
		switch d.Path {
		case "state_dir":
			state = d.Text()
		case "control.group":
			group = d.Text()
		}
	}
	for _, dir := range []string{filepath.Dir(defaultConfig), state} {
		if !strings.Contains(written, "-"+dir) || !strings.Contains(folders, "d "+dir+" ") {
			t.Errorf("%s may not be written, or is not made", dir)
		}
	}
	if !strings.Contains(folders, "d "+secretDir+" 0700 stolpe stolpe\n") || !strings.Contains(folders, "Z "+secretDir+" ~0700 stolpe stolpe\n") {
		t.Errorf("%s is not the daemon's alone", secretDir)
	}
	if !strings.Contains(users, "g "+group+" -") || !strings.Contains(folders, filepath.Dir(defaultConfig)+" 2750 stolpe "+group) {
		t.Errorf("group %s is not made, or may not read the configuration", group)
	}
	text, err := os.ReadFile("../testdata/config/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range valuesIn(unit, "LoadCredential") {
		if !loadedBy(name) {
			t.Errorf("stolpe config secret set does not know that the unit loads %s", name)
		}
		if !strings.Contains(string(text), "credential:"+name+`"`) {
			t.Errorf("the unit loads %s, which the reference configuration does not name", name)
		}
	}
	for _, q := range setup.Questions(1) {
		if q.Default == nil {
			continue
		}
		if name, is := strings.CutPrefix(q.Default(setup.Answers{}), "credential:"); is && !loadedBy(name) {
			t.Errorf("stolpe setup proposes credential:%s for %s, which the unit does not load", name, q.Key)
		}
	}
	if loadedBy("another") {
		t.Error("whoever keeps another secret is not told to add it to the unit")
	}
}

// Nothing closes a contactor after the power has come back but a new approval: not the unit,
// and not what stood in the journal, whatever phase the power cut.
func TestNothingClosesWhenPowerReturns(t *testing.T) {
	rules := &session.Rules{Post: "A12", EVSE: 1, NoPlug: true, MaxPower: 22_000, Limits: session.DefaultLimits()}
	c := clock{time.Now(), setTime()}
	for _, phase := range []session.Phase{session.Idle, session.Approving, session.Waiting, session.Charging, session.Stopping} {
		var kept session.Kept
		kept.Phase = phase
		kept.Charge.Held, kept.Charge.Limit = true, 35_000
		s := rules.Recover(kept, session.Whole, c.now())
		if want := rules.Want(&s, c.now()).Contactor; want != 0 || s.Phase == session.Waiting || s.Phase == session.Charging || s.Phase == session.Approving {
			t.Errorf("cut while %v: %v, contactor wanted %v", phase, s.Phase, want)
		}
	}
}
