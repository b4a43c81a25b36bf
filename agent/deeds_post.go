package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	commands "stolpe/agent/command"
	"stolpe/display"
	"stolpe/hal"
)

// Chosen by us.
const (
	callFor     = time.Minute          // an EVSE says that it is the one: the time to walk around a car park
	longestCall = 15 * time.Minute     // and no longer: it says so to drivers, too
	longestPin  = 366 * 24 * time.Hour // a notice with an end
)

// spanOf reads a number of seconds from a command.
func spanOf(n int64, least, most time.Duration) (time.Duration, error) {
	if n < int64(least/time.Second) || n > int64(most/time.Second) {
		return 0, commands.Refuse(commands.Invalid, fmt.Sprintf("for_s is %d: want %d to %d seconds", n, least/time.Second, most/time.Second))
	}
	return time.Duration(n) * time.Second, nil
}

// identify has an EVSE, or all, say on page and screen that it is the one.
func (d *deeds) identify(_ context.Context, c commands.Command) (commands.Answer, error) {
	args := struct {
		For int64 `json:"for_s"` // s; 0 for no longer
	}{int64(callFor / time.Second)}
	if err := c.Read(&args); err != nil {
		return commands.Answer{}, err
	}
	if _, err := d.at(c.EVSE); err != nil {
		return commands.Answer{}, err
	}
	long, err := spanOf(args.For, 0, longestCall)
	if err != nil {
		return commands.Answer{}, err
	}
	d.board.call(c.EVSE, long)
	d.log.Info("somebody looks for this post: it is here", "evse", c.EVSE, "for", long)
	return commands.Answer{Text: fmt.Sprintf("says for %v that it is the one", long)}, nil
}

// setMessage pins up a notice for drivers, or takes it down.
func (d *deeds) setMessage(_ context.Context, c commands.Command) (commands.Answer, error) {
	var args struct {
		Text json.RawMessage `json:"text"`  // a sentence, or sentences by language; null for none
		For  int64           `json:"for_s"` // s; left out for ever
	}
	if err := c.Read(&args); err != nil {
		return commands.Answer{}, err
	}
	if _, err := d.at(c.EVSE); err != nil {
		return commands.Answer{}, err
	}
	n, err := d.noticeOf(args.Text)
	if err != nil {
		return commands.Answer{}, commands.Refuse(commands.Invalid, err.Error())
	}
	until := int64(0)
	if args.For != 0 {
		long, err := spanOf(args.For, time.Second, longestPin)
		if err != nil {
			return commands.Answer{}, err
		}
		wall := d.now().Wall
		if wall.Clock == hal.ClockUnknown {
			return commands.Answer{}, commands.Refuse(commands.Failed, "the post's clock has not been set, so it cannot tell when that is over")
		}
		until = wall.Unix + int64(long/time.Second)
	}
	if err := d.board.pin(c.EVSE, n, until); err != nil {
		return commands.Answer{}, err
	}
	if n == (display.Notice{}) {
		return commands.Answer{Text: "no notice there any more"}, nil
	}
	return commands.Answer{Text: "drivers are told", Data: map[string]any{"text": n.Tags()}}, nil
}

// noticeOf reads a notice: a sentence in the language of the country, or several.
func (d *deeds) noticeOf(text json.RawMessage) (display.Notice, error) {
	var one *string
	if json.Unmarshal(text, &one) == nil && one != nil {
		return display.ParseNotice(map[string]string{d.lang.Tag(): *one})
	}
	var many map[string]string
	if json.Unmarshal(text, &many) != nil {
		return display.Notice{}, errors.New("text: want a sentence, sentences by language, or null")
	}
	return display.ParseNotice(many)
}

// replay has events sent again, whenever no new ones wait.
func (d *deeds) replay(_ context.Context, c commands.Command) (commands.Answer, error) {
	var args struct {
		From uint64  `json:"from"` // number of the first event
		To   *uint64 `json:"to"`   // of the last; left out for the newest
	}
	if err := errors.Join(whole(c), c.Read(&args)); err != nil {
		return commands.Answer{}, err
	}
	if d.again == nil {
		return commands.Answer{}, commands.Refuse(commands.Failed, "the post has no ledger now, so nothing can be sent again")
	}
	newest := d.newest()
	to := newest
	if args.To != nil {
		to = *args.To
	}
	switch {
	case args.From < 1 || args.From > newest:
		return commands.Answer{}, commands.Refuse(commands.Invalid, fmt.Sprintf("from is %d: want 1 to %d, the newest event", args.From, newest))
	case to < args.From || to > newest:
		return commands.Answer{}, commands.Refuse(commands.Invalid, fmt.Sprintf("to is %d: want %d to %d, the newest event", to, args.From, newest))
	case !d.again(args.From, to):
		return commands.Answer{}, commands.Refuse(commands.Busy, "others are still sent again: ask when they have come")
	}
	return commands.Answer{Text: fmt.Sprintf("events from %d to %d are sent again", args.From, to), Data: map[string]any{"from": args.From, "to": to}}, nil
}
