package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What changes something is written down before it is done, and what came of it after;
// by whom, and as whom.
func TestChangesAreWrittenDown(t *testing.T) {
	var p *post
	before := 0
	p = start(t, Technician, answering("look", Viewer, false, nil), answering("tune", Admin, true, nil),
		Route{Name: "work", Least: Technician, Changes: true, Do: func(_ context.Context, c Caller, args json.RawMessage) (any, error) {
			before = len(p.book.written())
			var a struct {
				EVSE int    `json:"evse"`
				How  string `json:"how"`
			}
			if err := Read(args, &a); err != nil {
				return nil, err
			}
			switch a.How {
			case "unsafe":
				return nil, Refuse(Unsafe, "somebody charges")
			case "broken":
				return nil, errors.New(strings.Repeat("ø", maxText))
			}
			return Reply{Data: map[string]any{"for": c.As}, Text: "it is done"}, nil
		}})
	c := Dial(p.dir)
	as := As(t.Context(), "per")
	var got struct{ For string }
	if err := c.Do(as, "work", map[string]any{"evse": 2}, &got); err != nil || got.For != "per" || before != 1 {
		t.Errorf("%v, %+v, %d written down before it was done", err, got, before)
	}
	for _, call := range []struct {
		route string
		args  any
		want  Code
	}{{"work", map[string]any{"how": "unsafe"}, Unsafe}, {"work", map[string]any{"how": "broken", "evse": 4711}, Failed}, {"work", map[string]any{"what": 1}, Invalid}, {"tune", nil, NotPermitted}} {
		if got := codeOf(c.Do(t.Context(), call.route, call.args, nil)); got != call.want {
			t.Errorf("%s %v: %v, want %v", call.route, call.args, got, call.want)
		}
	}
	if err := c.Get(t.Context(), "look", nil, nil); err != nil {
		t.Error(err)
	}
	if got := codeOf(c.Do(As(t.Context(), "per\nlocal:root"), "work", nil, nil)); got == "done" {
		t.Error("a name of two lines is taken")
	}
	p.end()
	all := p.book.written()
	for i := range all {
		if strings.HasPrefix(all[i], "accepted|") {
			all[i], _, _ = strings.Cut(all[i], "||uid ")
		}
	}
	same(t, "written down", all, []string{
		"accepted|work", "done|work||it is done",
		"accepted|work", "refused|work|unsafe|somebody charges",
		"accepted|work", "done|work|failed|" + strings.Repeat("ø", maxText/2),
		"accepted|work", `refused|work|invalid|arguments: json: unknown field "what"`,
		"refused|tune|not_permitted|tune is for a role from admin on, and here this is a technician; use sudo, or have the login name put into control.admins",
	})
	first, second := p.book.all[0], p.book.all[1]
	if first.ID == "" || first.ID != second.ID || first.EVSE != 2 || p.book.all[4].EVSE != 0 || first.Caller.String() != "local:kari as per" || p.book.all[2].Caller.String() != "local:kari" {
		t.Errorf("%+v, %+v", first, second)
	}
}

// What cannot be written down is not done, unless it is urgent.
func TestWithoutALedgerOnlyWhatIsUrgentIsDone(t *testing.T) {
	var done []string
	urgent := answering("off", Technician, true, &done)
	urgent.Urgent = true
	p := start(t, Technician, answering("work", Technician, true, &done), urgent)
	p.book.err = errors.New("no space left")
	if err := Dial(p.dir).Do(t.Context(), "off", nil, nil); err != nil {
		t.Errorf("what is urgent: %v", err)
	}
	err := Dial(p.dir).Do(t.Context(), "work", nil, nil)
	if codeOf(err) != Failed || !strings.Contains(err.Error(), "nothing was done, as it cannot be written down: no space left") {
		t.Errorf("%v", err)
	}
	p.end()
	if len(done) != 1 || !strings.HasPrefix(done[0], "off ") || !strings.Contains(p.log.String(), "cannot be written down") {
		t.Errorf("done: %v\n%s", done, p.log)
	}
}

// A disk that does not answer is waited for for so long; what is urgent is not delayed.
func TestLedgerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{hang: make(chan struct{})}
		a := audit{note: b.note, log: slog.New(slog.DiscardHandler), later: make(chan Record, maxLater)}
		written := make(chan struct{})
		go func() { defer close(written); a.work() }()
		begin := time.Now()
		if err := a.begin(t.Context(), job{route: Route{Name: "off", Urgent: true}}); err != nil || time.Since(begin) > 0 {
			t.Errorf("what is urgent: %v after %v", err, time.Since(begin))
		}
		err := a.begin(t.Context(), job{route: Route{Name: "work"}})
		if codeOf(err) != Failed || time.Since(begin) != noteWithin {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		for range 2 * maxLater { // and what finds no room waits for nothing
			a.leave(Record{Kind: Done})
		}
		close(b.hang)
		close(a.later)
		<-written
		all := strings.Join(b.written(), " ")
		if !strings.Contains(all, "accepted|off|") || !strings.Contains(all, "refused|work|failed|nothing was done: the ledger did not answer") {
			t.Error(all)
		}
	})
}

// Of what moves hardware there is one at a time, and whoever goes away or takes too long
// loses it. What is urgent does not wait for it.
func TestHardwareIsLent(t *testing.T) {
	begun, ended := make(chan struct{}, 9), make(chan error, 9)
	hold := func(ctx context.Context, _ Caller, _ json.RawMessage) (any, error) {
		begun <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}
	urgent := answering("off", Technician, true, nil)
	urgent.Urgent, urgent.Hardware = true, true
	other := answering("other", Technician, false, nil)
	other.Hardware = true
	p := start(t, Technician, urgent, other,
		Route{Name: "long", Least: Technician, Changes: true, Hardware: true, Within: time.Hour, Do: hold},
		Route{Name: "short", Least: Technician, Changes: true, Hardware: true, Within: 20 * time.Millisecond, Do: hold},
		Route{Name: "tell", Least: Technician, Hardware: true, Within: time.Hour, Follow: func(ctx context.Context, _ Caller, _ json.RawMessage, send func(any) error) error {
			begun <- struct{}{}
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}})
	c := Dial(p.dir)
	for _, vanish := range []func(context.Context) error{
		func(ctx context.Context) error { return c.Do(ctx, "long", nil, nil) },
		func(ctx context.Context) error {
			return c.Follow(ctx, "tell", nil, func(json.RawMessage) error { return nil })
		},
	} {
		ctx, gone := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- vanish(ctx) }()
		<-begun
		for _, route := range []string{"other", "tell"} {
			err := c.Get(t.Context(), route, nil, nil)
			if codeOf(err) != Busy || !strings.Contains(err.Error(), "local:kari is at ") {
				t.Errorf("%s meanwhile: %v", route, err)
			}
		}
		if err := c.Do(t.Context(), "off", nil, nil); err != nil {
			t.Errorf("what is urgent: %v", err)
		}
		gone()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller has gone, and it ended with %v", err)
		}
		until(t, "the hardware is free", func() bool { p.rates.begin(); return c.Get(t.Context(), "other", nil, nil) == nil })
	}
	err := c.Do(t.Context(), "short", nil, nil)
	if codeOf(err) != Failed || !strings.Contains(err.Error(), "short has not ended within 20ms") {
		t.Errorf("%v", err)
	}
	if err := c.Get(t.Context(), "other", nil, nil); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// What changes something and is no hardware is done to its end, though its caller has gone.
func TestChangeOutlivesItsCaller(t *testing.T) {
	begun, go_ := make(chan struct{}), make(chan struct{})
	p := start(t, Technician, Route{Name: "work", Least: Technician, Changes: true, Do: func(ctx context.Context, _ Caller, _ json.RawMessage) (any, error) {
		close(begun)
		<-go_
		return nil, ctx.Err()
	}})
	ctx, gone := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- Dial(p.dir).Do(ctx, "work", nil, nil) }()
	<-begun
	gone()
	<-over
	close(go_)
	until(t, "it is written down", func() bool { return len(p.book.written()) == 2 })
	p.end()
	if all := p.book.written(); len(all) != 2 || all[1] != "done|work||" {
		t.Errorf("%q", all)
	}
}

// What would prevent the answer comes after it.
func TestThenComesAfterTheAnswer(t *testing.T) {
	answered, then := make(chan struct{}), make(chan struct{})
	p := start(t, Technician, Route{Name: "again", Least: Technician, Changes: true, Do: func(context.Context, Caller, json.RawMessage) (any, error) {
		return Reply{Data: "soon", Then: func() { <-answered; close(then) }}, nil
	}})
	var got string
	if err := Dial(p.dir).Do(t.Context(), "again", nil, &got); err != nil || got != "soon" {
		t.Errorf("%q, %v", got, err)
	}
	close(answered)
	<-then
}

// What is followed comes line by line, and its end says why.
func TestFollow(t *testing.T) {
	p := start(t, Technician, Route{Name: "count", Follow: func(_ context.Context, _ Caller, args json.RawMessage, send func(any) error) error {
		var a struct{ To int }
		if err := Read(args, &a); err != nil {
			return err
		}
		for i := range a.To {
			if err := send(i); err != nil {
				return err
			}
		}
		if a.To > 2 {
			return Refuse(Device, "it cannot count on")
		}
		return nil
	}})
	follow := func(args any) (all []string, err error) {
		err = Dial(p.dir).Follow(t.Context(), "count", args, func(v json.RawMessage) error {
			all = append(all, string(v))
			return nil
		})
		return all, err
	}
	for _, row := range []struct {
		args any
		want string
		code Code
	}{{map[string]int{"to": 2}, "0 1", "done"}, {map[string]int{"to": 0}, "", "done"}, {map[string]int{"to": 3}, "0 1 2", Device}, {map[string]int{"from": 3}, "", Invalid}} {
		all, err := follow(row.args)
		if strings.Join(all, " ") != row.want || codeOf(err) != row.code {
			t.Errorf("%v: %v, %v", row.args, all, err)
		}
	}
	enough := errors.New("enough")
	if err := Dial(p.dir).Follow(t.Context(), "count", map[string]int{"to": 2}, func(json.RawMessage) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	a, err := through(p.dir, statusSocket).Post("http://stolpe/v1/count", "", nil)
	if err != nil || a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%v, %v", a, err)
	}
	a.Body.Close()
}

// The end of the server ends what is followed; after it nobody listens.
func TestEnd(t *testing.T) {
	begun := make(chan struct{})
	p := start(t, Technician, Route{Name: "tell", Follow: func(ctx context.Context, _ Caller, _ json.RawMessage, send func(any) error) error {
		err := send("first")
		close(begun)
		<-ctx.Done()
		return errors.Join(err, ctx.Err())
	}})
	over := make(chan error, 1)
	go func() {
		over <- Dial(p.dir).Follow(context.Background(), "tell", nil, func(json.RawMessage) error { return nil })
	}()
	<-begun
	p.end()
	if err := <-over; err != nil && !errors.Is(err, ErrNoDaemon) {
		t.Errorf("%v", err)
	}
	if err := Dial(p.dir).Get(t.Context(), "", nil, nil); !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), p.dir) {
		t.Errorf("%v", err)
	}
	if left := names(t, p.dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
