package main

import (
	"context"
	"encoding/json"
	"time"

	"stolpe/agent/control"
)

// chargeRoutes are about charges, and how the post is.
func (l *local) chargeRoutes() []control.Route {
	began := l.w.mono()
	return append(l.sessionRoutes(), []control.Route{
		{Name: "status", Least: control.Viewer, Do: func(_ context.Context, c control.Caller, args json.RawMessage) (any, error) {
			if err := control.Read(args, &struct{}{}); err != nil {
				return nil, err
			}
			return l.statusOf(c.Role, began), nil
		}},
		{Name: "watch", Least: control.Viewer, Follow: func(ctx context.Context, c control.Caller, args json.RawMessage, send func(any) error) error {
			return l.watch(ctx, c, args, began, send)
		}},
	}...)
}

// Chosen by us.
const (
	glance     = 250 * time.Millisecond // how soon a change is told to whoever watches
	watchEvery = time.Second            // how often it is told that all is as it was
	watchMost  = time.Hour
)

// watch tells how the post is: at once, whenever it becomes another, and now and then.
func (l *local) watch(ctx context.Context, c control.Caller, text json.RawMessage, began time.Duration, send func(any) error) error {
	args := struct {
		Every int64 `json:"every_s"` // at most so long without a word; 0 for 1
	}{}
	if err := control.Read(text, &args); err != nil {
		return err
	}
	every := time.Duration(args.Every) * time.Second
	switch {
	case every == 0:
		every = watchEvery
	case every < watchEvery || every > watchMost:
		return control.Refuse(control.Invalid, "every_s %d: want %d to %d seconds", args.Every, watchEvery/time.Second, watchMost/time.Second)
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	var told string
	for next := time.Duration(0); ; {
		s := l.statusOf(c.Role, began)
		if key := s.key(); key != told || l.w.mono() >= next {
			if err := send(s); err != nil {
				return nil //nolint:nilerr // whoever watched has gone
			}
			told, next = key, l.w.mono()+every
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
