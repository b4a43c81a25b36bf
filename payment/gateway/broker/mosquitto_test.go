package broker

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"stolpe/cross/ports"
)

// patience is how long anything may take on a machine that has other work.
const patience = 20 * time.Second

// fleet makes one in a folder, with two tenants.
func fleet(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "fleet")
	must(t, Init(dir, "127.0.0.1"))
	must(t, AddGateway(dir, "gateway-1"))
	must(t, AddGateway(dir, "gateway-2"))
	must(t, AddPost(dir, "acme", "A12"))
	must(t, AddPost(dir, "acme", "B12"))
	must(t, AddPost(dir, "other", "C12"))
	must(t, AddPerson(dir, "acme", "reader-ann"))
	must(t, AddPerson(dir, "acme", "commander-bo"))
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mosquitto is a real broker with a fleet's files.
type mosquitto struct {
	dir   string // of the fleet
	conf  string
	addr  string
	cmd   *exec.Cmd
	lines chan string
}

// serve starts one.
func serve(t *testing.T, dir string) *mosquitto {
	t.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("part mosquitto: no mosquitto in PATH")
	}
	port := ports.Free(t)
	me, err := user.Current()
	must(t, err)
	conf := filepath.Join(dir, "test.conf")
	f, err := os.Create(conf)
	must(t, err)
	must(t, Conf{Listen: port + " 127.0.0.1", Folder: filepath.Join(dir, brokerFolder), State: dir, User: me.Username}.Write(f))
	must(t, f.Close())
	m := &mosquitto{dir: dir, conf: conf, addr: "127.0.0.1:" + port}
	m.start(t)
	t.Cleanup(func() { m.stop(t) })
	return m
}

func (m *mosquitto) start(t *testing.T) {
	t.Helper()
	m.cmd = exec.Command("mosquitto", "-c", m.conf)
	out, err := m.cmd.StderrPipe()
	must(t, err)
	must(t, m.cmd.Start())
	m.lines = make(chan string, 10_000)
	lines := m.lines
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	m.says(t, " running")
}

// says waits for a line of the broker's log.
func (m *mosquitto) says(t *testing.T, text string) {
	t.Helper()
	var other strings.Builder
	late := time.After(patience)
	for {
		select {
		case line, more := <-m.lines:
			if !more {
				t.Fatalf("mosquitto ended without saying %q:\n%s", text, other.String())
			}
			other.WriteString(line + "\n")
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			t.Fatalf("mosquitto did not say %q:\n%s", text, other.String())
		}
	}
}

// reload makes the broker read its files again.
func (m *mosquitto) reload(t *testing.T) {
	t.Helper()
	must(t, m.cmd.Process.Signal(syscall.SIGHUP))
	m.says(t, "Reloading config")
}

func (m *mosquitto) stop(t *testing.T) {
	t.Helper()
	must(t, m.cmd.Process.Signal(syscall.SIGTERM))
	for line := range m.lines {
		if t.Failed() {
			t.Log("mosquitto: " + line)
		}
	}
	must(t, m.cmd.Wait())
}

// credentials reads what a member's folder has.
func credentials(t *testing.T, folder string) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, certFile), filepath.Join(folder, keyFile))
	must(t, err)
	return &tls.Config{RootCAs: roots(t, folder), Certificates: []tls.Certificate{pair}}
}

func roots(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(folder, caFile))
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return pool
}

func (m *mosquitto) folder(name string) string {
	switch {
	case strings.HasPrefix(name, gatewayPrefix):
		return filepath.Join(m.dir, gatewayFolder, name)
	case strings.HasPrefix(name, readerPrefix), strings.HasPrefix(name, commanderPrefix):
		return filepath.Join(m.dir, peopleFolder, name)
	}
	return filepath.Join(m.dir, postFolder, name)
}

// client is a member, or a stranger, at the broker.
type client struct {
	paho.Client
	heard chan paho.Message
	lost  chan error
}

// connect tries to.
func (m *mosquitto) connect(c *tls.Config, id string, change ...func(*paho.ClientOptions)) (*client, error) {
	k := &client{heard: make(chan paho.Message, 10_000), lost: make(chan error, 1)}
	o := paho.NewClientOptions().AddBroker("ssl://" + m.addr).SetClientID(id).SetTLSConfig(c).
		SetAutoReconnect(false).SetConnectTimeout(patience).SetProtocolVersion(4).
		SetDefaultPublishHandler(func(_ paho.Client, msg paho.Message) { k.heard <- msg }).
		SetConnectionLostHandler(func(_ paho.Client, err error) { k.lost <- err })
	for _, f := range change {
		f(o)
	}
	k.Client = paho.NewClient(o)
	return k, await(k.Connect())
}

// join connects a member that may, until the end of the test.
func (m *mosquitto) join(t *testing.T, name string) *client {
	t.Helper()
	k, err := m.connect(credentials(t, m.folder(name)), name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { k.Disconnect(100) }) // ms to say goodbye
	return k
}

func await(token paho.Token) error {
	if !token.WaitTimeout(patience) {
		return fmt.Errorf("no answer within %v", patience)
	}
	return token.Error()
}

func (k *client) subscribe(t *testing.T, filters ...string) {
	t.Helper()
	for _, filter := range filters {
		must(t, await(k.Subscribe(filter, 1, nil)))
	}
}

// say publishes the topic itself on each topic, so that what arrives names where
// it came from.
func (k *client) say(t *testing.T, retained bool, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		if err := await(k.Publish(topic, 1, retained, topic)); err != nil {
			t.Fatalf("publish to %s: %v", topic, err)
		}
	}
}

// hears gives every topic that arrives, until one comes to the last.
func (k *client) hears(t *testing.T, last string) map[string]bool {
	t.Helper()
	heard := make(map[string]bool)
	late := time.After(patience)
	for {
		select {
		case msg := <-k.heard:
			if msg.Topic() == last {
				return heard
			}
			heard[msg.Topic()] = true
		case err := <-k.lost:
			t.Fatalf("connection lost: %v", err)
		case <-late:
			t.Fatalf("nothing came to %s after %d other topics", last, len(heard))
		}
	}
}

// isLost waits until the broker has cut the client off.
func (k *client) isLost(t *testing.T) {
	t.Helper()
	select {
	case <-k.lost:
	case <-time.After(patience):
		t.Fatal("was not cut off")
	}
}
