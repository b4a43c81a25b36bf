package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
)

// has says whether the configuration file has a text in it.
func (x *bureau) has(t *testing.T, text string) bool {
	t.Helper()
	all, err := os.ReadFile(x.file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(all), text)
}

// planned plans something and gives the name of the plan.
func (x *bureau) planned(t *testing.T, set string) string {
	t.Helper()
	a, err := x.do(commands.ConfigSet, 0, `{"do":"plan","set":`+set+`}`)
	if err != nil {
		t.Fatal(err)
	}
	if x.plan.Config.Sum == "" || !strings.Contains(a.Text, x.plan.Config.Sum) {
		t.Fatalf("%+v", a)
	}
	return x.plan.Config.Sum
}

// begins has the program start with what is on trial.
func (x *bureau) begins(t *testing.T) {
	t.Helper()
	on, err := trial.Of(x.file)
	if ok, err2 := on.Begin(); !ok || err != nil || err2 != nil {
		t.Fatal(ok, err, err2)
	}
	x.runs.Store(&config.Config{Sum: on.ID})
}

func TestConfigIsPlannedAppliedAndConfirmed(t *testing.T) {
	x := newBureau(t)
	id := x.planned(t, `{"limits.plug_in":"20s","post.name":"Storgata 2"}`)
	if x.has(t, "Storgata 2") || x.restarts.Load() != 0 {
		t.Fatal("a plan has been carried out")
	}
	a, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`","within_s":120}`)
	if err != nil || !strings.Contains(a.Text, "within 2m0s") || !x.has(t, "Storgata 2") || x.restarts.Load() != 1 {
		t.Fatalf("%+v, %v, %d restarts", a, err, x.restarts.Load())
	}
	on, err := trial.Of(x.file)
	if err != nil || on.ID != id || on.Within != 2*time.Minute {
		t.Errorf("on trial: %+v, %v", on, err)
	}
	for args, why := range map[string]string{
		`{"do":"apply","plan":"` + id + `"}`: "is on trial", `{"do":"confirm","plan":"0"}`: "is not on trial", `{"do":"sing"}`: "want plan",
	} {
		if _, err := x.do(commands.ConfigSet, 0, args); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", args, err, why)
		}
	}
	_, err = x.do(commands.Restart, 0, ``)
	refused(t, err, commands.Busy, "is on trial")
	_, err = x.do(commands.PriceSet, 0, `{"kwh":600}`)
	refused(t, err, commands.Busy, "is on trial")
	_, err = x.do(commands.ConfigSet, 0, `{"do":"confirm","plan":"`+id+`"}`) // to the program before, which still settles
	refused(t, err, commands.Busy, "not running yet")
	x.begins(t)
	if _, err := x.do(commands.ConfigSet, 0, `{"do":"confirm","plan":"`+id+`"}`); err != nil || x.restarts.Load() != 1 {
		t.Errorf("%v, %d restarts", err, x.restarts.Load())
	}
	if on, err := trial.Of(x.file); err != nil || on.On() || !x.has(t, "Storgata 2") {
		t.Errorf("%+v, %v", on, err)
	}
}

func TestConfigIsTakenBack(t *testing.T) {
	x := newBureau(t)
	id := x.planned(t, `{"post.name":"Storgata 2"}`)
	if _, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`); err != nil {
		t.Fatal(err)
	}
	x.a.charge(t, session.Charging)
	_, err := x.do(commands.ConfigSet, 0, `{"do":"rollback","plan":"`+id+`"}`)
	refused(t, err, commands.Unsafe, "EVSE 1 is charging")
	if _, err := x.give(commands.Command{Name: commands.ConfigSet, Args: json.RawMessage(`{"do":"rollback","plan":"` + id + `"}`), Force: true}); err != nil {
		t.Fatal(err)
	}
	if len(x.noted) != 2 || x.noted[0] != id || x.noted[1] == id {
		t.Errorf("written down: %v, want %s and another", x.noted, id)
	}
	if on, err := trial.Of(x.file); err != nil || on.On() || x.has(t, "Storgata 2") || x.restarts.Load() != 2 {
		t.Errorf("%+v, %v, %d restarts", on, err, x.restarts.Load())
	}
}

// What a technician has put into the file while something was on trial stays there.
func TestWhatSomebodyHasChangedIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBureau(t)
		was, err := os.ReadFile(x.file)
		if err != nil {
			t.Fatal(err)
		}
		apply := func(name string) string {
			id := x.planned(t, `{"post.name":"`+name+`"}`)
			if _, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(x.file, append(was, "# a technician was here\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
			return id
		}
		id := apply("Storgata 2")
		_, err = x.do(commands.ConfigSet, 0, `{"do":"rollback","plan":"`+id+`"}`)
		refused(t, err, commands.Invalid, "stays as it is")
		apply("Storgata 3")
		x.watchTrial(t.Context())
		if on, err := trial.Of(x.file); err != nil || on.On() || !x.has(t, "technician") || x.restarts.Load() != 2 {
			t.Errorf("%+v, %v, %d restarts", on, err, x.restarts.Load())
		}
	})
}

// With a file that does not load the program would not come back.
func TestNoStartWithAConfigurationThatDoesNotLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBureau(t)
		id := x.planned(t, `{"post.name":"Storgata 2"}`)
		if _, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`); err != nil {
			t.Fatal(err)
		}
		good, err := os.ReadFile(x.file + ".before")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(x.file+".before", []byte("no: config\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		go x.watchTrial(t.Context())
		time.Sleep(usualTrial + time.Second)
		synctest.Wait()
		_, err = x.give(commands.Command{Name: commands.Restart, Force: true})
		refused(t, err, commands.Unsafe, "does not load")
		if !x.has(t, "no: config") || x.restarts.Load() != 1 {
			t.Errorf("%d restarts", x.restarts.Load())
		}
		if err := os.WriteFile(x.file, good, 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(againIn + time.Second)
		synctest.Wait()
		if x.restarts.Load() != 2 {
			t.Errorf("%d restarts, want one more with a file that loads", x.restarts.Load())
		}
	})
}

func TestNoStartWithAVersionBeforeThatDoesNotLoad(t *testing.T) {
	x := newBureau(t)
	id := x.planned(t, `{"post.name":"Storgata 2"}`)
	if _, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(x.file+".before", []byte("no: config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := x.give(commands.Command{Name: commands.ConfigSet, Args: json.RawMessage(`{"do":"rollback","plan":"` + id + `"}`), Force: true})
	refused(t, err, commands.Unsafe, "does not load")
	if x.restarts.Load() != 1 {
		t.Errorf("%d restarts", x.restarts.Load())
	}
}

// What cannot be taken back, or not be read, is tried again.
func TestTakingBackIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBureau(t)
		id := x.planned(t, `{"post.name":"Storgata 2"}`)
		if _, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(x.file+".before", x.file+".away"); err != nil {
			t.Fatal(err)
		}
		go x.watchTrial(t.Context())
		synctest.Wait() // it has read what it watches
		if err := os.WriteFile(x.file+".trial", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(usualTrial + time.Second)
		synctest.Wait()
		if err := os.Rename(x.file+".away", x.file+".before"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(againIn + time.Second)
		synctest.Wait()
		if on, err := trial.Of(x.file); err != nil || on.On() || x.has(t, "Storgata 2") || x.restarts.Load() != 2 {
			t.Errorf("%+v, %v, %d restarts", on, err, x.restarts.Load())
		}
	})
}

func TestAPostDoesNotStartTooOften(t *testing.T) {
	x := newBureau(t)
	for x.b.state.MayStart() {
		if _, err := x.do(commands.Restart, 0, ``); err != nil {
			t.Fatal(err)
		}
		x.b.state = x.b.rules.Recover(x.b.state.Kept, session.Whole, x.b.at)
	}
	if x.b.state.Faults()&session.Rebooting != 0 || x.restarts.Load() != 3 {
		t.Errorf("after %d restarts %v", x.restarts.Load(), x.b.state.Faults())
	}
	_, err := x.do(commands.Restart, 0, ``)
	refused(t, err, commands.Busy, "wait ten minutes")
	if _, err := x.give(commands.Command{Name: commands.Restart, Force: true}); err != nil {
		t.Error(err)
	}
}

func TestPlansThatAreNotApplied(t *testing.T) {
	x := newBureau(t)
	for _, args := range []string{`{"do":"plan"}`, `{"do":"plan","set":{}}`, `{"do":"plan","set":{"price.kwh":-1}}`, `{"do":"plan","set":{"price.kwh":1.5}}`, `{"do":"plan","set":{"price.kwh":{}}}`,
		`{"do":"apply"}`, `{"do":"apply","plan":"123456789abc"}`, `{"do":"rollback","plan":""}`} {
		_, err := x.do(commands.ConfigSet, 0, args)
		refused(t, err, commands.Invalid, "")
	}
	id := x.planned(t, `{"post.name":"Storgata 2"}`)
	for _, within := range []string{"0", "59", "3601"} {
		_, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`","within_s":`+within+`}`)
		refused(t, err, commands.Invalid, "want 60 to 3600")
	}
	x.b.charge(t, session.Waiting)
	_, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`)
	refused(t, err, commands.Unsafe, "EVSE 2 is waiting")
	_, err = x.do(commands.Restart, 0, ``)
	refused(t, err, commands.Unsafe, "EVSE 2 is waiting")
	x.b.step(session.Stopped{})
	text, err := os.ReadFile(x.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(x.file, append(text, "# a technician was here\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`)
	refused(t, err, commands.Invalid, "plan again")
	if x.has(t, "Storgata 2") || x.restarts.Load() != 0 {
		t.Error("it was applied")
	}
}

// A configuration that nobody confirms is taken back, and the program starts anew with
// the one before: not while somebody charges.
func TestNobodyConfirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBureau(t)
		id := x.planned(t, `{"post.name":"Storgata 2"}`)
		if _, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`); err != nil {
			t.Fatal(err)
		}
		x.a.charge(t, session.Charging)
		go x.watchTrial(t.Context())
		time.Sleep(usualTrial - time.Second)
		synctest.Wait()
		if !x.has(t, "Storgata 2") {
			t.Error("it was taken back too early")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if x.has(t, "Storgata 2") || x.restarts.Load() != 1 {
			t.Errorf("%d restarts; still there: %v", x.restarts.Load(), x.has(t, "Storgata 2"))
		}
		x.a.step(session.Stopped{Why: display.ByDriver})
		x.a.passes(10 * time.Second)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if x.restarts.Load() != 2 {
			t.Errorf("%d restarts, want one more once nobody charges", x.restarts.Load())
		}
	})
}

func TestAConfirmedTrialIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBureau(t)
		id := x.planned(t, `{"post.name":"Storgata 2"}`)
		if _, err := x.do(commands.ConfigSet, 0, `{"do":"apply","plan":"`+id+`"}`); err != nil {
			t.Fatal(err)
		}
		go x.watchTrial(t.Context())
		time.Sleep(time.Minute)
		x.begins(t)
		if _, err := x.do(commands.ConfigSet, 0, `{"do":"confirm","plan":"`+id+`"}`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if !x.has(t, "Storgata 2") || x.restarts.Load() != 1 {
			t.Errorf("%d restarts; there: %v", x.restarts.Load(), x.has(t, "Storgata 2"))
		}
	})
}

func TestPriceIsForTheNextDriver(t *testing.T) {
	x := newBureau(t)
	x.a.charge(t, session.Charging)
	was := x.a.state.Charge.Price
	a, err := x.do(commands.PriceSet, 0, `{"kwh":599,"idle":{"cap":10000}}`)
	if err != nil || x.restarts.Load() != 0 || x.a.state.Charge.Price != was {
		t.Fatalf("%+v, %v, %d restarts", a, err, x.restarts.Load())
	}
	for _, p := range []*puppet{x.a, x.b} {
		if got := p.rules.Price; got.KWh != 599 || got.Idle.Cap != 10_000 || got.Idle.Minute != 100 || got.VAT != 2500 {
			t.Errorf("%+v", got)
		}
	}
	if !x.has(t, "kwh: 599, idle: {after_minutes: 15, minute: 100, cap: 10000}") || !x.has(t, "# A post to try out") {
		t.Error("it is not in the file as it should be")
	}
	for _, args := range []string{`{}`, `{"kwh":0}`, `{"kwh":-1}`, `{"kwh":1000001}`, `{"idle":{}}`, `{"currency":"EUR"}`} {
		_, err := x.do(commands.PriceSet, 0, args)
		refused(t, err, commands.Invalid, "")
	}
	_, err = x.do(commands.PriceSet, 1, `{"kwh":1}`)
	refused(t, err, commands.Invalid, "whole post")
	if x.a.rules.Price.KWh != 599 {
		t.Errorf("price %v", x.a.rules.Price)
	}
}

func TestConfigIsTold(t *testing.T) {
	x := newBureau(t)
	a, err := x.do(commands.ConfigGet, 0, `{"keys":["price","evses[0].code"]}`)
	text, _ := json.Marshal(a.Data)
	if err != nil || !strings.Contains(string(text), `"price.kwh":"549"`) || !strings.Contains(string(text), `"evses[0].code":"A12"`) || strings.Contains(string(text), "seller") ||
		!strings.Contains(string(text), `"running":"0123456789ab"`) {
		t.Errorf("%s, %v", text, err)
	}
	if err := os.WriteFile(x.file, []byte("payment: {vipps: {client_secret: hunter2}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := x.do(commands.ConfigGet, 0, ``); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestDriversAreToldWhatTheOwnerHasToSay(t *testing.T) {
	x := newBureau(t)
	says := func(b *board, evse int) string {
		v := display.View{}
		b.dress(&v, evse)
		text, _ := v.Notice.In(display.NB)
		return text
	}
	again := func() *board { return openBoard(x.dir, x.now, x.log) }
	for _, step := range []struct {
		evse      int
		args      string
		one, both string // at EVSE 1, and at 2
	}{
		{0, `{"text":"Til alle"}`, "Til alle", "Til alle"},
		{1, `{"text":{"nb":"Til en","en":"To one"},"for_s":60}`, "Til en", "Til alle"},
		{0, `{"text":null}`, "Til en", ""},
		{1, `{"text":{"en":"To one"}}`, "To one", ""},
		{1, `{"text":{}}`, "", ""},
	} {
		if _, err := x.do(commands.MessageSet, step.evse, step.args); err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string]*board{"now": x.board, "after a restart": again()} {
			if one, two := says(b, 1), says(b, 2); one != step.one || two != step.both {
				t.Errorf("%s, %s: %q and %q", step.args, name, one, two)
			}
		}
	}
	if _, err := x.do(commands.MessageSet, 1, `{"text":"Kort","for_s":60}`); err != nil {
		t.Fatal(err)
	}
	x.a.passes(time.Minute)
	if got := says(again(), 1); got != "" {
		t.Errorf("after its time: %q", got)
	}
	for _, args := range []string{``, `{"text":5}`, `{"text":""}`, `{"text":{"xx":"?"}}`, `{"text":"a\nb"}`, `{"text":"x","for_s":-1}`, `{"text":"` + strings.Repeat("x", 201) + `"}`} {
		_, err := x.do(commands.MessageSet, 0, args)
		refused(t, err, commands.Invalid, "")
	}
	x.a.at.Wall.Clock = hal.ClockUnknown
	_, err := x.do(commands.MessageSet, 0, `{"text":"x","for_s":60}`)
	refused(t, err, commands.Failed, "clock")
	x.board.file = "/nowhere/notices.json"
	if _, err := x.do(commands.MessageSet, 0, `{"text":"x"}`); err == nil || says(x.board, 2) != "" {
		t.Errorf("what is not kept is shown: %q, %v", says(x.board, 2), err)
	}
}

// A disk that hangs holds up who pins, and no page.
func TestPagesDoNotWaitForANoticeToBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBureau(t)
		hung := make(chan struct{})
		x.board.write = func(string, []byte, fs.FileMode) error { <-hung; return nil }
		n, err := display.ParseNotice(map[string]string{"nb": "Hei"})
		if err != nil {
			t.Fatal(err)
		}
		go x.board.pin(1, n, 0) //nolint:errcheck // seen below
		synctest.Wait()
		if !x.board.mu.TryLock() {
			close(hung)
			t.Fatal("pages wait for the disk")
		}
		x.board.mu.Unlock()
		v := display.View{}
		if x.board.dress(&v, 1); v.Notice != (display.Notice{}) {
			t.Errorf("what is not kept is shown: %+v", v)
		}
		close(hung)
		synctest.Wait()
		if x.board.dress(&v, 1); v.Notice != n {
			t.Errorf("%+v", v)
		}
	})
}

func TestABoardThatIsDamagedIsEmpty(t *testing.T) {
	x := newBureau(t)
	for _, text := range []string{"", "{", `{"0":{"text":{"nb":"a\nb"}}}`, `[]`} {
		if err := os.WriteFile(x.dir+"/"+boardFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		v := display.View{}
		openBoard(x.dir, x.now, x.log).dress(&v, 1)
		if v.Notice != (display.Notice{}) {
			t.Errorf("%q: %v", text, v.Notice)
		}
	}
	var none *board
	v := display.View{}
	none.dress(&v, 1)
}
