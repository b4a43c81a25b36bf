package field

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// uart is the way from an emulated serial port to the meter. It hands a request on when
// it is whole. The port of an emulated processor sends the bytes of one in bursts that may
// be a tenth of a second apart, and on a real line that would be two requests.
type uart struct {
	listener net.Listener
	meter    string // host:port
	running  sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

// request is the length of a request to read registers: unit, function, address, count
// and check sum (MODBUS Application Protocol 1.1b3, 6.3).
const request = 8

func newUART(meter string) (*uart, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("field: serial port: %w", err)
	}
	u := &uart{listener: l, meter: meter, conns: map[net.Conn]bool{}}
	u.running.Go(u.accept)
	return u, nil
}

func (u *uart) accept() {
	for {
		c, err := u.listener.Accept()
		if err != nil {
			return // closed
		}
		meter, err := net.Dial("tcp", u.meter)
		if err != nil {
			c.Close()
			continue
		}
		u.mu.Lock()
		u.conns[c], u.conns[meter] = true, true
		u.mu.Unlock()
		u.running.Go(func() {
			defer u.hangUp(c, meter)
			io.Copy(c, meter) //nolint:errcheck // either end may go at any time
		})
		u.running.Go(func() {
			defer u.hangUp(c, meter)
			collect(meter, c)
		})
	}
}

func (u *uart) hangUp(conns ...net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(u.conns, c)
	}
}

// collect hands on every whole request that it hears. What else it hears is lost.
func collect(to io.Writer, from io.Reader) {
	var heard []byte
	for b := make([]byte, 1); ; {
		if _, err := from.Read(b); err != nil {
			return
		}
		heard = append(heard, b[0])
		heard = heard[max(0, len(heard)-request):]
		if len(heard) < request || crc(heard) != 0 {
			continue
		}
		if _, err := to.Write(heard); err != nil {
			return
		}
		heard = heard[:0]
	}
}

// crc is the check sum of MODBUS over Serial Line 1.02, 6.2.2. That of a frame with its own
// check sum is 0.
func crc(frame []byte) uint16 {
	sum := uint16(0xffff)
	for _, b := range frame {
		sum ^= uint16(b)
		for range 8 {
			odd := sum&1 != 0
			if sum >>= 1; odd {
				sum ^= 0xa001
			}
		}
	}
	return sum
}

func (u *uart) close() error {
	err := u.listener.Close()
	u.mu.Lock()
	for c := range u.conns {
		c.Close()
	}
	u.mu.Unlock()
	u.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
