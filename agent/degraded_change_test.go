package main

import (
	"net"
	"os"
	"strings"
	"testing"
)

// Whoever works at a post that has started without something can change the rest of its
// configuration. One with which it would have to start without more is refused, and the post
// runs on with the one before.
func TestAPostThatLacksSomethingCanBeChanged(t *testing.T) {
	t.Parallel()
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	dir, run := t.TempDir(), shortDir(t)
	file := configured(t, dir, "STATE/run", run, `"127.0.0.1:0"`, `"`+held.Addr().String()+`", public_url: "https://lad.example.no"`,
		"payment: {through: sim}", strings.ReplaceAll(`payment: {through: vipps, vipps: {base_url: "http://127.0.0.1:9", msn: "123456", client_id: "file:DIR/id", client_secret: "file:DIR/id", subscription_key: "file:DIR/id"}}`, "DIR", dir))
	p := rise(t, file, run)
	is := func() (s postStatus) {
		if p.client.Get(t.Context(), "status", nil, &s) != nil {
			return postStatus{}
		}
		return s
	}
	if !slowly(func() bool { return len(is().Missing) == 2 }) {
		t.Fatalf("%+v\n%s", is(), p.log)
	}
	change := func(from, to string) (boot string) {
		text, err := os.ReadFile(file)
		if err == nil {
			boot = is().Boot
			err = os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o600)
		}
		if err == nil {
			err = p.client.Do(t.Context(), "reload", nil, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return boot
	}
	boot := change("Storgata 1", "Nyveien 2")
	if !slowly(func() bool { s := is(); return s.Boot != "" && s.Boot != boot }) || is().Name != "Nyveien 2" || len(is().Missing) != 2 {
		t.Errorf("%+v\n%s", is(), p.log)
	}
	boot = change("state_dir: "+dir, "state_dir: "+file+"/none")
	if !slowly(func() bool { s := is(); return s.Boot != "" && s.Boot != boot }) || len(is().Missing) != 2 {
		t.Errorf("%+v\n%s", is(), p.log)
	}
	if said := p.log.String(); !strings.Contains(said, "without the state folder") || !strings.Contains(said, "runs with the configuration before") {
		t.Errorf("%s", said)
	}
}
