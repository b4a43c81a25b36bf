package sim

import (
	"errors"
	"io"
	"os"
	"time"
)

// Chosen by us.
const (
	dribbleGap = 50 * time.Millisecond  // an answer of 53 bytes takes 2.6 s, and no single pause looks like silence
	splitGap   = 20 * time.Millisecond  // an adapter that collects bytes for 16 ms, as many do, is out of step by that
	lateBy     = 700 * time.Millisecond // longer than a test waits for an answer
	flushTime  = 100 * time.Millisecond // for bytes that nobody takes; then they are lost, as on a real line
)

// errSpoken says that the master spoke while a meter on a line answered. Then the
// rest of the answer is not sent and the meter listens.
var errSpoken = errors.New("sim: the master spoke in the middle of an answer")

// conn is what a master is heard and spoken to through.
type conn interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// talk is one conversation with a master.
type talk struct {
	*meters
	conn conn

	// Of a serial line only.
	line *Line
	port *port
	mute time.Time // what the master says before is lost

	in      [1024]byte // heard and not yet taken
	have    int        // bytes in in
	began   time.Time  // when the first of them came
	request [260]byte
	out     [1024]byte
	wrote   time.Time // when the last bytes were sent
}

// run answers until the master goes, goes quiet, or says what is not Modbus.
func (t *talk) run() {
	for {
		request, err := t.receive()
		if err != nil {
			return
		}
		if err := t.reply(request); err != nil && !errors.Is(err, errSpoken) {
			return
		}
	}
}

// receive gives the next whole request, valid until the next receive.
func (t *talk) receive() ([]byte, error) {
	if t.wire == TCP {
		return t.receiveTCP()
	}
	return t.receiveRTU()
}

// body is where unit, function and data stand in a frame.
func (t *talk) body(frame []byte) []byte {
	if t.wire == TCP {
		return frame[headerSize:]
	}
	return frame[:len(frame)-crcSize]
}

// reply answers a request as the script has it. An error ends the conversation.
func (t *talk) reply(request []byte) error {
	fault := t.next()
	head := 0
	if t.wire == TCP {
		head = copy(t.out[:], request[:headerSize])
	}
	said := t.answer(t.out[:head], t.body(request))
	if err := t.turn(fault, request); err != nil {
		return err
	}
	if err := t.overdue(); err != nil {
		return err
	}
	if said == nil {
		if fault == UnplugNow {
			return t.unplug()
		}
		return nil // the meter itself is silent
	}
	said = spoil(said[head:], fault, t.wire)
	var frame []byte
	if t.wire == TCP {
		frame = sealTCP(t.out[:head+len(said)])
	} else {
		frame = sealRTU(said)
	}
	return t.deliver(damage(frame, fault, t.wire), fault)
}

// turn is what comes before the answer on a line: the request takes its time on
// the wire, it may come back, and the meter must think.
func (t *talk) turn(fault WireFault, request []byte) error {
	if fault == Echo {
		if err := t.write(request); err != nil {
			return err
		}
	}
	if t.line == nil {
		return nil
	}
	pause := t.line.serial.Delay
	if t.line.serial.Paced {
		pause += time.Duration(len(request)) * t.line.serial.character()
	}
	return t.pause(pause)
}

// overdue sends the answer that Late held back, unless it is lost by now.
func (t *talk) overdue() error {
	select {
	case h := <-t.late:
		if h.until.IsZero() || time.Now().Before(h.until) {
			return t.write(h.frame)
		}
	default:
	}
	return nil
}

// deliver sends a frame. After one that was sent whole a line must be silent.
func (t *talk) deliver(frame []byte, fault WireFault) error {
	var err error
	switch fault {
	case NoAnswer:
		return nil
	case HangUp:
		return io.EOF
	case Late:
		return t.hold(frame)
	case UnplugNow:
		if err := t.send(frame[:len(frame)/2]); err != nil {
			return err
		}
		return t.unplug()
	case Dribble:
		err = t.pieces(dribbleGap, frame, 1)
	case Split:
		err = t.pieces(splitGap, frame, (len(frame)+2)/3)
	case SplitException:
		err = t.pieces(dribbleGap, frame, len(frame)-1)
	default:
		err = t.send(frame)
	}
	if err == nil && t.line != nil {
		t.mute = t.wrote.Add(t.line.serial.silence())
	}
	return err
}

// hold keeps an answer back.
func (t *talk) hold(frame []byte) error {
	h, err := held{frame: append([]byte(nil), frame...)}, error(nil)
	if t.wire != TCP {
		h.until = time.Now().Add(lateBy)
		if err = t.pause(lateBy); err == nil {
			return t.write(frame)
		}
	}
	select {
	case t.late <- h:
	default: // one is held already: this one is lost
	}
	return err
}

// pieces sends a frame in pieces of size bytes with pauses between them.
func (t *talk) pieces(gap time.Duration, frame []byte, size int) error {
	for from := 0; from < len(frame); from += size {
		if from > 0 {
			if err := t.pause(gap); err != nil {
				return err
			}
		}
		if err := t.send(frame[from:min(from+size, len(frame))]); err != nil {
			return err
		}
	}
	return nil
}

// send sends bytes, on a line that is paced each when its last bit is through.
func (t *talk) send(b []byte) error {
	if t.line == nil || !t.line.serial.Paced {
		return t.write(b)
	}
	character, start := t.line.serial.character(), time.Now()
	for sent := 0; sent < len(b); {
		if err := t.pause(time.Until(start.Add(time.Duration(sent+1) * character))); err != nil {
			return err
		}
		through := min(int(time.Since(start)/character), len(b))
		if err := t.write(b[sent:through]); err != nil {
			return err
		}
		sent = through
	}
	return nil
}

// write sends bytes at once.
func (t *talk) write(b []byte) error {
	t.wrote = time.Now()
	if t.line == nil {
		t.conn.SetWriteDeadline(t.wrote.Add(idleTimeout)) // on a closed connection the write fails anyway
		_, err := t.conn.Write(b)
		return err
	}
	t.conn.SetWriteDeadline(t.wrote.Add(flushTime))
	_, err := t.conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // nobody reads
	}
	return err
}

// pause lets time pass and listens meanwhile. On a line it returns errSpoken as
// soon as the master speaks; what was said is kept.
func (t *talk) pause(d time.Duration) error {
	until := time.Now().Add(d)
	for {
		if t.wire != TCP && t.have > 0 {
			return errSpoken
		}
		err := t.listen(until)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// listen takes what comes next. It returns os.ErrDeadlineExceeded at the instant
// until, if that is not zero.
func (t *talk) listen(until time.Time) error {
	t.conn.SetReadDeadline(until) // on a closed connection the read fails anyway
	n, err := t.conn.Read(t.in[t.have:])
	if n == 0 && err == nil {
		err = io.ErrNoProgress // no room: a client asks and asks and waits for no answer
	}
	if err != nil {
		return err
	}
	if t.have == 0 {
		t.began = time.Now()
	}
	t.have += n
	if t.line != nil && t.line.serial.Echo {
		return t.write(t.in[t.have-n : t.have])
	}
	return nil
}

// take gives the first bytes heard as a request and keeps the rest.
func (t *talk) take(size int) []byte {
	request := t.request[:copy(t.request[:], t.in[:size])]
	t.have = copy(t.in[:], t.in[size:t.have])
	return request
}

// unplug pulls the adapter.
func (t *talk) unplug() error {
	t.line.Unplug()
	return io.EOF
}
