// Package machine runs one virtual machine: it starts qemu, talks to the guest program in
// it, pulls its cables, and takes its power away.
//
// # Why
//
// A power cut is qemu killed, not asked: nothing in the machine learns of it. What that
// means for a disk is up to whoever serves the disk, as the host's own memory would keep
// every write that the machine has let go.
//
// The lines to qemu are pairs of sockets that it inherits: there are no files to be left
// over, no names too long for a socket, and no port that somebody else may take.
//
// qemu ends with whoever started it, however that ends: the kernel sees to it. The signal
// goes out when the thread ends that started the program, so one thread stays with it.
package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"stolpe/cross/vm/frame"
	"stolpe/cross/vm/image"
)

// Options say how a machine is put together. The zero value of Clock and of what comes after
// it is a machine without it.
type Options struct {
	Image   image.Files
	Dir     string          // for the console's log
	Accel   string          // what the processor is: tcg or kvm, as the function Accel finds it
	Disks   []string        // unix sockets of NBD servers; the first has the root file system
	Clock   time.Time       // what the machine's clock says at the start; zero is the host's
	USB     bool            // the meter's serial line is on a USB adapter, /dev/ttyUSB0, instead of /dev/ttyS1
	Meter   string          // host:port of a server of RTU over TCP, which the serial line leads to
	Reach   map[int]int     // port of the host's loopback to port of the machine
	Forward map[int]int     // port of the machine's loopback to port of the host's
	Watch   []string        // lines whose changes Lines tells
	Follow  []frame.Contact // auxiliary contacts
}

// Machine is a running machine. All methods may be called from several goroutines.
type Machine struct {
	options Options
	console string // its log
	from    int64  // bytes of it that are of an earlier machine
	qemu    *exec.Cmd
	qmp     *qmp
	line    net.Conn   // to the guest
	writing sync.Mutex // one frame at a time on line
	edges   chan Edge
	gone    chan struct{} // closed when qemu has ended
	end     error         // how, once gone is closed

	mu      sync.Mutex
	asked   map[uint32]*asked // under mu, as what follows
	last    uint32            // ID of the newest request
	starts  int               // how often the guest has said hello
	started chan struct{}     // closed and made anew at each hello
	failed  error             // what a hello complained of
}

// slow is how long the guest may take to answer after a start. Chosen by us: it takes five
// seconds on two emulated processors that have nothing else to do.
const slow = 3 * time.Minute

// Boot starts a machine and returns when its guest answers; systemd is then about to start.
// ctx ends the wait, not the machine: that runs until Cut or Off, or until this program ends.
func Boot(ctx context.Context, o Options) (*Machine, error) {
	m, err := launch(o)
	if err != nil {
		return nil, fmt.Errorf("start a virtual machine: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, slow, fmt.Errorf("no answer within %v", slow))
	defer cancel()
	if err := m.Starts(ctx, 1); err != nil {
		m.Cut()
		return nil, fmt.Errorf("start a virtual machine: %w\nthe last lines of %s:\n%s", err, m.console, m.Console(20))
	}
	return m, nil
}

func launch(o Options) (*Machine, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	m := newMachine(o)
	if info, err := os.Stat(m.console); err == nil {
		m.from = info.Size()
	}
	return m, m.start()
}

func newMachine(o Options) *Machine {
	return &Machine{
		options: o, console: filepath.Join(o.Dir, "console.log"),
		edges: make(chan Edge, waiting), gone: make(chan struct{}),
		asked: map[uint32]*asked{}, started: make(chan struct{}),
	}
}

// Cut takes the power away. It returns when nothing of the machine runs any more.
func (m *Machine) Cut() {
	m.qemu.Process.Kill() // that it has ended already is as good
	<-m.gone
}

// Off ends the machine as its own shutdown does. ctx limits how long that may take; after
// that the power is cut.
func (m *Machine) Off(ctx context.Context) error {
	_, err := m.Run(ctx, "systemctl", "poweroff")
	var exit *Exit
	if !errors.As(err, &exit) { // otherwise its answer came or the end was quicker: only the end counts
		err = nil
		select {
		case <-m.gone:
			return nil
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	m.Cut()
	return fmt.Errorf("shut a virtual machine down: %w\nthe last lines of %s:\n%s", err, m.console, m.Console(20))
}

// Gone is closed when the machine has ended, by itself or not.
func (m *Machine) Gone() <-chan struct{} { return m.gone }

// Starts returns when the guest has started as many times: once at Boot, and again after
// every reset, such as a watchdog's.
func (m *Machine) Starts(ctx context.Context, times int) error {
	for {
		m.mu.Lock()
		n, next, failed := m.starts, m.started, m.failed
		m.mu.Unlock()
		if failed != nil {
			return failed
		}
		if n >= times {
			return nil
		}
		select {
		case <-next:
		case <-m.gone:
			return m.ended()
		case <-ctx.Done():
			return fmt.Errorf("wait for start %d of the machine: %w", times, context.Cause(ctx))
		}
	}
}

// ended is the error of whoever wanted something of a machine that is gone.
func (m *Machine) ended() error {
	if m.end != nil {
		return fmt.Errorf("the machine has ended: %w", m.end)
	}
	return errors.New("the machine has ended")
}

// Console is the last lines of what the machine's kernel has said since Boot.
func (m *Machine) Console(lines int) string {
	text, err := os.ReadFile(m.console)
	if err != nil || int64(len(text)) < m.from {
		return fmt.Sprintf("(cannot be read: %v)", err)
	}
	all := strings.Split(strings.TrimSpace(string(text[m.from:])), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
