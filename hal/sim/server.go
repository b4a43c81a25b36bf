package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

// Server serves the meter of a Rig over Modbus TCP, laid out as an Eastron
// SDM630. It answers one unit; for any other it refuses as a gateway does whose
// line is silent.
type Server struct {
	rig      *Rig
	unit     byte
	listener net.Listener
	ctx      context.Context // done when the server closes
	cancel   context.CancelFunc
	running  sync.WaitGroup
	clients  chan struct{}  // a token per client
	script   chan WireFault // for the next requests, in order
	late     chan []byte    // the answer that Late has held back
}

// Serve begins to serve at a TCP address such as "127.0.0.1:1502"; port 0 takes a
// free one. It returns an error when the address cannot be had. The caller must
// Close the server.
func Serve(address string, unit byte, rig *Rig) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("sim: serve meter: %w", err)
	}
	s := &Server{rig: rig, unit: unit, listener: listener,
		clients: make(chan struct{}, maxClients), script: make(chan WireFault, maxScript), late: make(chan []byte, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.running.Go(s.accept)
	return s, nil
}

// URL is where the meter can be read, as a post's configuration says it.
func (s *Server) URL() string { return "tcp://" + s.listener.Addr().String() }

// Wire puts faults on the wire: the next request meets the first, and so on. It
// returns an error when more than 256 are waiting.
func (s *Server) Wire(faults ...WireFault) error {
	for i, f := range faults {
		select {
		case s.script <- f:
		default:
			return fmt.Errorf("sim: wire fault %d of %d: %d are waiting already", i+1, len(faults), maxScript)
		}
	}
	return nil
}

// Close hangs up on all clients and waits until they are gone.
func (s *Server) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.running.Wait()
	if err != nil {
		return fmt.Errorf("sim: close meter: %w", err)
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

// talk answers one client until it goes, goes quiet, or says what is not Modbus.
func (s *Server) talk(conn net.Conn) {
	defer func() { <-s.clients }()
	defer conn.Close()
	defer context.AfterFunc(s.ctx, func() { conn.Close() })()
	var request, answer [260]byte
	for {
		conn.SetDeadline(time.Now().Add(idleTimeout)) // on a closed connection the read fails anyway
		size, err := receive(conn, request[:])
		if err != nil {
			return
		}
		reply := s.answer(answer[:0], request[:size])
		if err := s.send(conn, request[:size], reply); err != nil {
			return
		}
	}
}

// receive reads one request. It returns an error for what cannot be one.
func receive(conn net.Conn, into []byte) (int, error) {
	if _, err := io.ReadFull(conn, into[:7]); err != nil {
		return 0, err
	}
	size := 6 + int(binary.BigEndian.Uint16(into[4:]))
	if binary.BigEndian.Uint16(into[2:]) != 0 || size < 8 || size > len(into) {
		return 0, errors.New("not a Modbus frame")
	}
	_, err := io.ReadFull(conn, into[7:size])
	return size, err
}

// answer appends the answer to a whole request; nothing when the meter is silent.
func (s *Server) answer(to, request []byte) []byte {
	to = append(to, request[:8]...) // transaction, protocol, length, unit, function
	var code byte
	switch function := request[7]; {
	case request[6] != s.unit:
		code = gatewayTarget
	case function != readHolding && function != readInput:
		code = illegalFunction
	case len(request) != 12:
		code = illegalValue
	default:
		addr, count := binary.BigEndian.Uint16(request[8:]), binary.BigEndian.Uint16(request[10:])
		var answers bool
		if to, code, answers = s.registers(to, function, addr, count); !answers {
			return nil
		}
	}
	if code != 0 {
		to = append(to[:8], code)
		to[7] |= 0x80
	}
	binary.BigEndian.PutUint16(to[4:], uint16(len(to)-6))
	return to
}
