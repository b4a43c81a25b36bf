package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	commands "stolpe/agent/command"
	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/hal"
)

// entryOfLocal is how a change that somebody makes at the post stands in the ledger.
func entryOfLocal(r control.Record, at hal.Stamp) ledger.Entry {
	kind := map[control.Kind]ledger.Kind{
		control.Accepted: ledger.CommandAccepted, control.Refused: ledger.CommandRefused, control.Done: ledger.CommandDone,
	}[r.Kind]
	code := string(r.Code)
	if r.Kind == control.Done && code == "" {
		code = string(commands.Done)
	}
	c := &ledger.Command{ID: r.ID, Name: r.Route, Issuer: r.Caller.String(), Code: code, Text: r.Text}
	return ledger.Entry{At: at.Unix, Clock: at.Clock.String(), Kind: kind, EVSE: r.EVSE, Command: c}
}

// likeFromAfar does at the post what a command does from afar. The arguments are those of
// the command, with the EVSE among them as evse.
func likeFromAfar(do func(context.Context, commands.Command) (commands.Answer, error)) func(context.Context, control.Caller, json.RawMessage) (any, error) {
	return func(ctx context.Context, who control.Caller, args json.RawMessage) (any, error) {
		c := commands.Command{Issuer: who.String()}
		all := map[string]json.RawMessage{}
		if err := control.Read(args, &all); err != nil {
			return nil, err
		}
		if evse, said := all["evse"]; said {
			if err := control.Read(evse, &c.EVSE); err != nil {
				return nil, err
			}
			delete(all, "evse")
		}
		var err error
		if c.Args, err = json.Marshal(all); err != nil {
			return nil, err
		}
		a, err := do(ctx, c)
		if err != nil {
			return nil, localRefusal(err)
		}
		return control.Reply{Data: answerOf(a), Text: a.Text, Then: a.Then}, nil
	}
}

// sentence is what a deed answers somebody at the post.
type sentence struct {
	Text string `json:"text"`
	Data any    `json:"data,omitempty"`
}

func answerOf(a commands.Answer) sentence { return sentence{a.Text, a.Data} }

// localRefusal is the refusal of a deed in the words of the local API.
func localRefusal(err error) error {
	var no commands.Refusal
	if !errors.As(err, &no) {
		return err
	}
	code, same := map[commands.Code]control.Code{
		commands.Invalid: control.Invalid, commands.Forbidden: control.NotPermitted, commands.Busy: control.Busy, commands.Unsafe: control.Unsafe,
	}[no.Code]
	if !same {
		code = control.Failed
	}
	return control.Refuse(code, "%s", no.Text)
}

// here finds the EVSEs of a request: one, or all with 0.
func (l *local) here(evse int) ([]unit, error) {
	units, err := l.at(evse)
	if err != nil {
		return nil, control.Refuse(control.NotFound, "the post has no EVSE %d: stolpe status lists them", evse)
	}
	return units, nil
}

// named says which EVSE something is about, in front of what is said.
func named(v unit, format string, a ...any) string {
	return fmt.Sprintf("EVSE %d: ", v.Rules().EVSE) + fmt.Sprintf(format, a...)
}
