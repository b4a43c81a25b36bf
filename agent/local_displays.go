package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/display/panel"
)

// displayRoutes are what is asked of the post's own displays.
func (l *local) displayRoutes() []control.Route {
	return []control.Route{
		{Name: "displays", Do: l.displays},
		{Name: "display/show", Least: control.Technician, Changes: true, Do: l.showDisplay},
	}
}

// displayNow is a display, and how it is doing.
type displayNow struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	Size      string   `json:"size"` // dots, letters, or light
	URL       string   `json:"url"`
	EVSEs     []int    `json:"evses"`
	Languages []string `json:"languages"`
	Code      string   `json:"code"`

	Running  bool   `json:"running"`           // somebody draws on it
	Fault    string `json:"fault,omitempty"`   // DIS-...
	Trouble  string `json:"trouble,omitempty"` // what went wrong last, while there is a fault
	Shows    string `json:"shows,omitempty"`   // as far as is known
	ShownAgo *int64 `json:"shown_ago_s,omitempty"`
	TookMS   int64  `json:"took_ms,omitempty"`
	Pages    uint64 `json:"pages"`    // since the start
	Failures uint64 `json:"failures"` // since the start
	Opened   uint64 `json:"opened"`   // how often it was set up since the start
}

func (l *local) displays(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	if err := control.Read(text, &struct{}{}); err != nil {
		return nil, err
	}
	all := displaysIn(l.cfg)
	for i, h := range l.parts.displayHealth() {
		d := &all[i]
		d.Running, d.Fault, d.Trouble = true, h.Code, h.Trouble
		d.TookMS, d.Pages, d.Failures, d.Opened = h.Took.Milliseconds(), h.Pages, h.Failures, h.Opened
		if h.Known {
			d.Shows = h.Face.String()
		}
		if !h.Shown.IsZero() {
			ago := int64(time.Since(h.Shown) / time.Second)
			d.ShownAgo = &ago
		}
	}
	return displayList{all}, nil
}

// showArgs are those of the route display/show.
type showArgs struct {
	Display string `json:"display"` // its name; empty for all
	State   string `json:"state"`   // the name of a sample, or test-pattern
	For     int64  `json:"for_s"`   // s
}

// showDisplay shows something on displays for a while. Whoever charges must not find the
// figures of nobody there.
func (l *local) showDisplay(_ context.Context, _ control.Caller, text json.RawMessage) (any, error) {
	var args showArgs
	if err := control.Read(text, &args); err != nil {
		return nil, err
	}
	long := time.Duration(args.For) * time.Second
	if args.For < 1 || args.For > int64(showMost/time.Second) {
		return nil, control.Refuse(control.Invalid, "for_s is %d: want 1 to %d seconds", args.For, showMost/time.Second)
	}
	var chosen []int
	var names []string
	for i, d := range l.cfg.Displays {
		names = append(names, d.Name)
		if args.Display == "" || args.Display == d.Name {
			chosen = append(chosen, i)
		}
	}
	switch {
	case len(names) == 0:
		return nil, control.Refuse(control.NotFound, "the post has no display; stolpe help displays tells how it gets one")
	case len(chosen) == 0:
		return nil, control.Refuse(control.NotFound, "no display %q; there is %s", args.Display, strings.Join(names, ", "))
	}
	for _, i := range chosen {
		if all := l.busy(l.cfg.Displays[i].EVSEs...); len(all) > 0 {
			return nil, control.Refuse(control.Unsafe, "not while somebody charges: %s; wait until that has ended", strings.Join(all, ", "))
		}
	}
	for _, i := range chosen {
		f, err := sampleFrame(l.cfg, l.cfg.Displays[i], args.State)
		if err != nil {
			return nil, control.Refuse(control.Invalid, "%v", err)
		}
		l.parts.screens[i].Instead(f, long)
	}
	return sentence{Text: fmt.Sprintf("shows %s for %v", args.State, long)}, nil
}

// sampleFrame is what a display shows of a state. It has the words of this post, and no code:
// that of another post would lead drivers astray.
func sampleFrame(cfg config.Config, d config.Display, state string) (panel.Frame, error) {
	if state == patternState {
		return mediumOf(d).pattern(d.Turned), nil
	}
	scene, err := sampleNamed(state, d.Languages[0], d.Languages[1])
	if err != nil {
		return panel.Frame{}, err
	}
	scene.Post, scene.Version = cfg.Post, version
	for i := range scene.EVSEs {
		scene.EVSEs[i].Link, scene.EVSEs[i].View.Charge.PayURL = "", ""
	}
	return panel.Frame{Page: scene.Page()}, nil
}
