package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Names on the wire.
const (
	root      = "/v1/"
	asHeader  = "Stolpe-As"      // who the caller says they are
	refusedAs = "Stolpe-Refusal" // trailer of what is followed: why it has ended
)

// within is how long a route may take that does not say. Chosen by us: slow buses and
// services have answered by then, and people have not gone yet.
const within = 30 * time.Second

// ServeHTTP answers one request.
func (d door) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if !d.enter() {
		refuse(w, Refuse(Busy, "the post is ending, or starting anew: try again"))
		return
	}
	defer d.busy.Done()
	who := d.callerOf(q)
	name, ours := strings.CutPrefix(q.URL.Path, root)
	r, known := d.routes[name]
	if err := d.rates.take(who.UID); err != nil && (!r.Urgent || who.Role < r.Least) {
		refuse(w, err)
		return
	}
	switch {
	case ours && name == "" && q.Method == http.MethodGet:
		answer(w, d.list(who)) //nolint:errcheck // the caller has gone
	case !ours || !known:
		refuse(w, Refuse(NotFound, "there is nothing at %.80q: GET %s lists what there is", q.URL.Path, root))
	case q.Method != r.method():
		w.Header().Set("Allow", r.method())
		refuse(w, Refuse(Invalid, "%s is asked for with %s", r.Name, r.method()))
	default:
		d.work(w, q, r, who)
	}
}

func (r Route) method() string {
	if r.Changes {
		return http.MethodPost
	}
	return http.MethodGet
}

// lease is how long a route may take.
func (r Route) lease() time.Duration {
	if r.Within == 0 {
		return within
	}
	return r.Within
}

// work does what one request wants, if its caller may.
func (d door) work(w http.ResponseWriter, q *http.Request, r Route, who Caller) {
	body, err := bodyOf(w, q)
	if err == nil {
		who.As, err = asOf(q)
	}
	j := job{route: r, who: who, args: body, id: newID()}
	if err == nil && who.Role < r.Least {
		err = d.forbidden(r, who)
		d.turnedAway(j, err)
	}
	switch {
	case err != nil:
		refuse(w, err)
	case r.Follow != nil:
		d.follow(w, q, j)
	default:
		d.do(w, q, j)
	}
}

// job is a request that somebody may make.
type job struct {
	route Route
	who   Caller
	args  json.RawMessage
	id    string
}

// do does what is asked for.
func (d door) do(w http.ResponseWriter, q *http.Request, j job) {
	said, err := d.done(q, j)
	if err != nil {
		refuse(w, err)
		return
	}
	data := any(said)
	r, more := said.(Reply)
	if more {
		data = r.Data
	}
	answer(w, data) //nolint:errcheck // the caller has gone
	if more && r.Then != nil {
		http.NewResponseController(w).Flush() //nolint:errcheck // the same
		r.Then()
	}
}

// done does it, with all that stands around it: the ledger, the lease, the time.
func (d door) done(q *http.Request, j job) (any, error) {
	r := j.route
	ctx := q.Context()
	if r.Changes && !r.Hardware {
		ctx = d.life // it is done whether or not its caller waits for it
	}
	long := r.lease()
	often := error(nil)
	if r.Changes {
		if often = d.rates.change(j.who.UID); often != nil && !r.Urgent {
			d.turnedAway(j, often)
			return nil, often
		}
	}
	if r.Hardware && !r.Urgent {
		if err := d.hardware.take(j); err != nil {
			d.turnedAway(j, err)
			return nil, err
		}
		defer d.hardware.release()
	}
	if r.Changes && often == nil { // what is urgent is done however often, and then written down together
		if err := d.audit.begin(ctx, j); err != nil {
			return nil, err
		}
	}
	timed, end := context.WithTimeout(ctx, long)
	defer end()
	said, err := r.Do(timed, j.who, j.args)
	if err != nil && errors.Is(timed.Err(), context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded) {
		err = Refuse(Failed, "%s has not ended within %v: %v", r.Name, long, err)
	}
	switch {
	case often != nil:
		d.audit.many.add(j.ended(said, err))
	case r.Changes:
		d.audit.end(j, said, err)
	}
	return said, err
}

// follow tells until the caller has heard enough.
func (d door) follow(w http.ResponseWriter, q *http.Request, j job) {
	ctx := q.Context()
	if j.route.Hardware {
		if err := d.hardware.take(j); err != nil {
			refuse(w, err)
			return
		}
		defer d.hardware.release()
		var end func()
		ctx, end = context.WithTimeout(ctx, j.route.lease())
		defer end()
	}
	begun := false
	err := j.route.Follow(ctx, j.who, j.args, func(v any) error {
		if !begun {
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		begun = true
		return answer(w, v)
	})
	switch {
	case err == nil || q.Context().Err() != nil:
	case !begun:
		refuse(w, err)
	default:
		no, _ := json.Marshal(refusalOf(err)) // of plain words
		w.Header().Set(http.TrailerPrefix+refusedAs, string(no))
	}
}

// answer writes one JSON value, for somebody who takes it.
func answer(w http.ResponseWriter, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		refuse(w, fmt.Errorf("the answer cannot be written: %w", err))
		return err
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(patient)); err != nil {
		return err
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return err
	}
	return c.Flush()
}

func refuse(w http.ResponseWriter, err error) {
	no := refusalOf(err)
	w.Header().Set("Content-Type", "application/json")
	if no.Code == Busy {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(statusOf(w, no.Code))
	json.NewEncoder(w).Encode(no) //nolint:errcheck // the caller has gone
}

// statusOf is the HTTP status of a code.
func statusOf(w http.ResponseWriter, c Code) int {
	switch {
	case w.Header().Get("Allow") != "":
		return http.StatusMethodNotAllowed
	case c == Invalid:
		return http.StatusBadRequest
	case c == NotPermitted:
		return http.StatusForbidden
	case c == NotFound:
		return http.StatusNotFound
	case c == Unsafe:
		return http.StatusConflict
	case c == Busy:
		return http.StatusServiceUnavailable
	case c == Device, c == Remote:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

func refusalOf(err error) Refusal {
	no := Refusal{Failed, err.Error()}
	errors.As(err, &no)
	return no
}

func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind it")
	}
	return nil
}
