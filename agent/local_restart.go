package main

import (
	"context"
	"encoding/json"

	commands "stolpe/agent/command"
	"stolpe/agent/config/trial"
	"stolpe/agent/control"
)

// restarting is what the route restart answers.
type restarting struct {
	Text string   `json:"text"`
	From string   `json:"from"` // version
	To   string   `json:"to"`   // version
	For  []string `json:"waits_for"`
}

// restartHere starts the post anew, now or as soon as nobody charges. It is for whoever
// works at the post: they can end a charge as well.
func (l *local) restartHere(ctx context.Context, who control.Caller, text json.RawMessage) (any, error) {
	var args struct {
		Now bool `json:"now"` // ends the charges under way
	}
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	if t, _ := trial.Of(l.file); t.On() {
		return nil, localRefusal(onTrial(t))
	}
	to, err := l.successor(ctx)
	if err != nil {
		return nil, localRefusal(err)
	}
	a := restarting{From: version, To: to, For: []string{}}
	if args.Now {
		a.Text = renewed(to)
		return control.Reply{Data: a, Text: a.Text, Then: l.restart}, nil
	}
	a.For = append(a.For, l.renewal.waitsFor()...)
	a.Text = begins(to, a.For)
	r := control.Reply{Data: a, Text: a.Text}
	if len(a.For) > 0 {
		l.renewal.put(who.String(), to)
	} else { // not before the answer is on its way
		r.Then = func() { l.renewal.put(who.String(), to) }
	}
	return r, nil
}

// onTrial refuses a start that would take a configuration back.
func onTrial(t trial.Trial) error {
	return commands.Refuse(commands.Busy, "configuration "+t.ID+" is on trial, and a second start would take it back: confirm it first")
}

// restartStatus is a start anew that waits, has come to nothing, or is due.
type restartStatus struct {
	Waits  bool     `json:"waits"`
	By     string   `json:"by,omitempty"`
	Since  string   `json:"since,omitempty"`
	To     string   `json:"to,omitempty"` // version
	For    []string `json:"for,omitempty"`
	Spares bool     `json:"no_new_drivers,omitempty"`
	Failed string   `json:"failed,omitempty"` // why the last one came to nothing
	Due    bool     `json:"due,omitempty"`    // another program is on the disk than the one that runs
}

// restartStatus is nil where there is nothing to tell.
func (l *local) restartStatus(role control.Role) *restartStatus {
	if l.renewal == nil {
		return nil
	}
	o, failed := l.renewal.waits()
	if o != nil {
		s := &restartStatus{Waits: true, Since: utc(o.at.Wall.Time()), To: o.to, For: l.renewal.waitsFor(), Spares: o.spares}
		if role >= control.Technician {
			s.By = o.by
		}
		return s
	}
	s := restartStatus{Failed: failed}
	s.Due, _ = l.program.replaced()
	if s.Failed == "" && !s.Due {
		return nil
	}
	return &s
}
