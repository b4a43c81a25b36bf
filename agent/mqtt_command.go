package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
)

func mqttCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "mqtt",
		Short: "the connection to the broker: how it is, what goes over it, what waits",
		Long: `The post's connection to its MQTT broker, over which its fleet hears of it and commands it. These commands
ask the daemon, which has the connection. Charging does not depend on it, unless gateways ask for money.`,
	}
	c.AddCommand(mqttStatusCommand(), mqttTailCommand(), mqttPublishCommand(), mqttOutboxCommand())
	return c
}

func mqttStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "show how the connection is",
		Long:  "Shows the broker, since when there is a connection or none, and why, and how many events wait. Without a connection it ends with 8.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var b brokerJSON
			if err := daemonOf().Get(c.Context(), "mqtt", nil, &b); err != nil {
				return answered(err)
			}
			var err error
			if asJSON {
				err = printJSON(c.OutOrStdout(), b)
			} else {
				err = printLines(c.OutOrStdout(), b.lines(paintOf(c, c.OutOrStdout()), zoneOfPost(c.Context())))
			}
			if err == nil && b.Broker != "" && !b.Connected {
				err = coded{fmt.Errorf("there is no connection to %s; see what it says above, then the network and the broker's log", b.Broker), exitRemote}
			}
			return failed(err)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// zoneOfPost is where the post stands, for times on a screen.
func zoneOfPost(ctx context.Context) *time.Location {
	var p postStatus
	if err := daemonOf().Get(ctx, "status", nil, &p); err != nil {
		return time.Local // the command itself says what is wrong
	}
	return zoneNamed(p.Zone)
}

// clockAt is a time of a record, RFC 3339, as the clock at the post has it.
func clockAt(text, form string, zone *time.Location) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "-"
	}
	return t.In(zone).Format(form)
}

// lines tell how the connection is to people.
func (b brokerJSON) lines(p painter, zone *time.Location) []string {
	if b.Broker == "" {
		return []string{"no broker: mqtt is left out of the configuration"}
	}
	long := (time.Duration(b.Since) * time.Second).String()
	how := p.good("connected") + " for " + long
	switch {
	case !b.Connected && b.Since > 0:
		how = p.bad("not connected") + " for " + long
	case !b.Connected:
		how = p.bad("not connected")
	}
	lines := []string{"broker   " + b.Broker, "link     " + how}
	if b.Why != "" {
		lines = append(lines, "why      "+tame(b.Why))
	}
	waiting := fmt.Sprintf("%d events wait", b.Outbox.Waiting)
	if b.Outbox.Oldest != "" {
		waiting += ", the oldest since " + clockAt(b.Outbox.Oldest, "2006-01-02 15:04", zone)
	}
	lines = append(lines, "topics   "+b.Base, "profile  "+b.Profile, "outbox   "+waiting)
	if len(b.Takes) > 0 {
		lines = append(lines, "takes    "+strings.Join(b.Takes, "\n         "))
	}
	if b.Dropped > 0 {
		lines = append(lines, fmt.Sprintf("dropped  %d messages that were too large or too many", b.Dropped))
	}
	return lines
}

func mqttTailCommand() *cobra.Command {
	var asJSON bool
	var most int
	c := &cobra.Command{
		Use:   "tail [TOPIC]",
		Short: "print what the post publishes and takes, as it goes",
		Long: `Prints each message that the broker has acknowledged (>) or sent (<), until Ctrl-C. A topic is as in MQTT,
+ for one level and # for all that follow; it may be written without the post's own base. The broker sees
nothing of it.`,
		Example: `  stolpe mqtt tail
  stolpe mqtt tail 'evse/+/state'
  stolpe mqtt tail 'cmd/#' --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if most < 0 {
				return fmt.Errorf("--count %d: want 1 or more, or 0 for all", most)
			}
			return tailMQTT(c.Context(), strings.Join(args, ""), most, asJSON, c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each message")
	c.Flags().IntVar(&most, "count", 0, "end after so `many` messages")
	return c
}

// errTold ends a tail that has told as much as was asked for.
var errTold = errors.New("as many as were asked for")

func tailMQTT(ctx context.Context, topic string, most int, asJSON bool, out io.Writer) error {
	n, zone := 0, time.UTC
	if !asJSON {
		zone = zoneOfPost(ctx)
	}
	err := daemonOf().Follow(ctx, "mqtt/tail", map[string]string{"topic": topic}, func(text json.RawMessage) error {
		var s seen
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		if asJSON {
			if err := printJSON(out, s); err != nil {
				return failed(err)
			}
		} else if _, err := fmt.Fprintln(out, s.line(zone)); err != nil {
			return failed(err)
		}
		if n++; n == most {
			return errTold
		}
		return nil
	})
	var own coded
	switch {
	case errors.Is(err, errTold):
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return coded{errors.New("interrupted"), exitStopped}
	case err == nil:
		return answered(fmt.Errorf("%w any more", control.ErrNoDaemon))
	case errors.As(err, &own):
		return err
	}
	return answered(err)
}

// line tells a message to people.
func (s seen) line(zone *time.Location) string {
	way, payload := "<", tame(s.Text)
	if s.Out {
		way = ">"
	}
	switch {
	case s.JSON != nil:
		payload = tame(string(s.JSON))
	case s.Bytes != nil:
		payload = fmt.Sprintf("(%d bytes)", len(s.Bytes))
	}
	if s.Retained {
		payload += "  (retained)"
	}
	if s.Lost > 0 {
		payload += fmt.Sprintf("  (%d before it came too fast)", s.Lost)
	}
	return fmt.Sprintf("%s %s %s %s", clockAt(s.At, time.TimeOnly, zone), way, tame(s.Topic), payload)
}

func mqttPublishCommand() *cobra.Command {
	var at atPost
	c := &cobra.Command{
		Use:   "publish-state",
		Short: "tell the broker anew how the post stands",
		Long: `Has the post publish anew what stands for the present: who it is, its states, prices and health, and what
Home Assistant discovers. It does so by itself on each connection; this is for a broker that has lost what
it kept.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return at.ask(c, "mqtt/publish", nil) },
	}
	c.Flags().BoolVar(&at.json, "json", false, "print one JSON object")
	return c
}

func mqttOutboxCommand() *cobra.Command {
	var asJSON bool
	limit := 20
	c := &cobra.Command{
		Use:   "outbox [--limit N]",
		Short: "list the events that the broker has not acknowledged yet",
		Long:  "Lists the oldest events that wait for the broker. They are kept in the ledger, and sent in order once there is a connection.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var told struct {
				outboxJSON
				Events []waitingJSON `json:"events"`
			}
			if err := daemonOf().Get(c.Context(), "mqtt/outbox", map[string]int{"limit": limit}, &told); err != nil {
				return answered(err)
			}
			if asJSON {
				return failed(printJSON(c.OutOrStdout(), told))
			}
			t, zone := table(c.OutOrStdout()), zoneOfPost(c.Context())
			for _, e := range told.Events {
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\n", e.Seq, clockAt(e.At, "2006-01-02 15:04:05", zone), e.Type, e.Ref)
			}
			if err := t.Flush(); err != nil {
				return failed(err)
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%d events wait\n", told.Waiting)
			return failed(err)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().IntVar(&limit, "limit", limit, "how `many`, 1 to 200")
	return c
}
