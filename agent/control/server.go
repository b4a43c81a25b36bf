package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Limits, chosen by us: what a person with a terminal and a script or two need, several
// times over, and what a small computer never notices.
const (
	maxBody     = 64 << 10         // bytes of a request
	maxHead     = 8 << 10          // bytes before it
	patient     = 10 * time.Second // for a request to be sent, and for an answer to be taken
	idleFor     = 30 * time.Second // a connection may say nothing
	maxTogether = 64               // connections to a socket at once
	maxEach     = 16               // of one user
	endWithin   = 3 * time.Second  // for answers that are on their way, at the end
)

// Options say what a server serves, and to whom.
type Options struct {
	Dir    string   // of the sockets; made if it is not there
	Group  string   // whose members may open the control socket; empty for root and the daemon's user only
	Admins []string // login names of members who are admins; the others are technicians
	Routes []Route
	Note   func(Record) error // writes one down so that it lasts; nil when there is no ledger
	Log    *slog.Logger
}

// Server serves the sockets. Make one with Listen.
type Server struct {
	Options
	people          people
	who             func(uid, gid int) Caller // of people, but in tests
	routes          map[string]Route
	status, control *socket
	hardware        lease
	rates           rates
	audit           audit

	mu    sync.Mutex     // guards ended, and busy from being added to after that
	ended bool           // nothing is begun any more
	busy  sync.WaitGroup // requests that are worked at
}

// Listen opens the sockets. Nobody is answered before Run.
func Listen(o Options) (*Server, error) {
	s := &Server{Options: o, people: peopleOf(o), routes: map[string]Route{}}
	s.who = s.people.callerOf
	s.audit = audit{note: o.Note, log: o.Log, later: make(chan Record, maxLater), many: tally{news: make(chan struct{}, 1)}}
	for _, r := range o.Routes {
		if err := r.check(); err != nil {
			return nil, err
		}
		if _, twice := s.routes[r.Name]; twice {
			return nil, fmt.Errorf("route %s stands there twice", r.Name)
		}
		s.routes[r.Name] = r
	}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("control sockets: %w", err)
	}
	if s.people.gid < 0 && o.Group != "" {
		o.Log.Info("this machine has no such group: only root and the user of the daemon work at the post", "control.group", o.Group)
	}
	return s, nil
}

func (s *Server) open() (err error) {
	if err := folder(s.Dir); err != nil {
		return err
	}
	if s.status, err = openSocket(filepath.Join(s.Dir, statusSocket), 0o666, -1); err != nil {
		return err
	}
	path := filepath.Join(s.Dir, controlSocket)
	s.control, err = openSocket(path, 0o660, s.people.gid)
	if errors.Is(err, syscall.EPERM) {
		s.Log.Warn("the control socket cannot be given to its group: only root and the user of the daemon work at the post; make that user a member", "control.group", s.Group, "err", err)
		s.control, err = openSocket(path, 0o660, -1)
	}
	if err != nil {
		return errors.Join(err, s.status.remove())
	}
	return nil
}

// named says whether a route may be called that: words of small letters with / between.
// It is checked by looking, as a pattern would be compiled at each start of every command.
func named(name string) bool {
	for word := range strings.SplitSeq(name, "/") {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	return true
}

// check says what is wrong with a route, which is a mistake of ours.
func (r Route) check() error {
	switch {
	case !named(r.Name):
		return fmt.Errorf("route %q: want words of small letters with / between", r.Name)
	case (r.Do == nil) == (r.Follow == nil):
		return fmt.Errorf("route %s: want Do or Follow", r.Name)
	case r.Changes && (r.Follow != nil || r.Least == Viewer):
		return fmt.Errorf("route %s: what changes something is done, and not by viewers", r.Name)
	case r.Urgent && !r.Changes, r.Hardware && r.Least == Viewer:
		return fmt.Errorf("route %s: urgent is what changes something, and hardware is not for viewers", r.Name)
	}
	return nil
}

// Run serves until ctx ends and all requests have.
func (s *Server) Run(ctx context.Context) {
	var clerk, doors sync.WaitGroup
	clerk.Go(s.audit.work)
	s.rates.begin()
	for _, d := range []door{{s, s.status, true, ctx}, {s, s.control, false, ctx}} {
		doors.Go(func() { d.serve(ctx) })
	}
	doors.Wait()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.busy.Wait()
	close(s.audit.later)
	clerk.Wait()
}

// enter says whether a request may still be begun; if so, it counts as one that is worked at.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.busy.Add(1)
	}
	return !s.ended
}

// door is one of the sockets as it is served.
type door struct {
	*Server
	socket  *socket
	looking bool            // only: whoever comes through it is a viewer
	life    context.Context // of Run
}

func (d door) serve(ctx context.Context) {
	h := &http.Server{
		Handler: d, ReadHeaderTimeout: patient, IdleTimeout: idleFor, MaxHeaderBytes: maxHead,
		ErrorLog:    slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, visitorKey{}, c.(*visitor))
		},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := h.Serve(&gate{socket: d.socket, inside: map[int]int{}})
		if ctx.Err() == nil {
			d.Log.Error("nobody at the post can work or look through this socket until the post is started again; charging goes on", "socket", d.socket.path, "err", err)
		}
	}()
	<-ctx.Done()
	lastly, done := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer done()
	err := errors.Join(h.Shutdown(lastly), h.Close(), d.socket.remove())
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		d.Log.Warn("control socket does not end well", "err", err)
	}
	<-ended
}

// gate lets connections in, though not too many.
type gate struct {
	*socket
	mu     sync.Mutex
	inside map[int]int // connections by uid
	all    int         // connections
}

// visitor is a connection, and who is behind it.
type visitor struct {
	net.Conn
	uid, gid int // -1 where nobody knows
	known    bool
	gone     sync.Once
	leave    func()
}

type visitorKey struct{}

// Close closes the connection.
func (v *visitor) Close() error {
	v.gone.Do(v.leave)
	return v.Conn.Close()
}

// Accept gives the next connection. For one too many there is no answer: whoever opens so
// many may never ask anything.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.socket.AcceptUnix()
		if err != nil {
			return nil, err
		}
		v := &visitor{Conn: c}
		v.uid, v.gid, v.known = peerOf(c)
		v.leave = func() { g.count(v.uid, -1) }
		if g.count(v.uid, 1) {
			return v, nil
		}
		v.Close() //nolint:errcheck // nothing was said
	}
}

// count counts a connection in or out, and says whether there are few enough.
func (g *gate) count(uid, n int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all += n
	if g.inside[uid] += n; g.inside[uid] == 0 {
		delete(g.inside, uid)
	}
	return g.all <= maxTogether && g.inside[uid] <= maxEach
}
