package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"stolpe/agent/config/trial"
	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/payment"
)

// What was missing has come, and takes a start anew. There is none while that would end a
// charge, take a configuration back, keep drivers away, or leave the post with a file that
// does not load: then it would end for ever, or start in vain every few seconds. There is
// one, and one only, when that is over.
func TestWhatHasComeWaitsForItsMoment(t *testing.T) {
	read := func(t *testing.T, file string) []byte {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	write := func(t *testing.T, file string, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, waits := range map[string]func(t *testing.T, x *bureau) (over func()){
		"nothing is in the way": nil,
		"somebody charges": func(t *testing.T, x *bureau) func() {
			x.b.charge(t, session.Charging)
			return func() {
				x.b.step(session.Stopped{Why: display.ByDriver})
				x.b.passes(time.Minute)
			}
		},
		"many starts": func(_ *testing.T, x *bureau) func() {
			x.a.state.Boots = 4
			return func() {
				x.a.mu.Lock()
				defer x.a.mu.Unlock()
				x.a.state.Boots = 1
			}
		},
		"a configuration on trial": func(t *testing.T, x *bureau) func() {
			text := read(t, x.file)
			if err := trial.Try(x.file, text, append(text, '\n'), time.Hour); err != nil {
				t.Fatal(err)
			}
			return func() {
				on, err := trial.Of(x.file)
				if err == nil {
					err = on.Confirm()
				}
				if err != nil {
					t.Error(err)
				}
			}
		},
		"a file that does not load": func(t *testing.T, x *bureau) func() {
			text := read(t, x.file)
			write(t, x.file, append(text, "nonsense: 1\n"...))
			return func() { write(t, x.file, text) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, log := newBureau(t), new(paper)
				x.log = slog.New(slog.NewTextHandler(log, nil))
				var come, looks, starts atomic.Int32
				p := &parts{lacks: []lack{{
					Lack:  doctor.Lack{Kind: doctor.Folder},
					there: func() bool { looks.Add(1); return come.Load() > 0 },
				}}}
				ctx, end := context.WithCancel(t.Context())
				defer end()
				var over func()
				if waits != nil {
					over = waits(t, x)
				}
				go p.heal(x.deeds, func() bool { return false }, func(cause error) {
					if starts.Add(1); !errors.Is(cause, errRestart) {
						t.Error(cause)
					}
				})(ctx)
				if over == nil {
					time.Sleep(3 * lookAgain)
					if looks.Load() < 2 || starts.Load() != 0 {
						t.Errorf("%d looks, %d starts with nothing that has come", looks.Load(), starts.Load())
					}
				}
				come.Store(1)
				if over != nil {
					time.Sleep(5 * lookAgain)
					if n := starts.Load(); n != 0 {
						t.Errorf("started anew %d times", n)
					}
					if n := strings.Count(log.String(), "level="); n > 1 {
						t.Errorf("told %d times of the same:\n%s", n, log)
					}
					over()
				}
				time.Sleep(3 * lookAgain)
				if n := starts.Load(); n != 1 {
					t.Errorf("started anew %d times", n)
				}
			})
		})
	}
}

// What takes a secret into use is what gives it to the program: systemd, which does it when
// it starts one, and for nothing that a start does not bring; or the program itself.
func TestASecretIsTakenIntoUseByWhoGivesIt(t *testing.T) {
	for name, row := range map[string]struct {
		key, comes string // DIR stands for a folder
		before     bool   // it is decrypted already when the program begins without it
		want       error
	}{
		"decrypted later":      {"credential:gateway-key", "gateway-key", false, errMoreSecrets},
		"another one":          {"credential:gateway-key", "vipps-client-id", false, nil},
		"decrypted and no use": {"credential:gateway-key", "gateway-key", true, nil},
		"a file":               {"file:DIR/gateway-key", "gateway-key", false, errRestart},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put := func() {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, row.comes), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if row.before {
				put()
			}
			given := credentialsIn(dir)
			for _, round := range []string{"at first", "after a start within the process"} {
				p := new(parts)
				p.withoutSecret(missingSecret{strings.ReplaceAll(row.key, "DIR", dir), os.ErrNotExist}, given, slog.New(slog.DiscardHandler))
				want := row.want
				if round == "at first" {
					want = nil
				} else {
					put()
				}
				if what, cause := p.came(func() bool { return false }); !errors.Is(cause, want) || (cause == nil) != (want == nil) || (what == "") != (want == nil) {
					t.Errorf("%s: %q, %v: want %v", round, what, cause, want)
				}
			}
		})
	}
}

// A post that has started without a secret of systemd's ends when it is decrypted, to be
// started with it: by itself, or instead of the start within the process that somebody asks
// for at that moment.
func TestAPostEndsForASecretThatIsDecrypted(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	for name, asked := range map[string]bool{"by itself": false, "for a start anew": true} {
		t.Run(name, func(t *testing.T) {
			dir, told, log := t.TempDir(), make(chan os.Signal, 1), new(paper)
			file := configured(t, filepath.Join(dir, "state"), "payment: {through: sim}", `payment: {through: vipps, vipps: {base_url: "http://127.0.0.1:9", msn: "123456", `+
				`client_id: "credential:vipps-client-id", client_secret: "credential:vipps-client-id", subscription_key: "credential:vipps-client-id"}}`,
				`web: {listen: "127.0.0.1:0"}`, `web: {listen: "127.0.0.1:0", public_url: "https://lad.example.no"}`)
			r := &runner{source: setTime(), stderr: log, from: origin{file: file, told: told, program: thisProgram(), given: credentialsIn(dir)}}
			ctx, end := context.WithCancel(t.Context())
			defer end()
			ended := make(chan error, 1)
			go func() { ended <- r.run(ctx) }()
			starts := func(n int) {
				t.Helper()
				until(t, "the post starts", func() bool { return strings.Count(log.String(), "msg=serving") >= n })
			}
			anew := func(from, to string) {
				t.Helper()
				text, err := os.ReadFile(file)
				if err == nil {
					err = os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
				told <- syscall.SIGHUP
			}
			starts(1)
			anew("lad.example.no", "lade.example.no")
			starts(2)
			if err := os.WriteFile(filepath.Join(dir, "vipps-client-id"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if asked {
				anew("lade.example.no", "ladet.example.no")
			}
			err := <-ended
			if code := explain(log, "stolpe", err); !errors.Is(err, errMoreSecrets) || code != exitDevice || strings.Count(log.String(), "msg=serving") != 2 {
				t.Errorf("ended with %d, %v\n%s", code, err, log)
			}
		})
	}
}

// purser is a payment service that counts what it is asked.
type purser struct{ asked int }

func (c *purser) Ask(context.Context, payment.Order) (payment.Answer, error) {
	c.asked++
	return payment.Answer{}, nil
}

// As long as the state folder may still come, nobody is asked for money: what stands there
// is more than the payment service knows.
func TestNoMoneyIsAskedForBeforeTheFolderCountsAsLost(t *testing.T) {
	service, now := new(purser), 3*time.Minute
	p := withheld{service, func() time.Duration { return now }, now}
	for _, row := range []struct {
		after time.Duration
		asked int
	}{{0, 0}, {time.Minute, 0}, {deadAfter - 1, 0}, {deadAfter, 1}, {time.Hour, 2}} {
		now = 3*time.Minute + row.after
		_, err := p.Ask(t.Context(), payment.Order{})
		if service.asked != row.asked || errors.Is(err, errNoFolder) != (row.asked == 0) {
			t.Errorf("after %v: asked %d times, %v", row.after, service.asked, err)
		}
	}
}

// A daemon whose state folder is missing asks the payment service nothing.
func TestADaemonWithoutItsFolderAsksForNoMoney(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/accesstoken/get" {
			fmt.Fprint(w, `{"access_token": "a-token", "expires_in": "3600"}`)
			return
		}
		if strings.Contains(r.URL.Path, "/payments") { // webhooks are none
			asked.Add(1)
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer service.Close()
	for _, there := range []bool{false, true} { // in this order: who has one goes on asking until the test ends
		name := "folder missing"
		if there {
			name = "folder there"
		}
		dir, run := t.TempDir(), shortDir(t)
		key := filepath.Join(dir, "id")
		if err := os.WriteFile(key, []byte("a-secret-of-some-length"), 0o600); err != nil {
			t.Fatal(err)
		}
		state := dir
		if !there {
			state = key + "/state" // below a file
		}
		asked.Store(0)
		file := configured(t, dir, "STATE/run", run, "state_dir: STATE", "state_dir: "+state, `"127.0.0.1:0"`, `"127.0.0.1:0", public_url: "https://lad.example.no"`,
			"payment: {through: sim}", strings.NewReplacer("URL", service.URL, "KEY", key).Replace(`payment: {through: vipps, vipps: {base_url: "URL", msn: "123456", client_id: "file:KEY", client_secret: "file:KEY", subscription_key: "file:KEY"}}`))
		p := rise(t, file, run)
		passed := func() bool { // for some passes of the loop, in which it would ask
			var s postStatus
			return p.client.Get(t.Context(), "status", nil, &s) == nil && s.Up >= 3
		}
		if !slowly(func() bool { return passed() && (!there || asked.Load() > 0) }) {
			t.Fatalf("%s: asked %d times\n%s", name, asked.Load(), p.log)
		}
		if n := asked.Load(); !there && n != 0 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}
