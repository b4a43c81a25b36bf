package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
)

// running is a post that runs as stolpe run does, and its fleet.
type running struct {
	t       *testing.T
	file    string
	log     *paper
	private ed25519.PrivateKey
	fleet   *mqtt.Conn
	came    chan mqtt.Message
	last    map[string][]byte // of each leaf, what it said last
}

// hear hears what the post says until something is so with all that it has said meanwhile.
func (r *running) hear(until func(all map[string][][]byte) bool) {
	r.t.Helper()
	hearUntil(r.t, r.came, func(order []string, all map[string][][]byte) bool {
		if len(order) > 0 {
			leaf := order[len(order)-1]
			r.last[leaf] = all[leaf][len(all[leaf])-1]
		}
		return until(all)
	})
}

func newRunning(t *testing.T, prepare func(file string)) *running {
	t.Helper()
	r := &running{t: t, last: map[string][]byte{}, log: new(paper), private: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	address := serveBroker(t)
	text := strings.NewReplacer("STATE", t.TempDir(), "BROKER", address).Replace(toldPost) +
		"commands: {allow: [config.set, price.set, restart, message.set, out_of_service, in_service, selftest, stop], keys: [{name: ops, role: admin, public: " + commands.Public(r.private.Public().(ed25519.PublicKey)) + "}]} # who may\n"
	r.file = write(t, "stolpe.yaml", text)
	if prepare != nil {
		prepare(r.file)
	}
	r.fleet, r.came = listener(t, address, postBase+"#")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- runAgain(ctx, setTime(), r.file, r.log) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v\n%s", err, r.log)
		}
	})
	return r
}

// give gives a command and its answer.
func (r *running) give(name commands.Name, args string) commands.Reply {
	r.t.Helper()
	now := time.Now()
	c := commands.Command{V: 1, ID: commands.NewID(now), Name: name, Args: json.RawMessage(args), Issuer: "ops", Issued: now.UTC(), Expires: now.Add(time.Minute).UTC()}
	topic := postBase + string(name.Leaf())
	payload, err := commands.Sign(r.private, topic, c)
	if err == nil {
		err = r.fleet.Publish(r.t.Context(), mqtt.Message{Topic: topic, Payload: payload})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	var answer commands.Reply
	r.hear(func(all map[string][][]byte) bool {
		said := all[string(name.ReplyLeaf())]
		return len(said) > 0 && json.Unmarshal(said[len(said)-1], &answer) == nil && answer.ID == c.ID
	})
	if !answer.OK {
		r.t.Fatalf("%s %s: %+v", name, args, answer)
	}
	return answer
}

// starts waits until the post has told who it is, and gives that.
func (r *running) starts() (i telemetry.Info) {
	r.t.Helper()
	r.hear(func(all map[string][][]byte) bool {
		said := all["info"]
		return len(said) > 0 && json.Unmarshal(said[len(said)-1], &i) == nil
	})
	return i
}

// A fleet changes a post's configuration over the connection that the change could break,
// and its price without a new start.
func TestFleetChangesAPost(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	first := r.starts()
	plan := r.give(commands.ConfigSet, `{"do":"plan","set":{"post.name":"Storgata 2"}}`).Data.(map[string]any)
	id := plan["plan"].(string)
	r.give(commands.ConfigSet, `{"do":"apply","plan":"`+id+`"}`)
	second := r.starts()
	if second.Name != "Storgata 2" || second.Config != id || second.Boot == first.Boot || first.Config != plan["from"] {
		t.Errorf("%+v after %+v; planned %v", second, first, plan)
	}
	r.give(commands.ConfigSet, `{"do":"confirm","plan":"`+id+`"}`)
	if on, err := trial.Of(r.file); on.On() || err != nil {
		t.Errorf("still on trial: %+v, %v", on, err)
	}
	r.give(commands.PriceSet, `{"kwh":777}`)
	r.hear(func(all map[string][][]byte) bool {
		said := all["evse/2/price"]
		return len(said) > 0 && strings.Contains(string(said[len(said)-1]), `"kwh":777`)
	})
	r.give(commands.MessageSet, `{"text":{"nb":"Heisen er ute av drift.","en":"The lift is out of order."}}`)
	r.give(commands.Restart, ``)
	if third := r.starts(); third.Boot == second.Boot || third.Config == second.Config {
		t.Errorf("%+v after %+v", third, second)
	}
	until(t, "the page tells it after the restart", func() bool {
		_, _, all := look(t, pagesIn(r.log.String())+"/en/A12")
		return strings.Contains(all, "The lift is out of order.") && strings.Contains(all, "7.77")
	})
	text, err := os.ReadFile(r.file)
	if err != nil || strings.Count(string(text), "# who may") != 1 || !strings.Contains(string(text), "kwh: 777") {
		t.Errorf("%s, %v", text, err)
	}
}

// What a fleet does to EVSEs shows in what the post tells.
func TestFleetTakesAPostOut(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	r.starts()
	state := func(word string) {
		t.Helper()
		for _, evse := range []string{"evse/1/state", "evse/2/state"} {
			is := func() bool { return strings.Contains(string(r.last[evse]), `"state":"`+word+`"`) }
			if !is() {
				r.hear(func(map[string][][]byte) bool { return is() })
			}
		}
	}
	state("available")
	if a := r.give(commands.OutOfService, ``); a.Text != "EVSE 1: out of service; EVSE 2: out of service" {
		t.Errorf("%+v", a)
	}
	state("unavailable")
	if a := r.give(commands.Selftest, ``); !strings.Contains(a.Text, " of 12 are not well: EVSE 1: faults, EVSE 2: faults") {
		t.Errorf("%+v", a)
	}
	r.give(commands.Restart, ``)
	r.starts()
	r.last = map[string][]byte{} // as it says from now on
	state("unavailable")
	if a := r.give(commands.InService, ``); !strings.HasPrefix(a.Text, "EVSE 1: in service") && !strings.Contains(a.Text, "not kept out by the fleet any more") {
		t.Errorf("%+v", a)
	}
	state("available")
	if a := r.give(commands.Stop, ``); a.Text != "no such charge is under way" {
		t.Errorf("%+v", a)
	}
}

// pagesIn is where the pages were served last, by a log.
func pagesIn(log string) string {
	_, after, _ := strings.Cut(log[max(0, strings.LastIndex(log, "msg=serving")):], "pages=")
	address, _, _ := strings.Cut(after, " ")
	return address
}

// Whatever is wrong with a configuration on trial, the one before comes back by itself.
func TestATrialThatDoesNotRunIsTakenBack(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, file string, text []byte){
		"it is none": func(t *testing.T, file string, text []byte) { try(t, file, text, []byte("no: config\n")) },
		"it does not start": func(t *testing.T, file string, text []byte) {
			try(t, file, text, []byte(strings.Replace(string(text), "state_dir: ", "state_dir: /proc/none", 1)))
		},
		"it has ended before": func(t *testing.T, file string, text []byte) {
			try(t, file, text, []byte(strings.Replace(string(text), "Storgata 1", "Storgata 2", 1)))
			on, err := trial.Of(file)
			if ok, err2 := on.Begin(); !ok || err != nil || err2 != nil {
				t.Fatal(ok, err, err2)
			}
		},
		"nothing is known of it": func(t *testing.T, file string, text []byte) {
			try(t, file, text, []byte(strings.Replace(string(text), "Storgata 1", "Storgata 2", 1)))
			if err := os.WriteFile(file+".trial", []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var was []byte
			r := newRunning(t, func(file string) {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				was = text
				prepare(t, file, text)
			})
			if i := r.starts(); i.Name != "Storgata 1" {
				t.Errorf("%+v", i)
			}
			if now, err := os.ReadFile(r.file); err != nil || string(now) != string(was) {
				t.Errorf("%s, %v", now, err)
			}
			if on, err := trial.Of(r.file); on.On() || err != nil {
				t.Errorf("still on trial: %+v, %v", on, err)
			}
			if !strings.Contains(r.log.String(), "the one before is put back") {
				t.Errorf("nobody was told: %s", r.log)
			}
		})
	}
}

func try(t *testing.T, file string, from, to []byte) {
	t.Helper()
	if err := trial.Try(file, from, to, time.Hour); err != nil {
		t.Fatal(err)
	}
}

// A post that has run, and does not with what is there by then, is started again by the
// service manager: nothing of it ends with exitConfig.
func TestAPostThatHasRunIsStartedAgain(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"no version before": false, "one that is none": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, "stolpe.yaml", "was: none\n")
			try(t, file, []byte("was: none\n"), []byte("no: config\n"))
			if !before {
				if err := os.Remove(file + ".before"); err != nil {
					t.Fatal(err)
				}
			}
			var said strings.Builder
			if code := explain(&said, "stolpe run", runAgain(t.Context(), setTime(), file, new(paper))); code != exitFailed {
				t.Errorf("exit %d: %s", code, said.String())
			}
		})
	}
}

// Without a trial, what does not run is told, as ever, and nothing is put back.
func TestWithoutATrialNothingIsPutBack(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "stolpe.yaml")
	for path, text := range map[string]string{file: "no: config\n", file + ".before": postConfig} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := runAgain(t.Context(), setTime(), file, new(paper)); err == nil {
		t.Error("it ran")
	}
	if _, err := config.Load(file); err == nil {
		t.Error("another configuration has taken its place")
	}
}
