package mqtt

import (
	"context"
	"fmt"
	"hash/crc32"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lines is a Mosquitto in a network of its own, to which two lines lead.
type lines struct {
	t      *testing.T
	space  string
	near   [2]string // this end's addresses
	far    [2]string
	device [2]string // names of this end; the other's have an x more
}

// nowhere is a hardware address that nobody has: what is sent there is lost without a
// word.
const nowhere = "02:00:00:00:00:99"

// newNet makes one. That takes root.
func newNet(t *testing.T) *lines {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("part iproute2: no ip in PATH")
	}
	if os.Geteuid() != 0 {
		t.Skip("networks of one's own are for root only")
	}
	id := int(crc32.ChecksumIEEE(fmt.Append(nil, os.Getpid(), t.Name())) % 16384) // another one for each test that runs now
	n := &lines{t: t, space: fmt.Sprintf("stolpe-%d", id)}
	if out, err := exec.Command("ip", "netns", "add", n.space).CombinedOutput(); err != nil {
		t.Skipf("this machine makes no networks of one's own: %s", strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { n.ip("netns del %s", n.space) })
	for i := range 2 {
		// From 198.18.0.0/15, which is for such experiments (RFC 2544): two /30 for each.
		at := id*8 + i*4
		address := func(host int) string { return fmt.Sprintf("198.%d.%d.%d", 18+at>>16, at>>8&255, at&255+host) }
		n.near[i], n.far[i], n.device[i] = address(1), address(2), fmt.Sprintf("st%d-%d", id, i)
		n.ip("link add %s type veth peer name %sx netns %s", n.device[i], n.device[i], n.space)
		n.ip("addr add %s/30 dev %s", n.near[i], n.device[i])
		n.ip("link set %s up", n.device[i])
		n.ip("-n %s addr add %s/30 dev %sx", n.space, n.far[i], n.device[i])
		n.ip("-n %s link set %sx up", n.space, n.device[i])
	}
	conf := filepath.Join(t.TempDir(), "conf")
	write(t, conf, "listener 1883\nallow_anonymous true\npersistence false\nuser root\n")
	(&real{t: t, conf: conf, under: []string{"ip", "netns", "exec", n.space}}).start()
	return n
}

// ip runs ip(8).
func (n *lines) ip(format string, args ...any) {
	n.t.Helper()
	words := strings.Fields(fmt.Sprintf(format, args...))
	if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v: %s", strings.Join(words, " "), err, out)
	}
}

// dialer opens lines to the broker.
func (n *lines) dialer(line int) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", n.far[line]+":1883")
	}
}

// cut loses all that is sent on a line, in both directions and without a word; or ends
// that.
func (n *lines) cut(line int, off bool) {
	n.t.Helper()
	for _, end := range []struct{ in, device, to string }{
		{"", n.device[line], n.far[line]}, {"-n " + n.space, n.device[line] + "x", n.near[line]},
	} {
		if off {
			n.ip("%s neigh replace %s lladdr %s nud permanent dev %s", end.in, end.to, nowhere, end.device)
		} else {
			n.ip("%s neigh del %s dev %s", end.in, end.to, end.device)
		}
	}
}
