package sim

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"stolpe/hal"
)

// patience bounds every wait on a real wire in these tests; none takes that long.
const patience = 10 * time.Second

// served gives a server of a car charging with 11 kW, an hour into the charge,
// and the bench's rig.
func served(t *testing.T) (*Server, *Rig) {
	t.Helper()
	var c Clock
	rig := NewRig(Setup{Serial: "22110345", Register: 1_000_000}, c.Now)
	rig.Do(func(b *Bench, now time.Duration) { b.PlugIn(now, family); b.Set(now, hal.Closed) })
	c.Step(time.Hour)
	s, err := Serve("127.0.0.1:0", 7, rig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, rig
}

func client(t *testing.T, s *Server) net.Conn {
	t.Helper()
	return dial(t, s.URL())
}

// dial connects to a server where its URL says.
func dial(t *testing.T, at string) net.Conn {
	t.Helper()
	_, address, _ := strings.Cut(at, "://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// request gives the frame of a read in transaction 0x0102 of unit 7.
func request(function byte, addr, count uint16) []byte {
	frame := []byte{1, 2, 0, 0, 0, 6, 7, function}
	frame = binary.BigEndian.AppendUint16(frame, addr)
	return binary.BigEndian.AppendUint16(frame, count)
}

// ask sends a frame and gives the whole answer.
func ask(t *testing.T, conn net.Conn, frame []byte) []byte {
	t.Helper()
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 6)
	if _, err := io.ReadFull(conn, head); err != nil {
		t.Fatalf("no answer to % x: %v", frame, err)
	}
	rest := make([]byte, binary.BigEndian.Uint16(head[4:]))
	if _, err := io.ReadFull(conn, rest); err != nil {
		t.Fatalf("half an answer to % x: %v", frame, err)
	}
	return append(head, rest...)
}

func TestTheServerIsLaidOutAsAnSDM630(t *testing.T) {
	s, _ := served(t)
	conn := client(t, s)
	answer := ask(t, conn, request(readInput, 0, 80))
	if head := []byte{1, 2, 0, 0, 0, 163, 7, 4, 160}; !bytes.Equal(answer[:9], head) {
		t.Fatalf("head % x, want % x", answer[:9], head)
	}
	for addr, want := range map[int]float32{
		0x00: 230, 0x04: 230, 0x06: 15.942029, 0x0C: 3666.6667, 0x10: 3666.6667, 0x30: 47.826088,
		0x34: 11_000, 0x46: 50, 0x48: 1010.983, 0x4A: 0, 0x36: 0,
	} {
		if got := math.Float32frombits(binary.BigEndian.Uint32(answer[9+2*addr:])); got != want {
			t.Errorf("register %#04x: %v, want %v", addr, got, want)
		}
	}
	serial := ask(t, conn, request(readHolding, 0xFC00, 2))
	if got := binary.BigEndian.Uint32(serial[9:]); got != 22110345 {
		t.Errorf("serial %d", got)
	}
}

func TestTheServerRefusesWhatItDoesNotKnow(t *testing.T) {
	s, _ := served(t)
	conn := client(t, s)
	foreign := request(readInput, 0x34, 2)
	foreign[6] = 8
	long := append(request(readInput, 0x34, 2), 0)
	long[5] = 7
	for _, c := range []struct {
		name  string
		frame []byte
		code  byte
	}{
		{"write single register", request(6, 0x34, 2), illegalFunction},
		{"energy as a holding register", request(readHolding, 0x48, 2), illegalAddress},
		{"serial as an input register", request(readInput, 0xFC00, 2), illegalAddress},
		{"more than the serial", request(readHolding, 0xFC00, 4), illegalAddress},
		{"half a value", request(readInput, 0x47, 2), illegalAddress},
		{"past the end", request(readInput, 0x4E, 4), illegalAddress},
		{"past the end of all addresses", request(readInput, 0xFFFE, 4), illegalAddress},
		{"nothing", request(readInput, 0x48, 0), illegalValue},
		{"an odd number", request(readInput, 0x48, 3), illegalValue},
		{"too many", request(readInput, 0, 82), illegalValue},
		{"another unit", foreign, gatewayTarget},
		{"a request with a byte too many", long, illegalValue},
	} {
		answer := ask(t, conn, c.frame)
		if want := []byte{c.frame[7] | 0x80, c.code}; !bytes.Equal(answer[7:], want) || answer[5] != 3 {
			t.Errorf("%s: answer % x, want exception %d", c.name, answer, c.code)
		}
	}
}

func TestTheServerHangsUpOnWhatIsNotModbus(t *testing.T) {
	s, _ := served(t)
	for name, frame := range map[string][]byte{
		"another protocol": {1, 2, 0, 9, 0, 6, 7, 4, 0, 0, 0, 2},
		"nothing inside":   {1, 2, 0, 0, 0, 1, 7},
		"endless":          {1, 2, 0, 0, 255, 255, 7},
	} {
		conn := client(t, s)
		conn.Write(frame)
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%s: answered", name)
		}
	}
}

func TestOnlyARequestForTheRegisterMeetsAGlitch(t *testing.T) {
	s, rig := served(t)
	conn := client(t, s)
	rig.Do(func(b *Bench, _ time.Duration) { b.Glitch(1000) })
	ask(t, conn, request(readHolding, 0xFC00, 2))
	ask(t, conn, request(readInput, 0x34, 2))
	for _, want := range []float32{1011.983, 1010.983} {
		answer := ask(t, conn, request(readInput, 0x48, 2))
		if got := math.Float32frombits(binary.BigEndian.Uint32(answer[9:])); got != want {
			t.Errorf("register %v, want %v", got, want)
		}
	}
}

// Each wire fault does to the answer what its name says. NoAnswer, Late and
// HangUp have no bytes to look at and are tested apart.
func TestWireFaultsSpoilOneAnswer(t *testing.T) {
	sound := []byte{1, 2, 0, 0, 0, 7, 7, 4, 4, 70, 43, 224, 0} // 11,000 W
	for fault, want := range map[WireFault][]byte{
		Sound:            sound,
		Twice:            append(bytes.Clone(sound), sound...),
		WrongUnit:        {1, 2, 0, 0, 0, 7, 8, 4, 4, 70, 43, 224, 0},
		WrongTransaction: {1 ^ 0x55, 2, 0, 0, 0, 7, 7, 4, 4, 70, 43, 224, 0},
		WrongProtocol:    {1, 2, 0, 1, 0, 7, 7, 4, 4, 70, 43, 224, 0},
		WrongFunction:    {1, 2, 0, 0, 0, 7, 7, 3, 4, 70, 43, 224, 0},
		WrongCount:       {1, 2, 0, 0, 0, 7, 7, 4, 2, 70, 43, 224, 0},
		Short:            {1, 2, 0, 0, 0, 3, 7, 4, 0},
		Truncated:        sound[:10],
		Endless:          {1, 2, 0, 0, 255, 7, 7, 4, 4, 70, 43, 224, 0},
		Exception:        {1, 2, 0, 0, 0, 3, 7, 0x84, 4},
		SplitException:   {1, 2, 0, 0, 0, 3, 7, 0x84, 4},
		Garbage:          {7, 48, 89, 130, 171, 212, 253, 38, 79, 120, 161, 202, 243},
		Dribble:          sound,
		Split:            sound,
	} {
		t.Run(fault.String(), func(t *testing.T) {
			s, _ := served(t)
			conn := client(t, s)
			if err := s.Wire(fault); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(request(readInput, 0x34, 2)); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("% x, %v; want % x", got, err, want)
			}
			if after := ask(t, conn, request(readInput, 0x34, 2)); !bytes.Equal(after, sound) {
				t.Errorf("the answer after that: % x, want % x", after, sound)
			}
		})
	}
}

func TestALostAnswerIsFollowedByTheNext(t *testing.T) {
	s, _ := served(t)
	conn := client(t, s)
	s.Wire(NoAnswer)
	conn.Write(request(readInput, 0x48, 2))
	if answer := ask(t, conn, request(readInput, 0x34, 4)); len(answer) != 17 {
		t.Errorf("answer % x, want that to the second request", answer)
	}
}

func TestALateAnswerComesBeforeTheNextEvenElsewhere(t *testing.T) {
	s, _ := served(t)
	first := client(t, s)
	s.Wire(Late)
	frame := request(readInput, 0x48, 2)
	frame[1] = 99
	first.Write(frame)
	s.drained(t)
	second := client(t, s)
	if answer := ask(t, second, request(readInput, 0x34, 2)); answer[1] != 99 {
		t.Errorf("first on the new connection: % x, want the late one", answer)
	}
	rest := make([]byte, 13)
	if _, err := io.ReadFull(second, rest); err != nil || rest[1] != 2 {
		t.Errorf("then: % x, %v, want the right one", rest, err)
	}
}

// drained waits until the server has taken an answer late.
func (s *Server) drained(t *testing.T) {
	t.Helper()
	held := <-s.late
	s.late <- held
}

func TestHangUpClosesTheConnection(t *testing.T) {
	s, _ := served(t)
	conn := client(t, s)
	s.Wire(HangUp)
	conn.Write(request(readInput, 0x48, 2))
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("error %v, want the end", err)
	}
}

func TestASilentMeterDoesNotAnswerOnTheWire(t *testing.T) {
	s, rig := served(t)
	conn := client(t, s)
	rig.Do(func(b *Bench, now time.Duration) { b.Fault(now, Faults{Silent: true}) })
	conn.Write(request(readInput, 0x48, 2))
	foreign := request(readInput, 0x48, 2)
	foreign[6] = 9 // the gateway answers this itself, so the first would have come by now
	if answer := ask(t, conn, foreign); answer[8] != gatewayTarget {
		t.Errorf("answer % x", answer)
	}
}

func TestTheServerTakesALimitedNumberOfClients(t *testing.T) {
	s, _ := served(t)
	for range maxClients {
		ask(t, client(t, s), request(readInput, 0x48, 2))
	}
	extra := client(t, s)
	extra.Write(request(readInput, 0x48, 2))
	if n, err := extra.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("one client too many was served")
	}
}

func TestTheScriptHoldsALimitedNumberOfFaults(t *testing.T) {
	s, _ := served(t)
	if err := s.Wire(make([]WireFault, maxScript)...); err != nil {
		t.Fatal(err)
	}
	if err := s.Wire(Late); err == nil {
		t.Error("one fault too many was taken")
	}
}

func TestSeveralMetersAnswerBehindAGateway(t *testing.T) {
	var c Clock
	one, two := NewRig(Setup{Serial: "1001"}, c.Now), NewRig(Setup{Serial: "1002"}, c.Now)
	s, err := ServeTCP("127.0.0.1:0", Units{1: SDM630(one), 247: SDM630(two)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn := client(t, s)
	for unit, want := range map[byte][]byte{
		1:   {1, 2, 0, 0, 0, 7, 1, 3, 4, 0, 0, 3, 0xE9},
		247: {1, 2, 0, 0, 0, 7, 247, 3, 4, 0, 0, 3, 0xEA},
		7:   {1, 2, 0, 0, 0, 3, 7, 0x83, 11},
		0:   {1, 2, 0, 0, 0, 3, 0, 0x83, 11},
	} {
		frame := request(readHolding, 0xFC00, 2)
		frame[6] = unit
		if answer := ask(t, conn, frame); !bytes.Equal(answer, want) {
			t.Errorf("unit %d: % x, want % x", unit, answer, want)
		}
	}
}

func TestATakenAddressIsAnError(t *testing.T) {
	s, rig := served(t)
	if second, err := Serve(strings.TrimPrefix(s.URL(), "tcp://"), 1, rig); err == nil {
		second.Close()
		t.Error("two servers on one address")
	}
}
