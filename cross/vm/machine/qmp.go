package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"
)

// qmp gives commands to qemu, after its "QMP Reference Manual".
type qmp struct {
	line net.Conn

	mu    sync.Mutex
	words *json.Decoder // under mu
	ready bool          // the greeting is over; under mu
}

func newQMP(line net.Conn) *qmp { return &qmp{line: line, words: json.NewDecoder(line)} }

// patience is how long qemu may take for a command. Chosen by us: it answers at once, but
// the host may be busy.
const patience = 30 * time.Second

// do gives one command and waits for its answer. arguments may be nil.
func (q *qmp) do(ctx context.Context, command string, arguments any) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	deadline := time.Now().Add(patience)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	q.line.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { q.line.SetDeadline(time.Unix(0, 1)) })
	defer stop()
	if !q.ready {
		var greeting map[string]any
		if err := q.words.Decode(&greeting); err != nil {
			return fmt.Errorf("wait for qemu's greeting: %w", err)
		}
		if err := q.one("qmp_capabilities", nil); err != nil {
			return err
		}
		q.ready = true
	}
	return q.one(command, arguments)
}

func (q *qmp) one(command string, arguments any) error {
	order := map[string]any{"execute": command}
	if arguments != nil {
		order["arguments"] = arguments
	}
	b, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("tell qemu %s: %w", command, err)
	}
	if _, err := q.line.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("tell qemu %s: %w", command, err)
	}
	for {
		var answer struct {
			Return json.RawMessage `json:"return"`
			Error  *struct {
				Desc string `json:"desc"`
			} `json:"error"`
		}
		if err := q.words.Decode(&answer); err != nil {
			return fmt.Errorf("wait for qemu's answer to %s: %w", command, err)
		}
		switch {
		case answer.Error != nil:
			return fmt.Errorf("qemu will not %s: %s", command, answer.Error.Desc)
		case answer.Return != nil:
			return nil
		} // anything else is an event
	}
}

// Net plugs the network cable in, or pulls it out.
func (m *Machine) Net(ctx context.Context, up bool) error {
	return m.qmp.do(ctx, "set_link", map[string]any{"name": "net0", "up": up})
}

// Unplug pulls the USB adapter of the meter's line out.
func (m *Machine) Unplug(ctx context.Context) error {
	return m.qmp.do(ctx, "device_del", map[string]any{"id": "adapter"})
}

// Plug puts the USB adapter back in. The kernel gives it a new name while a program still
// holds the old one.
func (m *Machine) Plug(ctx context.Context) error {
	return m.qmp.do(ctx, "device_add", map[string]any{"driver": "usb-serial", "id": "adapter", "serial": adapterSerial, "chardev": "meter", "always-plugged": true})
}
