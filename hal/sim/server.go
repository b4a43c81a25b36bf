package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Limits of a Server. Chosen by us: more than a post and a curious technician
// need, and few enough that nobody can fill a machine with connections.
const (
	maxClients  = 16
	idleTimeout = 5 * time.Minute // without a request
	maxScript   = 256             // wire faults waiting
	acceptPause = 10 * time.Millisecond
)

// Server serves meters over TCP: a gateway that speaks Modbus TCP and refuses for
// a unit it does not know, or a converter that passes the bytes of a serial line
// on.
type Server struct {
	meters
	listener net.Listener
	ctx      context.Context // done when the server closes
	cancel   context.CancelFunc
	running  sync.WaitGroup
	clients  chan struct{} // a token per client
}

// Serve serves the meter of a Rig, an Eastron SDM630, as one unit over Modbus TCP;
// see ServeTCP.
func Serve(address string, unit byte, rig *Rig) (*Server, error) {
	return ServeTCP(address, Units{unit: SDM630(rig)})
}

// ServeTCP begins to serve meters over Modbus TCP, at an address such as
// "127.0.0.1:1502"; port 0 takes a free one. It returns an error when the address
// cannot be had. The caller must Close the server.
func ServeTCP(address string, units Units) (*Server, error) { return listen(TCP, address, units) }

// ServeRTUOverTCP is ServeTCP for meters on a serial line behind a converter that
// knows no Modbus: frames of RTU go through a TCP connection, and a unit that is
// not there is silent.
func ServeRTUOverTCP(address string, units Units) (*Server, error) {
	return listen(RTUOverTCP, address, units)
}

func listen(w Wire, address string, units Units) (*Server, error) {
	m, err := newMeters(w, units)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("sim: serve meters: %w", err)
	}
	s := &Server{meters: m, listener: listener, clients: make(chan struct{}, maxClients)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.running.Go(s.accept)
	return s, nil
}

// URL is where the meters can be read, as a post's configuration says it.
func (s *Server) URL() string {
	scheme := "tcp://"
	if s.wire == RTUOverTCP {
		scheme = "rtuovertcp://"
	}
	return scheme + s.listener.Addr().String()
}

// Close hangs up on all clients and waits until they are gone.
func (s *Server) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.running.Wait()
	if err != nil {
		return fmt.Errorf("sim: close meters: %w", err)
	}
	return nil
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if !s.wait(acceptPause) {
				return
			}
			continue // the client was gone already, or there are too many files open
		}
		select {
		case s.clients <- struct{}{}:
			s.running.Go(func() { s.talk(conn) })
		default:
			conn.Close()
		}
	}
}

// talk answers one client until one of them hangs up.
func (s *Server) talk(conn net.Conn) {
	defer func() { <-s.clients }()
	defer conn.Close()
	defer context.AfterFunc(s.ctx, func() { conn.Close() })()
	t := &talk{meters: &s.meters, conn: conn}
	t.run()
}

// wait waits, unless the server closes first.
func (s *Server) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
