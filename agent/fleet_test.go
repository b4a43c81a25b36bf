package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/mqtt"
)

// keyFile writes the key of a commanded post's operator, called ops.
func (c *commanded) keyFile() string {
	c.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.private)
	if err != nil {
		c.t.Fatal(err)
	}
	return write(c.t, "ops.key", string(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der})))
}

func TestWrongUsageOfFleetIsTwo(t *testing.T) {
	key := filepath.Join(t.TempDir(), "ops.key")
	if got := command("fleet", "keygen", "ops", "--out", key); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	for args, want := range map[string]string{
		"fleet keygen":                                                     "accepts 1 arg",
		"fleet keygen a/b":                                                 `"a/b": want a name`,
		"fleet keygen ops --role boss":                                     `--role "boss": want reader, support, operator or admin`,
		"fleet sign reboot acme/A12":                                       `"reboot": want one of identify, stop, `,
		"fleet sign stop A12":                                              `"A12": want TENANT/POST`,
		"fleet sign stop acme/+":                                           `"acme/+": want TENANT/POST`,
		"fleet sign stop acme/A12":                                         "--key: want the file with your key; stolpe fleet keygen makes one",
		"fleet sign stop acme/A12 --for 6m --key KEY":                      "--for 6m0s: want 1s to 5m0s",
		"fleet sign stop acme/A12 --args [1] --key KEY":                    "--args [1]: want a JSON object",
		"fleet sign stop acme/A12 --evse 100 --key KEY":                    "evse is 100",
		"fleet send stop acme/A12 acme/A12 --key KEY":                      "acme/A12: named twice",
		"fleet send stop acme/A12 --within 0s --key KEY":                   "--within 0s: want 1s to 1h",
		"fleet send stop acme/A12 --key KEY":                               "--broker: want the broker's address",
		"fleet send stop acme/A12 --key KEY --broker mqtt://broker":        "--broker: connect to broker",
		"fleet send stop acme/A12 --key KEY --broker mqtts://b --certs /x": "--certs: ",
		"fleet watch":                           "requires at least 1 arg",
		"fleet watch a/b/c --broker mqtts://b":  "or TENANT for all of its posts",
		"fleet watch acme --broker mqtts://b:1": "mqtts takes certificates",
	} {
		got := command(strings.Fields(strings.ReplaceAll(args, "KEY", key))...)
		if got.code != 2 || !strings.Contains(got.stderr, want) || got.stdout != "" || !strings.Contains(got.stderr, "stolpe: see stolpe "+strings.Join(strings.Fields(args)[:2], " ")+" --help\n") {
			t.Errorf("stolpe %s: %+v, want %q", args, got, want)
		}
	}
}

// What keygen prints goes into a configuration as it is, and what is signed with the
// key is good there.
func TestKeygenMakesAKeyThatSigns(t *testing.T) {
	key := filepath.Join(t.TempDir(), "ops@acme.key")
	got := command("fleet", "keygen", "ops@acme", "--role", "admin", "--out", key)
	line := regexp.MustCompile(`(?m)^    - \{.*\}$`).FindString(got.stdout)
	if got.code != 0 || got.stderr != "" || line == "" {
		t.Fatalf("%+v", got)
	}
	if info, err := os.Stat(key); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	text := strings.NewReplacer("STATE", "/var/lib/stolpe", "post: {id", "post: {tenant: acme, id", "web:", "mqtt: {url: \"mqtt://127.0.0.1:1883\"}\ncommands:\n  keys:\n"+line+"\n  allow: [stop]\nweb:").Replace(postConfig)
	cfg, err := config.Parse("f", strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	k := cfg.Commands.Keys[0]
	public, err := commands.ParsePublic(k.Public)
	if k.Name != "ops@acme" || k.Role != "admin" || err != nil {
		t.Errorf("%+v, %v", k, err)
	}
	got = command("fleet", "sign", "stop", "acme/A12", "--key", key, "--evse", "1", "--args", `{"reason":"x"}`, "--force", "--for", "2m")
	if got.code != 0 || got.stderr != "publish within 2m0s on stolpe/v1/acme/A12/cmd/stop\n" {
		t.Errorf("%+v", got)
	}
	signed, err := commands.Verify(public, "stolpe/v1/acme/A12/cmd/stop", []byte(got.stdout))
	var c commands.Command
	if err != nil || json.Unmarshal(signed, &c) != nil || c.Issuer != "ops@acme" || c.EVSE != 1 || string(c.Args) != `{"reason":"x"}` || !c.Force || c.Expires.Sub(c.Issued).Minutes() != 2 {
		t.Errorf("%s: %v", got.stdout, err)
	}
	before, _ := os.ReadFile(key)
	if got := command("fleet", "keygen", "ops@acme", "--out", key); got.code != 9 || !strings.Contains(got.stderr, "never overwritten") {
		t.Errorf("%+v", got)
	}
	if after, _ := os.ReadFile(key); string(before) != string(after) {
		t.Error("the key was overwritten")
	}
}

func TestKeysThatAreNoneAreRefused(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open.key")
	if _, err := makeKey(open); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		open:                   "its mode 0640 lets others in: run chmod 600 on it",
		t.TempDir():            "want a file as stolpe fleet keygen makes it",
		write(t, "x.key", "x"): "no key in PEM",
		write(t, "y.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"): "not an Ed25519 key",
		filepath.Join(t.TempDir(), "z"): "no such file",
	} {
		if got := command("fleet", "sign", "stop", "acme/A12", "--key", file); got.code != 1 || !strings.Contains(got.stderr, want) || got.stdout != "" {
			t.Errorf("%s: %+v, want %q", file, got, want)
		}
	}
}

func TestSendTellsWhatThePostsAnswer(t *testing.T) {
	t.Parallel()
	c := newCommanded(t)
	defer c.start()()
	key := c.keyFile()
	send := func(args ...string) said {
		return command(append([]string{"fleet", "send", "restart", "acme/A12", "--broker", "mqtt://" + c.address, "--key", key}, args...)...)
	}
	for name, row := range map[string]struct {
		answer commands.Answer
		err    error
		args   []string
		want   said
	}{
		"done":    {commands.Answer{Text: "begins anew"}, nil, nil, said{0, "acme/A12: done: begins anew\n", ""}},
		"data":    {commands.Answer{Data: map[string]any{"a": "<\x1b>", "b": 1}}, nil, nil, said{0, "acme/A12: done\n{\n  \"a\": \"<\\u001b>\",\n  \"b\": 1\n}\n", ""}},
		"hostile": {commands.Answer{Text: "a\x1b[2J\nb\u009b"}, nil, nil, said{0, "acme/A12: done: a\ufffd[2J\ufffdb\ufffd\n", ""}},
		"unsafe":  {commands.Answer{}, commands.Refuse(commands.Unsafe, "somebody charges"), nil, said{9, "", "stolpe: acme/A12: unsafe: somebody charges\n"}},
		"failed":  {commands.Answer{}, errors.New("no"), nil, said{1, "", "stolpe: acme/A12: failed: no\n"}},
		"force":   {commands.Answer{}, nil, []string{"--force"}, said{9, "", "stolpe: acme/A12: forbidden: force is for role admin\n"}},
		"unknown": {commands.Answer{}, nil, []string{"--as", "mallory"}, said{9, "", "stolpe: acme/A12: unsigned: no key of that name here\n"}},
	} {
		c.deed = func() (commands.Answer, error) { return row.answer, row.err }
		if got := send(row.args...); got != row.want {
			t.Errorf("%s: %+v\nwant %+v", name, got, row.want)
		}
		for len(c.did) > 0 {
			<-c.did
		}
	}
	c.deed = func() (commands.Answer, error) { return commands.Answer{Text: "ok", Data: []int{1}}, nil }
	if got := send("--json"); got.code != 0 || !regexp.MustCompile(`^\{"post":"acme/A12","id":"[0-9A-Z]{26}","code":"done","text":"ok","data":\[1\]\}\n$`).MatchString(got.stdout) {
		t.Errorf("%+v", got)
	}
}

func TestSendToPostsThatAreNotThereIsSeven(t *testing.T) {
	t.Parallel()
	c := newCommanded(t)
	defer c.start()()
	if err := c.fleet.Publish(t.Context(), mqtt.Message{Topic: "stolpe/v1/acme/B12/availability", Payload: []byte("offline"), Retained: true}); err != nil {
		t.Fatal(err)
	}
	args := []string{"fleet", "send", "restart", "acme/B12", "acme/A12", "acme/C12", "--broker", "mqtt://" + c.address, "--key", c.keyFile(), "--within", "2s"}
	got := command(args...)
	if got.code != 7 || got.stderr != "stolpe: acme/B12: no answer within 2s, and the post is offline\n" ||
		!strings.Contains(got.stdout, "acme/B12: no answer within 2s, and the post is offline\nacme/A12: done: begins anew\nacme/C12: no answer within 2s; it may have been done") {
		t.Errorf("%+v", got)
	}
	if got = command("fleet", "send", "restart", "acme/B12", "--broker", "mqtt://127.0.0.1:1", "--key", c.keyFile(), "--within", "1s"); got.code != 7 || !strings.Contains(got.stderr, "connection refused") {
		t.Errorf("no broker: %+v", got)
	}
}

// A command is published again when the connection breaks, so that it came before says
// nothing of what came of it.
func TestAnswersToSendAreItsOwn(t *testing.T) {
	to := target{"acme", "A12"}
	s := sending{name: commands.Restart, orders: map[target]*order{to: {id: "1"}}, missing: 1, all: make(chan struct{})}
	reply := func(leaf, text string, retained bool) *commands.Reply {
		s.take(mqtt.Message{Topic: to.base() + leaf, Payload: []byte(text), Retained: retained})
		return s.orders[to].answer
	}
	for _, row := range []struct {
		leaf, text string
		retained   bool
	}{
		{"cmd/restart/res", `{"id":"2","code":"done","ok":true}`, false},
		{"cmd/restart/res", `{"id":"1","code":"done","ok":true}`, true},
		{"cmd/stop/res", `{"id":"1","code":"done","ok":true}`, false},
		{"cmd/restart/res", `x`, false},
	} {
		if r := reply(row.leaf, row.text, row.retained); r != nil {
			t.Errorf("%+v is taken: %+v", row, r)
		}
	}
	s.take(mqtt.Message{Topic: "elsewhere"})
	s.take(mqtt.Message{Topic: "stolpe/v1/acme/B12/cmd/restart/res"})
	if r := reply("cmd/restart/res", `{"id":"1","code":"replayed"}`, false); r == nil || s.errorOf(to, s.orders[to]) == nil || s.missing != 1 {
		t.Errorf("%+v, %d missing", r, s.missing)
	}
	if r := reply("cmd/restart/res", `{"id":"1","code":"done","ok":true}`, false); !r.OK || s.missing != 0 {
		t.Errorf("%+v, %d missing", r, s.missing)
	}
	if r := reply("cmd/restart/res", `{"id":"1","code":"failed"}`, false); !r.OK {
		t.Errorf("a second answer counts: %+v", r)
	}
	<-s.all
}

func TestWatchPrintsWhatPostsTell(t *testing.T) {
	t.Parallel()
	address := serveBroker(t)
	fleet, _ := listener(t, address, "x")
	say := func(topic, payload string, retained bool) {
		if err := fleet.Publish(t.Context(), mqtt.Message{Topic: "stolpe/v1/" + topic, Payload: []byte(payload), Retained: retained}); err != nil {
			t.Fatal(err)
		}
	}
	say("acme/A12/availability", "online", true)
	say("acme/A12/pay/open/1", "secret", true)
	say("other/C12/availability", "online", true)
	for name, row := range map[string]struct {
		json  bool
		watch string
		want  []string
	}{
		"people":   {false, "acme", []string{"acme/A12 availability (kept) online\n", "acme/A12 evse/1/state clk=unknown state=available session=null faults=[{\"code\":\"MET-001\"}] text=a\ufffdb\n", "acme/A12 evt/fault x\ufffdy\n"}},
		"machines": {true, "acme/A12", []string{`{"post":"acme/A12","leaf":"availability","kept":true,"payload":"online"}` + "\n", `{"post":"acme/A12","leaf":"evse/1/state","payload":{"v":1,"clk":"unknown","state":"available","session":null,"faults":[{"code":"MET-001"}],"text":"a\nb"}}` + "\n", `"payload":"x\u001by"}` + "\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			filters, err := watched([]string{row.watch})
			if err != nil {
				t.Fatal(err)
			}
			w := watching{json: row.json}
			w.broker = "mqtt://" + address
			ctx, stop := context.WithCancel(t.Context())
			var out, stderr paper
			ended := make(chan error, 1)
			go func() { ended <- w.run(ctx, filters, &out, &stderr) }()
			until(t, "what the broker keeps", func() bool { return strings.Contains(out.String(), "availability") })
			say("acme/A12/evse/1/state", `{"v":1,"clk":"unknown","state":"available","session":null,"faults":[{"code":"MET-001"}],"text":"a\nb"}`, false)
			say("acme/A12/evt/fault", "x\x1by", false)
			until(t, "the last word", func() bool {
				return strings.Contains(out.String(), "evt/fault") && strings.HasSuffix(out.String(), "\n")
			})
			stop()
			if err := <-ended; err != nil || stderr.String() != "" {
				t.Errorf("%v, %s", err, stderr.String())
			}
			for _, want := range row.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%s\nwant %q", out.String(), want)
				}
			}
			if strings.Contains(out.String(), "secret") || strings.Contains(out.String(), "C12") {
				t.Errorf("shown what was not asked for: %s", out.String())
			}
		})
	}
}

func TestPairs(t *testing.T) {
	for in, want := range map[string]string{
		"online": "online", "": "", "[1]": "[1]", `{"a":1`: `{"a":1`, `{}`: "", `{"v":1,"clk":"synced","b":"x y","a":[1, 2]}`: `b=x y a=[1, 2]`, `{"ts":"x","a":null}`: "a=null",
	} {
		if got := pairs([]byte(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if got := pairs([]byte(`{"ts":"2026-11-20T10:15:30Z","a":1}`)); !regexp.MustCompile(`^2026-11-\d\d \d\d:\d\d:30 a=1$`).MatchString(got) {
		t.Error(got)
	}
}

// One in 64 keys begins with a hyphen, and would be taken for a flag of config set.
func TestNoPublicKeyLooksLikeAFlag(t *testing.T) {
	t.Parallel()
	for range 1000 {
		public, private, err := drawKey()
		if err != nil {
			t.Fatal(err)
		}
		if text := commands.Public(public); strings.HasPrefix(text, "-") || !public.Equal(private.Public()) {
			t.Fatalf("%s", text)
		}
	}
}
