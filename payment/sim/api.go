package sim

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// maxBody limits a request's body, in bytes. Chosen by us; a create with a full
// receipt has some ten thousand.
const maxBody = 64 << 10

// ServeHTTP serves the API and the payer's pages.
func (t *Till) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// inbound is a request, read whole, so that it can arrive later too.
type inbound struct {
	call   Call
	method string
	ref    string              // what it is about, from the path; empty for all or a new one
	part   func(string) string // of the path, by its name there
	path   string
	query  url.Values
	host   string // what links to this Till begin with
	header http.Header
	body   []byte
	said   said // once the body has been checked
}

func (t *Till) serve(w http.ResponseWriter, r *http.Request, call Call) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		gateway(status, "The request's body could not be read").write(w)
		return
	}
	out, f := t.handle(inbound{
		call: call, method: r.Method, ref: r.PathValue("ref"), part: r.PathValue, path: r.URL.Path, query: r.URL.Query(),
		host: t.hostOf(r), header: r.Header, body: body,
	})
	switch f.Kind {
	case RequestLost, AnswerLost, Late:
		panic(http.ErrAbortHandler) // net/http's own way to break the connection without an answer
	case Slow:
		hold(r.Context(), f.Wait)
	}
	out.write(w)
}

// hostOf is what links to this Till begin with.
func (t *Till) hostOf(r *http.Request) string {
	switch {
	case t.publicURL != "":
		return t.publicURL
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// hold lets real time pass, as long as somebody waits for the answer.
func hold(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(min(d, MaxSlow))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// handle lets a request and its fault have their effects.
func (t *Till) handle(in inbound) (reply, Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.catchUp(t.clock())
	f := t.faults(in.call)
	if f.Kind != NoFault {
		t.log.Info("till: fault", "call", in.call.String(), "fault", f.Kind.String(), "reference", in.ref)
	}
	switch f.Kind {
	case RequestLost:
		return reply{}, f
	case Late:
		t.later(now+f.Wait, func(at time.Duration) { t.answer(at, in) })
		return reply{}, f
	}
	if out, ok := t.refused(in, f); ok {
		return out, f
	}
	out := t.answer(now, in)
	if f.Kind == Applied {
		out = t.failed(in)
	}
	return out, f
}

// answer is what the provider does with a request that reached it. The lock is
// held.
func (t *Till) answer(now time.Duration, in inbound) reply {
	out := t.respond(now, &in)
	level := slog.LevelInfo
	if in.call == TokenCall || in.method == http.MethodGet {
		level = slog.LevelDebug // these change nothing, and come every other second
	}
	t.log.Log(context.Background(), level, "till: answer",
		"call", in.call.String(), "reference", in.ref, "status", out.status, "code", out.code)
	return out
}

func (t *Till) respond(now time.Duration, in *inbound) reply {
	if in.call == TokenCall {
		return t.token(now, *in)
	}
	if out, ok := t.admitted(now, *in); !ok {
		return out
	}
	switch in.call.api() {
	case orderAPI:
		return t.orderManagement(*in)
	case codeAPI:
		return t.qr(now, *in)
	case hookAPI:
		return t.webhooks(*in)
	case reportAPI:
		return t.report(now, *in)
	}
	return t.ePayment(now, in)
}

// ePayment answers what belongs to payments themselves.
func (t *Till) ePayment(now time.Duration, in *inbound) reply {
	said, field, reason := t.shapes.read(*in)
	if reason != "" {
		return t.invalid(*in, field, reason)
	}
	in.said = said
	switch in.call {
	case CreateCall:
		in.ref = string(said.Reference)
		return t.create(now, *in)
	case GetCall:
		return t.get(now, *in)
	case EventsCall:
		return t.events(now, *in)
	case CancelCall:
		return t.cancel(now, *in)
	case ApproveCall:
		return t.approve(now, *in)
	}
	return t.change(now, *in)
}
