package mqtt

import (
	"crypto/tls"
	"os"
	"testing"
	"time"
)

func TestPairIsReadAgainWhenItChanges(t *testing.T) {
	begin := time.Now().Add(-time.Hour)
	s := newSigner(t, begin)
	cert, key := s.issue("a", "A1", begin)
	config, err := TLS(s.path("ca.pem"), cert, key)
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		c, err := config.GetClientCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.Subject.CommonName
	}
	if got := name(); got != "A1" {
		t.Errorf("the certificate is %s's", got)
	}
	s.issue("a", "A2, renewed", begin)
	if got := name(); got != "A2, renewed" {
		t.Errorf("after a change the certificate is %s's", got)
	}
	if err := os.WriteFile(key, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "A2, renewed" {
		t.Errorf("with half a pair the certificate is %s's", got)
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "A2, renewed" {
		t.Errorf("with the file gone the certificate is %s's", got)
	}
}

// A pair that is not there yet, or only half, is used as soon as it is.
func TestPairThatComesLater(t *testing.T) {
	s := newSigner(t, time.Now().Add(-time.Hour))
	cert, key := s.issue("a", "A1", time.Now())
	whole, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := TLS(s.path("ca.pem"), cert, key)
	if err == nil || config == nil {
		t.Fatalf("with half a key: %v, %v", config, err)
	}
	if now := config.Time(); time.Since(now) > time.Minute {
		t.Errorf("certificates are judged as of %v", now)
	}
	if c, err := config.GetClientCertificate(nil); err == nil {
		t.Errorf("with half a key there is a certificate: %v", c)
	}
	if err := os.WriteFile(key, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.GetClientCertificate(nil); err != nil {
		t.Errorf("with a whole key: %v", err)
	}
}

func TestFilesThatAreNoneAreRefused(t *testing.T) {
	s := newSigner(t, time.Now())
	cert, key := s.issue("a", "A1", time.Now())
	_, other := s.issue("b", "B1", time.Now())
	for _, files := range [][3]string{
		{s.path("none"), cert, key}, {key, cert, key}, {s.path("ca.pem"), s.path("none"), key},
		{s.path("ca.pem"), cert, other}, {s.path("ca.pem"), key, cert},
	} {
		if _, err := TLS(files[0], files[1], files[2]); err == nil {
			t.Errorf("%v is taken", files)
		}
	}
}

// The certificates here begin tomorrow, which is how it looks to a machine whose
// clock has begun anew. The broker knows the time.
func TestClockBeforeTheCertificate(t *testing.T) {
	begin := time.Now().Add(24 * time.Hour)
	for _, c := range []struct {
		name   string
		broker time.Time // when its certificate begins
		good   bool
	}{
		{"the broker's as old as ours", begin, true},
		{"the broker's older", begin.Add(-time.Hour), true},
		{"the broker's newer than ours", begin.Add(time.Hour), false},
		{"the broker's long past", begin.AddDate(-6, 0, 0), false},
	} {
		s := newSigner(t, begin.AddDate(-7, 0, 0))
		cert, key := s.issue("a", "A1", begin)
		theirs, err := tls.LoadX509KeyPair(s.issue("broker", "broker", c.broker))
		if err != nil {
			t.Fatal(err)
		}
		config, err := TLS(s.path("ca.pem"), cert, key)
		if err != nil {
			t.Fatal(err)
		}
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{theirs}, ClientAuth: tls.RequireAnyClientCert})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if conn, err := l.Accept(); err == nil {
				_ = conn.(*tls.Conn).Handshake() // the client's word counts
				conn.Close()
			}
		}()
		conn, err := tls.Dial("tcp", l.Addr().String(), config)
		if err == nil {
			conn.Close()
		}
		l.Close()
		<-ended
		if (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for url, want := range map[string]string{
		"mqtts://broker":           "broker:8883",
		"mqtts://broker:1":         "broker:1",
		"mqtts://10.0.0.1/":        "10.0.0.1:8883",
		"mqtt://127.0.0.1":         "127.0.0.1:1883",
		"mqtt://[::1]:1884":        "[::1]:1884",
		"mqtt://localhost":         "localhost:1883",
		"mqtt://10.0.0.1":          "",
		"mqtt://broker":            "",
		"mqtt://localhost.evil.no": "",
		"tcp://127.0.0.1":          "",
		"127.0.0.1:1883":           "",
		"mqtts://a:b@broker":       "",
		"mqtts://broker/path":      "",
		"mqtts://":                 "",
		"":                         "",
	} {
		c, err := New(Options{URL: url, ClientID: "A1", TLS: &tls.Config{MinVersion: tls.VersionTLS12}})
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is taken", url)
		case want != "" && err != nil:
			t.Error(err)
		case want != "" && c.at.Host != want:
			t.Errorf("%q leads to %s", url, c.at.Host)
		}
	}
	if _, err := New(Options{URL: "mqtts://broker", ClientID: "A1"}); err == nil {
		t.Error("mqtts without certificates is taken")
	}
	if _, err := New(Options{URL: "mqtt://localhost"}); err == nil {
		t.Error("no client id is taken")
	}
}
