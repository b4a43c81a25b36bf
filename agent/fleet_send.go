package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	commands "stolpe/agent/command"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/payment/envelope"
)

func fleetSendCommand() *cobra.Command {
	var s sending
	c := &cobra.Command{
		Use:   "send COMMAND TENANT/POST... --broker URL --certs FOLDER --key FILE",
		Short: "send a signed command, and print what the posts answer",
		Long: `Signs a command for each of the posts, publishes it and waits for the answers. Done is 0; 9 is a post that
refuses; 1 one that tried and failed; 7 one that does not answer, which may have done it all the same.`,
		Example: `  stolpe fleet send stop acme/A12 --evse 1 --broker mqtts://mqtt.example.no:8883 --certs commander-ann --key ops.key
  stolpe fleet send config.get acme/A12 --broker mqtts://mqtt.example.no:8883 --certs commander-ann --key ops.key --json`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if s.name, err = parseName(args[0]); err != nil {
				return err
			}
			if s.targets, err = parseTargets(args[1:]); err != nil {
				return err
			}
			if s.within < time.Second || s.within > time.Hour {
				return fmt.Errorf("--within %v: want 1s to 1h", s.within)
			}
			if err := s.load(); err != nil {
				return err
			}
			return s.run(c.Context(), c.OutOrStdout(), progressOf(c))
		},
	}
	s.outside.flags(c)
	s.signing.flags(c)
	c.Flags().DurationVar(&s.within, "within", 30*time.Second, "how long to wait for answers")
	c.Flags().BoolVar(&s.json, "json", false, "print one JSON object for each post")
	return c
}

// sending is a command on its way to posts.
type sending struct {
	outside
	signing
	name    commands.Name
	targets []target
	within  time.Duration
	json    bool

	conn *mqtt.Conn

	mu      sync.Mutex // guards what follows
	orders  map[target]*order
	missing int // answers
	all     chan struct{}
}

// order is the command of one post.
type order struct {
	payload []byte
	id      string
	gone    bool            // the post is offline, as far as the broker knows
	answer  *commands.Reply // the newest
}

// known says whether it is known what came of it. That it had come before says nothing:
// it is sent again when a connection breaks.
func (o *order) known() bool { return o.answer != nil && o.answer.Code != commands.Replayed }

func (s *sending) run(ctx context.Context, stdout, stderr io.Writer) error {
	var filters []string
	s.orders, s.missing, s.all = map[target]*order{}, len(s.targets), make(chan struct{})
	for _, to := range s.targets {
		payload, id, err := s.sign(s.name, to)
		if err != nil {
			return err
		}
		s.orders[to] = &order{payload: payload, id: id}
		filters = append(filters, to.base()+string(s.name.ReplyLeaf()), to.base()+envelope.AvailabilityLeaf)
	}
	var err error
	if s.conn, err = s.connect(stderr, filters, s.take, s.give); err != nil {
		return err
	}
	live, end := context.WithTimeout(ctx, s.within)
	defer end()
	done := make(chan error, 1)
	go func() { done <- s.conn.Run(live) }()
	select {
	case <-s.all:
	case <-live.Done():
	}
	end()
	if err := <-done; err != nil {
		return failed(err)
	}
	if ctx.Err() != nil {
		return coded{errors.New("interrupted; posts may have done it all the same"), exitStopped}
	}
	return s.tell(stdout)
}

// give publishes what is not answered yet.
func (s *sending) give(ctx context.Context) {
	for _, to := range s.targets {
		s.mu.Lock()
		o := s.orders[to]
		again := !o.known()
		s.mu.Unlock()
		if again && s.conn.Publish(ctx, mqtt.Message{Topic: to.base() + string(s.name.Leaf()), Payload: o.payload}) != nil {
			return // the connection has broken, and is told
		}
	}
	<-ctx.Done()
}

// take takes in what posts answer.
func (s *sending) take(m mqtt.Message) {
	to, leaf, ok := whoSent(m.Topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[to]
	if !ok || o == nil {
		return
	}
	if leaf == envelope.AvailabilityLeaf {
		o.gone = string(m.Payload) == envelope.Offline
		return
	}
	var r commands.Reply
	if telemetry.Leaf(leaf) != s.name.ReplyLeaf() || m.Retained || json.Unmarshal(m.Payload, &r) != nil || r.ID != o.id || o.known() {
		return
	}
	o.answer = &r
	if o.known() {
		if s.missing--; s.missing == 0 {
			close(s.all)
		}
	}
}

// sentJSON is what has come of one post, as --json has it.
type sentJSON struct {
	Post string        `json:"post"`
	ID   string        `json:"id"`
	Code commands.Code `json:"code,omitempty"` // nothing when there is no answer
	Text string        `json:"text,omitempty"`
	Data any           `json:"data,omitempty"`
}

// tell prints the answers. The error is that of the first post that has not done it.
func (s *sending) tell(stdout io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for _, to := range s.targets {
		o := s.orders[to]
		err := s.errorOf(to, o)
		if first == nil {
			first = err
		}
		if err := s.print(stdout, to, o, err); err != nil {
			return failed(err)
		}
	}
	return first
}

// errorOf says why a post has not done it.
func (s *sending) errorOf(to target, o *order) error {
	switch {
	case o.answer == nil && o.gone:
		return coded{fmt.Errorf("%s: no answer within %v, and the post is offline", to, s.within), exitDevice}
	case o.answer == nil:
		return coded{fmt.Errorf("%s: no answer within %v; it may have been done all the same: stolpe fleet watch shows what the post tells", to, s.within), exitDevice}
	case o.answer.Code == commands.Replayed:
		return coded{fmt.Errorf("%s: it had come already, and its answer was lost", to), exitDevice}
	case o.answer.OK:
		return nil
	case o.answer.Code == commands.Failed:
		return coded{fmt.Errorf("%s: %s: %s", to, o.answer.Code, tame(o.answer.Text)), exitFailed}
	}
	return coded{fmt.Errorf("%s: %s: %s", to, tame(string(o.answer.Code)), tame(o.answer.Text)), exitRefused}
}

// print prints what one post has answered. What it has not done stands on the other
// output, of the first such post; of the others it stands here.
func (s *sending) print(w io.Writer, to target, o *order, err error) error {
	if s.json {
		j := sentJSON{Post: to.String(), ID: o.id}
		if o.answer != nil {
			j.Code, j.Text, j.Data = o.answer.Code, o.answer.Text, o.answer.Data
		}
		b, err := json.Marshal(j)
		if err != nil {
			return err
		}
		return second(fmt.Fprintln(w, string(b)))
	}
	if err != nil {
		if len(s.targets) == 1 {
			return nil
		}
		return second(fmt.Fprintln(w, err))
	}
	text := to.String() + ": " + string(o.answer.Code)
	if o.answer.Text != "" {
		text += ": " + o.answer.Text
	}
	if err := second(fmt.Fprintln(w, tame(text))); err != nil {
		return err
	}
	return printData(w, o.answer.Data)
}

// printData prints what a post has sent along, as JSON.
func printData(w io.Writer, data any) error {
	if data == nil {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(data); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if err := second(fmt.Fprintln(w, tame(strings.TrimSuffix(line, "\n")))); err != nil {
			return err
		}
	}
	return nil
}
