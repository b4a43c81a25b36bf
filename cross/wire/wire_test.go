package wire

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ends are a post and a broker with a line between them.
type ends struct {
	t            *testing.T
	post, broker net.Conn
	line         *Line
	over         sync.WaitGroup
}

func newEnds(t *testing.T) *ends {
	e := &ends{t: t, line: new(Line)}
	var nearPost, nearBroker net.Conn
	e.post, nearPost = net.Pipe()
	e.broker, nearBroker = net.Pipe()
	e.over.Go(func() { e.line.Join(nearPost, nearBroker) })
	return e
}

func (e *ends) say(from, to net.Conn, n int) {
	e.t.Helper()
	sent, got := bytes.Repeat([]byte{'x'}, n), make([]byte, n)
	if _, err := from.Write(sent); err != nil {
		e.t.Error(err)
	}
	if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, sent) {
		e.t.Errorf("%d bytes do not come through: %v", n, err)
	}
}

func TestWhatGoesOverIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnds(t)
		e.say(e.post, e.broker, 100) // answered at once: the answer acknowledges
		e.say(e.broker, e.post, 30)  // never answered: an empty segment does
		time.Sleep(time.Minute)
		e.say(e.post, e.broker, 50) // an empty one for this, as its answer is late
		time.Sleep(time.Second)
		e.say(e.broker, e.post, 3000) // three segments, two acknowledgements
		want := Flow{Up: Side{150, 2, 1 + 2}, Down: Side{3030, 1 + 3, 1}, Connections: 1}
		if got := e.line.Flow(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if got, want := e.line.Flow().Total(), int64(150+3030+10*52+7*52+16); got != want {
			t.Errorf("%d bytes in all, want %d", got, want)
		}
		before := e.line.Flow()
		e.say(e.post, e.broker, 10)
		if got := e.line.Flow().Since(before).Up.Bytes; got != 10 {
			t.Errorf("%d bytes since the last look, want 10", got)
		}
		e.post.Close()
		e.over.Wait()
		if _, err := e.broker.Write([]byte("x")); err == nil {
			t.Error("the other end is still open")
		}
	})
}

// TestInterface asks the kernel of a network of its own what went over.
func TestInterface(t *testing.T) {
	const inside = "WIRE_TEST_INSIDE"
	if os.Getenv(inside) == "" {
		unshare, err := exec.LookPath("unshare")
		if err != nil {
			t.Skip("no unshare(1): a network of its own cannot be made")
		}
		if err := exec.Command(unshare, "-rn", "true").Run(); err != nil {
			t.Skip("a network of its own cannot be made here: ", err)
		}
		c := exec.Command(unshare, "-rn", os.Args[0], "-test.run=^TestInterface$", "-test.v")
		c.Env = append(os.Environ(), inside+"=1")
		out, err := c.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Error(err)
		}
		return
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Skipf("ip: %v: %s", err, out)
	}
	real(t)
}

// real has two ends talk over real TCP, and holds the line's sum against the interface's.
func real(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before := loopback(t)
	post, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	broker, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	// The line's other half is of pipes, which the interface does not see.
	line, far, near := new(Line), net.Conn(nil), net.Conn(nil)
	near, far = net.Pipe()
	var over sync.WaitGroup
	over.Go(func() { line.Join(broker, near) })
	e := &ends{t: t, line: line}
	for range 20 {
		e.say(post, far, 180) // a message and its acknowledgement
		e.say(far, post, 26)
		quiet := time.NewTimer(3 * delayed)
		<-quiet.C
		e.say(post, far, 300) // and one without
		quiet.Reset(3 * delayed)
		<-quiet.C
	}
	post.Close()
	far.Close()
	over.Wait()
	got, want := line.Flow().Total(), loopback(t)-before
	t.Logf("%d bytes by our count, %d by the interface's", got, want)
	if diff := got - want; diff < -want/20 || diff > want/10 {
		t.Errorf("%d bytes by our count, %d by the interface's: want at most 5 %% less and 10 %% more", got, want)
	}
}

// loopback is what the interface has sent, less the frames' own headers, which no mobile
// network has.
func loopback(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, rest, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "lo" {
			f := strings.Fields(rest)
			sent, err := strconv.ParseInt(f[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			frames, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			const frame = 14 // bytes
			return sent - frame*frames
		}
	}
	t.Fatal("no loopback")
	return 0
}
