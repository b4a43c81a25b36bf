package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Names of the sockets in their folder.
const (
	statusSocket  = "status.sock"  // for everybody; looking only
	controlSocket = "control.sock" // for the group
)

// Limits, chosen by us.
const (
	maxBody = 64 << 10         // bytes of a request
	patient = 10 * time.Second // for a request to be sent
)

// Options say what a server serves, and to whom.
type Options struct {
	Dir    string // of the sockets; made if it is not there
	Group  string // whose members may open the control socket; empty for root and the daemon's user only
	Routes []Route
	Log    *slog.Logger
}

// Server serves the sockets. Make one with Listen.
type Server struct {
	Options
	status, control net.Listener
}

// Listen opens the sockets.
func Listen(o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("control sockets: %w", err)
	}
	s := &Server{Options: o}
	var err error
	if s.status, err = listen(filepath.Join(o.Dir, statusSocket), 0o666); err != nil {
		return nil, err
	}
	if s.control, err = listen(filepath.Join(o.Dir, controlSocket), 0o660); err != nil {
		return nil, errors.Join(err, s.status.Close())
	}
	return s, nil
}

func listen(path string, mode os.FileMode) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control sockets: %w", err)
	}
	return l, os.Chmod(path, mode)
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) {
	serve := func(l net.Listener, role Role) *http.Server {
		h := &http.Server{Handler: s.handler(role), ReadHeaderTimeout: patient, BaseContext: func(net.Listener) context.Context { return ctx }}
		go h.Serve(l) //nolint:errcheck // ends with Close
		return h
	}
	a, b := serve(s.status, Viewer), serve(s.control, Admin)
	<-ctx.Done()
	a.Close()
	b.Close()
}

func (s *Server) handler(role Role) http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.Routes {
		method := http.MethodGet
		if r.Changes {
			method = http.MethodPost
		}
		mux.HandleFunc(method+" /v1/"+r.Name, func(w http.ResponseWriter, q *http.Request) { s.answer(w, q, r, role) })
	}
	return mux
}

func (s *Server) answer(w http.ResponseWriter, q *http.Request, r Route, role Role) {
	if role < r.Least {
		refuse(w, Refuse(NotPermitted, "%s is for a %v", r.Name, r.Least))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	if err != nil {
		refuse(w, Refuse(Invalid, "request: %v", err))
		return
	}
	who := Caller{UID: -1, Role: role}
	if r.Follow != nil {
		e := json.NewEncoder(w)
		r.Follow(q.Context(), who, body, func(v any) error { //nolint:errcheck // the caller has gone
			defer http.NewResponseController(w).Flush() //nolint:errcheck // the same
			return e.Encode(v)
		})
		return
	}
	v, err := r.Do(q.Context(), who, body)
	if err != nil {
		refuse(w, err)
		return
	}
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the caller has gone
}

func refuse(w http.ResponseWriter, err error) {
	no := Refusal{Failed, err.Error()}
	errors.As(err, &no)
	w.WriteHeader(http.StatusConflict)
	json.NewEncoder(w).Encode(no) //nolint:errcheck // the caller has gone
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
