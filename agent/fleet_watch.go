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

	"stolpe/agent/config/strict/legal"
	"stolpe/agent/mqtt"
	"stolpe/payment/envelope"
)

func fleetWatchCommand() *cobra.Command {
	var w watching
	c := &cobra.Command{
		Use:   "watch TENANT | TENANT/POST... --broker URL --certs FOLDER",
		Short: "print what posts tell: how they stand, and what happens",
		Long: `Prints a line for each message of the posts: first what the broker keeps of them, then what comes, until
Ctrl-C.`,
		Example: `  stolpe fleet watch acme --broker mqtts://mqtt.example.no:8883 --certs reader-ann`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			filters, err := watched(args)
			if err != nil {
				return err
			}
			return w.run(c.Context(), filters, c.OutOrStdout(), progressOf(c))
		},
	}
	w.outside.flags(c)
	c.Flags().BoolVar(&w.json, "json", false, "print one JSON object for each message")
	return c
}

// watched are the topics under which posts tell their fleet.
func watched(args []string) ([]string, error) {
	var filters []string
	for _, arg := range args {
		to := target{arg, "+"}
		if !legal.Word(arg) {
			var err error
			if to, err = parseTarget(arg); err != nil {
				return nil, errors.New(err.Error() + ", or TENANT for all of its posts")
			}
		}
		for _, leaf := range []string{envelope.AvailabilityLeaf, "info", "health", "evse/+/+", "evt/+", "cmd/+/res"} {
			filters = append(filters, to.base()+leaf)
		}
	}
	return filters, nil
}

// watching prints what comes.
type watching struct {
	outside
	json bool

	mu   sync.Mutex // guards what follows
	out  io.Writer
	fail error // of out
	over context.CancelFunc
}

func (w *watching) run(ctx context.Context, filters []string, stdout, stderr io.Writer) error {
	ctx, w.over = context.WithCancel(ctx)
	defer w.over()
	w.out = stdout
	conn, err := w.connect(stderr, filters, w.take, nil)
	if err != nil {
		return err
	}
	if err := conn.Run(ctx); err != nil {
		return failed(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return failed(w.fail)
}

// toldJSON is a message, as --json has it.
type toldJSON struct {
	Post    string          `json:"post"`
	Leaf    string          `json:"leaf"`
	Kept    bool            `json:"kept,omitempty"` // it had been told before
	Payload json.RawMessage `json:"payload"`
}

// take prints one message.
func (w *watching) take(m mqtt.Message) {
	from, leaf, ok := whoSent(m.Topic)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	if w.json {
		err = w.object(toldJSON{Post: from.String(), Leaf: leaf, Kept: m.Retained}, m.Payload)
	} else {
		kept := ""
		if m.Retained {
			kept = " (kept)"
		}
		err = second(fmt.Fprintf(w.out, "%s%s\n", tame(from.String()+" "+leaf), kept+" "+tame(pairs(m.Payload))))
	}
	if err != nil && w.fail == nil {
		w.fail = err
		w.over() // nobody reads any more
	}
}

func (w *watching) object(j toldJSON, payload []byte) error {
	if j.Payload = payload; !json.Valid(payload) {
		text, err := json.Marshal(string(payload)) // of availability, or what is not ours
		if err != nil {
			return err
		}
		j.Payload = text
	}
	b, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return second(fmt.Fprintln(w.out, string(b)))
}

// pairs writes an object for people: the time, then member=value in the object's own
// order. Whatever is no object stays as it is.
func pairs(payload []byte) string {
	d := json.NewDecoder(bytes.NewReader(payload))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') || !json.Valid(payload) {
		return string(payload)
	}
	at, rest := "", ""
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return string(payload)
		}
		text := string(value)
		if value[0] == '"' && json.Unmarshal(value, &text) != nil {
			return string(payload)
		}
		switch {
		case name == "v", name == "clk" && text == "synced":
		case name == "ts":
			if t, err := time.Parse(time.RFC3339, text); err == nil {
				at = t.Local().Format(time.DateTime)
			}
		default:
			rest += fmt.Sprintf(" %v=%s", name, text)
		}
	}
	return strings.TrimSpace(at + rest)
}
