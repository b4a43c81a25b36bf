package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"stolpe/cross/ports"
)

// patience is when a test gives up; it says nothing about how long things take.
const patience = 30 * time.Second

// mosquitto runs the real broker with certificates at both ends, and rights by the
// name in the certificate.
func mosquitto(t *testing.T, s *signer) (at string) {
	t.Helper()
	port := ports.Free(t)
	cert, key := s.issue("broker", "broker", time.Now().Add(-time.Hour))
	text := fmt.Sprintf("listener %s 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nuse_identity_as_username true\n"+
		"allow_anonymous false\nacl_file %s\npersistence false\nuser root\n", port, s.path("ca.pem"), cert, key, s.path("acl"))
	write(t, s.path("acl"), "pattern readwrite a/%u/%c/#\n")
	write(t, s.path("conf"), text)
	(&real{t: t, conf: s.path("conf")}).start()
	return "127.0.0.1:" + port
}

// real is a Mosquitto that can be ended and started again.
type real struct {
	t     *testing.T
	conf  string   // its file
	under []string // what it is started with
	on    *exec.Cmd
	ended chan error
}

func (r *real) start() {
	r.t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			r.t.Skip("part mosquitto: no mosquitto in PATH")
		}
	}
	first := r.on == nil
	words := append(slices.Clone(r.under), program, "-c", r.conf)
	r.on, r.ended = exec.Command(words[0], words[1:]...), make(chan error, 1)
	if err := r.on.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func(on *exec.Cmd, ended chan error) { ended <- on.Wait() }(r.on, r.ended)
	if first {
		r.t.Cleanup(func() { r.end(syscall.SIGKILL) })
	}
}

// end ends it by a signal, and waits.
func (r *real) end(by syscall.Signal) {
	_ = r.on.Process.Signal(by) // it may be gone
	r.ended <- <-r.ended        // and may be waited for again
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMosquittoKnowsPostsByTheirCertificates(t *testing.T) {
	begin := time.Now().Add(-time.Hour)
	s := newSigner(t, begin)
	at := mosquitto(t, s)
	cert, key := s.issue("a", "A1", begin)
	config, err := TLS(s.path("ca.pem"), cert, key)
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan Message, 10)
	ready := make(chan struct{}, 10)
	c, err := New(Options{
		URL: "mqtts://" + at, ClientID: "A1", TLS: config, Filters: []string{"a/A1/A1/b"},
		Handle: func(m Message) { came <- m }, Ready: func(context.Context) { ready <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, c)
	await(t, ready)
	if err := c.Publish(t.Context(), Message{Topic: "a/A1/A1/b", Payload: []byte("hi")}); err != nil {
		t.Fatal(err)
	}
	if m := await(t, came); string(m.Payload) != "hi" {
		t.Errorf("came %+v", m)
	}

	t.Run("without a certificate", func(t *testing.T) {
		bare := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs}
		turnedAway(t, Options{URL: "mqtts://" + at, ClientID: "A2", TLS: bare})
	})
	t.Run("of another signer", func(t *testing.T) {
		other := newSigner(t, begin)
		cert, key := other.issue("a", "A1", begin)
		forged, err := TLS(s.path("ca.pem"), cert, key)
		if err != nil {
			t.Fatal(err)
		}
		turnedAway(t, Options{URL: "mqtts://" + at, ClientID: "A2", TLS: forged})
	})
	t.Run("to a broker of another signer", func(t *testing.T) {
		distrusts, err := TLS(newSigner(t, begin).path("ca.pem"), cert, key)
		if err != nil {
			t.Fatal(err)
		}
		turnedAway(t, Options{URL: "mqtts://" + at, ClientID: "A2", TLS: distrusts})
	})
	t.Run("with another's client id nothing is heard", func(t *testing.T) {
		heard := make(chan Message, 10)
		up := make(chan struct{}, 10)
		as, err := New(Options{URL: "mqtts://" + at, ClientID: "B1", TLS: config, Filters: []string{"a/#"},
			Handle: func(m Message) { heard <- m }, Ready: func(context.Context) { up <- struct{}{} }})
		if err != nil {
			t.Fatal(err)
		}
		run(t, as)
		await(t, up)
		for _, topic := range []string{"a/B1/B1/b", "a/A1/A1/b", "a/A1/B1/last"} {
			if err := as.Publish(t.Context(), Message{Topic: topic, Payload: []byte(topic)}); err != nil {
				t.Fatal(err)
			}
		}
		if m := await(t, heard); m.Topic != "a/A1/B1/last" {
			t.Errorf("heard %+v", m)
		}
		if len(came) > 0 {
			t.Errorf("the post heard %+v", <-came)
		}
	})
}

// turnedAway makes one connection, which must fail at the handshake.
func turnedAway(t *testing.T, o Options) {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.newLink(t.Context()); err == nil {
		t.Error("taken in")
	} else if errors.Is(err, errSilent) {
		t.Errorf("kept waiting: %v", err)
	} else {
		t.Log(err)
	}
}

func run(t *testing.T, c *Conn) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("not reached")
	}
}
