package main

import (
	"context"
	"encoding/json"

	"stolpe/agent/config"
	"stolpe/agent/control"
)

// configRoutes are what the post goes by, and how the file is taken into use.
func (l *local) configRoutes() []control.Route {
	return []control.Route{
		{Name: "config", Least: control.Technician, Do: l.showConfig},
		{Name: "reload", Least: control.Admin, Changes: true, Do: l.reloadHere},
	}
}

// goesBy is what the post goes by, and how the file differs from that.
type goesBy struct {
	pending
	Keys []config.Entry `json:"keys"`
}

func (l *local) showConfig(_ context.Context, _ control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	l.trying.Lock()
	defer l.trying.Unlock()
	return goesBy{l.compare(), l.runs.Load().Keys()}, nil
}

func (l *local) reloadHere(ctx context.Context, who control.Caller, args json.RawMessage) (any, error) {
	var how reloading
	if err := control.Read(args, &how); err != nil {
		return nil, err
	}
	a, err := l.reload(ctx, how, who.String())
	if err != nil {
		return nil, localRefusal(err)
	}
	return control.Reply{Data: answerOf(a), Text: a.Text, Then: a.Then}, nil
}
