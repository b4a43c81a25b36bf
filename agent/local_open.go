package main

import (
	"context"
	"encoding/json"
	"fmt"

	"stolpe/agent/control"
	"stolpe/agent/session"
)

// openedNow is how an order to open was taken.
type openedNow struct {
	EVSE  int    `json:"evse"` // number on the post
	OK    bool   `json:"ok"`   // the order was taken
	Text  string `json:"text"`
	Ended bool   `json:"ended_a_charge"`
}

// openContactor opens contactors at once, past everything that could be waited for.
func (l *local) openContactor(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		EVSE int `json:"evse"` // 0 for all
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	var all []openedNow
	said := ""
	for _, v := range l.parts.units {
		if args.EVSE != 0 && args.EVSE != v.Rules().EVSE {
			continue
		}
		s, _, _ := v.Snapshot()
		one := openedNow{EVSE: v.Rules().EVSE, OK: true, Text: "ordered open", Ended: s.Phase != session.Idle && s.Phase != session.Stopping}
		if one.Ended {
			one.Text += "; the charge under way has been ended"
		}
		if err := v.Open(); err != nil {
			one.OK, one.Text = false, fmt.Sprintf("does not take the order: %v; switch the post off at its breaker", err)
		}
		all = append(all, one)
		said += fmt.Sprintf("EVSE %d: %s. ", one.EVSE, one.Text)
	}
	if len(all) == 0 {
		return nil, control.Refuse(control.NotFound, "the post has no EVSE %d: stolpe status lists them", args.EVSE)
	}
	return control.Reply{Data: map[string]any{"evses": all}, Text: said}, nil
}
